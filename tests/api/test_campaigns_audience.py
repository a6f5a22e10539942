"""A campaign's audience previewed: as of now, as of any moment before, and as of its queueing what the planner made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.cli import main
from consumers.__main__ import planner
from tests.api.serving import COURSES, MASTER_KEY_TEXT, fields, settings_of
from tests.consumers.running import running

PATH = "/api/campaigns/audience"
DRAFT = {**COURSES, "subject": "Audience", "text_body": "News", "include_tags": ["audience"], "category_tag": "jobs"}
Json = dict[str, Any]
Preview = Callable[..., Json]


def email(name: str) -> str:
    return f"audience-{name}@example.com"


def said(http: httpx.Client, name: str, **more: Any) -> int:
    """Upsert a contact of the audience; gives the position."""
    body = {"email": email(name), **COURSES, **more}
    response = http.post("/api/contacts", json=body)
    assert response.status_code == 200, response.text
    return int(response.headers["Datamailer-Position"])


@pytest.fixture(scope="module")
def preview(http: httpx.Client) -> Preview:
    def previewed(**query: Any) -> Json:
        response = http.get(f"{PATH}/audience", params=query)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        assert int(response.headers["Datamailer-Position"]) == found["position"]
        return found

    return previewed


@pytest.fixture(scope="module")
def story(http: httpx.Client, demo_database: str, preview: Preview, projected: None) -> Json:
    """A draft and those whom it means, its queueing, and what changed afterwards."""
    assert projected is None
    good: Json = {"status": "subscribed", "verified": True, "tags": ["audience"]}
    said(http, "fine", **good)
    said(http, "other", **good)
    said(http, "unverified", status="subscribed", tags=["audience"])
    said(http, "angry", **good, suppression={"complained": True})
    said(http, "choosy", **good)
    off = {"email": email("choosy"), **COURSES, "categories": [{"tag": "jobs", "enabled": False}]}
    assert http.put("/api/contacts/preferences", json=off).status_code == 200
    assert http.put(PATH, json=DRAFT).status_code == 201
    then = said(http, "beside", status="subscribed", verified=True, tags=["nothing"])
    told: Json = {"then": then, "at": datetime.now(UTC).isoformat(), "draft": preview(min_position=then)}
    with running(planner(settings_of(demo_database))):
        assert http.post(f"{PATH}/queue").json()["recipient_count"] == COUNTS["mailed"]
    said(http, "fine", status="unsubscribed")
    said(http, "new", **good)
    http.post("/api/contacts/erase", json={"email": email("other"), **COURSES}).raise_for_status()
    return told | {"now": said(http, "new", tags=["more"])}


def reasons(found: Json) -> dict[str | None, str | None]:
    """Why each gets no mail, by the name in the address; under None who has no address any more."""
    whom = [(each["email"], each["skip_reason"]) for each in found["contacts"]]
    return {address and address.partition("@")[0].removeprefix("audience-"): why for address, why in whom}


SKIPPED: dict[str | None, str | None] = {
    "unverified": "unverified",
    "angry": "complaint",
    "choosy": "client_unsubscribe",
}
COUNTS = {
    "intended": 5,
    "mailed": 2,
    "skipped": 3,
    "skipped_by_reason": {"client_unsubscribe": 1, "complaint": 1, "unverified": 1},
}


def test_a_draft_is_previewed_as_of_now(story: Json) -> None:
    found = story["draft"]
    assert found["position"] >= story["then"]
    assert (found["status"], found["queued_position"], found["as_of"]) == ("draft", None, None)
    assert reasons(found) == {"fine": None, "other": None, **SKIPPED}
    assert found["counts"] == COUNTS
    assert (found["count"], found["next_cursor"]) == (5, None)


def test_what_changed_since_is_as_it_was(story: Json, preview: Preview) -> None:
    """Of one who was erased since there is no address."""
    then = {"fine": None, None: None, **SKIPPED}
    for moment in (story["then"], story["at"]):
        found = preview(as_of=moment)
        assert found["counts"] == COUNTS
        assert reasons(found) == then
        assert found["position"] == story["then"]
    late = preview(min_position=story["now"])
    assert reasons(late) == {"fine": "client_unsubscribe", "new": None, **SKIPPED}
    assert late["position"] >= story["now"]


def test_as_of_its_queueing_it_is_what_the_planner_made(http: httpx.Client, story: Json, preview: Preview) -> None:
    page = http.get(f"{PATH}/recipients", params={"min_position": story["now"]}).json()
    made = [(each["contact_id"], each["email"], each["skip_reason"]) for each in page["recipients"]]
    found = preview(as_of=preview()["queued_position"])
    assert [tuple(each.values()) for each in found["contacts"]] == made
    assert len(made) == COUNTS["intended"]


def test_pages_join(story: Json, preview: Preview) -> None:
    whole = preview(as_of=story["then"])["contacts"]
    first = preview(as_of=story["then"], limit=3)
    assert (first["contacts"], first["next_cursor"]) == (whole[:3], str(whole[2]["contact_id"]))
    last = preview(as_of=story["then"], limit=3, cursor=first["next_cursor"])
    assert (last["contacts"], last["next_cursor"]) == (whole[3:], None)
    assert first["counts"] == last["counts"] == COUNTS


def test_before_anybody_was_there(preview: Preview, story: Json) -> None:
    assert story["then"]
    for moment in ("0", "2020-01-01"):
        found = preview(as_of=moment)
        assert (found["position"], found["contacts"], found["counts"]["intended"]) == (0, [], 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"as_of": "soon"}, {"as_of": "must_be_iso_datetime"}),
        ({"as_of": "-1"}, {"as_of": "invalid"}),
        ({"as_of": "9" * 18}, {"as_of": "invalid"}),
        ({"as_of": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, {"as_of": "invalid"}),
        ({"limit": "0", "cursor": "x"}, {"limit": "must_be_between_1_and_500", "cursor": "must_be_integer"}),
        ({"min_position": "x"}, {"min_position": "must_be_integer"}),
    ],
)
def test_moments_that_cannot_be(http: httpx.Client, story: Json, query: Json, expected: dict[str, str]) -> None:
    assert story["then"]
    response = http.get(f"{PATH}/audience", params=query)
    assert (response.status_code, fields(response)) == (400, expected)


def test_a_campaign_of_others_is_not_there(labs: httpx.Client, story: Json) -> None:
    assert story["then"]
    response = labs.get(f"{PATH}/audience")
    assert (response.status_code, fields(response)) == (404, {"external_key": "not_found"})


@pytest.fixture
def run(demo_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command; gives its status and what it wrote."""
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)

    def ran(*words: object) -> tuple[int, str, str]:
        status = main(["campaigns", "audience", "audience", "--client", "dtc-courses", *map(str, words)])
        written = capsys.readouterr()
        return status, written.out, written.err

    return ran


