"""The planner: whom a campaign means as of its queueing, each once, however often it is interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from threading import Event as Flag
from typing import Any

import pytest
from msgspec.structs import replace

from consumers.planner import Planner
from consumers.projector import Projector, direct_feed
from consumers.session import connect
from domain import campaign, client, contact, message, recipient, recipient_list
from domain.campaign import CampaignContent
from domain.sender import Sender
from domain.store.log import Store
from domain.store.order import Order
from projections.campaign_audience.candidates import intended
from projections.campaign_audience.preview import READS
from projections.schema import read_models
from tests.consumers.mailing import CONTENT, accepted, order
from tests.consumers.running import running, wait_for, wait_until
from tests.store.conftest import NOON, upsert

SCOPE: dict[str, Any] = {"at": NOON, "organization_id": 1, "audience_id": 3, "client_id": 2}
GOOD: dict[str, Any] = {"status": "subscribed", "verified": True}


def everybody(store: Store) -> dict[str, str | None]:
    """Contacts in every state; gives what is to become of each."""
    flags = {
        "global_unsubscribe": contact.Suppressions(global_unsubscribed=True),
        "hard_bounce": contact.Suppressions(hard_bounced=True),
        "complaint": contact.Suppressions(complained=True),
    }
    orders: list[Order] = [upsert("fine@example.com", **GOOD), upsert("unverified@example.com", status="subscribed")]
    expected: dict[str, str | None] = {"fine": None, "unverified": "unverified", "pending": "suppressed"}
    orders.append(upsert("pending@example.com", verified=True))
    for reason, suppressions in flags.items():
        orders.append(upsert(f"{reason}@example.com", **GOOD, suppressions=suppressions))
        expected[reason] = reason
    verdict = contact.EmailVerdict(status="disposable")
    orders.append(upsert("invalid@example.com", **GOOD, validation=verdict))
    expected["invalid"] = "invalid_email"
    for scope in ("client", "audience"):
        name = f"{scope}@example.com"
        orders.append(upsert(name, **GOOD))
        orders.append(order(contact.decider, contact.Unsubscribe(**SCOPE, email=name, scope=scope), key=name))
        expected[scope] = f"{scope}_unsubscribe"
    orders.append(upsert("choosy@example.com", **GOOD))
    choice = contact.CategoryChoice(tag="news", enabled=False)
    choose = contact.SetPreferences(**SCOPE, categories=(choice,))
    orders.append(order(contact.decider, choose, key="choosy@example.com"))
    expected["choosy"] = "client_unsubscribe"
    orders.append(upsert("tagged@example.com", **GOOD, tags=("stop",)))
    accepted(store, *orders)
    return expected


def drafted(store: Store, content: CampaignContent) -> int:
    save = campaign.SaveCampaign(**SCOPE, external_key="may", content=content)
    [outcome] = accepted(store, order(campaign.decider, save, key=campaign.key_of(2, "may")))
    return outcome.number


def queued(store: Store, content: CampaignContent = CONTENT) -> int:
    number = drafted(store, replace(content, category_tag="news", exclude_tags=("stop",)))
    queue = campaign.QueueCampaign(at=NOON, sender_id="hello", sender="hello@example.com")
    accepted(store, order(campaign.decider, queue, number=number))
    return number


@contextmanager
def planning(store: Store) -> Iterator[None]:
    projector = Projector(store.conninfo, direct_feed(store.conninfo), store.unsealer, read_models()).session
    with running(projector, Planner(store).session):
        yield


def state(store: Store, number: int) -> campaign.Campaign:
    [loaded] = store.load(campaign.decider, numbers=[number])
    found: campaign.Campaign = loaded.state
    return found


def reasons(store: Store, number: int) -> dict[str, str | None]:
    """What became of each contact, by the name in its address."""
    return by_name(store, recipients(store, number).items())


def recipients(store: Store, number: int) -> dict[int, str | None]:
    """Why each contact that the campaign has a message for gets none, if so."""
    found: dict[int, str | None] = {}
    for recorded, event in store.open(store.read(0, 10_000)):
        if recorded.kind == message.of_campaign.kind:
            campaign_id, contact_id = message.campaign_and_contact(recorded.stream)
            assert campaign_id == number
            assert contact_id not in found
            found[contact_id] = event.reason if isinstance(event, message.MessageSkipped) else None
    return found


def by_name(store: Store, found: Iterable[tuple[int, str | None]]) -> dict[str, str | None]:
    """What was found of contacts, by the names in their addresses."""
    of = dict(found)
    people = store.load(contact.decider, numbers=list(of))
    return {p.state.email.text.partition("@")[0]: of[p.number] for p in people}


def queued_at(store: Store) -> int:
    """The position of the only queueing."""
    [position] = [r.position for r in store.read(0, 10_000) if r.topic == "campaign.queued@1"]
    return position


def test_everybody_meant_gets_a_message_or_a_reason(store: Store) -> None:
    expected = everybody(store)
    number = queued(store)
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sending", "the snapshot")
    assert reasons(store, number) == expected
    taken = state(store, number)
    assert (taken.recipient_count, taken.skipped_count) == (1, len(expected) - 1)


def test_what_came_after_the_queueing_does_not_count(store: Store) -> None:
    expected = everybody(store)
    number = queued(store)
    late = contact.Unsubscribe(**SCOPE, email="fine@example.com", scope="client")
    accepted(store, order(contact.decider, late, key="fine@example.com"), upsert("late@example.com", **GOOD))
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sending", "the snapshot")
        assert reasons(store, number) == expected
        accepted(store, *(upsert(f"{name}@example.com", tags=("later",)) for name in expected))
        erase = contact.EraseContact(at=NOON, organization_id=1)
        accepted(store, order(contact.decider, erase, key="pending@example.com"))
        wait_for(store, *READS)
        meant = dict(chain.from_iterable(intended(store, state(store, number), queued_at(store))))
    assert meant == recipients(store, number)


def test_an_interrupted_snapshot_goes_on_to_the_same_end(store: Store) -> None:
    expected = everybody(store)
    number = queued(store)
    position = queued_at(store)
    projector = Projector(store.conninfo, direct_feed(store.conninfo), store.unsealer, read_models()).session
    with running(projector):
        wait_for(store, "contacts", "category_choices", "campaigns")
    start = campaign.StartSnapshot(at=NOON, position=position)
    accepted(store, order(campaign.decider, start, number=number))
    chunk = next(chunk for chunk in intended(store, state(store, number), position) if chunk)
    planner = Planner(store)
    planner._request(number, state(store, number), chunk[:4])  # noqa: SLF001
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sending", "the snapshot")
    assert reasons(store, number) == expected
    taken = state(store, number)
    assert (taken.recipient_count, taken.skipped_count) == (1, len(expected) - 1)


def test_a_cancelled_campaign_is_not_planned(store: Store) -> None:
    everybody(store)
    number = queued(store)
    accepted(store, order(campaign.decider, campaign.CancelCampaign(at=NOON), number=number))
    with planning(store):
        wait_for(store, "campaigns")
        with connect(store.conninfo, "test") as connection:
            Planner(store).look(connection, Flag())
    assert reasons(store, number) == {}


@pytest.mark.parametrize(("sender_id", "phase"), [("hello", "queued"), ("", "failed")])
def test_a_draft_queues_itself_when_its_time_has_come(store: Store, sender_id: str, phase: str) -> None:
    slugs = [f"app{n}" for n in range(2)]
    creations = [client.CreateClient(at=NOON, organization_id=1, slug=slug, name=slug) for slug in slugs]
    made = [order(client.decider, each, key=f"1/{each.slug}") for each in creations]
    assert [outcome.number for outcome in accepted(store, *made)] == [1, 2]
    if sender_id:
        senders = (Sender(sender_id, "hello@example.com"),)
        chosen = client.ReplaceSenders(at=NOON, senders=senders, default_sender_id=sender_id)
        accepted(store, order(client.decider, chosen, number=2))
    number = drafted(store, replace(CONTENT, scheduled_at=NOON))
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase in {phase, "sent"}, "the queueing")
    assert state(store, number).queued_at is not None or phase == "failed"


def test_a_campaign_ends_when_all_its_mail_is_settled(store: Store) -> None:
    everybody(store)
    number = queued(store)
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sending", "the snapshot")
        [fine] = store.load(contact.decider, keys=["fine@example.com"])
        stream = message.campaign_message_number(number, fine.number)
        steps = (message.AttemptMessage(at=NOON), message.ConfirmSent(at=NOON, ses_message_id="1"))
        accepted(store, *(order(message.of_campaign, step, number=stream, contact_id=fine.number) for step in steps))
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sent", "the end")


def test_a_campaign_limited_to_a_list_means_its_members_as_of_its_queueing(store: Store) -> None:
    names = ("on", "within", "left", "beside", "moved", "late", "nowhere")
    people = [f"{name}@example.com" for name in names]
    contacts = dict(zip(names, accepted(store, *(upsert(email, **GOOD) for email in people)), strict=True))
    keys = ("course", "course:homework", "courses")
    opened = [recipient_list.OpenList(at=NOON, organization_id=1, client_id=2, key=key) for key in keys]
    orders = [order(recipient_list.decider, each, key=recipient_list.key_of(2, each.key)) for each in opened]
    course, homework, beside = (outcome.number for outcome in accepted(store, *orders))

    def put(name: str, list_id: int) -> Order:
        person = contacts[name].number
        command = recipient.PutRecipient(at=NOON, list_id=list_id, contact_id=person, source_object_key=name)
        return order(recipient.decider, command, key=recipient.key_of(list_id, name), contact_id=person)

    def remove(name: str, list_id: int) -> Order:
        command = recipient.RemoveRecipient(at=NOON)
        key = recipient.key_of(list_id, name)
        return order(recipient.decider, command, key=key, contact_id=contacts[name].number)

    accepted(store, *(put(name, course) for name in ("on", "left", "moved")))
    accepted(store, put("within", homework), put("beside", beside), remove("left", course))
    number = queued(store, replace(CONTENT, recipient_list_key="course"))
    late = contact.Unsubscribe(**SCOPE, email="nowhere@example.com", scope="client")
    accepted(store, order(contact.decider, late, key="nowhere@example.com"))
    accepted(store, put("late", course), remove("moved", course), put("left", homework))
    with planning(store):
        wait_until(store.conninfo, lambda _: state(store, number).phase == "sending", "the snapshot")
        wait_for(store, *READS)
        meant = by_name(store, chain.from_iterable(intended(store, state(store, number), queued_at(store))))
    assert reasons(store, number) == meant == dict.fromkeys(("on", "within", "moved"))
