"""Exports: every filter, pages at any depth, and a file that spreadsheets and the import can read."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.wiring import READ_CONNECTIONS
from domain import contact
from domain.contact import VerifyContact
from domain.store.order import Context, Order
from tests.imports.service import CLIENT, Service

HEADER = (
    "email,audience,client,tags,subscription_status,verified,verified_at,email_validation_status,"
    "email_validation_reason,email_validated_at,global_unsubscribed,hard_bounced,complained,unsubscribed,"
    "unsubscribed_at,unsubscribe_reason,updated_at"
)
PEOPLE = """\
email,tags,subscription_status,verified,email_validation_status,email_validation_reason,email_validated_at,\
global_unsubscribed,hard_bounced,complained,unsubscribe_reason
ann@{0},a;b,subscribed,true,valid,smtp-check,2024-09-02T08:30:00Z,,,,
bob@{0},b,subscribed,,,,,,,,
cat@{0},,pending,,risky,,2024-09-02T08:30:00.120000Z,,,true,
dan@{0},a,unsubscribed,1,,,,true,,,"too many, really"
eve@{0},,subscribed,,no_mx,,,,yes,,
"""


@pytest.fixture
def people(service: Service, audience: str) -> str:
    """An audience of five people at a domain of its name, one after the other."""
    assert service.imported(PEOPLE.format(f"{audience}.org"), audience)["counts"]["created"] == 5
    return audience


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(response.text.splitlines()))


def names(service: Service, audience: str, **filters: str) -> str:
    """The initials of the people in the export, which are the same in both kinds of it."""
    from_csv = [row["email"][0] for row in table(service.export(audience, **filters))]
    from_json = [each["email"][0] for each in service.page(audience, **filters)["contacts"]]
    assert from_csv == from_json
    return "".join(from_csv)


def fields(response: httpx.Response) -> Any:
    return response.json()["error"]["fields"]


def test_the_file_looks_as_the_seed_says(service: Service, people: str) -> None:
    response = service.export(people)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
    assert int(response.headers["datamailer-position"]) >= int(service.position)
    assert response.text.split("\r\n")[0] == HEADER
    ann, bob, cat, dan, eve = table(response)
    at = ann["updated_at"]
    assert ann == {
        "email": f"ann@{people}.org",
        "audience": people,
        "client": CLIENT,
        "tags": "a;b",
        "subscription_status": "subscribed",
        "verified": "True",
        "verified_at": at,
        "email_validation_status": "valid",
        "email_validation_reason": "smtp-check",
        "email_validated_at": "2024-09-02T08:30:00Z",
        "global_unsubscribed": "False",
        "hard_bounced": "False",
        "complained": "False",
        "unsubscribed": "False",
        "unsubscribed_at": "",
        "unsubscribe_reason": "",
        "updated_at": at,
    }
    assert (bob["verified"], bob["verified_at"], bob["email_validation_status"]) == ("False", "", "unknown")
    assert (cat["subscription_status"], cat["complained"]) == ("pending", "True")
    assert cat["email_validated_at"] == "2024-09-02T08:30:00.12Z"
    assert (dan["unsubscribed"], dan["unsubscribed_at"]) == ("True", dan["updated_at"])
    assert (dan["unsubscribe_reason"], dan["global_unsubscribed"]) == ("too many, really", "True")
    assert (eve["hard_bounced"], eve["email_validation_status"]) == ("True", "no_mx")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcde"),
        ({"tags": "b"}, "ab"),
        ({"tags": " A , b,"}, "a"),
        ({"tags": "absent"}, ""),
        ({"subscription_status": "pending"}, "c"),
        ({"subscription_status": "unsubscribed"}, "d"),
        ({"verified": "true"}, "ad"),
        ({"verified": "NO"}, "bce"),
        ({"email_validation_status": "unknown"}, "bd"),
        ({"email_validation_status": "risky"}, "c"),
        ({"suppression": "none"}, "ab"),
        ({"suppression": "any"}, "cde"),
        ({"suppression": "global_unsubscribed"}, "d"),
        ({"suppression": "hard_bounced"}, "e"),
        ({"suppression": "complained"}, "c"),
        ({"updated_since": "2024-09-01T00:00:00Z"}, "abcde"),
        ({"updated_since": "2999-01-01"}, ""),
        ({"suppression": "any", "verified": "1", "tags": "a"}, "d"),
        ({"limit": "2"}, "ab"),
    ],
)
def test_filters_choose_the_same_people_in_both_exports(
    service: Service, people: str, filters: dict[str, str], expected: str
) -> None:
    assert names(service, people, **filters) == expected


def test_updated_since_is_inclusive(service: Service, people: str) -> None:
    service.imported(f"email,tags\nbob@{people}.org,new\n", people)
    at = {each["email"][0]: each["updated_at"] for each in service.page(people)["contacts"]}
    assert at["b"] > at["e"]
    assert names(service, people, updated_since=at["b"]) == "b"


@pytest.mark.parametrize(
    ("filters", "errors"),
    [
        ({"verified": "maybe"}, {"verified": "invalid"}),
        (
            {"subscription_status": "x", "suppression": "x"},
            {"subscription_status": "invalid", "suppression": "invalid"},
        ),
        ({"email_validation_status": "x"}, {"email_validation_status": "invalid"}),
        ({"updated_since": "yesterday"}, {"updated_since": "must_be_iso_datetime"}),
        ({"tags": "!!!"}, {"tags": "invalid"}),
        ({"tags": "a\0"}, {"tags": "invalid"}),
        ({"limit": "x"}, {"limit": "must_be_integer"}),
        ({"min_position": "x"}, {"min_position": "must_be_integer"}),
        ({"audience": "nowhere"}, {"audience": "not_found"}),
        ({"audience": "", "client": ""}, {"audience": "required", "client": "required"}),
        ({"client": "asl-platform"}, {"client": "forbidden"}),
    ],
)
@pytest.mark.parametrize("path", ["/api/contacts", "/api/contacts.csv"])
def test_wrong_filters_are_named(service: Service, path: str, filters: dict[str, str], errors: dict[str, str]) -> None:
    response = service.http.get(path, params={"audience": "dtc-courses", "client": CLIENT} | filters)
    assert (response.status_code, fields(response)) == (403 if "forbidden" in errors.values() else 400, errors)


@pytest.mark.parametrize(
    ("path", "limit", "code"),
    [
        ("/api/contacts", "0", "must_be_between_1_and_500"),
        ("/api/contacts", "501", "must_be_between_1_and_500"),
        ("/api/contacts", "all", "must_be_integer"),
        ("/api/contacts.csv", "0", "must_be_between_1_and_10000"),
        ("/api/contacts.csv", "10001", "must_be_between_1_and_10000"),
    ],
)
def test_limits_have_bounds(service: Service, path: str, limit: str, code: str) -> None:
    response = service.http.get(path, params={"audience": "dtc-courses", "client": CLIENT, "limit": limit})
    assert fields(response) == {"limit": code}


def test_pages_follow_one_another(service: Service, people: str) -> None:
    seen = ""
    cursor: str | None = ""
    while cursor is not None:
        page = service.page(people, limit="2", cursor=cursor)
        assert (page["audience"], page["client"], page["count"]) == (people, CLIENT, len(page["contacts"]))
        seen += "".join(each["email"][0] for each in page["contacts"])
        cursor = page["next_cursor"]
        assert cursor is None or cursor == str(page["contacts"][-1]["contact_id"])
    assert seen == "abcde"
    response = service.http.get("/api/contacts", params={"audience": people, "client": CLIENT, "cursor": "x"})
    assert fields(response) == {"cursor": "must_be_integer"}


def test_a_contact_of_the_export_is_the_contact_payload_and_more(service: Service, people: str) -> None:
    """The flags that say what may be sent are worked out from the row here, and from the log there."""
    service.post("/api/subscriptions/unsubscribe", json=scope(people, f"ann@{people}.org") | {"scope": "audience"})
    globally = VerifyContact(at=datetime.now(UTC), organization_id=0, audience_id=0, client_id=0)
    service.store.handle(Order(decider=contact.decider, key=f"bob@{people}.org", context=Context(), command=globally))
    service.position = str(service.store.recorder.head())
    for audience in (people, "dtc-courses", "datatalks-club"):
        for found in service.page(audience, limit="500")["contacts"]:
            status = service.http.get("/api/contacts/status", params=scope(audience, found["email"])).json()
            own = found["client"]
            verified = status["verified"] or own["verified"]
            assert found == status | {
                "tags": found["tags"],
                "verified": verified,
                "verified_at": own["verified_at"] or status["verified_at"],
                "subscription_status": own["status"],
                "unsubscribed": own["status"] == "unsubscribed",
                "unsubscribed_at": own["unsubscribed_at"],
                "unsubscribe_reason": own["unsubscribe_reason"],
                "created_at": found["created_at"],
                "updated_at": found["updated_at"],
            }


def scope(audience: str, email: str) -> dict[str, str]:
    return {"audience": audience, "client": CLIENT, "email": email}


def test_others_do_not_see_who_is_not_theirs(service: Service, people: str) -> None:
    assert service.http.get("/api/contacts", params={"audience": people, "client": "dtc-newsletter"}).status_code == 403
    labs = {"authorization": "Bearer dm_aslplatform_demo_transactional_email_key"}
    response = service.http.get("/api/contacts", params={"audience": people, "client": "asl-platform"}, headers=labs)
    assert fields(response) == {"audience": "not_found"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "'=1", "''x"])
def test_a_cell_that_looks_like_a_formula_is_hidden_from_spreadsheets(
    service: Service, audience: str, cell: str
) -> None:
    person = {"email": f"formula@{audience}.org", "email_validation": {"reason": cell}}
    body = {"audience": audience, "client": CLIENT, "contacts": [person]}
    service.post("/api/contacts/imports", json=body)
    [row] = table(service.export(audience))
    assert row["email_validation_reason"] == f"'{cell}"
    assert service.imported(service.export(audience).text, audience)["counts"]["unchanged"] == 1


def test_an_address_that_looks_like_a_formula_is_hidden_too(service: Service, audience: str) -> None:
    service.imported(f"email\n'=cmd@{audience}.org\n", audience)
    assert service.emails(audience) == [f"=cmd@{audience}.org"]
    assert [row["email"] for row in table(service.export(audience))] == [f"'=cmd@{audience}.org"]


def test_a_long_export_is_whole_and_has_its_default_limit(
    service: Service, audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.exports_csv.PAGE", 40)
    monkeypatch.setattr("api.exports_csv.LIMIT", 100)
    emails = [f"{number}@{audience}.org" for number in range(161)]
    service.imported("\n".join(["email", *emails]), audience)
    assert [row["email"] for row in table(service.export(audience, limit="all"))] == emails
    assert [row["email"] for row in table(service.export(audience))] == emails[:100]
    for limit in (39, 40, 41, 80):
        assert [row["email"] for row in table(service.export(audience, limit=str(limit)))] == emails[:limit]
    assert not service.http.head("/api/contacts.csv", params={"audience": audience, "client": CLIENT}).text


def test_downloads_that_stall_or_are_given_up_hold_nothing(
    service: Service, audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.exports_csv.PAGE", 100)
    words = "\U0001f600" * 255
    rows = [f"{number}@{audience}.org,unsubscribed,{words},{words}" for number in range(1000)]
    service.imported("\n".join(["email,status,unsubscribe_reason,email_validation_reason", *rows]), audience)
    params = {"audience": audience, "client": CLIENT, "limit": "all"}
    stalled = []
    with ExitStack() as stack:
        for number in range(3 * READ_CONNECTIONS):
            http = stack.enter_context(httpx.Client(base_url=service.http.base_url, headers=service.http.headers))
            response = stack.enter_context(http.stream("GET", "/api/contacts.csv", params=params))
            body = response.iter_bytes(1000)
            next(body)
            if number % 2:
                response.close()
            else:
                stalled.append(body)
        assert len(service.emails(audience, limit="500")) == 500
