"""SES's events as the domain reads them: any text is an event, nothing of interest, or refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import contact
from domain.decider import Rejected
from domain.email_address import normalize
from domain.mail_event import command, suppression
from domain.personal import Address
from domain.ses_event import KINDS, read

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
READER = contact.Contact(email=Address(normalize("straße@example.com")), organizations=frozenset({1}))
NAMES = ["eventType", "notificationType", "mail", "messageId", "timestamp", "tags", "bounce", "bouncedRecipients"]
NAMES += ["emailAddress", "bounceType", "complaint", "complainedRecipients", "click", "link", "datamailer-stream"]
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([*KINDS, "Permanent", NOW.isoformat()])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


def told(kind: str, **own: Any) -> str:
    """An event of the kind, as SES writes it."""
    mail = {"timestamp": "2026-05-24T11:00:00.000Z", "messageId": "ses"}
    return json.dumps({"eventType": kind, "mail": mail, KINDS[kind][1]: own})


def bounce(*addresses: str, bounce_type: str = "Permanent") -> str:
    return told("Bounce", bounceType=bounce_type, bouncedRecipients=[{"emailAddress": each} for each in addresses])


@given(said=JSON)
@example(said={"eventType": "Send", "mail": {"messageId": "x", "timestamp": "0001-01-01T00:00:00+14:00"}})
def test_any_json_is_read_or_refused_by_name(said: Any) -> None:
    refused: dict[str, str] = {}
    event = None
    try:
        event = read("id", json.dumps(said), NOW)
    except Rejected as refusal:
        refused = refusal.fields
    assert all(field.split(".")[0] == "Message" for field in refused)
    assert event is None or (event.at <= NOW and command(event).event_id == "id")


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(Rejected):
        read("id", text, NOW)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"Bounce", "Complaint", "Subscription"}])
def test_only_bounces_and_complaints_can_suppress(kind: str) -> None:
    event = read("id", told(kind), NOW)
    assert event is not None
    assert suppression(event, READER, 1) is None


def test_whose_address_bounced_counts_in_every_spelling() -> None:
    for spelled in ("straße@example.com", "STRASSE@EXAMPLE.COM", "Reader <Straße@Example.com>", "a@b.example"):
        event = read("id", bounce("other@example.com", spelled), NOW)
        assert event is not None
        said = suppression(event, READER, 1)
        assert isinstance(said, contact.RecordHardBounce) is (spelled != "a@b.example"), spelled


def test_who_is_gone_is_not_suppressed() -> None:
    event = read("id", bounce("no address"), NOW)
    assert event is not None
    assert event.recipients == ("",)
    assert suppression(event, contact.Contact(), 1) is None
    assert suppression(event, READER, 1) is None


def test_a_time_of_the_future_is_now() -> None:
    event = read("id", told("Open", timestamp=(NOW + timedelta(days=1)).isoformat()), NOW)
    assert event is not None
    assert event.at == NOW
