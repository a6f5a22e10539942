"""What was given up: listed, tried again, dropped, over the admin API and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api.cli import main
from tests.api.serving import MASTER_KEY_TEXT, fields

PATH = "/admin/api/dead-letters"
GIVEN_UP = UUID(int=7)
WEBHOOK = "webhook-900-17"
FEEDBACK = f"feedback-{GIVEN_UP}"
PARKED = "projection-contacts-300"

Connection = psycopg.Connection[Any]


@pytest.fixture
def dead(demo_database: str) -> Iterator[Connection]:
    """One dead letter of each kind, and one delivery that still waits."""
    with psycopg.connect(demo_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO webhook_deliveries (webhook_id, position, attempts, error, dead_at) VALUES "
            "(900, 17, 7, 'status 500', '2026-05-24T12:00Z'), (900, 18, 1, 'timed out', NULL)"
        )
        connection.execute(
            "INSERT INTO waiting_feedback (event_id, kind, ses_message_id, sealed, looks, received_at, given_up_at) "
            "VALUES (%s, 'bounced', '', '', 9, now(), '2026-05-24T13:00Z')",
            (GIVEN_UP,),
        )
        connection.execute(
            "INSERT INTO checkpoints (projection, partition, partitions, position, parked_position, parked_error, "
            "updated_at) VALUES ('contacts', 300, 301, 4, 5, 'KeyError on contact.tagged@1', '2026-05-24T11:00Z')"
        )
        try:
            yield connection
        finally:
            connection.execute("DELETE FROM webhook_deliveries WHERE webhook_id = 900")
            connection.execute("DELETE FROM waiting_feedback WHERE event_id = %s", (GIVEN_UP,))
            connection.execute("DELETE FROM checkpoints WHERE partition = 300")


def ids(operator: httpx.Client, **query: Any) -> list[str]:
    response = operator.get(PATH, params=query)
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["count"] == len(found["dead_letters"])
    return [each["id"] for each in found["dead_letters"]]


@pytest.mark.usefixtures("dead")
def test_they_are_listed_last_first_and_by_kind(operator: httpx.Client) -> None:
    assert ids(operator) == [FEEDBACK, WEBHOOK, PARKED]
    assert ids(operator, kind="webhook") == [WEBHOOK]
    assert ids(operator, kind="projection") == [PARKED]
    feedback, webhook, parked = operator.get(PATH).json()["dead_letters"]
    assert (webhook["attempts"], webhook["error"], webhook["webhook_id"], webhook["position"]) == (
        7,
        "status 500",
        900,
        17,
    )
    assert webhook["given_up_at"] == "2026-05-24T12:00:00Z"
    assert (feedback["subject"], feedback["attempts"]) == ("bounced", 9)
    assert (parked["subject"], parked["position"]) == ("contacts", 5)


@pytest.mark.usefixtures("dead")
def test_pages_join(operator: httpx.Client) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = operator.get(PATH, params=query).json()
        seen += [each["id"] for each in page["dead_letters"]]
        cursor = page["next_cursor"]
    assert seen == [FEEDBACK, WEBHOOK, PARKED]


def test_each_is_tried_again(operator: httpx.Client, dead: Connection) -> None:
    for name in (FEEDBACK, WEBHOOK, PARKED):
        done = operator.post(f"{PATH}/{name}/retry")
        assert (done.status_code, done.json()) == (200, {"id": name, "retried": True})
        again = operator.post(f"{PATH}/{name}/retry")
        assert (again.status_code, fields(again)) == (404, {"id": "not_found"})
    assert ids(operator) == []
    row = dead.execute("SELECT attempts, next_at <= now(), dead_at FROM webhook_deliveries WHERE position = 17")
    assert row.fetchone() == (0, True, None)


@pytest.mark.parametrize("drop", [lambda c, n: c.post(f"{PATH}/{n}/drop"), lambda c, n: c.delete(f"{PATH}/{n}")])
def test_what_can_be_dropped_is_dropped(
    operator: httpx.Client, dead: Connection, drop: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    for name in (FEEDBACK, WEBHOOK):
        assert drop(operator, name).json() == {"id": name, "dropped": True}
        assert drop(operator, name).status_code == 404
    refused = drop(operator, PARKED)
    assert (refused.status_code, fields(refused)) == (409, {"id": "not_droppable"})
    assert ids(operator) == [PARKED]
    assert dead.execute("SELECT position FROM webhook_deliveries WHERE webhook_id = 900").fetchall() == [(18,)]


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("name", ["webhook-900-18", "webhook-1", "projection-contacts-301", "feedback-7", "x", "a%00b"])
def test_there_is_no_such_dead_letter(operator: httpx.Client, name: str) -> None:
    for response in (operator.post(f"{PATH}/{name}/retry"), operator.delete(f"{PATH}/{name}")):
        assert (response.status_code, fields(response)) == (404, {"id": "not_found"})


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"cursor": "x"}, {"cursor": "invalid"}),
        ({"cursor": f"{10**18 - 1}~a"}, {"cursor": "invalid"}),
        ({"kind": "letter"}, {"kind": "invalid"}),
        ({"limit": "0"}, {"limit": "must_be_between_1_and_500"}),
    ],
)
def test_queries_that_are_refused(operator: httpx.Client, query: dict[str, str], wrong: dict[str, str]) -> None:
    response = operator.get(PATH, params=query)
    assert (response.status_code, fields(response)) == (400, wrong)


@pytest.mark.usefixtures("dead")
def test_they_are_counted(anybody: httpx.Client) -> None:
    figures = anybody.get("/metrics").text.splitlines()
    assert [line for line in figures if line.startswith("datamailer_dead_letters{")] == [
        'datamailer_dead_letters{kind="webhook"} 1.0',
        'datamailer_dead_letters{kind="feedback"} 1.0',
        'datamailer_dead_letters{kind="projection"} 1.0',
    ]
    assert "datamailer_webhook_deliveries_due 1.0" in figures
    assert any(line.startswith("datamailer_webhook_events_behind ") for line in figures)


def test_operators_only(http: httpx.Client) -> None:
    assert http.get(PATH).status_code == 401
    assert http.post(f"{PATH}/{WEBHOOK}/retry").status_code == 401


def test_on_the_command_line(
    dead: Connection, demo_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)
    assert main(["dead-letters", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["id", FEEDBACK, WEBHOOK, PARKED]
    assert "status 500" in lines[2]
    assert main(["dead-letters", "list", "--kind", "webhook"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["dead-letters", "retry", WEBHOOK]) == 0
    assert main(["dead-letters", "drop", FEEDBACK]) == 0
    assert dead.execute("SELECT count(*) FROM webhook_deliveries WHERE dead_at IS NOT NULL").fetchone() == (0,)
    for words in (["retry", WEBHOOK], ["drop", FEEDBACK], ["drop", PARKED]):
        assert main(["dead-letters", *words]) == 1
    assert main(["dead-letters", "list", "--kind", "other"]) == 1
