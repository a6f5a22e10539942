"""What a row of a CSV file says of a contact, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.contact import EmailVerdict, Suppressions, UpsertContact
from domain.contact_rows import PERIOD, rows_of
from domain.csv_rows import read_table
from domain.decider import Rejected
from domain.import_row import ImportRow
from domain.import_scope import Caller, Scopes

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
AUDIENCES = {"club": 3, "courses": 5}


def read(text: str, audience: str = "club", client: str = "app") -> list[ImportRow]:
    scopes = Scopes(Caller(1, 2, "app"), AUDIENCES.get, audience=audience, client=client)
    return list(rows_of(read_table([text.encode()]), scopes, lambda: NOON))


def row(columns: str, cells: str) -> ImportRow:
    [found] = read(f"email,{columns}\nPerson@Example.com,{cells}\n")
    return found


def upsert(**said: Any) -> UpsertContact:
    scope = {"at": NOON, "organization_id": 1, "audience_id": 3, "client_id": 2}
    return UpsertContact(**{**scope, "email": "person@example.com", **said})


@pytest.mark.parametrize(
    ("columns", "cells", "said"),
    [
        ("tags", "Data Club; ;b", {"tags": ("Data Club", "b")}),
        ("tags", "", {}),
        ("subscription_status", "subscribed", {"status": "subscribed"}),
        ("status", " Pending ", {"status": "pending"}),
        ("subscription_status,status", ",unsubscribed", {"status": "unsubscribed"}),
        ("subscription_status,status", "pending,unsubscribed", {"status": "pending"}),
        ("subscription_status,unsubscribed", "subscribed,yes", {"status": "unsubscribed"}),
        ("subscription_status,unsubscribed", "subscribed,0", {"status": "subscribed"}),
        ("unsubscribe_reason", "too many", {"unsubscribe_reason": "too many"}),
        ("verified", "TRUE", {"verified": True}),
        ("verified", "off", {}),
        ("hard_bounced,complained", "y,n", {"suppressions": Suppressions(hard_bounced=True)}),
        ("global_unsubscribed", "on", {"suppressions": Suppressions(global_unsubscribed=True)}),
        ("hard_bounced,complained,global_unsubscribed", "no,,0", {}),
        ("email_validation_status", "no_mx", {"validation": EmailVerdict(status="no_mx")}),
        ("email_validation_reason", "smtp", {"validation": EmailVerdict(reason="smtp")}),
        ("email_validated_at", "2026-05-24T14:00:00+02:00", {"validation": EmailVerdict(validated_at=NOON)}),
        ("email_validated_at", "2026-05-24T12:00:00", {"validation": EmailVerdict(validated_at=NOON)}),
        ("audience", "courses", {"audience_id": 5}),
        ("audience,client", ",", {}),
        ("audience,client", "courses,app", {"audience_id": 5}),
        ("favourite colour", "blue", {}),
        ("unsubscribe_reason", "'=1+1", {"unsubscribe_reason": "=1+1"}),
        ("unsubscribe_reason", "''quoted", {"unsubscribe_reason": "'quoted"}),
        ("unsubscribe_reason", "'plain", {"unsubscribe_reason": "'plain"}),
    ],
)
def test_a_cell_says_what_the_seed_says_and_an_empty_one_says_nothing(
    columns: str, cells: str, said: dict[str, Any]
) -> None:
    found = row(columns, cells)
    assert (found.errors, found.said) == (None, upsert(**said))
    assert found.sets


@pytest.mark.parametrize(
    ("columns", "cells", "errors"),
    [
        ("verified", "maybe", {"verified": "must_be_boolean"}),
        ("hard_bounced,complained", "2,-", {"hard_bounced": "must_be_boolean", "complained": "must_be_boolean"}),
        ("unsubscribed", "x", {"unsubscribed": "must_be_boolean"}),
        ("subscription_status", "gone", {"subscription_status": "invalid"}),
        ("status", "gone", {"status": "invalid"}),
        ("email_validation_status", "good", {"email_validation_status": "invalid"}),
        ("email_validation_reason", "x" * 256, {"email_validation_reason": "too_long"}),
        ("unsubscribe_reason", "x" * 256, {"unsubscribe_reason": "too_long"}),
        ("email_validated_at", "yesterday", {"email_validated_at": "must_be_iso_datetime"}),
        ("email_validated_at", "0001-01-01T00:00:00+05:00", {"email_validated_at": "must_be_iso_datetime"}),
        ("tags", "good;!!!", {"tags": "invalid"}),
        ("tags", "x" * 121, {"tags": "too_long"}),
        ("audience", "nowhere", {"audience": "not_found"}),
        ("client", "other", {"client": "forbidden"}),
        ("tags", "a,b", {"row": "too_many_cells"}),
        ("tags", "a\0", {"tags": "invalid"}),
        ("tags,colour", "a,\0", {"row": "invalid"}),
        ("tags", "x" * 70_000, {"tags": "too_long"}),
    ],
)
def test_every_wrong_cell_is_named(columns: str, cells: str, errors: dict[str, str]) -> None:
    found = row(columns, cells)
    assert (found.errors, found.said, found.action) == (errors, None, "invalid")


def test_a_scope_that_nobody_names_is_required() -> None:
    [found] = read("email\na@x.org\n", audience="", client="")
    assert found.errors == {"audience": "required", "client": "required"}


@pytest.mark.parametrize(
    ("email", "code"), [("", "required"), ("  ", "required"), ("nobody", "invalid"), ("a@b@c.org", "invalid")]
)
def test_a_wrong_address_is_named_beside_the_other_mistakes(email: str, code: str) -> None:
    [found] = read(f"verified,email\nmaybe,{email}\n")
    assert found.errors == {"email": code, "verified": "must_be_boolean"}
    assert found.email == email.strip()


def test_rows_are_counted_and_know_their_lines() -> None:
    found = read('email,tags\na@x.org,"one\ntwo"\n\nnobody\nb@x.org\n')
    assert [(each.item, each.line, each.email) for each in found] == [
        (1, 2, "a@x.org"),
        (2, 5, "nobody"),
        (3, 6, "b@x.org"),
    ]


def test_a_wrong_row_shows_no_more_of_an_address_than_one_can_have() -> None:
    [found] = read(f"email\n{'x' * 5000}\n")
    assert found.email == "x" * 320


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("name,tags", "missing_email_column"),
        ("email,tags,email", "duplicate_column"),
        ("email,Status,status", "duplicate_column"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_at_once(header: str, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read(f"{header}\na@x.org\n")
    assert refusal.value.fields == {"csv": code}


def test_names_of_columns_may_be_written_otherwise() -> None:
    [found] = read(' Email ,TAGS,x,x\n"a@x.org",one,,\n')
    assert found.said == upsert(email="a@x.org", tags=("one",))


def test_time_goes_on_within_a_long_file() -> None:
    clock = iter(NOON + timedelta(minutes=minute) for minute in range(100))
    text = "email\n" + "".join(f"u{number}@x.org\n" for number in range(PERIOD + 1))
    scopes = Scopes(Caller(1, 2, "app"), AUDIENCES.get, audience="club", client="app")
    times = [found.said.at for found in rows_of(read_table([text.encode()]), scopes, lambda: next(clock)) if found.said]
    assert (times[0], times[-1]) == (NOON, NOON + timedelta(minutes=1))


def test_an_audience_is_looked_up_once() -> None:
    asked: list[str] = []
    scopes = Scopes(Caller(1, 2, "app"), asked.append, audience="club", client="app")
    text = "email,tags\n" + "".join(f"u{number}@x.org,t{number}\n" for number in range(50))
    assert all(
        found.errors == {"audience": "not_found"}
        for found in rows_of(read_table([text.encode()]), scopes, datetime.now)
    )
    assert asked == ["club"]
