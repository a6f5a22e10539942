"""SES's answers are lost, and its events come before anybody knows its names of the mails, and without our tag."""

from __future__ import annotations

from typing import Any, Final

from config.local.ses.shown import Shown
from domain.store.waiting_feedback import WaitingFeedback
from tests.imports.service import CLIENT
from tests.journey.conftest import Whole
from tests.journey.life import done
from tests.waiting import wait_until

CAMPAIGN: Final = "/api/campaigns/early"
COLLEAGUE: Final = "colleague@example.com"
READERS: Final = [f"reader-{n}@example.com" for n in range(12)]
BOUNCED, COMPLAINED, OPENED = READERS[0:3], READERS[3:5], READERS[5:9]
CONSUMERS: Final = ("projector", "planner", "campaign-sender", "transactional-sender", "feedback")


def test_events_without_tag_that_come_before_their_message(whole: Whole) -> None:
    audience = whole.make_audience()
    waiting = WaitingFeedback(whole.store)
    with whole.consuming(*CONSUMERS):
        mails = unconfirmed(whole, audience)
        heard = [told(whole, mails[address], *event) for address, event in happened()]
        assert heard == [200] * len(heard)
        assert waiting.count() == (len(heard), 0), "nobody knows yet what they are about"
        assert counted(whole) == dict.fromkeys(counted(whole), 0)
        for mail in mails.values():
            assert whole.ses.event(mail.message_id, "Send").status == 200
        wait_until(lambda: waiting.count() == (0, 0), "all events to be matched")
        wait_until(lambda: whole.read(CAMPAIGN)["campaign"]["status"] == "sent", "all mail to be settled")
        assert_counted(whole)
        assert_suppressed(whole, audience)
        assert_copy_told_apart(whole, mails)


def unconfirmed(whole: Whole, audience: str) -> dict[str, Shown]:
    """A campaign and a transactional mail with a copy, which SES has and did not answer for, by address."""
    lines = [f"{address},subscribed,true" for address in [*READERS, COLLEAGUE]]
    whole.imported("\n".join(["email,status,verified", *lines]), audience)
    out = {"audience": audience, "client": CLIENT, "email": COLLEAGUE, "scope": "client"}
    done(whole, "POST", "/api/subscriptions/unsubscribe", out)
    whole.ses.set_faults(lost={"every": 1, "times": 1_000})
    draft = {"audience": audience, "client": CLIENT, "subject": "News", "text_body": "News for all"}
    done(whole, "PUT", CAMPAIGN, draft)
    done(whole, "POST", f"{CAMPAIGN}/queue", None)
    done(whole, "PUT", "/api/transactional/templates/hi", {"name": "Hi", "subject": "Hi", "text_body": "Hello"})
    mail = {"email": "buyer@example.com", "template_key": "hi", "cc": [COLLEAGUE], "idempotency_key": "one"}
    done(whole, "POST", "/api/transactional/send", mail)
    wait_until(lambda: whole.ses.count() == len(READERS) + 1, "SES to have all mail")
    wait_until(lambda: without_answer(whole) == len(READERS), "the campaign's to be unconfirmed")
    wait_until(lambda: sent_one(whole)["status"] == "unconfirmed", "the other one too")
    return {mail.to[0]: mail for mail in whole.ses.messages()}


def without_answer(whole: Whole) -> int:
    count: int = whole.read(f"{CAMPAIGN}/recipients", status="unconfirmed")["count"]
    return count


def sent_one(whole: Whole) -> dict[str, Any]:
    found: dict[str, Any] = whole.http.get("/api/transactional/messages/1").json()["message"]
    return found


def happened() -> list[tuple[str, tuple[str, str]]]:
    """What SES tells, and of whom: of the mail to an address, the kind and whom it names."""
    events = [(address, ("Delivery", address)) for address in READERS if address not in BOUNCED]
    events += [(address, ("Bounce", address)) for address in BOUNCED]
    events += [(address, ("Complaint", address)) for address in COMPLAINED]
    events += [(address, ("Open", "")) for address in OPENED]
    return [
        *events,
        ("buyer@example.com", ("Bounce", COLLEAGUE)),
        ("buyer@example.com", ("Delivery", "buyer@example.com")),
    ]


def told(whole: Whole, mail: Shown, kind: Any, named: str) -> int:
    """Have SES tell it without our tag."""
    recipients = {"recipients": (named,)} if named else {}
    return whole.ses.event(mail.message_id, kind, event={"mail": {"tags": None}}, **recipients).status


def counted(whole: Whole) -> dict[str, int]:
    campaign = whole.read(CAMPAIGN)["campaign"]
    names = ("sent_count", "delivered_count", "bounce_count", "complaint_count", "unique_open_count", "open_count")
    return {name: campaign[name] for name in names}


def assert_counted(whole: Whole) -> None:
    assert counted(whole) == {
        "sent_count": len(READERS),
        "delivered_count": len(READERS) - len(BOUNCED),
        "bounce_count": len(BOUNCED),
        "complaint_count": len(COMPLAINED),
        "unique_open_count": len(OPENED),
        "open_count": len(OPENED),
    }


def assert_suppressed(whole: Whole, audience: str) -> None:
    rows = whole.pages("/api/contacts", "contacts", audience=audience, client=CLIENT)
    held = {name: {row["email"] for row in rows if row[name]} for name in ("hard_bounced", "complained")}
    assert held == {"hard_bounced": {*BOUNCED, COLLEAGUE}, "complained": set(COMPLAINED)}


def assert_copy_told_apart(whole: Whole, mails: dict[str, Shown]) -> None:
    """The recipient has the mail, whatever became of the copy."""
    found = sent_one(whole)
    assert (found["status"], found["ses_message_id"]) == ("sent", mails["buyer@example.com"].message_id)
    assert found["delivered_at"] is not None
    events = whole.http.get("/api/transactional/messages/1").json()["events"]
    copies = [event for event in events if event["type"].startswith("message.copy_")]
    assert [(event["type"], event["data"]["bounce_type"]) for event in copies] == [
        ("message.copy_bounced", "Permanent")
    ]
