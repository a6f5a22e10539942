"""Recipient lists, import jobs and imports taken back that nobody thought of, course by course."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from domain import contact, import_job, import_undo, list_send, recipient, recipient_list
from domain.contact import Suppressions, UpsertContact
from domain.import_job import Counts
from domain.import_undo import UndoImport
from domain.list_send import SendCounts
from domain.store.history import read_stream
from domain.store.log import Store
from domain.store.order import Order
from tests.projections.mail_histories import PEOPLE, PERSON, addressed, context

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
LISTS = ["course", "course:homework"]
IMPORT = "import"

sources = st.sampled_from(["user-1", "user-2"])
people = st.integers(0, len(PEOPLE) - 1)
metadata: st.SearchStrategy[dict[str, Any] | None] = st.sampled_from([None, {}, {"score": 1}])
rows = st.builds(
    UpsertContact,
    at=st.just(NOON),
    organization_id=st.just(1),
    audience_id=st.just(11),
    client_id=st.just(21),
    email=st.just(""),
    status=st.sampled_from([None, "subscribed", "unsubscribed"]),
    tags=st.sampled_from([(), ("ml",), ("de",)]),
    suppressions=st.builds(Suppressions, global_unsubscribed=st.sampled_from([None, True])),
)


@st.composite
def a_list_order(draw: st.DrawFn) -> list[Order]:
    key = draw(st.sampled_from(LISTS))
    who: dict[str, Any] = {"at": NOON, "organization_id": 1, "client_id": 21, "key": key}
    content = recipient_list.ListContent(name=draw(st.sampled_from(["", "Course"])))
    command = draw(st.sampled_from([recipient_list.OpenList(**who), recipient_list.SaveList(**who, content=content)]))
    shared: dict[str, Any] = {"context": context(1, 21), "key": recipient_list.key_of(21, key)}
    return [Order(decider=recipient_list.decider, command=command, **shared)]


@st.composite
def a_members_course(draw: st.DrawFn) -> list[Order]:
    """Somebody comes to a place on a list, is perhaps spoken of otherwise, and perhaps goes."""
    list_id, source, person = draw(st.integers(1, 2)), draw(sources), PERSON + draw(people)
    shared: dict[str, Any] = {"context": context(1, 21), "key": recipient.key_of(list_id, source), "contact_id": person}
    who: dict[str, Any] = {"at": NOON, "list_id": list_id, "contact_id": person, "source_object_key": source}
    puts = [recipient.PutRecipient(**who, metadata=said) for said in draw(st.lists(metadata, min_size=1, max_size=2))]
    remove = [recipient.RemoveRecipient(at=NOON)]
    commands: list[recipient.Command] = [*puts, *draw(st.sampled_from([[], remove]))]
    return [Order(decider=recipient.decider, command=command, **shared) for command in commands]


@st.composite
def an_import_jobs_course(draw: st.DrawFn) -> list[Order]:
    counts = draw(st.builds(Counts, total=st.integers(0, 3), created=st.integers(0, 2), invalid=st.integers(0, 1)))
    list_id = draw(st.integers(0, 1))
    queue = import_job.QueueImport(
        at=NOON, organization_id=1, client_id=21, list_id=list_id, dry_run=draw(st.booleans())
    )
    later = [
        import_job.StartImport(at=NOON, position=1),
        import_job.RecordProgress(at=NOON, done=0, counts=counts, position=2),
        import_job.RecordRemovals(at=NOON, done=0, removed=draw(st.integers(0, 2)), position=3),
        draw(st.sampled_from([import_job.FinishImport(at=NOON), import_job.FailImport(at=NOON, code="file_gone")])),
    ]
    commands = [queue, *draw(st.lists(st.sampled_from(later), max_size=2)), *later[: draw(st.integers(0, 4))]]
    key = f"upload {draw(st.integers(1, 3))}"
    return [Order(decider=import_job.decider, command=each, context=context(1, 21), key=key) for each in commands]


@st.composite
def a_list_sends_course(draw: st.DrawFn) -> list[Order]:
    """A send to a long list, perhaps more than once under one key."""
    who: dict[str, Any] = {"at": NOON, "organization_id": 1, "client_id": 21, "list_key": "course", "total": 5}
    counts = draw(
        st.builds(SendCounts, enqueued=st.integers(0, 2), skipped=st.integers(0, 1), failed=st.integers(0, 1))
    )
    commands: list[list_send.Command] = [
        list_send.RequestListSend(**who, template_key="due", mailing="sealed", through=9),
        list_send.RecordSends(at=NOON, done=0, after=5, counts=counts),
        list_send.RecordSends(at=NOON, done=5, after=9, counts=counts),
        list_send.FinishListSend(at=NOON),
    ]
    shared: dict[str, Any] = {"context": context(1, 21), "key": list_send.key_of(21, "course", draw(sources))}
    return [Order(decider=list_send.decider, command=each, **shared) for each in commands[: draw(st.integers(1, 4))]]


@st.composite
def an_import_taken_back(draw: st.DrawFn) -> list[Order]:
    """A row of an import, and the way back; what is to go back is known when its turn comes."""
    email = draw(st.sampled_from(PEOPLE))
    known, row = draw(rows), draw(rows)
    importing = replace(context(1, 21), source=IMPORT)
    given = [(known, context(1, 21))] if draw(st.booleans()) else []
    upserts = [
        Order(decider=contact.decider, command=replace(command, email=email), context=how, key=email)
        for command, how in (*given, (row, importing))
    ]
    undo = UndoImport(at=NOON, reversals=())
    return [*upserts, Order(decider=import_undo.decider, command=undo, context=context(1, 21), key=email)]


def settled(store: Store, order: Order) -> list[Order]:
    """The order as it comes to be put when its turn comes, with those that must go before it."""
    order = addressed(store, order)
    if isinstance(order.command, UndoImport):
        return [taken_back(store, order)]
    return placed(store, order) if order.decider is recipient.decider else [order]


def placed(store: Store, order: Order) -> list[Order]:
    """As the API does it: a contact whose place becomes another's is taken off first."""
    [there] = store.load(recipient.decider, keys=[order.key or ""])
    place: recipient.Recipient = there.state
    if not place.active or place.contact_id == order.contact_id:
        return [order]
    removal = replace(order, command=recipient.RemoveRecipient(at=NOON), contact_id=place.contact_id)
    return [removal] if isinstance(order.command, recipient.RemoveRecipient) else [removal, order]


def taken_back(store: Store, order: Order) -> Order:
    """With what the contact has of imports and nobody changed since."""
    [there] = store.load(contact.decider, keys=[order.key or ""])
    history = [
        (author(recorded.source), event)
        for recorded, event in read_stream(store, contact.decider.kind, there.number).events
    ]
    return replace(order, command=UndoImport(at=NOON, reversals=import_undo.plan(history).reversals))


def author(source: str) -> import_undo.Author:
    return "import" if source == IMPORT else "other"
