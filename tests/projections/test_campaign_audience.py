"""Whom a campaign means as of a position: the same before and after whatever happens later, and what the log says."""

from __future__ import annotations

from itertools import chain
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain import campaign, contact, recipient, recipient_list
from domain.campaign import Campaign, CampaignContent
from domain.eligibility import SkipReason, campaign_skip_reason
from domain.store.log import Store
from domain.store.order import Accepted, Order
from projections.campaign_audience.candidates import intended, was_meant
from projections.campaign_audience.preview import READS, previewed
from projections.schema import read_models
from tests.projections.histories import NOON, a_contact_order, begin, clear, deliver, put
from tests.projections.mail_histories import PEOPLE, PERSON, SCOPES, context

SCOPE: dict[str, Any] = dict(zip(("organization_id", "audience_id", "client_id"), SCOPES[0], strict=True))
KEYS = ("course", "course:homework", "courses")
MODELS = [model for model in read_models() if model.name in READS]
Audience = dict[int, SkipReason | None]

tags = st.lists(st.sampled_from(["ml", "de"]), max_size=1).map(tuple)
contents = st.builds(
    CampaignContent,
    subject=st.just("News"),
    text_body=st.just("News"),
    include_tags=tags,
    exclude_tags=tags,
    category_tag=st.sampled_from(["", "ml"]),
    recipient_list_key=st.sampled_from(["", "course", "<all>"]),
)


def upserted(email: str, **said: Any) -> Order:
    command = contact.UpsertContact(at=NOON, **SCOPE, email=email, **said)
    return Order(decider=contact.decider, key=email, context=context(1, 21), command=command)


@st.composite
def a_subscriber(draw: st.DrawFn) -> Order:
    """Most histories of chance end with nobody who may be written to."""
    return upserted(draw(st.sampled_from(PEOPLE)), status="subscribed", verified=True, tags=draw(tags))


@st.composite
def a_place(draw: st.DrawFn) -> Order:
    """A person comes on a list of the client or goes; the lists have the numbers 1 to 3."""
    list_id, person = draw(st.integers(1, len(KEYS))), draw(st.integers(0, len(PEOPLE) - 1))
    command: Any = recipient.RemoveRecipient(at=NOON)
    if draw(st.booleans()):
        place: dict[str, Any] = {"contact_id": PERSON + person, "source_object_key": str(person)}
        command = recipient.PutRecipient(at=NOON, list_id=list_id, **place)
    key = recipient.key_of(list_id, str(person))
    return Order(
        decider=recipient.decider, command=command, context=context(1, 21), key=key, contact_id=PERSON + person
    )


histories = st.lists(a_contact_order() | a_subscriber() | a_subscriber() | a_place(), max_size=20)


def opened() -> list[Order]:
    """The lists, in the order of their numbers."""
    return [
        Order(
            decider=recipient_list.decider,
            command=recipient_list.OpenList(at=NOON, organization_id=1, client_id=21, key=key),
            context=context(1, 21),
            key=recipient_list.key_of(21, key),
        )
        for key in KEYS
    ]


def queued(store: Store, content: CampaignContent) -> tuple[Campaign, int]:
    """The campaign, and the position of its queueing."""
    save = campaign.SaveCampaign(at=NOON, **SCOPE, external_key="may", content=content)
    queue = campaign.QueueCampaign(at=NOON, sender_id="a", sender="a@example.com")
    named: dict[str, Any] = {"context": context(1, 21), "key": campaign.key_of(21, "may")}
    *_, done = store.handle(*(Order(decider=campaign.decider, command=each, **named) for each in (save, queue)))
    assert isinstance(done, Accepted)
    return done.state, done.position


def follow(store: Store, connection: Connection, history: list[Order], there: int) -> int:
    """Put the history to the store and bring the read models up to it; gives the end of the log."""
    events = put(store, connection, history, there)
    for model in MODELS:
        deliver(connection, store, model, events, there)
    return there + len(events)


def audience(store: Store, state: Campaign, position: int) -> Audience:
    found = [*chain.from_iterable(intended(store, state, position))]
    assert len({each.contact_id for each in found}) == len(found), "each contact once"
    return dict(found)


