"""Whom a campaign meant and whom not, each for a reason of their own, and what became of its mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from domain import message
from domain.message.commands import Command
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from tests.api.serving import COURSES, LABS

LIST = "/api/recipient-lists/why"
NOON = datetime(2026, 5, 24, 12, 30, tzinfo=UTC)
GOOD: dict[str, Any] = {"status": "subscribed", "verified": True, "tags": ["why"]}
Json = dict[str, Any]


def email(name: str) -> str:
    return f"why-{name}@example.com"


class People:
    """Contacts by name, each with the positions of what was said of it."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.numbers: dict[str, int] = {}
        self.positions: dict[str, list[int]] = {}

    def say(self, name: str, method: str = "POST", path: str = "/api/contacts", **said: Any) -> int:
        response = self._http.request(method, path, json={"email": email(name), **COURSES, **said})
        assert response.is_success, response.text
        position = int(response.headers["Datamailer-Position"])
        self.numbers.setdefault(name, response.json().get("contact_id", 0))
        self.positions.setdefault(name, []).append(position)
        return position

    def listed(self, name: str) -> int:
        """Put the contact on the campaign's list."""
        member = {"email": email(name), "audience": COURSES["audience"]}
        response = self._http.put(f"{LIST}:inner/members/{name}", json=member)
        assert response.is_success, response.text
        return int(response.headers["Datamailer-Position"])


def everybody(http: httpx.Client, labs: httpx.Client) -> People:
    """One for every answer."""
    found = People(http)
    assert http.put(f"{LIST}:inner", json={}).status_code == 201
    for name in ("fine", "late", "erased", "outside"):
        found.say(name, **GOOD)
    found.say("unverified", status="subscribed", tags=["why"])
    found.say("excluded", **GOOD | {"tags": ["why", "whynot"]})
    found.say("untagged", **GOOD | {"tags": []})
    found.say("choosy", **GOOD)
    found.say("choosy", "PUT", "/api/contacts/preferences", categories=[{"tag": "jobs", "enabled": False}])
    found.say("bounced", **GOOD)
    theirs = {"email": email("bounced"), **LABS, "suppression": {"hard_bounced": True}}
    found.positions["bounced"].append(int(labs.post("/api/contacts", json=theirs).headers["Datamailer-Position"]))
    for name in found.numbers:
        if name != "outside":
            found.positions[name].append(found.listed(name))
    return found


def tell(http: httpx.Client, store: Store, people: People, campaign_id: int) -> int:
    """What became of the mail: one was delivered, one skipped before it was sent, one erased. Gives where one left."""
    left = people.say("late", "POST", "/api/subscriptions/unsubscribe", scope="client", reason="enough")
    facts: dict[str, list[Command]] = {
        "fine": [
            message.AttemptMessage(at=NOON),
            message.ConfirmSent(at=NOON, ses_message_id="ses-1"),
            message.RecordDelivery(at=NOON, event_id="e-1"),
            message.RecordClick(at=NOON, link=0, url="https://example.com/secret"),
        ],
        "late": [message.SkipMessage(at=NOON, reason="client_unsubscribe")],
        "erased": [message.AttemptMessage(at=NOON), message.ConfirmSent(at=NOON, ses_message_id="ses-2")],
    }
    for name, commands in facts.items():
        number = message.campaign_message_number(campaign_id, people.numbers[name])
        context = Context(organization_id=1, client_id=1, source="sender")
        named: Json = {"number": number, "context": context, "contact_id": people.numbers[name]}
        for outcome in store.handle(
            *(Order(decider=message.of_campaign, command=command, **named) for command in commands)
        ):
            assert isinstance(outcome, Accepted), outcome
    for name in ("unverified", "choosy", "fine"):
        people.say(name, status="unsubscribed", verified=True, tags=["whynot"])
    http.post("/api/contacts/erase", json={"email": email("erased"), **COURSES}).raise_for_status()
    return left
