"""Drafting a campaign, and what is done with it (contract, Campaigns)."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from api import campaigns_commands
from projections.campaign_counters import Counters
from tests.api.serving import COURSES, LABS, fields

numbers = count(1)
DRAFT = {
    **COURSES,
    "subject": "Week 1 starts",
    "preview_text": "Get ready",
    "html_body": '<html><body><p>See <a href="https://example.com/week-1?a=1&amp;b=2">week 1</a></p></body></html>',
    "include_tags": ["Course ML"],
    "exclude_tags": ["finished"],
    "category_tag": "News Letter",
    "metadata": {"week": 1},
}
ZEROS = dict.fromkeys(Counters.__struct_fields__, 0)


@pytest.fixture
def path() -> str:
    return f"/api/campaigns/campaign-{next(numbers)}"


@pytest.fixture
def drafted(http: httpx.Client, path: str) -> str:
    assert http.put(path, json=DRAFT).status_code == 201
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes snapshots here: an answer that waits for one waits for nothing."""
    monkeypatch.setattr(campaigns_commands, "WAIT_SECONDS", 0.05)


def status(http: httpx.Client, path: str) -> str:
    found: str = http.get(path).json()["campaign"]["status"]
    return found


def test_a_draft_begins_and_is_revised(http: httpx.Client, path: str) -> None:
    put = http.put(path, json=DRAFT | {"scheduled_at": "2099-01-01T10:00:00+02:00"})
    assert (put.status_code, put.json()["created"]) == (201, True)
    campaign = put.json()["campaign"]
    rates = campaign.pop("rates")
    assert set(rates.values()) == {0.0}
    assert campaign == {
        **DRAFT,
        **ZEROS,
        "id": campaign["id"],
        "external_key": path.rpartition("/")[2],
        "status": "draft",
        "text_body": "",
        "from_email": "",
        "from_email_address": "",
        "include_tags": ["course-ml"],
        "category_tag": "news-letter",
        "recipient_list_key": "",
        "scheduled_at": "2099-01-01T08:00:00Z",
        "created_at": campaign["created_at"],
        "updated_at": campaign["created_at"],
        "queued_at": None,
        "finished_at": None,
        "error": "",
    }
    again = http.put(path, json=DRAFT | {"scheduled_at": "2099-01-01T08:00:00Z"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["campaign"]["updated_at"] == campaign["updated_at"]
    revised = http.put(path, json={**COURSES, "subject": "New", "text_body": "New", "scheduled_at": None})
    assert (revised.status_code, revised.json()["campaign"]["html_body"]) == (200, "")
    assert revised.json()["campaign"]["scheduled_at"] is None
    shown = http.get(path)
    assert shown.json()["campaign"] == revised.json()["campaign"]


def test_a_campaign_is_its_client_s_own(http: httpx.Client, labs: httpx.Client, drafted: str) -> None:
    asks = [labs.get(drafted), labs.get(f"{drafted}/stats"), labs.get(f"{drafted}/recipients")]
    asks += [labs.post(f"{drafted}/{verb}") for verb in ("queue", "cancel", "pause", "resume", "preview")]
    asks.append(labs.post(f"{drafted}/test-send", json={"emails": ["a@example.com"]}))
    for response in asks:
        assert (response.status_code, fields(response)) == (404, {"external_key": "not_found"})
    theirs = labs.put(drafted, json=DRAFT | LABS)
    assert theirs.status_code == 201
    assert theirs.json()["campaign"]["id"] != http.get(drafted).json()["campaign"]["id"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"subject": None}, {"subject": "required"}),
        ({"subject": "Hello\r\nBcc: everybody@example.com"}, {"subject": "invalid"}),
        ({"subject": "x" * 256}, {"subject": "too_long"}),
        ({"html_body": "", "text_body": " "}, {"body": "required"}),
        ({"html_body": "x" * 1_048_577}, {"html_body": "too_large"}),
        ({"text_body": 1}, {"text_body": "must_be_string"}),
        ({"preview_text": "a\nb"}, {"preview_text": "invalid"}),
        ({"preview_text": "x" * 256}, {"preview_text": "too_long"}),
        ({"scheduled_at": "soon"}, {"scheduled_at": "must_be_iso_datetime"}),
        ({"from_email": "nobody"}, {"from_email": "not_found"}),
        ({"include_tags": "a"}, {"include_tags": "must_be_list"}),
        (
            {"include_tags": [""], "exclude_tags": ["!"]},
            {"include_tags": "must_be_non_empty_strings", "exclude_tags": "invalid"},
        ),
        ({"include_tags": [f"a{n}" for n in range(101)]}, {"include_tags": "too_many"}),
        ({"category_tag": "!"}, {"category_tag": "invalid"}),
        ({"recipient_list_key": "a b"}, {"recipient_list_key": "invalid"}),
        ({"metadata": []}, {"metadata": "must_be_object"}),
        ({"audience": "nowhere"}, {"audience": "not_found"}),
        ({"audience": None, "client": None}, {"audience": "required", "client": "required"}),
        (
            {"subject": "a\n", "html_body": "", "from_email": "nobody"},
            {"subject": "invalid", "body": "required", "from_email": "not_found"},
        ),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, path: str, said: dict[str, Any], expected: dict[str, str]
) -> None:
    response = http.put(path, json=DRAFT | said)
    assert (response.status_code, fields(response)) == (400, expected)
    assert http.get(path).status_code == 404


