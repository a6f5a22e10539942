"""Read models from a terminal and over the admin API: status, rebuild, verify, unpark."""

from __future__ import annotations

import base64
import io
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import psycopg
import pytest
from rich.console import Console
from rich.progress import Progress as Bars

from api.cli import main
from api.cli_progress import COLUMNS, Lines, counted
from consumers.session import Connection, connect
from domain.store.log import Store
from projections import directory
from projections.rebuild.progress import Progress
from tests.api.serving import MASTER_KEY_TEXT, fields
from tests.projections.building import followed, people, schemas
from tests.waiting import wait_until

PATH = "/admin/api/projections"
HELD = "SELECT pg_advisory_lock(hashtextextended('datamailer rebuild ' || 'contacts', 0))"
Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, "test") as connection:
        yield connection


@pytest.fixture
def people_there(database: str, connection: Connection) -> None:
    """Five contacts in the live rows, as the log says."""
    store = Store(database, MASTER_KEY_TEXT)
    events = followed(store, connection, people(5))
    followed_too = "INSERT INTO checkpoints (projection, partition, partitions, position) VALUES (%s, 0, 1, %s)"
    connection.execute(followed_too, (directory.PROJECTION.name, len(events)))
    store.close()


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on read models; gives its status, its lines and its complaint."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)

    def ran(*words: str) -> tuple[int, list[str], str]:
        status = main(["projections", *words])
        written = capsys.readouterr()
        return status, written.out.splitlines(), written.err

    return ran


def line_of(lines: list[str], name: str) -> list[str]:
    return next(line.split(maxsplit=5) for line in lines if line.startswith(f"{name} "))


@pytest.mark.usefixtures("people_there")
def test_status_rebuild_and_verify(run: Run, connection: Connection) -> None:
    status, lines, _ = run("status")
    assert status == 0
    assert line_of(lines, "contacts") == ["contacts", "1", "20", "0", "0.0"]
    assert run("verify", "contacts") == (
        0,
        [
            *(f"contacts: {stage}" for stage in ("filling", "indexing", "catching up", "comparing")),
            "contacts: 0 of 5 live rows differed from the log as of position 20",
        ],
        "",
    )
    connection.execute("UPDATE contacts SET email = 'eve@example.com' WHERE contact_id = 2")
    status, lines, complaint = run("verify", "contacts")
    assert (status, complaint) == (1, "contacts is not as the log says\n")
    assert lines[-1] == "  contacts (audience_id 3, client_id 2, contact_id 2): changed in email"
    shown = run("verify", "contacts", "--show-values")[1]
    assert shown[-1] == "    email: 'eve@example.com', by the log 'person1@example.com'"
    status, lines, _ = run("rebuild", "contacts", "--processes", "1")
    assert (status, lines[-1]) == (
        0,
        "contacts: rebuilt; 1 of 5 live rows differed from the log as of position 20",
    )
    assert run("verify", "contacts")[0] == 0


@pytest.mark.usefixtures("people_there")
def test_all_are_rebuilt_though_one_cannot_be(run: Run, connection: Connection) -> None:
    connection.execute(HELD)
    status, lines, complaint = run("rebuild", "all")
    assert (status, complaint) == (1, "contacts is being rebuilt or verified already\n")
    assert "directory: rebuilt; 0 of 0 live rows differed from the log as of position 20" in lines
    assert line_of(run("status")[1], "directory")[2] == "20"


@pytest.mark.usefixtures("people_there")
def test_what_stands_in_the_way_is_shown(run: Run, connection: Connection) -> None:
    connection.execute("UPDATE read_models SET version = 9 WHERE name = 'contacts'")
    connection.execute("UPDATE checkpoints SET parked_position = 21, parked_error = 'ValueError on contact.tagged@1'")
    lines = run("status")[1]
    found = next(line for line in lines if line.startswith("contacts "))
    assert "9 (code: 1)" in found
    assert found.endswith("waits for a rebuild; parked at 21: ValueError on contact.tagged@1")
    assert run("unpark", "contacts") == (0, ["contacts: tries again."], "")
    assert run("unpark", "contacts") == (1, [], "contacts: not parked\n")


