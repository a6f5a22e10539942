"""What is exported can be imported: where it came from it changes nothing, elsewhere it makes the same contacts."""

from __future__ import annotations

import csv
from io import StringIO
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imports.service import CLIENT, Service

domains = count(1)
TIMES = ("verified_at", "unsubscribed_at", "updated_at")
"""What a CSV does not carry."""

TEXT = st.text(st.sampled_from("=+-@'\"\t\r\n,; aé\U0001f600\u2028"), max_size=6).filter(
    lambda text: text == text.strip()
)
REASON = st.one_of(st.just(""), TEXT)
FLAG = st.sampled_from(["", "true"])
ROW = st.fixed_dictionaries(
    {
        "email": st.sampled_from(["a", "B", "=c", "+d", "-e", "'f", "''g", "'=h", "i'"]),
        "tags": st.sampled_from(["", "one", "one;two", "Drei Äpfel"]),
        "subscription_status": st.sampled_from(["", "pending", "subscribed", "unsubscribed"]),
        "verified": FLAG,
        "email_validation_status": st.sampled_from(["", "unknown", "valid", "risky"]),
        "email_validation_reason": REASON,
        "email_validated_at": st.sampled_from(["", "2024-09-02T08:30:00Z", "2024-09-02T08:30:00.120000Z"]),
        "global_unsubscribed": FLAG,
        "hard_bounced": FLAG,
        "complained": FLAG,
        "unsubscribe_reason": REASON,
    }
)
PEOPLE = st.lists(ROW, min_size=1, max_size=5, unique_by=lambda row: row["email"])


def written(rows: list[dict[str, str]], line_end: str = "\r\n") -> str:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def guarded(cell: str) -> str:
    """As the export would write it."""
    risky = cell[:1] in tuple("=+-@\t\r") or (cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r'"))
    return f"'{cell}" if cell and risky else cell


@pytest.fixture(scope="module")
def pair(service: Service) -> tuple[str, str]:
    """Two audiences."""
    return service.make_audience(), service.make_audience()


@given(people=PEOPLE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_round_trip_changes_nothing(service: Service, pair: tuple[str, str], people: list[dict[str, str]]) -> None:
    here, there = pair
    old, new = f"@{next(domains)}.old.org", f"@{next(domains)}.new.org"
    columns = ("email", "email_validation_reason", "unsubscribe_reason")
    rows = [
        row | {name: guarded(row[name]) for name in columns} | {"email": guarded(row["email"]) + old} for row in people
    ]
    first = service.imported(written(rows), here)
    assert first["counts"]["created"] == len(people), first

    exported = [row for row in read(service.export(here, limit="all").text) if row["email"].endswith(old)]
    again = service.imported(written(exported), here)
    assert again["counts"]["unchanged"] == len(people), again
    assert [row for row in read(service.export(here, limit="all").text) if row["email"].endswith(old)] == exported

    moved = [row | {"email": row["email"].removesuffix(old) + new, "audience": "", "client": ""} for row in exported]
    assert service.imported(written(moved), there)["counts"]["created"] == len(people)
    copied = [row for row in read(service.export(there, limit="all").text) if row["email"].endswith(new)]
    for row, copy in zip(exported, copied, strict=True):
        back = copy | {"email": copy["email"].removesuffix(new) + old, "audience": here}
        assert timeless(back) == timeless(row)
        assert {name: bool(back[name]) for name in TIMES} == {name: bool(row[name]) for name in TIMES}
        assert (row["audience"], row["client"]) == (here, CLIENT)


def timeless(row: dict[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if name not in TIMES}
