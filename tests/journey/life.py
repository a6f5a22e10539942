"""A person of whom everything is said that can be said, in words that occur nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from tests.imports.service import CLIENT
from tests.journey.conftest import Whole
from tests.waiting import wait_until

PERSON: Final = "zebra.quagga@okapi.example"
OTHER: Final = "somebody.else@example.com"
ADDRESS: Final = frozenset({"zebra", "quagga", "okapi.example"})
WORDS: Final = ADDRESS | {"xenopus", "tapir", "numbat", "axolotl", "echidna", "gharial"}
"""Parts of the address, and a word of everything that was said to or about the person."""
CAMPAIGN: Final = "/api/campaigns/news"
FILE: Final = f"email,status,verified\n{PERSON},subscribed,true\n{OTHER},subscribed,true\n"


def said(audience: str, email: str = PERSON) -> dict[str, Any]:
    return {"audience": audience, "client": CLIENT, "email": email}


def done(whole: Whole, method: str, path: str, body: Any, **headers: str) -> Any:
    response = whole.http.request(method, path, json=body, headers=headers)
    assert response.is_success, response.text
    return response.json()


def queued(whole: Whole, audience: str) -> str:
    """An import job of the file; gives its place."""
    job = whole.http.post(
        "/api/contacts/imports/csv",
        params={"async": "true", "audience": audience, "client": CLIENT},
        content=FILE.encode(),
        headers={"content-type": "text/csv"},
    )
    assert job.status_code == 202, job.text
    return job.headers["location"]


def lived(whole: Whole, audience: str) -> None:
    """Everything that can be said of the person is said, and mail goes out."""
    place = queued(whole, audience)
    wait_until(lambda: whole.http.get(place).json()["import"]["status"] == "succeeded", "the import")
    spoken_of(whole, audience)
    draft = {"audience": audience, "client": CLIENT, "subject": "News", "text_body": "News for all"}
    done(whole, "PUT", CAMPAIGN, draft)
    done(whole, "POST", f"{CAMPAIGN}/queue", None)
    wait_until(lambda: whole.read(CAMPAIGN)["campaign"]["status"] == "sent", "the campaign")
    wait_until(lambda: len(whole.ses.messages(PERSON)) == len(("campaign", "transactional")), "both mails")
    leaving = {**said(audience), "scope": "client", "reason": "axolotl"}
    done(whole, "POST", "/api/subscriptions/unsubscribe", leaving)


def spoken_of(whole: Whole, audience: str) -> None:
    """The person is imported, judged, listed, asked for less, requested a mail; each answer is remembered."""
    contacts = [said(audience), said(audience, OTHER)]
    done(whole, "POST", "/api/contacts/imports", {"contacts": contacts}, **{"Idempotency-Key": "import"})
    judged = {**said(audience), "email_validation": {"status": "valid", "reason": "tapir"}}
    done(whole, "POST", "/api/contacts", judged, **{"Idempotency-Key": "upsert"})
    off = {"categories": [{"tag": "jobs", "enabled": False}], "reason": "numbat"}
    done(whole, "PUT", "/api/contacts/preferences", {**said(audience), **off})
    done(whole, "PUT", "/api/recipient-lists/course", {"name": "Course"})
    done(whole, "PUT", "/api/recipient-lists/course/members/1", {"email": PERSON, "metadata": {"of": "echidna"}})
    template = {"name": "W", "subject": "Hello {{ animal }}", "text_body": "A {{ animal }} for {{ email }}"}
    done(whole, "PUT", "/api/transactional/templates/w", template)
    mail = {"email": PERSON, "template_key": "w", "context": {"animal": "xenopus", "email": PERSON}}
    asked = {**mail, "metadata": {"of": PERSON}, "cc": ["Gharial <copy@example.com>"], "idempotency_key": "one"}
    done(whole, "POST", "/api/transactional/send", asked, **{"Idempotency-Key": "send"})


def found_in(texts: Iterable[str]) -> set[str]:
    """The words that occur, in clear or as JSON or hexadecimal digits have them."""
    forms = {word: (word, json.dumps(word)[1:-1], word.encode().hex()) for word in WORDS}
    return {word for text in texts for word in WORDS if any(form in text.lower() for form in forms[word])}
