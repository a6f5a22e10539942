"""What stands in a consent proof, for whom, and in whose words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from domain import contact
from domain.catalog import EVENTS
from domain.chain import flaws
from domain.consent import CONSENT, Origin, Slugs, proof
from domain.contact.disclosure import SHARED, disclosed
from domain.decider import Event
from domain.personal import Personal
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    EMAIL,
    LATER,
    NOW,
    OTHER,
    OWN,
    bounced_elsewhere,
    pending,
    registered,
    subscribed,
    subscribed_elsewhere,
    tagged,
    unsubscribed,
)

SLUGS = Slugs({AUDIENCE: "news"}, {CLIENT: "shop"})
REQUEST = UUID(int=7)
ERASED = Personal.from_token("AAAA")
"""A text whose key is gone."""


def origin(position: int, **more: Any) -> Origin:
    fields = {"organization_id": OWN, "client_id": CLIENT, "correlation_id": REQUEST, "source": "api", **more}
    return Origin(position=position, **fields)


def proven(*history: tuple[Origin, Event], position: int = 1000, own: int = OWN) -> Any:
    return proof(
        history,
        contact_id=42,
        organization=(own, "acme"),
        slugs=SLUGS,
        position=position,
        issued_at="2026-06-01T00:00:00Z",
    )


def facts(document: Any) -> list[str]:
    return [entry["fact"].removeprefix("contact.") for entry in document["entries"]]


def plain(entry: Any) -> dict[str, Any]:
    """An entry without its links."""
    return {name: value for name, value in entry.items() if name not in {"previous", "hash"}}


def in_order(*events: Event, **more: Any) -> Sequence[tuple[Origin, Event]]:
    return [(origin(place, **more), event) for place, event in enumerate(events, 1)]


def test_a_document_says_who_what_when_and_where() -> None:
    document = proven(
        (origin(3), registered),
        (origin(4, source="import"), subscribed),
        (origin(9, source="person", correlation_id=UUID(int=8)), unsubscribed),
    )
    header = {name: value for name, value in document.items() if name not in {"entries", "hash"}}
    assert header == {
        "format": "datamailer.consent.v1",
        "contact_id": 42,
        "email": EMAIL,
        "organization": "acme",
        "position": 1000,
        "issued_at": "2026-06-01T00:00:00Z",
        "count": 3,
    }
    since = "2026-05-01T08:00:00Z"
    assert plain(document["entries"][0]) == {
        "number": 1,
        "position": 3,
        "at": since,
        "fact": "contact.registered",
        "actor": {"kind": "client", "client": "shop"},
        "source": "api",
        "correlation_id": str(REQUEST),
    }
    assert plain(document["entries"][1]) | {"verified_at": since} == plain(document["entries"][1])
    assert plain(document["entries"][2]) == {
        "number": 3,
        "position": 9,
        "at": since,
        "fact": "contact.unsubscribed",
        "actor": {"kind": "person"},
        "source": "person",
        "correlation_id": str(UUID(int=8)),
        "audience": "news",
        "client": "shop",
        "reason": "too many",
    }
    assert flaws(document) == []


@pytest.mark.parametrize(
    ("source", "actor"),
    [
        ("api", {"kind": "client", "client": "shop"}),
        ("import", {"kind": "client", "client": "shop"}),
        ("person", {"kind": "person"}),
        ("operator", {"kind": "operator"}),
        ("cli", {"kind": "operator"}),
        ("ses", {"kind": "ses"}),
        ("planner", {"kind": "system"}),
    ],
)
def test_who_acted_follows_from_the_source(source: str, actor: dict[str, str]) -> None:
    assert proven((origin(1, source=source), registered))["entries"][0]["actor"] == actor


def test_tags_and_verdicts_are_no_consent() -> None:
    judged = contact.ContactEmailValidated(at=NOW, organization_id=OWN, status="risky")
    assert facts(proven(*in_order(registered, pending, tagged, judged))) == ["registered", "awaiting_confirmation"]


def test_every_event_of_contacts_was_thought_of() -> None:
    """An event that is new must be put here or among the facts of consent."""
    others = {"contact.email_validated", "contact.tagged", "contact.untagged"}
    known = {known.name for known in EVENTS.values() if known.name.startswith("contact.")}
    assert known == others | {known.name for known in EVENTS.values() if known.cls in CONSENT}


def test_the_position_is_the_end() -> None:
    history = in_order(registered, subscribed, unsubscribed)
    assert facts(proven(*history, position=2)) == ["registered", "subscribed"]
    assert proven(*history, position=0) is None


def test_others_facts_are_there_without_their_words() -> None:
    silenced = contact.ContactGloballyUnsubscribed(at=LATER, organization_id=OTHER, reason=Personal("they wrote this"))
    theirs = {"organization_id": OTHER, "client_id": 99}
    document = proven(
        (origin(1), registered),
        (origin(2), subscribed),
        (origin(3, **theirs), subscribed_elsewhere),
        (origin(4, **theirs), bounced_elsewhere),
        (origin(5, **theirs), silenced),
    )
    assert facts(document) == ["registered", "subscribed", "hard_bounced", "globally_unsubscribed"]
    assert plain(document["entries"][3]) == {
        "number": 4,
        "position": 5,
        "at": "2026-05-25T12:00:00Z",
        "fact": "contact.globally_unsubscribed",
        "actor": {"kind": "another_organization"},
    }
    assert "they wrote" not in str(document)
    assert "no mailbox" not in str(document)


def test_an_organization_that_never_knew_the_contact_gets_nothing() -> None:
    assert proven(*in_order(registered, subscribed), own=OTHER) is None
    assert proven() is None


def test_an_erased_relation_leaves_the_organization_s_own_facts() -> None:
    erased = contact.ContactErased(at=NOW, organization_id=OWN, audience_ids=(AUDIENCE,), last=False)
    gone = contact.ContactUnsubscribed(
        at=EARLIER, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT, reason=ERASED
    )
    theirs = {"organization_id": OTHER, "client_id": 99}
    silenced = contact.ContactGloballyUnsubscribed(at=LATER, organization_id=OTHER)
    document = proven(
        (origin(1), registered),
        (origin(2, **theirs), subscribed_elsewhere),
        (origin(3), gone),
        (origin(4), erased),
        (origin(5, **theirs), silenced),
    )
    assert document["email"] is None
    assert facts(document) == ["registered", "unsubscribed", "erased"]
    assert document["entries"][1]["withheld"] == "erased"
    assert "reason" not in document["entries"][1]
    assert "contact_gone" not in document["entries"][2]


def test_the_end_of_the_contact_is_told() -> None:
    erased = contact.ContactErased(at=NOW, organization_id=OWN, audience_ids=(AUDIENCE,), last=True)
    document = proven(*in_order(registered, subscribed, erased))
    assert (document["email"], document["entries"][2]["contact_gone"]) == (None, True)


def test_what_is_shared_has_no_words_left() -> None:
    """A shared event may hold no personal text but the address and a reason, which is taken out."""
    for cls in SHARED:
        texts = {name for name in cls.__struct_fields__ if name not in {"at", "email", "reason"}}
        assert texts <= {"organization_id", "status", "validated_at"}
    withdrawn = contact.ContactVerificationWithdrawn(at=NOW, audience_id=0, client_id=0)
    assert disclosed(withdrawn, recorded_by=OTHER, to=OWN) == withdrawn
    assert disclosed(tagged, recorded_by=OTHER, to=OWN) is None


def test_a_subscription_that_was_put_back_says_what_it_is() -> None:
    scope: dict[str, Any] = {"organization_id": OWN, "audience_id": AUDIENCE, "client_id": CLIENT}
    restored = contact.ContactSubscriptionRestored(at=NOW, **scope, status="unsubscribed", unsubscribed_at=EARLIER)
    last = proven(*in_order(registered, subscribed, restored))["entries"][-1]
    assert (last["status"], last["unsubscribed_at"][:10]) == ("unsubscribed", f"{EARLIER:%Y-%m-%d}")
    assert "reason" not in last


def test_who_came_back_after_an_erasure_has_a_new_record() -> None:
    """What others know of everybody's mail stays."""
    erased = contact.ContactErased(at=LATER, organization_id=OWN, audience_ids=(AUDIENCE,), last=False)
    before = [(origin(1, organization_id=OTHER), subscribed_elsewhere), *in_order(registered, subscribed)]
    history = [*before, (origin(5, organization_id=OTHER), bounced_elsewhere), (origin(6), erased)]
    assert facts(proven(*history)) == ["registered", "subscribed", "erased"]
    assert facts(proven(*history, (origin(7), pending))) == ["hard_bounced", "awaiting_confirmation"]
