"""Erasing a person (contract, Contacts; design, section 8)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, fields

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