def test_a_list_that_is_not_there_and_another_s_scope(http: httpx.Client, path: str) -> None:
    unknown = http.put(path, json=DRAFT | {"recipient_list_key": "course:@e"})
    assert (unknown.status_code, fields(unknown)) == (404, {"recipient_list_key": "not_found"})
    foreign = http.put(path, json=DRAFT | LABS)
    assert (foreign.status_code, fields(foreign)) == (403, {"audience": "not_found", "client": "forbidden"})


@pytest.mark.parametrize(("key", "code"), [("%00", "invalid"), ("%20", "required"), ("x" * 256, "too_long")])
def test_a_key_that_is_none(http: httpx.Client, key: str, code: str) -> None:
    response = http.put(f"/api/campaigns/{key}", json=DRAFT)
    assert (response.status_code, fields(response)) == (400, {"external_key": code})


def test_another_audience_is_another_campaign(http: httpx.Client, drafted: str) -> None:
    response = http.put(drafted, json=DRAFT | {"audience": "datatalks-club"})
    assert (response.status_code, fields(response)) == (409, {"audience": "audience_mismatch"})


@pytest.mark.usefixtures("impatient")
def test_a_campaign_is_queued_once_and_frozen(http: httpx.Client, drafted: str) -> None:
    response = http.post(f"{drafted}/queue")
    assert response.status_code == 202
    body = response.json()
    assert (body["queued"], body["recipient_count"], body["skipped_count"]) == (True, None, None)
    assert body["campaign"]["status"] == "queued"
    assert body["campaign"]["from_email"] == "courses"
    assert body["campaign"]["from_email_address"].endswith("<courses@datatalksclub.example>")
    assert http.post(f"{drafted}/queue").json()["queued"] is False
    edit = http.put(drafted, json=DRAFT | {"subject": "Other"})
    assert (edit.status_code, fields(edit)) == (409, {"status": "not_editable"})


@pytest.mark.usefixtures("impatient")
def test_a_repeated_queue_gets_the_first_answer(http: httpx.Client, drafted: str) -> None:
    headers = {"Idempotency-Key": f"queue-{drafted}"}
    first = http.post(f"{drafted}/queue", headers=headers)
    again = http.post(f"{drafted}/queue", headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.json()) == (202, first.json())
    assert first.json()["queued"] is True


@pytest.mark.usefixtures("impatient")
def test_a_campaign_is_paused_resumed_and_cancelled(http: httpx.Client, drafted: str) -> None:
    for verb in ("pause", "resume"):
        early = http.post(f"{drafted}/{verb}")
        refusal = {"pause": "not_pausable", "resume": "not_resumable"}[verb]
        assert (early.status_code, fields(early)) == (409, {"status": refusal})
    http.post(f"{drafted}/queue")
    assert http.post(f"{drafted}/pause").json()["campaign"]["status"] == "paused"
    assert http.post(f"{drafted}/pause").status_code == 200
    assert http.post(f"{drafted}/resume").json()["campaign"]["status"] == "queued"
    cancelled = http.post(f"{drafted}/cancel").json()
    assert (cancelled["cancelled"], cancelled["campaign"]["status"]) == (True, "cancelled")
    assert cancelled["campaign"]["finished_at"] is not None
    assert http.post(f"{drafted}/cancel").json()["cancelled"] is False
    queued = http.post(f"{drafted}/queue")
    assert (queued.status_code, fields(queued)) == (409, {"status": "not_queueable"})
    assert status(http, drafted) == "cancelled"
