"""The sender: once and only once, whatever SES does, and never what somebody took back in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from time import monotonic

import pytest
from msgspec.structs import replace

from config.local.ses.client import LocalSes
from config.local.ses.process import local_ses
from consumers.campaign_lane import CampaignLane
from consumers.projector import Projector, direct_feed
from consumers.sender import Lane, Sender
from consumers.ses import Ses
from consumers.session import Connection
from consumers.transactional_lane import TransactionalLane
from domain import campaign, message
from domain.links import Signer
from domain.mail import STREAM_TAG
from domain.store.log import Store
from domain.tracking import Site
from projections.outbox import PROJECTION
from tests.consumers.mailing import CONTENT, a_campaign, a_request, accepted, order, people, statuses, unsubscribe
from tests.consumers.running import running, wait_until
from tests.store.conftest import NOON

SITE = Site("https://mail.example.com", Signer(b"k" * 32))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSes]:
    with local_ses(tmp_path_factory.mktemp("ses")) as running_ses:
        yield running_ses


@pytest.fixture
def ses(server: LocalSes) -> Iterator[LocalSes]:
    server.empty()
    yield server
    server.reset_faults()


def sender(store: Store, ses: LocalSes, lane: Callable[[Store, Site], Lane]) -> Callable[[Flag], None]:
    return Sender(store, Ses("us-east-1", endpoint_url=ses.url, configuration_set="c"), lane(store, SITE)).session


@contextmanager
def sending(store: Store, ses: LocalSes, *lanes: Callable[[Store, Site], Lane]) -> Iterator[None]:
    """The outbox is kept up, and each lane has a sender."""
    projector = Projector(store.conninfo, direct_feed(store.conninfo), store.unsealer, (PROJECTION,)).session
    with running(projector, *(sender(store, ses, lane) for lane in lanes)):
        yield


def outbox_is_empty(connection: Connection) -> bool:
    row = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return row == (0,)


@pytest.mark.parametrize("literal", ["", "{{ braces }}"], ids=["bulk", "single"])
def test_a_campaign_goes_to_everybody_once(store: Store, ses: LocalSes, literal: str) -> None:
    contacts = people(store, 130)
    number = a_campaign(store, contacts, replace(CONTENT, text_body=f"Hello {literal} https://example.com/"))
    with sending(store, ses, CampaignLane, CampaignLane):
        mails = ses.wait(count=len(contacts))
        wait_until(store.conninfo, lambda _: set(statuses(store, number, contacts)) == {"sent"}, "all sent")
    assert Counter(mail.to[0] for mail in mails) == {f"person{n}@example.com": 1 for n in range(130)}
    tokens = {SITE.signer.unsubscribing(url(mail.headers)) for mail in mails}
    assert {token.contact_id for token in tokens if token} == set(contacts)
    first = mails[0]
    assert (first.subject, first.tags[STREAM_TAG][:8]) == ("News für alle", "00000008")
    assert "https://mail.example.com/t/c/" in (first.html or "")
    assert (literal in (first.text or "")) is True
    assert any(h.name == "List-Unsubscribe-Post" and h.value == "List-Unsubscribe=One-Click" for h in first.headers)


def url(headers: object) -> str:
    assert isinstance(headers, list | tuple)
    value: str = next(header.value for header in headers if header.name == "List-Unsubscribe")
    return value.removesuffix(">").rpartition("/")[2]


def test_an_unsubscribe_after_the_snapshot_wins(store: Store, ses: LocalSes) -> None:
    contacts = people(store, 3)
    number = a_campaign(store, contacts)
    accepted(store, unsubscribe(contacts[1]))
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: "queued" not in statuses(store, number, contacts), "all settled")
    assert statuses(store, number, contacts) == ["sent", "skipped", "sent"]
    assert ses.count() == 2


def test_throttling_loses_nothing_and_repeats_nothing(store: Store, ses: LocalSes) -> None:
    ses.set_faults(throttle={"every": 2})
    contacts = people(store, 120)
    number = a_campaign(store, contacts, replace(CONTENT, text_body="{{ }}"))
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: set(statuses(store, number, contacts)) == {"sent"}, "all sent")
    assert Counter(mail.to[0] for mail in ses.messages()) == {f"person{n}@example.com": 1 for n in range(120)}


def test_a_lost_answer_is_not_asked_again(store: Store, ses: LocalSes) -> None:
    ses.set_faults(lost={"every": 1, "times": 1})
    contacts = people(store, 3)
    number = a_campaign(store, contacts)
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: set(statuses(store, number, contacts)) == {"unconfirmed"}, "unconfirmed")
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert ses.count() == 3
    release = message.ReleaseMessage(at=NOON, reason="operator")
    stream = message.campaign_message_number(number, contacts[0])
    accepted(store, order(message.of_campaign, release, number=stream, contact_id=contacts[0]))
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: statuses(store, number, contacts)[0] == "sent", "released and sent")
    assert ses.count("person0@example.com") == 2
    assert ses.count() == 4


def test_what_a_dead_sender_left_in_mid_attempt_is_unconfirmed(store: Store, ses: LocalSes) -> None:
    contacts = people(store, 2)
    number = a_campaign(store, contacts)
    stream = message.campaign_message_number(number, contacts[0])
    attempt = message.AttemptMessage(at=NOON)
    accepted(store, order(message.of_campaign, attempt, number=stream, contact_id=contacts[0]))
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: "queued" not in statuses(store, number, contacts), "settled")
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert statuses(store, number, contacts) == ["unconfirmed", "sent"]
    assert [mail.to[0] for mail in ses.messages()] == ["person1@example.com"]


def test_a_paused_campaign_waits_and_a_cancelled_one_stays(store: Store, ses: LocalSes) -> None:
    contacts = people(store, 2)
    paused, cancelled = (a_campaign(store, contacts, key=key) for key in ("paused", "cancelled"))
    accepted(store, order(campaign.decider, campaign.PauseCampaign(at=NOON), number=paused))
    accepted(store, order(campaign.decider, campaign.CancelCampaign(at=NOON), number=cancelled))
    third = a_campaign(store, contacts, key="third")
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: set(statuses(store, third, contacts)) == {"sent"}, "the third sent")
        assert set(statuses(store, paused, contacts)) == {"queued"}
        accepted(store, order(campaign.decider, campaign.ResumeCampaign(at=NOON), number=paused))
        wait_until(store.conninfo, lambda _: set(statuses(store, paused, contacts)) == {"sent"}, "resumed and sent")
    assert set(statuses(store, cancelled, contacts)) == {"queued"}
    assert ses.count() == 4


def test_a_pause_leaves_most_of_the_mail_waiting_though_ses_is_slow(store: Store, ses: LocalSes) -> None:
    ses.set_faults(latency_ms=200)
    contacts = people(store, 400)
    number = a_campaign(store, contacts, replace(CONTENT, text_body="{{ }}"))
    with sending(store, ses, CampaignLane):
        ses.wait_count(1)
        accepted(store, order(campaign.decider, campaign.PauseCampaign(at=NOON), number=number))
        wait_until(store.conninfo, lambda _: set(statuses(store, number, contacts)) <= {"queued", "sent"}, "landed")
    assert statuses(store, number, contacts).count("queued") > len(contacts) / 2
    assert statuses(store, number, contacts).count("sent") == ses.count()


def test_a_refused_mail_fails_alone(store: Store, ses: LocalSes) -> None:
    ses.set_faults(rejected_addresses=["person1@example.com"])
    contacts = people(store, 3)
    number = a_campaign(store, contacts)
    with sending(store, ses, CampaignLane):
        wait_until(store.conninfo, lambda _: "queued" not in statuses(store, number, contacts), "settled")
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert statuses(store, number, contacts) == ["sent", "failed", "sent"]


def test_transactional_mail_is_sent_as_it_was_rendered(store: Store, ses: LocalSes) -> None:
    [contact_id] = people(store, 1)
    accepted(store, *(a_request(contact_id, f"k{n}") for n in (1, 2, 1)))
    with sending(store, ses, TransactionalLane):
        mails = ses.wait(count=2)
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert [mail.to[0] for mail in mails] == ["person0@example.com"] * 2
    assert "https://mail.example.com/t/c/" in (mails[0].text or "")
    assert ses.count("b@example.com") == 2
    states = [loaded.state for loaded in store.load(message.transactional, keys=["2/k1", "2/k2"])]
    assert {state.ses_message_id for state in states} == {mail.message_id for mail in mails}


def test_mail_that_may_come_twice_is_asked_for_again(store: Store, ses: LocalSes) -> None:
    """A template may choose at least once; SES's own event settles what it has after all."""
    ses.set_faults(lost={"every": 1, "times": 1})
    [contact_id] = people(store, 1)
    accepted(store, a_request(contact_id, "k", retry_unconfirmed=True))
    with sending(store, ses, TransactionalLane):
        ses.wait(count=2)
        wait_until(store.conninfo, lambda _: state(store).status == "sent", "sent after all")
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert (state(store).attempts, ses.count("person0@example.com")) == (2, 2)