@pytest.mark.usefixtures("people_there", "run")
@pytest.mark.parametrize(
    ("lock", "stage"),
    [("ACCESS SHARE", "swapping"), ("SHARE UPDATE EXCLUSIVE", "swapping"), ("ACCESS EXCLUSIVE", "comparing")],
)
def test_asked_to_stop_it_stops_in_order(connection: Connection, database: str, lock: str, stage: str) -> None:
    """Between its attempts to swap, in the middle of one, and in the middle of a statement that takes long."""
    command = [sys.executable, "-m", "api.cli", "projections", "rebuild", "contacts"]
    with connect(database, "a long export") as holder, holder.transaction():
        holder.execute(f"LOCK TABLE contacts IN {lock} MODE")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            reached = "SELECT FROM rebuilds WHERE stage = %s"
            ended = process.poll
            wait_until(lambda: connection.execute(reached, (stage,)).rowcount == 1 or ended() is not None, stage)
            process.send_signal(signal.SIGTERM)
            _, complaint = process.communicate()
    assert (process.returncode, complaint) == (1, "stopped; the next rebuild goes on from here\n")
    assert connection.execute("SELECT stage, error FROM rebuilds").fetchall() == [("stopped", None)]
    assert schemas(connection) == ["rebuild_contacts"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rebuild", "people"), "there is no read model people"),
        (("verify", "people"), "there is no read model people"),
        (("unpark", "people"), "there is no read model people"),
        (("rebuild", "contacts", "--processes", "none"), "--processes: a number from 1 to 64"),
        (("verify", "contacts"), "the live rows of contacts are of another version, or no projector follows them"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...], message: str) -> None:
    status, _, complaint = run(*words)
    assert status == 1
    assert complaint.startswith(message)


@pytest.mark.usefixtures("people_there")
@pytest.mark.parametrize("words", [("rebuild", "contacts"), ("verify", "all")])
def test_another_master_key(run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("MASTER_KEY", base64.b64encode(b"another key of thirty-two bytes!").decode())
    message = "MASTER_KEY is not the key that this database was made with\n"
    assert run(*words) == (1, [], message)


@pytest.mark.usefixtures("people_there")
def test_an_event_that_this_code_does_not_know(run: Run, connection: Connection) -> None:
    connection.execute("UPDATE log SET topic = 'contact.tagged@99' WHERE notification_id = 4")
    status, lines, complaint = run("rebuild", "all")
    assert status == 1
    assert "event 4 (contact.tagged@99) cannot be applied: UnknownEvent" in complaint.splitlines()
    assert any(line.startswith("directory: rebuilt") for line in lines)
    failed = "rebuild failed: event 4 (contact.tagged@99) cannot be applied: UnknownEvent"
    assert line_of(run("status")[1], "contacts")[-1] == failed


def test_progress_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Lines().watch
    for done in (0, 10, 20):
        watch(Progress("contacts", "filling", done, 100))
    watch(Progress("contacts", "swapping", note="a long export"))
    assert capsys.readouterr().out.splitlines() == [
        "contacts: filling",
        "contacts: swapping, waiting for a long export",
    ]
    assert counted(Progress("contacts", "filling", 3_000, 12_000), 1.5) == (
        ", 3,000 of 12,000 events, 2,000 a second, 4 s left"
    )


def test_a_bar_is_one_line_of_80_columns() -> None:
    written = io.StringIO()
    with Bars(*COLUMNS, console=Console(file=written, width=80), auto_refresh=False, get_time=count().__next__) as bars:
        words = "contact_timeline: catching up"
        task = bars.add_task(words, total=12_000_000, note="", events=12_000_000)
        for completed in (11_000_000, 11_900_000):
            bars.update(task, completed=completed)
    [line] = [line for line in written.getvalue().splitlines() if line.strip()]
    assert line.startswith(words)
    assert re.search(r" 11,900,000/12,000,000, [0-9]{3},[0-9]{3}/s ", line)


@pytest.mark.usefixtures("projected")
def test_the_admin_api(operator: httpx.Client, demo_database: str) -> None:
    listed = operator.get(PATH).json()["projections"]
    [found] = [model for model in listed if model["name"] == "contacts"]
    assert found["current"]
    assert found["version"] == found["live_version"] == 1
    assert operator.get(f"{PATH}/contacts").json()["name"] == "contacts"
    asked = operator.post(f"{PATH}/contacts/verify")
    assert asked.status_code == 202
    assert asked.json()["rebuild"]["asked"]
    assert operator.post(f"{PATH}/contacts/verify").status_code == 202
    assert operator.post(f"{PATH}/contacts/rebuild").status_code == 409
    with psycopg.connect(demo_database, autocommit=True) as other:
        other.execute("UPDATE rebuilds SET asked = NULL")
        other.execute(HELD)
        assert operator.get(f"{PATH}/contacts").json()["rebuild"]["running"]
        refused = operator.post(f"{PATH}/contacts/rebuild")
        assert (refused.status_code, fields(refused)) == (409, {"name": "rebuild_running"})
    assert operator.post(f"{PATH}/contacts/unpark").json()["parked_position"] is None


@pytest.mark.parametrize("what", ["rebuild", "verify", "unpark"])
def test_there_is_no_such_model(operator: httpx.Client, what: str) -> None:
    refused = operator.post(f"{PATH}/people/{what}")
    assert (refused.status_code, fields(refused)) == (404, {"name": "not_found"})


def test_operators_only(http: httpx.Client, anybody: httpx.Client) -> None:
    assert http.get(PATH).status_code == 401
    assert anybody.post(f"{PATH}/contacts/rebuild").status_code == 401
