"""Rows of an import in the log: the first valid one for an address wins; an interruption leaves no trace in counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import contact
from domain.contact import Suppressions, UpsertContact
from domain.contact.events import ContactRegistered
from domain.decider import Rejected
from domain.import_row import ImportRow
from domain.store.importing import Importing, interrupted
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Unavailable
from tests.store.conftest import CONTEXT, NOON, numbered, upsert

IMPORT = replace(CONTEXT, source="import")
LIFT = Suppressions(hard_bounced=False, field_prefix="suppression.")
BOUNCED = Suppressions(hard_bounced=True)
files = count(1)


def row(item: int, email: str, *, sets: bool = True, **said: Any) -> ImportRow:
    command = UpsertContact(at=NOON, organization_id=1, audience_id=3, client_id=2, email=email, **said)
    return ImportRow(item=item, line=item + 1, email=email, said=command, sets=sets)


def wrong(item: int, email: str) -> ImportRow:
    return ImportRow(item=item, line=item + 1, email=email, errors={"email": "invalid"})


def actions(rows: Sequence[ImportRow]) -> list[str]:
    return [each.action for each in rows]


def by_others(store: Store, email: str, **said: Any) -> None:
    """Another organization says something of the contact."""
    command = UpsertContact(at=NOON, organization_id=9, audience_id=8, client_id=7, email=email, **said)
    context = Context(organization_id=9, client_id=7)
    [outcome] = store.handle(Order(decider=contact.decider, key=email, context=context, command=command))
    assert isinstance(outcome, Accepted)


def test_actions_say_what_became_of_the_subscription(store: Store) -> None:
    store.handle(upsert("known@x.org", tags=("a",)), upsert("same@x.org", tags=("a",)))
    by_others(store, "elsewhere@x.org")
    rows = [
        row(1, "new@x.org"),
        row(2, "known@x.org", tags=("b",)),
        row(3, "same@x.org", tags=("a",)),
        row(4, "elsewhere@x.org"),
        wrong(5, "nobody"),
    ]
    importing = Importing(store, IMPORT)
    importing.carry_out(rows)
    assert actions(rows) == ["created", "updated", "unchanged", "created", "invalid"]
    assert [bool(each.number) for each in rows] == [True, True, True, True, False]
    assert importing.position == store.recorder.head()
    assert {event.source for event in store.read(0, 100)} == {"api", "import"}


def test_the_first_valid_row_for_an_address_wins_within_a_chunk_and_after_it(store: Store) -> None:
    importing = Importing(store, IMPORT)
    first = [wrong(1, "a@x.org"), row(2, "a@x.org", tags=("won",)), row(3, "a@x.org", tags=("lost",))]
    later = [row(4, "a@x.org", tags=("lost",)), row(5, "b@x.org")]
    importing.carry_out(first)
    importing.carry_out(later)
    assert actions(first + later) == ["invalid", "created", "skipped", "skipped", "created"]
    assert [each.kept_item for each in first + later] == [0, 0, 2, 2, 0]
    [state] = [loaded.state for loaded in store.load(contact.decider, keys=["a@x.org"])]
    assert state.tags[3] == {"won"}


def test_a_row_that_a_rule_refuses_is_not_valid(store: Store) -> None:
    by_others(store, "a@x.org", suppressions=BOUNCED)
    rows = [row(1, "a@x.org", sets=False, suppressions=LIFT), row(2, "a@x.org"), row(3, "a@x.org")]
    Importing(store, IMPORT).carry_out(rows)
    assert actions(rows) == ["invalid", "created", "skipped"]
    assert rows[0].errors == {"suppression.hard_bounced": "forbidden"}
    assert rows[2].kept_item == 2


def test_a_dry_run_counts_the_same_and_writes_nothing(store: Store) -> None:
    store.handle(upsert("known@x.org"), upsert("same@x.org"))
    head = store.recorder.head()

    def rows() -> list[ImportRow]:
        known = row(2, "known@x.org", tags=("b",))
        return [row(1, "new@x.org"), known, row(3, "same@x.org"), row(4, "new@x.org"), wrong(5, "x")]

    dry, real = rows(), rows()
    Importing(store, IMPORT, dry_run=True).carry_out(dry)
    assert store.recorder.head() == head
    assert dry[0].number == 0
    Importing(store, IMPORT).carry_out(real)
    assert actions(dry) == actions(real) == ["created", "updated", "unchanged", "skipped", "invalid"]


def test_flags_of_a_file_that_hold_already_are_not_set_anew(store: Store) -> None:
    """What others recorded shows in the export of this client; importing that export must change nothing."""
    by_others(store, "a@x.org", suppressions=BOUNCED)
    [known] = store.handle(upsert("a@x.org"))
    assert isinstance(known, Accepted)
    verify = contact.VerifyContact(at=NOON, organization_id=0, audience_id=0, client_id=0)
    store.handle(numbered(known.number, verify))
    again = row(1, "a@x.org", verified=True, suppressions=BOUNCED)
    Importing(store, IMPORT).carry_out([again])
    assert again.action == "unchanged"
    as_json = row(1, "a@x.org", sets=False, verified=True, suppressions=BOUNCED)
    Importing(store, IMPORT).carry_out([as_json])
    assert as_json.action == "updated"


def test_a_lost_log_stops_the_import(open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    monkeypatch.setattr(store, "handle", lambda *orders, **_: [Failed(Unavailable()) for _ in orders])
    with pytest.raises(Unavailable):
        Importing(store, IMPORT).carry_out([row(1, "a@x.org")])


def test_recalled_rows_skip_later_ones_as_if_they_had_just_been_carried_out(store: Store) -> None:
    importing = Importing(store, IMPORT)
    importing.recall([row(1, "a@x.org"), row(2, "refused@x.org"), wrong(3, "b@x.org"), row(4, "a@x.org")], {2, 3})
    rows = [row(5, "a@x.org"), row(6, "refused@x.org"), row(7, "b@x.org")]
    importing.carry_out(rows)
    assert actions(rows) == ["skipped", "created", "created"]
    assert rows[0].kept_item == 1


def test_chunks_are_appended_in_their_order(store: Store) -> None:
    emails = [f"order{item}@x.org" for item in range(60)]
    rows = (row(item, email) for item, email in enumerate(emails, 1))
    chunks = list(Importing(store, IMPORT).chunks(rows, 7))
    assert [each.email for chunk in chunks for each in chunk] == emails
    registered = [event for _, event in store.open(store.read(0, 1000)) if isinstance(event, ContactRegistered)]
    assert [event.email.text for event in registered] == emails


def test_what_was_read_before_a_bad_end_is_done(store: Store) -> None:
    def rows() -> Iterator[ImportRow]:
        yield from (row(item, f"read{item}@x.org") for item in range(1, 7))
        raise Rejected("must_be_utf8", "csv")

    done: list[Sequence[ImportRow]] = []
    with pytest.raises(Rejected):
        done.extend(Importing(store, IMPORT).chunks(rows(), 2))
    assert [actions(chunk) for chunk in done] == [["created", "created"]] * 3


def test_rows_behind_a_chunk_that_was_lost_stay_undone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = store.handle

    def lost(*orders: Order, **how: Any) -> list[Outcome]:
        return [Failed(Unavailable())] if orders[0].command.item == 2 else handle(*orders, **how)

    monkeypatch.setattr(store, "handle", lost)
    with pytest.raises(Unavailable):
        list(Importing(store, IMPORT).chunks((row(item, f"lost{item}@x.org") for item in range(1, 4)), 1))
    known = store.load(contact.decider, keys=[f"lost{item}@x.org" for item in range(1, 4)])
    assert [each.number > 0 for each in known] == [True, False, False]


EMAILS = st.sampled_from(["a", "b", "c", "d", "e"])
SAID = st.fixed_dictionaries({"tags": st.sampled_from([(), ("t",)]), "verified": st.sampled_from([None, True])})
ROWS = st.lists(st.tuples(EMAILS, SAID), min_size=1, max_size=8)


@given(before=ROWS, wanted=ROWS, done=st.integers(0, 8), meanwhile=ROWS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_interrupted_chunk_is_counted_as_if_it_had_not_been(
    store: Store, before: list[Any], wanted: list[Any], done: int, meanwhile: list[Any]
) -> None:
    """The same file is imported to two sets of contacts, once with a crash between the append and its record."""
    domain = f"@{next(files)}.x.org"

    def rows(prefix: str) -> list[ImportRow]:
        return [row(item, prefix + email + domain, **said) for item, (email, said) in enumerate(wanted, 1)]

    for prefix in ("calm-", "torn-"):
        store.handle(*(upsert(prefix + email + domain, **said) for email, said in before))
    calm, torn = rows("calm-"), rows("torn-")
    Importing(store, IMPORT).carry_out(calm)

    job, start = replace(IMPORT, correlation_id=uuid4()), store.recorder.head()
    Importing(store, job).carry_out(rows("torn-")[:done])
    later = [upsert("torn-" + email + domain, NOON + timedelta(1), status="pending") for email, _ in meanwhile]
    store.handle(*(order for order in later if interrupted_has(store, job, start, order)))
    Importing(store, job, earlier=interrupted(store, job.correlation_id, start)).carry_out(torn)
    assert actions(torn) == actions(calm)


REFUSED = {"sets": False, "suppressions": LIFT}
ANY_ROW = st.tuples(EMAILS, st.sampled_from([{}, {"tags": ("t",)}, REFUSED]))


@given(wanted=st.lists(ANY_ROW, min_size=1, max_size=12), size=st.integers(1, 5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_to_the_same_in_chunks_as_one_by_one(store: Store, wanted: list[Any], size: int) -> None:
    domain = f"@{next(files)}.y.org"

    def rows(prefix: str) -> list[ImportRow]:
        for email in {email for email, _ in wanted}:
            by_others(store, prefix + email + domain, suppressions=BOUNCED)
        return [row(item, prefix + email + domain, **said) for item, (email, said) in enumerate(wanted, 1)]

    single, chunked = rows("single-"), rows("chunked-")
    alone = Importing(store, IMPORT)
    for each in single:
        alone.carry_out([each])
    list(Importing(store, IMPORT).chunks(iter(chunked), size))
    assert [(r.action, r.kept_item, r.errors) for r in chunked] == [(r.action, r.kept_item, r.errors) for r in single]


def interrupted_has(store: Store, job: Context, start: int, order: Order) -> bool:
    """Others may touch what was written before the crash; what they say first of another contact is theirs."""
    [loaded] = store.load(contact.decider, keys=[order.key or ""])
    return loaded.number in interrupted(store, job.correlation_id, start)