def test_the_command_says_the_same(run: Any, story: Json, preview: Preview) -> None:
    status, out, _ = run("--as-of", story["then"], "--limit", 2)
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert lines[0] == ["As", "of", "position", f"{story['then']}:"]
    assert ["intended", "5"] in lines
    assert ["mailed", "2"] in lines
    assert ["skipped:", "complaint", "1"] in lines
    whole = preview(as_of=story["then"])["contacts"]
    assert lines[-3:] == [
        [str(whole[0]["contact_id"]), "mailed"],
        [str(whole[1]["contact_id"]), "mailed"],
        f"More follow: --cursor {whole[1]['contact_id']}".split(),
    ]
    status, out, _ = run("--limit", 500)
    assert status == 0
    assert "client_unsubscribe" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--as-of", "soon"), "as_of: must_be_iso_datetime"),
        (("--as-of", "2999-01-01"), "as_of: invalid"),
        (("--as-of", "9" * 18), "as_of: invalid"),
        (("--limit", "0"), "limit: must_be_between_1_and_500"),
        (("--cursor", "x"), "cursor: must_be_integer"),
    ],
)
def test_what_the_command_refuses(run: Any, story: Json, words: tuple[str, ...], says: str) -> None:
    assert story["then"]
    assert run(*words) == (1, "", f"{says}\n")
