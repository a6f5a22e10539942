"""Verification finds every row that is not as the log says, and touches nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from consumers.session import Connection
from domain.store.log import Store
from projections import directory
from projections.contacts import PROJECTION
from projections.engine import Applied
from projections.rebuild import rebuilding
from projections.rebuild.database import Database
from projections.rebuild.difference import Comparison
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import verify
from projections.rebuild.refusals import IncomparableError
from tests.projections.building import contacts, erase, followed, people, schemas
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import begin, deliver, put
from tests.projections.test_rebuild import one, stage


@pytest.fixture
def rebuilds(database: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(rebuilding, "BEHIND_SECONDS", 0.5)
    return Database(database, MASTER_KEY)


def found(comparison: Comparison) -> list[tuple[Any, ...]]:
    return [(each.kind, int(each.key["contact_id"]), *each.columns) for each in comparison.first]


def test_rows_that_are_as_the_log_says(store: Store, connection: Connection, rebuilds: Database) -> None:
    events = followed(store, connection, people(20))
    before = contacts(connection)
    comparison = verify(rebuilds, PROJECTION)
    assert comparison.equal
    assert comparison.position == len(events)
    assert [(table.rows, table.organizations) for table in comparison.tables] == [(20, 1)]
    assert (contacts(connection), schemas(connection)) == (before, [])


def test_a_changed_a_missing_and_an_extra_row(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(20))
    numbers = [number for (number,) in connection.execute("SELECT contact_id FROM contacts ORDER BY 1")]
    connection.execute("UPDATE contacts SET tags = '{}', status = 'unsubscribed' WHERE contact_id = %s", (numbers[3],))
    connection.execute("DELETE FROM contacts WHERE contact_id = %s", (numbers[7],))
    connection.execute("UPDATE contacts SET contact_id = 9999 WHERE contact_id = %s", (numbers[8],))
    before = contacts(connection)
    comparison = verify(rebuilds, PROJECTION)
    assert found(comparison) == [
        ("changed", numbers[3], "status", "tags"),
        ("missing", numbers[7]),
        ("missing", numbers[8]),
        ("extra", 9999),
    ]
    assert not any(difference.values for difference in comparison.first)
    assert contacts(connection) == before


def test_the_organizations_that_differ_are_named(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(5))
    connection.execute(
        "UPDATE contacts SET organization_id = 7 WHERE contact_id = (SELECT min(contact_id) FROM contacts)"
    )
    [table] = verify(rebuilds, PROJECTION).tables
    assert (table.organizations, table.differing_organizations, table.differing_rows) == (2, [1, 7], 1)


def test_values_are_there_only_when_asked_for_and_never_kept(
    store: Store, connection: Connection, rebuilds: Database
) -> None:
    followed(store, connection, people(3))
    connection.execute("UPDATE contacts SET email = 'eve@example.com' WHERE email = 'person1@example.com'")
    comparison = verify(rebuilds, PROJECTION, show_values=True)
    assert [each.values for each in comparison.first] == [{"email": ["eve@example.com", "person1@example.com"]}]
    assert one(connection, "SELECT outcome::text LIKE '%email%' AND NOT outcome::text LIKE '%@%' FROM rebuilds")


def test_no_more_than_the_first_differences_are_shown(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(30))
    connection.execute("UPDATE contacts SET email = 'eve@example.com'")
    comparison = verify(rebuilds, PROJECTION)
    assert (len(comparison.first), comparison.tables[0].differing_rows) == (10, 30)


def test_every_table_of_a_model_is_compared(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(1), directory.PROJECTION)
    connection.execute("INSERT INTO api_keys VALUES (1, 'abc', 'left over', '', now())")
    [difference] = verify(rebuilds, directory.PROJECTION).first
    assert (difference.table, difference.kind, difference.key) == (
        "api_keys",
        "extra",
        {"client_id": "1", "public_id": "abc"},
    )


def test_notes_of_the_moment_are_left_alone(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(3))
    connection.execute("UPDATE contacts SET unsubscribe_reason = 'a note'")
    assert not verify(rebuilds, PROJECTION).equal
    assert verify(rebuilds, replace(PROJECTION, scratch=("unsubscribe_reason",))).equal


def test_it_finds_the_live_rows_as_far_as_they_are(store: Store, connection: Connection, rebuilds: Database) -> None:
    events = followed(store, connection, people(4))
    put(store, connection, people(4, 4), len(events))
    comparison = verify(rebuilds, PROJECTION)
    assert (comparison.equal, comparison.position) == (True, len(events))


def test_somebody_erased_after_the_live_checkpoint_is_no_difference_once_it_has_come_on(
    store: Store, connection: Connection, rebuilds: Database
) -> None:
    events = followed(store, connection, people(4))
    late = put(store, connection, [erase("person2@example.com")], len(events))
    assert found(verify(rebuilds, PROJECTION)) != []

    def comes_on(progress: Progress) -> None:
        if progress.stage == "comparing" and progress.note:
            assert deliver(connection, store, PROJECTION, late, prev=len(events)) == Applied()

    comparison = verify(rebuilds, PROJECTION, watch=comes_on)
    assert comparison.equal
    assert comparison.position == len(events) + len(late)


def test_what_cannot_be_compared_is_said(store: Store, connection: Connection, rebuilds: Database) -> None:
    put(store, connection, people(2))
    with pytest.raises(IncomparableError, match="another version, or no projector follows them"):
        verify(rebuilds, PROJECTION)
    begin(connection, PROJECTION)
    with pytest.raises(IncomparableError, match="another version, or no projector follows them"):
        verify(rebuilds, replace(PROJECTION, version=7))
    said = stage(connection)
    assert said is None or said[0] == "failed"
