"""A send to a long list: accepted once while it is on its way, recorded by one worker at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain import list_send
from domain.list_send import (
    SHOWN_ERRORS,
    FinishListSend,
    ListSend,
    ListSendFinished,
    ListSendProgressed,
    ListSendRequested,
    RecordSends,
    RequestListSend,
    SendCounts,
    Unsent,
)
from tests.domain.cases import Given

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
WHO: dict[str, Any] = {"at": NOON, "organization_id": 1, "client_id": 2, "list_key": "course", "total": 9, "through": 7}
SAID: dict[str, Any] = WHO | {"template_key": "due", "mailing": "sealed"}
REQUEST = RequestListSend(**SAID)
REQUESTED = ListSendRequested(**SAID)
ERROR = Unsent(3, {"email": "unsupported"})
PROGRESSED = ListSendProgressed(at=NOON, after=5, counts=SendCounts(enqueued=2, failed=1), errors=(ERROR,))
FINISHED = ListSendFinished(at=NOON)


def given(*facts: Any) -> Given[ListSend]:
    return Given(list_send.decider, *facts)


def test_it_is_requested_once_until_it_ends() -> None:
    state = given().when(REQUEST).then(REQUESTED)
    assert (state.status, state.total, state.mailing) == ("running", 9, "sealed")
    given(REQUESTED, PROGRESSED).when(REQUEST).is_quiet()
    again = given(REQUESTED, PROGRESSED, FINISHED).when(REQUEST).then(REQUESTED)
    assert (again.status, again.after, again.counts, again.errors) == ("running", 0, SendCounts(), ())


def test_progress_adds_up() -> None:
    command = RecordSends(at=NOON, done=5, after=7, counts=SendCounts(skipped=1, replayed=1, enqueued=1))
    fact = ListSendProgressed(at=NOON, after=7, counts=SendCounts(skipped=1, replayed=1, enqueued=1))
    state = given(REQUESTED, PROGRESSED).when(command).then(fact)
    assert (state.after, state.counts) == (7, SendCounts(enqueued=3, skipped=1, replayed=1, failed=1))
    assert state.errors == (ERROR,)
    given(REQUESTED).when(command).is_refused({"done": "overtaken"})
    for facts in ((), (REQUESTED, FINISHED)):
        for late in (command, FinishListSend(at=NOON)):
            given(*facts).when(late).is_refused({"status": "not_running"})
    assert given(REQUESTED).when(FinishListSend(at=NOON)).then(FINISHED).finished_at == NOON


def test_the_state_holds_so_many_errors() -> None:
    many = ListSendProgressed(at=NOON, after=5, counts=SendCounts(), errors=(ERROR,) * (SHOWN_ERRORS - 1))
    state = ListSend()
    for fact in (REQUESTED, many, many):
        state = list_send.evolve(state, fact)
    assert len(state.errors) == SHOWN_ERRORS
