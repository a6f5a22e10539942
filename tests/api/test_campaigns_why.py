"""Why a campaign mailed a person or not: conditions and rules with the events behind them, and the mail's course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from api.cli import main
from consumers.__main__ import planner
from domain.store.log import Store
from tests.api.campaign_people import People, email, everybody, tell
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, fields, settings_of
from tests.consumers.running import running

PATH = "/api/campaigns/why"
DRAFT = {
    **COURSES,
    "subject": "Why",
    "text_body": "News",
    "include_tags": ["why"],
    "exclude_tags": ["whynot"],
    "category_tag": "jobs",
    "recipient_list_key": "why",
}
Json = dict[str, Any]
Why = Callable[..., Json]


@pytest.fixture(scope="module")
def store(demo_database: str) -> Iterator[Store]:
    store = Store(demo_database, MASTER_KEY_TEXT)
    yield store
    store.close()


@pytest.fixture(scope="module")
def people(http: httpx.Client, labs: httpx.Client) -> People:
    return everybody(http, labs)


@pytest.fixture(scope="module")
def queued(http: httpx.Client, demo_database: str, people: People, projected: None) -> Json:
    """The campaign as it was queued, and what a draft would say."""
    assert (bool(people.numbers), projected) == (True, None)
    response = http.put(PATH, json=DRAFT)
    assert response.status_code == 201, response.text
    draft = http.get(f"{PATH}/why", params={"email": email("fine")}).json()
    with running(planner(settings_of(demo_database))):
        answer: Json = http.post(f"{PATH}/queue").json()
    return answer | {"draft": draft}


@pytest.fixture(scope="module")
def told(http: httpx.Client, store: Store, people: People, queued: Json) -> int:
    return tell(http, store, people, queued["campaign"]["id"])


@pytest.fixture
def why(http: httpx.Client, people: People, told: int) -> Why:
    def asked(name: str) -> Json:
        assert told
        response = http.get(f"{PATH}/why", params={"contact_id": people.numbers[name]})
        assert response.status_code == 200, response.text
        found: Json = response.json()
        assert int(response.headers["Datamailer-Position"]) >= found["as_of"]
        return found

    return asked


def held_back(found: Json) -> list[tuple[str, int | None]]:
    """The rules that hold back, each with the position of the event behind it."""
    return [
        (rule["rule"], rule["because"] and rule["because"]["position"]) for rule in found["rules"] if not rule["passes"]
    ]


def failed(found: Json) -> list[tuple[str, str]]:
    return [(each["condition"], each["value"]) for each in found["conditions"] if not each["passes"]]


def test_one_who_was_mailed(why: Why, people: People) -> None:
    """What the person did since does not show; every step of the mail does."""
    found = why("fine")
    assert (found["outcome"], found["mailed"], found["meant"], found["skip_reason"]) == ("sent", True, True, None)
    assert (found["contact_id"], found["email"]) == (people.numbers["fine"], email("fine"))
    assert found["queued"]["position"] == found["as_of"]
    upsert, listed, *_ = people.positions["fine"]
    audience, tag, without, place = found["conditions"]
    assert audience["because"] | {"at": ""} == {
        "position": upsert - 1,
        "at": "",
        "fact": "contact.subscribed",
        "source": "api",
    }
    assert (tag["value"], tag["because"]["position"], tag["because"]["fact"]) == ("why", upsert, "contact.tagged")
    assert (without["value"], without["because"]) == ("whynot", None)
    assert (place["value"], place["because"]["position"], place["because"]["fact"]) == (
        "why",
        listed,
        "recipient.added",
    )
    because = {rule["rule"]: rule["because"] and rule["because"]["fact"] for rule in found["rules"]}
    assert because == {
        "hard_bounce": None,
        "complaint": None,
        "global_unsubscribe": None,
        "invalid_email": None,
        "unverified": "contact.subscribed",
        "audience_unsubscribe": None,
        "client_unsubscribe": None,
        "suppressed": "contact.subscribed",
        "category": None,
    }
    assert all(rule["passes"] for rule in found["rules"])
    assert found["snapshot"]["skip_reason"] is None
    assert found["snapshot"]["position"] == found["message"][0]["position"] > found["as_of"]
    assert [(each["fact"], each["detail"]) for each in found["message"]] == [
        ("campaign_message.requested", {}),
        ("message.attempted", {}),
        ("message.sent", {"ses_message_id": "ses-1"}),
        ("message.delivered", {}),
        ("message.clicked", {"link": 0}),
    ]
    assert found["message"][2]["at"] == "2026-05-24T12:30:00Z"


@pytest.mark.parametrize(
    ("name", "rule", "reason"), [("unverified",) * 3, ("choosy", "category", "client_unsubscribe")]
)
def test_one_whom_a_rule_held_back(why: Why, people: People, name: str, rule: str, reason: str) -> None:
    found = why(name)
    assert (found["outcome"], found["mailed"], found["meant"]) == ("skipped", False, True)
    assert found["skip_reason"] == found["snapshot"]["skip_reason"] == reason
    assert held_back(found) == [(rule, people.positions[name][1] if name == "choosy" else None)]
    assert [each["reason"] for each in found["rules"] if each["rule"] == rule] == [reason]
    assert [each["fact"] for each in found["message"]] == ["message.skipped"]


def test_another_organizations_record_is_told_without_its_source(why: Why, people: People) -> None:
    found = why("bounced")
    assert held_back(found) == [("hard_bounce", people.positions["bounced"][1])]
    because = found["rules"][0]["because"]
    assert because.keys() == {"position", "at", "fact"}
    assert because["fact"] == "contact.hard_bounced"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("untagged", [("include_tag", "why")]),
        ("excluded", [("exclude_tag", "whynot")]),
        ("outside", [("recipient_list", "why")]),
    ],
)
def test_those_who_were_not_meant(why: Why, name: str, expected: list[tuple[str, str]]) -> None:
    found = why(name)
    assert (found["outcome"], found["meant"], found["mailed"], found["message"]) == ("not_meant", False, False, [])
    assert (found["skip_reason"], found["snapshot"], found["sending"]) == (None, None, None)
    assert failed(found) == expected


def test_one_who_left_after_the_snapshot(why: Why, told: int) -> None:
    found = why("late")
    assert (found["outcome"], found["mailed"], found["skip_reason"]) == ("skipped", False, None)
    assert found["snapshot"]["skip_reason"] is None
    assert found["sending"]["skip_reason"] == "client_unsubscribe"
    assert found["sending"]["because"]["position"] == told
    assert found["sending"]["because"]["fact"] == "contact.unsubscribed"
    assert "enough" not in str(found)


def test_one_who_was_erased_is_told_of_without_a_word(http: httpx.Client, why: Why) -> None:
    found = why("erased")
    assert (found["outcome"], found["mailed"], found["email"]) == ("sent", True, None)
    assert all(each["passes"] for each in (*found["conditions"], *found["rules"]))
    assert "why-erased" not in str(found)
    response = http.get(f"{PATH}/why", params={"email": email("erased")})
    assert (response.status_code, fields(response)) == (404, {"email": "not_found"})


def test_a_draft_says_how_it_is_now(queued: Json) -> None:
    found = queued["draft"]
    assert (found["status"], found["outcome"], found["queued"], found["meant"]) == ("draft", "not_queued", None, True)
    assert (found["mailed"], found["snapshot"], found["message"], failed(found)) == (False, None, [], [])


@pytest.mark.parametrize(
    ("query", "status", "expected"),
    [
        ({}, 400, {"contact_id": "required"}),
        ({"contact_id": "1", "email": "a@example.com"}, 400, {"email": "invalid"}),
        ({"contact_id": "x"}, 400, {"contact_id": "must_be_integer"}),
        ({"contact_id": "-1"}, 400, {"contact_id": "invalid"}),
        ({"contact_id": str(2**48)}, 400, {"contact_id": "invalid"}),
        ({"contact_id": "9" * 17}, 400, {"contact_id": "invalid"}),
        ({"email": "nobody"}, 400, {"email": "invalid"}),
        ({"email": "nobody@example.com"}, 404, {"email": "not_found"}),
        ({"contact_id": "0"}, 404, {"contact_id": "not_found"}),
        ({"contact_id": "999999999"}, 404, {"contact_id": "not_found"}),
    ],
)
def test_who_cannot_be_asked_for(
    http: httpx.Client, queued: Json, query: Json, status: int, expected: dict[str, str]
) -> None:
    assert queued["queued"]
    response = http.get(f"{PATH}/why", params=query)
    assert (response.status_code, fields(response)) == (status, expected)


def test_contacts_and_campaigns_of_others(http: httpx.Client, labs: httpx.Client, people: People, queued: Json) -> None:
    assert queued["queued"]
    person = labs.post("/api/contacts", json={"email": "why-theirs@example.com", **LABS}).json()["contact_id"]
    for query in ({"contact_id": person}, {"email": "why-theirs@example.com"}):
        response = http.get(f"{PATH}/why", params=query)
        assert (response.status_code, fields(response)) == (404, dict.fromkeys(query, "not_found"))
    response = labs.get(f"{PATH}/why", params={"contact_id": people.numbers["fine"]})
    assert (response.status_code, fields(response)) == (404, {"external_key": "not_found"})


@pytest.fixture
def run(demo_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command; gives its lines."""
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)

    def ran(person: object) -> list[str]:
        assert main(["campaigns", "why", "why", str(person), "--client", "dtc-courses"]) == 0
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return ran


def test_the_command_shows_what_held_back(run: Any, people: People, told: int, why: Why) -> None:
    lines = run(people.numbers["choosy"])
    rule = why("choosy")["rules"][-1]["because"]
    at = datetime.fromisoformat(rule["at"])
    assert f"category holds back {rule['position']} {at:%Y-%m-%d %H:%M:%S}Z contact.category_disabled" in lines
    assert [line for line in lines if "holds back" in line] == [lines[-5]]
    assert lines[-4] == "Outcome: skipped"
    assert lines[-1].endswith("message.skipped client_unsubscribe")
    late = run(email("late"))
    assert f"Skipped right before it was sent: client_unsubscribe, {told} " in "\n".join(late)
    assert "include_tag why no: not meant - - -" in run(email("untagged"))
