"""Erasing a person (contract, Contacts; design, section 8)."""

from __future__ import annotations

from contextlib import closing
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, fields

PATH = "/api/contacts/erase"


def test_the_receipt(http: httpx.Client, upsert: Upsert, email: str) -> None:
    before = upsert(status="subscribed", tags=["a", "b"], suppression={"complained": True}).json()
    response = http.post(PATH, json={"email": email.upper(), **COURSES})
    assert response.status_code == 200
    counts = {"subscriptions": 1, "tags": 2, "categories": 0, "suppressions": 1}
    answer = response.json()
    receipt = answer.pop("receipt")
    assert receipt.pop("at")
    assert receipt == {"position": int(response.headers["datamailer-position"]), "contact_gone": True}
    assert answer == {
        "email": email,
        "erased": True,
        "contact_id": before["contact_id"],
        "counts": counts,
    }
    again = http.post(PATH, json={"email": email, **COURSES}).json()
    nothing = dict.fromkeys(counts, 0)
    assert again == {"email": email, "erased": False, "contact_id": None, "counts": nothing, "receipt": None}
    assert http.get("/api/contacts/status", params={"email": email, **COURSES}).json()["exists"] is False
    gone = http.get(f"/api/contacts/{before['contact_id']}", params=COURSES)
    assert (gone.status_code, fields(gone)) == (404, {"contact_id": "not_found"})


def test_a_repeat_under_its_key_gets_the_receipt_again(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert()
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (http.post(PATH, json={"email": email, **COURSES}, headers=key) for _ in range(2))
    assert first.json()["erased"] is True
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


def test_what_was_answered_of_one_person_goes_with_the_person(
    http: httpx.Client, contact_id: int, email: str, demo_database: str
) -> None:
    """The answer to an upsert tells what was held; a message's, to whom it went."""
    template = {"name": "R", "subject": "Hi", "text_body": "Hello"}
    assert http.put("/api/transactional/templates/reset", json=template).is_success
    key = {"Idempotency-Key": str(uuid4())}
    mail = {"email": email, "template_key": "reset"}
    sent = http.post("/api/transactional/send", json=mail, headers=key).json()
    http.post("/api/contacts", json={"email": email, **COURSES}, headers={"Idempotency-Key": str(uuid4())})
    assert answers(demo_database, contact_id) == 2
    http.post(PATH, json={"email": email, **COURSES})
    assert answers(demo_database, contact_id) == 0
    again = http.post("/api/transactional/send", json=mail, headers=key).json()
    assert (again["message"]["id"], again["message"]["email"]) == (sent["message"]["id"], None)
    assert http.get("/api/contacts/status", params={"email": email, **COURSES}).json()["exists"] is False


def answers(conninfo: str, contact_id: int) -> int:
    with psycopg.connect(conninfo) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM idempotency WHERE contact_id = %s", (contact_id,))
    found: int = count
    return found


def test_the_answer_of_many_is_for_who_has_the_request_alone(
    http: httpx.Client, email: str, demo_database: str
) -> None:
    """An import's repeat brings nobody back who was erased since; with all the keys of the service it is unreadable."""
    body = {**COURSES, "contacts": [{"email": email}]}
    key = {"Idempotency-Key": str(uuid4())}
    first = http.post("/api/contacts/imports", json=body, headers=key)
    assert first.json()["counts"]["created"] == 1
    http.post(PATH, json={"email": email, **COURSES})
    again = http.post("/api/contacts/imports", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert http.get("/api/contacts/status", params={"email": email, **COURSES}).json()["exists"] is False
    with closing(Store(demo_database, MASTER_KEY_TEXT)) as store, psycopg.connect(demo_database) as connection:
        kept = connection.execute("SELECT body FROM idempotency ORDER BY created_at DESC LIMIT 5").fetchall()
        for (sealed,) in kept:
            with pytest.raises(InvalidTag):
                store.keyring.unseal(sealed)


def test_registering_again_starts_a_new_contact(http: httpx.Client, upsert: Upsert, email: str) -> None:
    before = upsert(tags=["a"]).json()
    http.post(PATH, json={"email": email, **COURSES})
    after = upsert().json()
    assert after["contact_id"] != before["contact_id"]
    assert after["tags"] == []


@pytest.mark.parametrize("flag", ["hard_bounced", "complained"])
def test_what_must_not_be_forgotten_holds_for_the_new_contact(
    http: httpx.Client, upsert: Upsert, email: str, flag: str
) -> None:
    upsert(suppression={flag: True, "global_unsubscribed": True})
    assert http.post(PATH, json={"email": email, **COURSES}).json()["receipt"]["contact_gone"] is True
    lifting = upsert(suppression={flag: False})
    assert (lifting.status_code, fields(lifting)) == (403, {f"suppression.{flag}": "forbidden"})
    after = upsert(status="subscribed", verified=True).json()
    held = [name for name in ("hard_bounced", "complained", "global_unsubscribed") if after[name]]
    assert (held, after["can_send_transactional"]) == ([flag], False)
    http.post(PATH, json={"email": email, **COURSES})
    assert upsert().json()[flag] is True, "it outlives every erasure"


def test_the_relations_of_others_stand(http: httpx.Client, labs: httpx.Client, upsert: Upsert, email: str) -> None:
    number = upsert(status="subscribed").json()["contact_id"]
    labs.post("/api/contacts", json={"email": email, **LABS, "status": "subscribed"})
    assert http.post(PATH, json={"email": email, **COURSES}).json()["erased"] is True
    theirs = labs.get("/api/contacts/status", params={"email": email, **LABS}).json()
    assert (theirs["contact_id"], theirs["email"], theirs["client"]["status"]) == (number, email, "subscribed")
    assert labs.post(PATH, json={"email": email, **LABS}).json()["erased"] is True


def test_somebody_elses_contact_is_not_erased(labs: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert()
    assert labs.post(PATH, json={"email": email, **LABS}).json()["erased"] is False
    assert upsert().json()["exists"] is True


def test_wrong_fields(http: httpx.Client) -> None:
    response = http.post(PATH, json={"email": "x", "audience": "dtc-courses"})
    assert (response.status_code, fields(response)) == (400, {"email": "invalid", "client": "required"})
