"""SES's events as the domain reads them: any text is an event, nothing of interest, or refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.decider import Rejected
from domain.email_address import normalize
from domain.mail_event import Concerned, command, suppression
from domain.ses_event import KINDS, read

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
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
    assert event is None or (event.at <= NOW and command(event, Concerned()).event_id == "id")


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(Rejected):
        read("id", text, NOW)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"Bounce", "Complaint", "Subscription"}])
def test_only_bounces_and_complaints_can_suppress(kind: str) -> None:
    event = read("id", told(kind), NOW)
    assert event is not None
    assert suppression(event, 1) is None


def test_only_a_permanent_bounce_suppresses() -> None:
    said = [read("id", bounce("a@b.example", bounce_type=kind), NOW) for kind in ("Permanent", "Transient", "Odd")]
    assert [event is not None and suppression(event, 1) is not None for event in said] == [True, False, False]


def test_whose_address_it_is_counts_in_every_spelling() -> None:
    for spelled in ("straße@bücher.example", "STRASSE@xn--bcher-kva.example", "Reader <Straße@Bücher.Example>"):
        event = read("id", bounce("other@example.com", spelled), NOW)
        assert event is not None
        assert event.recipients == ("other@example.com", normalize("straße@bücher.example"))


def test_a_garbled_address_is_nobody_s() -> None:
    event = read("id", bounce("no address"), NOW)
    assert event is not None
    assert event.recipients == ("",)


def test_deliveries_and_delays_name_recipients_too() -> None:
    delivery = read("id", told("Delivery", recipients=["A@example.com"]), NOW)
    delay = read("id", told("DeliveryDelay", delayedRecipients=[{"emailAddress": "B@example.com"}]), NOW)
    opened = read("id", told("Open"), NOW)
    assert [each and each.recipients for each in (delivery, delay, opened)] == [
        ("a@example.com",),
        ("b@example.com",),
        (),
    ]


def test_a_time_of_the_future_is_now() -> None:
    event = read("id", told("Open", timestamp=(NOW + timedelta(days=1)).isoformat()), NOW)
    assert event is not None
    assert event.at == NOW
