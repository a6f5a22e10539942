"""A queued campaign as its read models tell of it (contract, Campaigns); the planner and the projector run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from consumers.__main__ import planner
from domain import message
from domain.message.commands import Command
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from tests.api.serving import COURSES, MASTER_KEY_TEXT, fields, settings_of
from tests.consumers.running import running

PATH = "/api/campaigns/reads"
NOON = datetime(2026, 5, 24, 12, 30, tzinfo=UTC)
PAGES = ("https://example.com/a", "https://example.com/b")


@pytest.fixture(scope="module")
def store(demo_database: str) -> Iterator[Store]:
    store = Store(demo_database, MASTER_KEY_TEXT)
    yield store
    store.close()


@pytest.fixture(scope="module")
def people(http: httpx.Client) -> list[int]:
    """Two who can be written to, one who did not prove the address, one who complained."""
    facts: list[dict[str, Any]] = [
        {"verified": True},
        {"verified": True},
        {},
        {"verified": True, "suppression": {"complained": True}},
    ]
    return [
        http.post(
            "/api/contacts",
            json={"email": f"reads-{n}@example.com", **COURSES, "status": "subscribed", "tags": ["reads"], **said},
        ).json()["contact_id"]
        for n, said in enumerate(facts)
    ]


@pytest.fixture(scope="module")
def queued(http: httpx.Client, demo_database: str, people: list[int], projected: None) -> dict[str, Any]:
    """The answer to the queue command, with the snapshot taken."""
    assert (len(people), projected) == (4, None)
    links = "".join(f'<a href="{url}">x</a>' for url in PAGES)
    draft = {**COURSES, "subject": "Reads", "html_body": links, "include_tags": ["reads"]}
    assert http.put(PATH, json=draft).status_code == 201
    with running(planner(settings_of(demo_database))):
        answer: dict[str, Any] = http.post(f"{PATH}/queue").json()
    return answer


@pytest.fixture(scope="module")
def heard(store: Store, queued: dict[str, Any], people: list[int]) -> int:
    """The first one got the mail, opened it twice and followed a link; the position of the last fact."""
    number = message.campaign_message_number(queued["campaign"]["id"], people[0])
    facts: list[Command] = [
        message.AttemptMessage(at=NOON),
        message.ConfirmSent(at=NOON, ses_message_id="ses-1"),
        message.RecordDelivery(at=NOON),
        message.RecordOpen(at=NOON),
        message.RecordOpen(at=NOON.replace(hour=15)),
        message.RecordClick(at=NOON.replace(hour=15), link=1, url=PAGES[1]),
    ]
    context = Context(organization_id=1, client_id=1, source="sender")
    orders = [
        Order(decider=message.of_campaign, number=number, command=fact, context=context, contact_id=people[0])
        for fact in facts
    ]
    outcome = store.handle(*orders)[-1]
    assert isinstance(outcome, Accepted), outcome
    return outcome.position


def test_queueing_answers_with_what_the_snapshot_counts(http: httpx.Client, queued: dict[str, Any]) -> None:
    assert (queued["queued"], queued["recipient_count"], queued["skipped_count"]) == (True, 2, 2)
    again = http.post(f"{PATH}/queue").json()
    assert (again["queued"], again["recipient_count"], again["skipped_count"]) == (False, 2, 2)


def test_the_counters_reflect_the_wanted_position(http: httpx.Client, heard: int) -> None:
    response = http.get(PATH, params={"min_position": heard})
    assert int(response.headers["Datamailer-Position"]) >= heard
    campaign = response.json()["campaign"]
    names = ("recipient_count", "skipped_count", "sent_count", "delivered_count", "open_count", "unique_open_count")
    assert [campaign[name] for name in names] == [2, 2, 1, 1, 2, 1]
    assert campaign["rates"]["open_rate"] == 1.0
    assert campaign["status"] == "sending"


def test_recipients_are_paged_and_filtered(http: httpx.Client, heard: int, people: list[int]) -> None:
    def page(**query: str | int) -> dict[str, Any]:
        response = http.get(f"{PATH}/recipients", params={"min_position": heard, **query})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    everybody = page()
    assert (everybody["count"], everybody["next_cursor"]) == (4, None)
    assert [recipient["contact_id"] for recipient in everybody["recipients"]] == sorted(people)
    [first] = page(status="sent")["recipients"]
    assert first == {
        "contact_id": people[0],
        "email": "reads-0@example.com",
        "status": "sent",
        "skip_reason": None,
        "sent_at": "2026-05-24T12:30:00Z",
        "delivered_at": "2026-05-24T12:30:00Z",
        "first_opened_at": "2026-05-24T12:30:00Z",
        "first_clicked_at": "2026-05-24T15:30:00Z",
        "open_count": 2,
        "click_count": 1,
        "last_error": "",
    }
    assert [each["contact_id"] for each in page(skip_reason="complaint")["recipients"]] == [people[3]]
    half = page(limit=3)
    assert (half["count"], half["next_cursor"]) == (3, str(sorted(people)[2]))
    rest = page(limit=3, cursor=half["next_cursor"])
    assert [each["contact_id"] for each in rest["recipients"]] == sorted(people)[3:]


def test_stats_tell_time_and_links(http: httpx.Client, heard: int) -> None:
    stats = http.get(f"{PATH}/stats", params={"min_position": heard}).json()
    assert stats["bucket"] == "hour"
    assert stats["activity"] == [
        {"start": "2026-05-24T12:00:00Z", "sends": 1, "opens": 1, "clicks": 0},
        {"start": "2026-05-24T15:00:00Z", "sends": 0, "opens": 1, "clicks": 1},
    ]
    assert stats["links"] == [{"link": 1, "url": PAGES[1], "clicks": 1}]
    assert (stats["counters"]["click_count"], stats["rates"]["click_rate"]) == (1, 1.0)
    days = http.get(f"{PATH}/stats", params={"bucket": "day"}).json()["activity"]
    assert days == [{"start": "2026-05-24T00:00:00Z", "sends": 1, "opens": 2, "clicks": 1}]


@pytest.mark.usefixtures("queued")
@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/recipients", {"status": "x", "skip_reason": "y"}, {"status": "invalid", "skip_reason": "invalid"}),
        ("/recipients", {"limit": "0"}, {"limit": "must_be_between_1_and_500"}),
        ("/recipients", {"limit": "x", "cursor": "x"}, {"limit": "must_be_integer", "cursor": "must_be_integer"}),
        ("/recipients", {"cursor": "9" * 17}, {"cursor": "invalid"}),
        ("/stats", {"bucket": "year"}, {"bucket": "invalid"}),
        ("/stats", {"min_position": "-1"}, {"min_position": "must_be_positive"}),
        ("", {"min_position": "x"}, {"min_position": "must_be_integer"}),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, path: str, query: dict[str, str], expected: dict[str, str]
) -> None:
    response = http.get(PATH + path, params=query)
    assert (response.status_code, fields(response)) == (400, expected)