def told_by_the_log(store: Store, connection: Connection, state: Campaign, position: int) -> Audience:
    """The same from every stream as of the position, without any read model."""
    assert state.content is not None
    key = state.content.recipient_list_key
    numbers = {kind: numbers_of(connection, kind) for kind in (contact.decider.kind, recipient.decider.kind)}
    places = store.load(recipient.decider, numbers=numbers[recipient.decider.kind], as_of=position)
    within = {n for n, name in enumerate(KEYS, 1) if recipient_list.is_within(name, key)}
    members = {each.state.contact_id for each in places if each.state.active and each.state.list_id in within}
    people = store.load(contact.decider, numbers=numbers[contact.decider.kind], as_of=position)
    where = (state.audience_id, state.client_id, state.content.category_tag)
    return {
        number: campaign_skip_reason(each.state, *where)
        for number, each in zip(numbers[contact.decider.kind], people, strict=True)
        if was_meant(each.state, state.audience_id, state.content) and (not key or number in members)
    }


def numbers_of(connection: Connection, kind: int) -> list[int]:
    query = "SELECT number FROM identities WHERE kind = %s UNION SELECT DISTINCT contact_id FROM log WHERE %s = 4"
    return sorted(number for (number,) in connection.execute(query, (kind, kind)) if number)


@given(before=histories, content=contents, after=histories)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_later_changes_do_not_change_whom_it_meant(
    store: Store, connection: Connection, before: list[Order], content: CampaignContent, after: list[Order]
) -> None:
    clear(connection)
    for model in MODELS:
        begin(connection, model)
    connection.execute("ALTER SEQUENCE number_9 RESTART")
    there = follow(store, connection, [*opened(), *before], 0)
    state, position = queued(store, content)
    there = follow(store, connection, [], there)
    meant = audience(store, state, position)
    assert meant == told_by_the_log(store, connection, state, position)
    follow(store, connection, after, there)
    assert audience(store, state, position) == meant
    assert audience(store, state, position - 1) == meant, "the queueing itself changes nobody"


def test_who_was_erased_since_was_on_the_list(store: Store, connection: Connection) -> None:
    for model in MODELS:
        begin(connection, model)
    person = upserted(PEOPLE[0], status="subscribed", verified=True)
    place = recipient.PutRecipient(at=NOON, list_id=1, contact_id=PERSON, source_object_key="a")
    named: dict[str, Any] = {"context": context(1, 21), "contact_id": PERSON}
    on = Order(decider=recipient.decider, command=place, key=recipient.key_of(1, "a"), **named)
    there = follow(store, connection, [*opened(), person, on], 0)
    state, position = queued(store, CampaignContent(subject="News", recipient_list_key="course", text_body="x"))
    erase = contact.EraseContact(at=NOON, organization_id=1)
    gone = Order(decider=contact.decider, command=erase, context=context(1, 21), key=PEOPLE[0])
    follow(store, connection, [gone], there)
    assert list(audience(store, state, position).values()) == [None]
    assert audience(store, state, store.recorder.head()) == {}


@given(history=histories, content=contents, size=st.integers(1, 3))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_pages_join_to_the_whole(
    store: Store, connection: Connection, history: list[Order], content: CampaignContent, size: int
) -> None:
    clear(connection)
    for model in MODELS:
        begin(connection, model)
    connection.execute("ALTER SEQUENCE number_9 RESTART")
    there = follow(store, connection, [*opened(), *history], 0)
    state, position = queued(store, content)
    follow(store, connection, [], there)
    whole = audience(store, state, position)
    joined: list[Any] = []
    more = True
    while more:
        preview = previewed(store, state, position, after=joined[-1].contact_id if joined else 0, limit=size)
        assert len(preview.page) <= size
        joined += preview.page
        more = preview.more
        assert more == (len(joined) < len(whole)), "an empty page comes only where nobody is meant"
        assert sum(preview.counts.values()) == len(whole)
    assert joined == sorted(whole.items())
