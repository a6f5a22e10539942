"""The ``datamailer`` command."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from api.cli import COMMANDS, main
from api.demo import KEYS
from config.local.reach import tell
from tests.api.serving import COURSES, MASTER_KEY, serving, settings_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(empty_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on an empty database; gives its status and what it wrote."""
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("MASTER_KEY", base64.b64encode(MASTER_KEY).decode())

    def ran(*words: str) -> tuple[int, str, str]:
        status = main(words)
        written = capsys.readouterr()
        return status, written.out, written.err

    return ran


def test_from_an_empty_database_to_a_first_contact(run: Run, empty_database: str) -> None:
    for _ in range(2):
        assert run("migrate") == (0, "", "")
    assert run("organizations", "create", "acme", "--name", "Acme")[0] == 0
    assert run("audiences", "create", "people", "--organization", "acme")[0] == 0
    assert run("clients", "create", "app", "--organization", "acme")[0] == 0
    status, key, _ = run("keys", "create", "--client", "app", "--name", "production", "--notes", "the first")
    assert status == 0
    with serving(settings_of(empty_database)) as served, served.client(key.strip()) as http:
        body = {"email": "first@example.com", "audience": "people", "client": "app"}
        assert http.post("/api/contacts", json=body).status_code == 200
    assert run("organizations", "list")[1].splitlines() == ["slug  name", "acme  Acme"]
    assert run("audiences", "list", "--organization", "acme")[1].splitlines()[1:] == ["acme          people  people"]
    assert run("audiences", "list", "--organization", "other")[1].splitlines()[1:] == []


def test_without_an_environment_it_works_on_what_make_run_started(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("migrate")
    tell(tmp_path, {"DATABASE_URL": empty_database, "MASTER_KEY": base64.b64encode(MASTER_KEY).decode()})
    for name in ("DATABASE_URL", "MASTER_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert run("organizations", "list") == (0, "slug  name\n", "")
    (tmp_path / "stack.json").unlink()
    assert run("organizations", "list") == (2, "", "DATABASE_URL is required\nMASTER_KEY is required\n")


def test_switching_clients_and_revoking_keys(run: Run) -> None:
    run("migrate")
    assert KEYS["dtc-courses"] in run("demo")[1]
    assert run("clients", "deactivate", "asl-platform")[0] == 0
    assert run("clients", "list", "--organization", "ai-shipping-labs")[1].split()[-1] == "no"
    assert run("clients", "activate", "asl-platform")[0] == 0
    assert run("clients", "list", "--organization", "ai-shipping-labs")[1].split()[-1] == "yes"
    assert run("keys", "revoke", "dm_dtccourses", "--client", "dtc-courses")[0] == 0
    listed = run("keys", "list", "--client", "dtc-courses")[1].splitlines()
    assert listed[0].split() == ["key", "name", "made", "last", "used", "revoked"]
    assert listed[1].startswith("dm_dtccourses  demo  2")
    assert len(listed[1].split()) == 6
    assert KEYS["dtc-courses"] not in "".join(listed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("organizations", "create", "datatalksclub"), "slug: duplicate"),
        (("organizations", "create", "a b"), "slug: invalid"),
        (("audiences", "create", "x", "--organization", "nowhere"), "organization: not_found"),
        (("clients", "activate", "nobody"), "client: not_found"),
        (("keys", "create", "--client", "dtc-courses", "--name", "demo"), "name: duplicate"),
        (("keys", "revoke", "nothing", "--client", "dtc-courses"), "public_id: not_found"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: tuple[str, ...], message: str) -> None:
    run("migrate")
    run("demo")
    assert run(*words) == (1, "", f"{message}\n")


def test_a_client_slug_of_several_organizations(run: Run) -> None:
    run("migrate")
    for owner in ("one", "two"):
        run("organizations", "create", owner)
        run("clients", "create", "app", "--organization", owner)
    status, _, error = run("keys", "list", "--client", "app")
    assert (status, error.startswith("organization: required")) == (1, True)
    assert run("keys", "list", "--client", "app", "--organization", "two")[0] == 0


def test_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY", "short")
    status, _, error = run("migrate")
    assert status == 2
    assert error.startswith("MASTER_KEY ")


def test_a_database_without_tables(run: Run) -> None:
    assert run("clients", "list") == (1, "", "The database has no tables yet: run datamailer migrate.\n")


def test_the_master_key_of_another_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate")
    run("demo")
    monkeypatch.setenv("MASTER_KEY", base64.b64encode(MASTER_KEY[::-1]).decode())
    status, _, error = run("clients", "list")
    assert (status, error.startswith("MASTER_KEY is not the key")) == (1, True)


def test_an_event_of_a_newer_version(run: Run, empty_database: str) -> None:
    run("migrate")
    run("demo")
    with psycopg.connect(empty_database) as connection:
        connection.execute("UPDATE log SET topic = 'contact.registered@99' WHERE topic LIKE 'contact.registered@%'")
    scope = ("--organization", "datatalksclub", "--audience", "dtc-courses", "--client", "dtc-courses")
    status, _, error = run("contacts", "show", "1", *scope)
    assert (status, error) == (1, "The log holds an event that this version does not know: contact.registered@99.\n")


def test_no_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nowhere")
    for words in (("migrate",), ("clients", "list")):
        assert run(*words) == (1, "", "The database cannot be reached.\n")


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([*command.words.split(), "--help"])
        assert ended.value.code == 0
        assert command.about in capsys.readouterr().out


def test_the_scope_of_the_demo_key(run: Run, empty_database: str) -> None:
    run("migrate")
    run("demo")
    with serving(settings_of(empty_database)) as served, served.client() as http:
        assert http.get("/api/contacts/status", params={"email": "learner@example.com", **COURSES}).json()["exists"]