def test_such_mail_is_not_asked_for_without_end(store: Store, ses: LocalSes) -> None:
    ses.set_faults(lost={"every": 1, "times": 9})
    [contact_id] = people(store, 1)
    accepted(store, a_request(contact_id, "k", retry_unconfirmed=True))
    with sending(store, ses, TransactionalLane):
        wait_until(store.conninfo, lambda _: state(store).status == "unconfirmed", "given up")
        wait_until(store.conninfo, outbox_is_empty, "nothing waiting")
    assert (state(store).attempts, ses.count("person0@example.com")) == (5, 5)


def state(store: Store) -> message.Message:
    [loaded] = store.load(message.transactional, keys=["2/k"])
    found: message.Message = loaded.state
    return found


def test_a_campaign_does_not_delay_a_password_reset(store: Store, ses: LocalSes) -> None:
    ses.set_faults(max_send_rate=50.0)
    contacts = people(store, 400)
    number = a_campaign(store, contacts)
    with sending(store, ses, CampaignLane, TransactionalLane):
        ses.wait(count=20)
        accepted(store, a_request(contacts[-1], "reset"))
        deadline = monotonic() + 15
        while not any(mail.subject == "Your password" for mail in ses.messages(bodies=False)):
            assert monotonic() < deadline
            ses.wait_count(ses.count() + 1)
        assert "queued" in statuses(store, number, contacts)
