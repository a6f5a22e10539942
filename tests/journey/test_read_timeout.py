"""SES takes mail and says nothing for longer than the sender waits: nobody gets it twice, SES's events settle it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event as Flag
from typing import Any, Final

from consumers.__main__ import site_of
from consumers.campaign_lane import CampaignLane
from consumers.sender import Lane, Sender
from consumers.ses import Ses
from consumers.transactional_lane import TransactionalLane
from tests.consumers.running import running
from tests.imports.service import CLIENT
from tests.journey.conftest import Whole
from tests.journey.life import done
from tests.waiting import wait_until

CAMPAIGN: Final = "/api/campaigns/slow"
READERS: Final = [f"reader-{n}@example.com" for n in range(4)]
BUYER: Final = "buyer@example.com"
READ_TIMEOUT: Final = 0.3
FOREVER: Final = 60_000.0
"""Milliseconds for which SES holds its answers back: longer than all of the test."""


def test_who_waits_too_long_for_an_answer_does_not_ask_again(whole: Whole) -> None:
    audience = whole.make_audience()
    whole.ses.set_faults(lost={"every": 1, "hold_ms": FOREVER})
    with whole.consuming("projector", "planner"):
        requested(whole, audience)
        with impatient(whole):
            wait_until(lambda: message(whole, 1)["status"] == "unconfirmed", "no answer for the buyer's mail")
            wait_until(lambda: statuses(whole) == {"unconfirmed": len(READERS)}, "no answer for the readers' mail")
        whole.ses.reset_faults()
        with whole.consuming("campaign-sender", "transactional-sender"):
            bought(whole, "two")
            wait_until(lambda: message(whole, 2)["status"] == "sent", "the next mail")
            wait_until(lambda: whole.ses.count(BUYER) == 2, "both mails of the buyer")
            for mail in whole.ses.messages():
                assert whole.ses.event(mail.message_id, "Delivery").status == 200
            wait_until(lambda: statuses(whole) == {"sent": len(READERS)}, "all settled")
    assert message(whole, 1)["status"] == "sent"
    names = Counter(mail.to[0] for mail in whole.ses.messages())
    assert names == {**dict.fromkeys(READERS, 1), BUYER: 2}
    ids = {mail.message_id for mail in whole.ses.messages(BUYER)}
    assert {message(whole, number)["ses_message_id"] for number in (1, 2)} == ids


def requested(whole: Whole, audience: str) -> None:
    """A campaign that goes out in one call, and one transactional mail."""
    whole.imported("\n".join(["email,status,verified", *(f"{reader},subscribed,true" for reader in READERS)]), audience)
    draft = {"audience": audience, "client": CLIENT, "subject": "News", "text_body": "News for all"}
    done(whole, "PUT", CAMPAIGN, draft)
    done(whole, "POST", f"{CAMPAIGN}/queue", None)
    done(whole, "PUT", "/api/transactional/templates/hi", {"name": "Hi", "subject": "Hi", "text_body": "Hello"})
    bought(whole, "one")


def bought(whole: Whole, key: str) -> None:
    mail = {"email": BUYER, "template_key": "hi", "idempotency_key": key}
    done(whole, "POST", "/api/transactional/send", mail)


def impatient(whole: Whole) -> AbstractContextManager[None]:
    """Both senders, which wait for a fraction of a second."""
    settings = whole.settings

    def session(lane: Callable[..., Lane]) -> Callable[[Flag], None]:
        ses = Ses(settings.ses_region, endpoint_url=settings.ses_endpoint_url, read_timeout=READ_TIMEOUT)
        return Sender(whole.store, ses, lane(whole.store, site_of(settings, whole.store))).session

    return running(session(CampaignLane), session(TransactionalLane))


def message(whole: Whole, number: int) -> dict[str, Any]:
    found: dict[str, Any] = whole.http.get(f"/api/transactional/messages/{number}").json()["message"]
    return found


def statuses(whole: Whole) -> dict[str, int]:
    return dict(Counter(row["status"] for row in whole.pages(f"{CAMPAIGN}/recipients", "recipients")))
