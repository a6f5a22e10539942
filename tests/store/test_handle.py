"""One command or many: each its own outcome, its own positions, and the state that the log gives back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import OperationalError

from domain import contact
from domain.decider import Decider, Rejected
from domain.store.log import Store
from domain.store.order import Accepted, Failed, Order, Refused
from domain.store.recorder import COPY_FROM, LogRecorder
from domain.store.work import SNAPSHOT_EVERY
from tests.store.conftest import CONTEXT, NOON, numbered, upsert


def accepted(outcome: object) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome


def test_a_command_answers_from_what_it_wrote(store: Store) -> None:
    [outcome] = store.handle(upsert("ada@example.com", tags=("one",)))
    first = accepted(outcome)
    assert (first.number, first.version, first.position) == (1, 3, 3)
    assert first.state.email.text == "ada@example.com"
    [again] = store.handle(upsert("ada@example.com", tags=("one",)))
    assert (accepted(again).events, accepted(again).position) == ((), 3)
    [loaded] = store.load(contact.decider, keys=["ada@example.com"])
    assert (loaded.number, loaded.version, loaded.state) == (1, 3, first.state)


def test_orders_for_one_stream_see_each_other_and_take_positions_in_log_order(store: Store) -> None:
    store.handle(upsert("bob@example.com"))
    outcomes = store.handle(
        upsert("ada@example.com", tags=("one",)),
        upsert("bob@example.com", tags=("two",)),
        upsert("ada@example.com", tags=("three",)),
        numbered(1, contact.ReplaceTags(at=NOON, organization_id=1, audience_id=3, client_id=2, tags=("four",))),
        upsert("ada@example.com", tags=("three",)),
    )
    tags = [sorted(accepted(outcome).state.tags[3]) for outcome in outcomes]
    assert tags == [["one"], ["two"], ["one", "three"], ["four"], ["one", "three"]]
    log = store.read(0, 100)
    assert [event.position for event in log] == list(range(1, len(log) + 1))
    assert accepted(outcomes[4]).position == accepted(outcomes[2]).position, "it saw what the one before it wrote"
    for outcome in outcomes[:4]:
        last = log[accepted(outcome).position - 1]
        assert (last.stream.int & 0xFFFF, last.version) == (accepted(outcome).number, accepted(outcome).version)


@pytest.mark.parametrize("count", [20, COPY_FROM + 100])
def test_small_and_bulk_appends_write_the_same(store: Store, count: int) -> None:
    outcomes = store.handle(*(upsert(f"{n}@example.com", unsubscribe_reason=None, tags=("t",)) for n in range(count)))
    assert [accepted(outcome).position for outcome in outcomes] == [3 * n for n in range(1, count + 1)]
    log = store.read(0, 5 * count)
    assert [event.position for event in log] == list(range(1, 3 * count + 1))
    assert {(event.organization_id, event.client_id, event.source) for event in log} == {(1, 2, "api")}
    assert all(event.contact_id == event.stream.int & 0xFFFFFFFF and event.occurred_at == NOON for event in log)
    addresses = [event.email.text for _, event in store.open(log) if isinstance(event, contact.ContactRegistered)]
    assert addresses == [f"{n}@example.com" for n in range(count)]


def test_a_refusal_and_a_defect_cost_the_others_nothing(store: Store) -> None:
    defect: Decider[Any] = msgspec.structs.replace(contact.decider, decide=lambda _, __: 1 / 0)
    poisoned = upsert("sur\ud800rogate@example.com")
    outcomes = store.handle(
        upsert("ada@example.com"),
        upsert("bad@example.com", tags=("!!!",)),
        Order(decider=defect, key="ada@example.com", context=CONTEXT, command=None),
        upsert("bob@example.com"),
        poisoned,
    )
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Failed, Accepted, Failed]
    assert isinstance(outcomes[1], Refused)
    assert isinstance(outcomes[1].error, Rejected)
    assert [
        loaded.number > 0 for loaded in store.load(contact.decider, keys=["ada@example.com", "bob@example.com"])
    ] == [
        True,
        True,
    ]


def test_a_dry_run_decides_and_writes_nothing(store: Store) -> None:
    store.handle(upsert("ada@example.com"))
    outcomes = store.handle(upsert("ada@example.com"), upsert("new@example.com"), dry_run=True)
    assert [bool(accepted(outcome).events) for outcome in outcomes] == [False, True]
    assert store.recorder.head() == 2
    assert [loaded.number for loaded in store.load(contact.decider, keys=["new@example.com"])] == [0]


def test_a_stream_is_loaded_as_of_a_position_or_time(store: Store) -> None:
    for n in range(3):
        store.handle(upsert("ada@example.com", at=NOON + timedelta(minutes=n), tags=(f"t{n}",)))
    at = [store.load(contact.decider, numbers=[1], as_of=when)[0] for when in (0, 3, 4, NOON + timedelta(seconds=90))]
    assert [sorted(loaded.state.tags.get(3, ())) for loaded in at] == [[], ["t0"], ["t0", "t1"], ["t0", "t1"]]
    assert [loaded.version for loaded in at] == [0, 3, 4, 4]


def test_what_a_conninfo_says_beyond_the_usual_is_heeded(database: str) -> None:
    with pytest.raises(OperationalError):
        LogRecorder(f"{database}&sslmode=verify-full&sslrootcert=/nowhere&host=127.0.0.1&port=1").head()
    named = LogRecorder(f"{database}&application_name=curious")
    with named.datastore.get_connection() as connection:
        assert connection.execute("SHOW application_name").fetchone() == {"application_name": "curious"}
    named.datastore.close()


def test_a_state_that_never_was_is_not_made_up(store: Store) -> None:
    for minutes, tag in ((0, "first"), (9, "by a fast clock"), (1, "last")):
        store.handle(upsert("ada@example.com", at=NOON + timedelta(minutes=minutes), tags=(tag,)))
    [then] = store.load(contact.decider, numbers=[1], as_of=NOON + timedelta(minutes=5))
    assert then.state.tags[3] == {"first"}


def test_a_hot_stream_is_loaded_from_its_snapshot(store: Store, open_store: Callable[[], Store]) -> None:
    for n in range(SNAPSHOT_EVERY // 50 + 1):
        store.handle(*(upsert("ada@example.com", tags=(f"t{n * 50 + k}",), verified=True) for k in range(50)))
    fresh = open_store()
    [loaded] = fresh.load(contact.decider, keys=["ada@example.com"])
    [replayed] = fresh.load(contact.decider, keys=["ada@example.com"], as_of=10**9)
    assert loaded == replayed
    assert loaded.state.email.text == "ada@example.com"
    [work] = fresh._workload.find(contact.decider, ["ada@example.com"], [], snapshots=True, until=None)  # noqa: SLF001
    assert len(work.found.events) < SNAPSHOT_EVERY <= loaded.version
