"""Messages say what the log says, and stretches of them hide neither a gap nor a repeat."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from consumers.feed_kafka import stretches
from consumers.messages import Message, headers_of, message_of, too_large
from domain.store.partition import key_of, partition_of
from domain.store.recorded import Recorded
from projections.engine import Batch

GENERATION = b"5a3f"
numbers = st.integers(0, 2**53 - 1)
events = st.builds(
    Recorded,
    position=st.integers(1, 2**53 - 1),
    stream=st.uuids(),
    version=st.integers(1, 10_000),
    topic=st.sampled_from(["contact.tagged@1", "contact.email_validated@12"]),
    data=st.binary(),
    organization_id=numbers,
    client_id=numbers,
    contact_id=numbers,
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    correlation_id=st.uuids(),
    causation_id=st.none() | numbers,
    source=st.sampled_from(["api", "import", "ses"]),
)


def event(position: int, contact_id: int = 0) -> Recorded:
    at = datetime(2026, 5, 24, tzinfo=UTC)
    return Recorded(position, UUID(int=7), 1, "contact.tagged@1", b"{}", 1, 2, contact_id, at, UUID(int=1), None, "api")


def following(*positions: int, prev: int = 0) -> list[Message | None]:
    """Messages that name one another as the one before."""
    before = (prev, *positions)
    return [Message(at, before[n], event(at)) for n, at in enumerate(positions)]


def seen(batches: list[Batch]) -> list[tuple[int, list[int], int]]:
    return [(batch.prev, [event.position for event in batch.events], batch.through) for batch in batches]


@given(event=events, prev=numbers)
def test_a_message_reads_back_as_the_event(event: Recorded, prev: int) -> None:
    headers = headers_of(event, prev, GENERATION)
    assert message_of(headers, event.data, GENERATION) == Message(event.position, prev, event)
    assert message_of(too_large(event, headers), b"", GENERATION) == Message(event.position, prev, None)


def test_messages_of_another_generation_or_of_strangers_are_none_of_ours() -> None:
    headers = headers_of(event(1), 0, GENERATION)
    assert message_of(headers, b"{}", b"another") is None
    assert message_of([], b"junk", GENERATION) is None


@given(event=events, partitions=st.integers(1, 64))
def test_events_of_one_contact_or_stream_share_a_partition(event: Recorded, partitions: int) -> None:
    assert 0 <= partition_of(event, partitions) < partitions
    assert partition_of(event, 1) == 0
    assert key_of(event) == (str(event.contact_id) if event.contact_id else event.stream.hex).encode()


def test_the_way_to_a_partition_never_changes() -> None:
    """Checkpoints of partitions outlive the code: another function would need another division."""
    assert [partition_of(event(1, contact), 8) for contact in (1, 2, 3, 42, 1_000_000)] == [7, 5, 3, 0, 5]
    assert partition_of(event(1), 8) == 3


def test_messages_that_follow_one_another_are_one_batch() -> None:
    assert seen(stretches(0, following(3, 5, 8, prev=1))) == [(1, [3, 5, 8], 8)]


def test_a_repeat_is_left_out() -> None:
    assert seen(stretches(0, [*following(3, 5), *following(3, 5, 8)])) == [(0, [3, 5, 8], 8)]


def test_a_gap_begins_another_batch() -> None:
    assert seen(stretches(0, [*following(3, 5), *following(9, prev=8)])) == [(0, [3, 5], 5), (8, [9], 9)]


def test_a_message_without_its_data_is_a_gap_after_which_all_waits() -> None:
    three, _, eight = following(3, 5, 8)
    assert seen(stretches(0, [three, Message(5, 3, None), eight])) == [(0, [3], 3), (5, [], 5), (5, [8], 8)]


def test_strangers_are_passed_over() -> None:
    assert seen(stretches(0, [None, *following(3), None])) == [(0, [3], 3)]
    assert stretches(0, [None]) == []
