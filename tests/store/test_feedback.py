"""Events of SES on the real log: each for itself, whatever breaks another one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from domain import message
from domain.mail_event import Kind, MailEvent
from domain.store.feedback import Feedback, Told
from domain.store.log import Store
from domain.store.mapper import UnknownEvent
from domain.store.order import Failed, new_correlation_id
from tests.consumers.mailing import a_campaign, a_request, accepted, order, people, statuses
from tests.store.conftest import NOON

SES_ID = "0100018f-okapi"


def told(stream: UUID | None, kind: Kind = "Delivery", **said: Any) -> Told:
    named: dict[str, Any] = {"event_id": f"{kind} {stream}", "ses_message_id": SES_ID}
    event = MailEvent(kind=kind, at=NOON, stream=stream, **{**named, **said})
    return Told(event, "ses", new_correlation_id())


def stream_of(campaign_id: int, contact_id: int) -> UUID:
    number = message.campaign_message_number(campaign_id, contact_id)
    return UUID(int=message.of_campaign.kind << message.KIND_BITS | number)


def test_an_event_that_breaks_fails_alone(store: Store, database: str) -> None:
    contacts = people(store, 9)
    number = a_campaign(store, contacts)
    streams = [stream_of(number, contact_id) for contact_id in contacts]
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE log SET topic = 'message.of_tomorrow@1' WHERE originator_id = %s", (streams[4],))
    verdicts = Feedback(store).take([told(stream) for stream in streams])
    [(place, failed)] = [(n, verdict) for n, verdict in enumerate(verdicts) if verdict != "recorded"]
    assert place == 4
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UnknownEvent)
    others = [contact_id for n, contact_id in enumerate(contacts) if n != 4]
    assert statuses(store, number, others) == ["sent"] * 8


def test_ses_s_name_of_a_mail_finds_it_by_an_index_of_the_log(store: Store, database: str) -> None:
    [contact_id] = people(store, 1)
    [asked] = accepted(store, a_request(contact_id, "k"))
    steps = (message.AttemptMessage(at=NOON), message.ConfirmSent(at=NOON, ses_message_id=SES_ID))
    accepted(store, *(order(message.transactional, step, number=asked.number, contact_id=contact_id) for step in steps))
    assert Feedback(store).take([told(None), told(None, ses_message_id="another")]) == ["recorded", "kept"]
    [loaded] = store.load(message.transactional, numbers=[asked.number])
    assert loaded.state.delivered_at == NOON
    with psycopg.connect(database) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT originator_id FROM log WHERE topic = 'message.sent@1' AND ses_name(state) = %s",
            (SES_ID,),
        ).fetchall()
    assert "log_ses_name" in str(plan)
