"""A campaign from the file of contacts to what comes back of its mail, over HTTP, to the number."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from config.local.ses.events import EventType
from config.local.ses.shown import Shown
from tests.imports.service import CLIENT
from tests.journey import people
from tests.journey.conftest import Whole
from tests.journey.people import Who, email
from tests.waiting import wait_until

CAMPAIGN = "/api/campaigns/week-1"
NEXT = "/api/campaigns/week-2"
PAGES = ("https://example.com/week-1?a=1&b=2", "https://example.com/week-2")
HTML = "".join(f'<p><a href="{page.replace("&", "&amp;")}">page</a></p>' for page in PAGES)
FORM = "application/x-www-form-urlencoded"


def test_a_campaign_s_journey(whole: Whole) -> None:
    audience = whole.make_audience()
    with whole.consuming("projector", "planner"):
        imported(whole, audience)
        queued(whole, audience)
        for who in people.everybody("late"):
            leave(whole, audience, who, "client")
        with whole.consuming("campaign-sender"):
            mails = sent(whole)
        tell(whole, mails)
        assert_counters(whole)
        assert_recipients(whole)
        assert_contacts(whole, audience)
        assert_next_time(whole, audience)


def imported(whole: Whole, audience: str) -> None:
    """All states that a file can say, and the two that it cannot."""
    assert whole.imported(people.file(), audience)["counts"]["created"] == 1_000
    for who in people.everybody("away"):
        leave(whole, audience, who, "audience")
    for who in people.everybody("choosy"):
        off = {"categories": [{"tag": people.CATEGORY, "enabled": False}]}
        said = {"audience": audience, "client": CLIENT, "email": email(who), **off}
        assert whole.http.put("/api/contacts/preferences", json=said).status_code == 200


def leave(whole: Whole, audience: str, who: Who, scope: str) -> None:
    said = {"audience": audience, "client": CLIENT, "email": email(who), "scope": scope}
    assert whole.http.post("/api/subscriptions/unsubscribe", json=said).status_code == 200


def draft(audience: str) -> dict[str, Any]:
    tags = {"include_tags": [people.TAG], "exclude_tags": [people.STAFF], "category_tag": people.CATEGORY}
    return {"audience": audience, "client": CLIENT, "subject": "Woche 1: jetzt für alle", "html_body": HTML, **tags}


def queued(whole: Whole, audience: str) -> None:
    assert whole.http.put(CAMPAIGN, json=draft(audience)).status_code == 201
    answer = whole.http.post(f"{CAMPAIGN}/queue")
    assert answer.status_code == 202, answer.text
    wait_until(lambda: campaign(whole)["status"] == "sending", "the snapshot")
    counted = campaign(whole)
    assert (counted["recipient_count"], counted["skipped_count"]) == (610, 330)
    again = whole.http.post(f"{CAMPAIGN}/queue").json()
    assert (again["queued"], again["recipient_count"], again["skipped_count"]) == (False, 610, 330)


def campaign(whole: Whole) -> dict[str, Any]:
    found: dict[str, Any] = whole.read(CAMPAIGN)["campaign"]
    return found


def sent(whole: Whole) -> dict[Who, Shown]:
    """Everybody who may get the mail has it once, and nobody else has it."""
    whole.ses.set_faults(rejected_addresses=[email(who) for who in people.REFUSED], auto_events=["Send", "Delivery"])
    wait_until(lambda: campaign(whole)["status"] == "sent", "all mail to be settled")
    mails = whole.ses.messages()
    assert Counter(mail.to[0] for mail in mails) == {email(who): 1 for who in people.SENT}
    wait_until(lambda: campaign(whole)["delivered_count"] == len(mails), "every delivery")
    return {who: mail for mail in mails for who in [read_back(mail.to[0])]}


def read_back(address: str) -> Who:
    state, _, number = address.removesuffix("@example.com").rpartition("-")
    return state, int(number)


def tell(whole: Whole, mails: dict[Who, Shown]) -> None:
    """What recipients and SES do then, each in a way of its own."""
    for who in [*people.OPENED, *people.OPENED_TWICE]:
        assert get(whole, link(mails[who], r'https://[^"]+/t/o/[^"]+\.gif')).status_code == 200
    for group, number in ((people.CLICKED, 0), (people.CLICKED_BOTH, 1)):
        for who in group:
            assert get(whole, links(mails[who])[number]).headers["location"] == PAGES[number]
    for group, scope in (
        (people.OUT_OF_CLIENT, "client"),
        (people.OUT_OF_AUDIENCE, "audience"),
        (people.OUT_OF_ALL, "global"),
    ):
        for who in group:
            out = link(mails[who], r'https://[^"]+/unsubscribe/[^"]+')
            assert f'value="{scope}"' in get(whole, out).text
            assert post(whole, out, f"scope={scope}") == 200
    for who in people.ONE_CLICK:
        out = (mails[who].header("List-Unsubscribe") or "").strip("<>")
        assert [post(whole, out, mails[who].header("List-Unsubscribe-Post") or "") for _ in range(2)] == [200, 200]
    heard(whole, mails)


def heard(whole: Whole, mails: dict[Who, Shown]) -> None:
    """What SES tells of it, each thing five times at once."""
    told: tuple[tuple[list[Who], EventType, dict[str, str]], ...] = (
        (people.OPENED_BY_SES, "Open", {}),
        (people.PERMANENT, "Bounce", {"bounceType": "Permanent"}),
        (people.TRANSIENT, "Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
        (people.COMPLAINED, "Complaint", {}),
    )
    for group, kind, details in told:
        for who in group:
            published = whole.ses.event(mails[who].message_id, kind, details=details, copies=5, signature_version="2")
            assert published.statuses == (200,) * 5


def link(mail: Shown, pattern: str) -> str:
    found = re.search(pattern, mail.html or "")
    assert found, mail
    return unescape(found[0])


def links(mail: Shown) -> list[str]:
    return re.findall(r'https://[^"]+/t/c/[^"]+', mail.html or "")


def get(whole: Whole, url: str) -> Any:
    return whole.http.get(urlsplit(url).path, headers={"authorization": ""})


def post(whole: Whole, url: str, form: str) -> int:
    headers = {"authorization": "", "content-type": FORM}
    return whole.http.post(urlsplit(url).path, content=form, headers=headers).status_code


def assert_counters(whole: Whole) -> None:
    counted = campaign(whole)
    assert {name: counted[name] for name in people.COUNTERS} == people.COUNTERS
    sends = people.COUNTERS["sent_count"]
    assert counted["rates"]["bounce_rate"] == round(people.COUNTERS["bounce_count"] / sends, 4)
    stats = whole.read(f"{CAMPAIGN}/stats")
    totals = [sum(hour[name] for hour in stats["activity"]) for name in ("sends", "opens", "clicks")]
    assert totals == [people.COUNTERS[name] for name in ("sent_count", "open_count", "click_count")]
    clicks = [len(people.CLICKED), len(people.CLICKED_BOTH)]
    assert stats["links"] == [{"link": n, "url": PAGES[n], "clicks": clicks[n]} for n in (0, 1)]


def assert_recipients(whole: Whole) -> None:
    expected = people.recipients()
    rows = whole.pages(f"{CAMPAIGN}/recipients", "recipients")
    assert {row["email"]: {name: row[name] for name in expected[row["email"]]} for row in rows} == expected
    assert len(rows) == len(expected) == 940
    bounced = whole.read(f"{CAMPAIGN}/recipients", status="bounced", limit=500)
    assert bounced["count"] == people.COUNTERS["bounce_count"]
    for row in rows:
        happened = [
            row[name] is not None for name in ("sent_at", "delivered_at", "first_opened_at", "first_clicked_at")
        ]
        mailed = row["email"] in {email(who) for who in people.SENT}
        assert happened == [mailed, mailed, row["open_count"] > 0, row["click_count"] > 0], row


def assert_contacts(whole: Whole, audience: str) -> None:
    rows = whole.pages("/api/contacts", "contacts", audience=audience, client=CLIENT)
    assert {row["email"]: people.shown(row) for row in rows} == people.contacts()


def assert_next_time(whole: Whole, audience: str) -> None:
    """What came back counts when the next campaign is queued."""
    assert whole.http.put(NEXT, json=draft(audience)).status_code == 201
    assert whole.http.post(f"{NEXT}/queue").status_code == 202
    wait_until(lambda: whole.read(NEXT)["campaign"]["status"] == "sending", "the second snapshot")
    rows = whole.pages(f"{NEXT}/recipients", "recipients", status="skipped")
    assert Counter(row["skip_reason"] for row in rows) == people.NEXT_TIME
    assert whole.read(NEXT)["campaign"]["recipient_count"] == 940 - people.NEXT_TIME.total()
