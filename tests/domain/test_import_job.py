"""An import job: queued once, carried out by one worker at a time, ended once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import import_job
from domain.import_job import (
    SHOWN_ERRORS,
    Counts,
    FailImport,
    FinishImport,
    ImportFailed,
    ImportFinished,
    ImportProgressed,
    ImportQueued,
    ImportRemoved,
    ImportStarted,
    QueueImport,
    RecordProgress,
    RecordRemovals,
    RowError,
    StartImport,
)
from tests.domain.cases import Given

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
QUEUED = ImportQueued(at=NOON, organization_id=1, client_id=2, audience="club", client="app")
STARTED = ImportStarted(at=NOON, position=10)
ERROR = RowError(3, 4, {"email": "invalid"})
DONE = Counts(total=3, created=2, invalid=1)
PROGRESSED = ImportProgressed(at=NOON, counts=DONE, position=20, errors=(ERROR,))


def given(*facts: Any) -> Given[import_job.ImportJob]:
    return Given(import_job.decider, *facts)


def test_a_file_is_queued_once() -> None:
    queue = QueueImport(at=NOON, organization_id=1, client_id=2, audience="club", client="app")
    state = given().when(queue).then(QUEUED)
    assert (state.status, state.created_at, state.counts) == ("queued", NOON, Counts())
    given(QUEUED).when(queue).is_refused({"import": "duplicate"})


def test_it_starts_once_and_goes_on_quietly() -> None:
    state = given(QUEUED).when(StartImport(at=LATER, position=10)).then(ImportStarted(at=LATER, position=10))
    assert (state.status, state.started_at, state.position) == ("running", LATER, 10)
    given(QUEUED, STARTED).when(StartImport(at=LATER, position=30)).is_quiet()
    given().when(StartImport(at=NOON, position=1)).is_refused({"status": "not_running"})


def test_progress_adds_up() -> None:
    command = RecordProgress(at=LATER, done=3, counts=DONE, position=30, errors=(ERROR,))
    fact = ImportProgressed(at=LATER, counts=DONE, position=30, errors=(ERROR,))
    state = given(QUEUED, STARTED, PROGRESSED).when(command).then(fact)
    assert state.counts == Counts(total=6, created=4, invalid=2)
    assert (state.position, state.progressed_at, state.errors) == (30, LATER, (ERROR, ERROR))


def test_of_two_workers_the_second_is_overtaken() -> None:
    command = RecordProgress(at=LATER, done=0, counts=DONE, position=30)
    given(QUEUED, STARTED, PROGRESSED).when(command).is_refused({"done": "overtaken"})


def test_no_rows_are_no_progress() -> None:
    given(QUEUED, STARTED).when(RecordProgress(at=LATER, done=0, counts=Counts(), position=30)).is_quiet()


def test_it_ends_once() -> None:
    state = given(QUEUED, STARTED).when(FinishImport(at=LATER)).then(ImportFinished(at=LATER))
    assert (state.status, state.finished_at) == ("succeeded", LATER)
    state = given(QUEUED, STARTED).when(FailImport(at=LATER, code="x")).then(ImportFailed(at=LATER, code="x"))
    assert (state.status, state.finished_at, state.code) == ("failed", LATER, "x")
    for ended in (ImportFinished(at=NOON), ImportFailed(at=NOON, code="x")):
        for command in (
            StartImport(at=LATER, position=1),
            RecordProgress(at=LATER, done=0, counts=DONE, position=1),
            FinishImport(at=LATER),
            FailImport(at=LATER, code="y"),
        ):
            given(QUEUED, STARTED, ended).when(command).is_refused({"status": "not_running"})


def test_the_state_holds_the_first_errors_only() -> None:
    many = ImportProgressed(
        at=NOON,
        counts=Counts(total=SHOWN_ERRORS, invalid=SHOWN_ERRORS),
        position=20,
        errors=tuple(RowError(item, item + 1, {"email": "invalid"}) for item in range(SHOWN_ERRORS)),
    )
    state = given(QUEUED, STARTED, many, many).state
    assert state.errors == many.errors
    assert state.counts.invalid == 2 * SHOWN_ERRORS


def test_members_taken_off_add_up() -> None:
    queued = ImportQueued(at=NOON, organization_id=1, client_id=2, list_id=3, remove_absent=True)
    command = QueueImport(at=NOON, organization_id=1, client_id=2, list_id=3, remove_absent=True)
    state = given().when(command).then(queued)
    assert (state.list_id, state.remove_absent) == (3, True)
    removed = ImportRemoved(at=LATER, removed=5, position=30)
    there = given(queued, STARTED, removed)
    state = there.when(RecordRemovals(at=LATER, done=5, removed=2, position=40)).then(
        ImportRemoved(at=LATER, removed=2, position=40)
    )
    assert (state.removed, state.position, state.progressed_at) == (7, 40, LATER)
    there.when(RecordRemovals(at=LATER, done=5, removed=0, position=40)).is_quiet()
    there.when(RecordRemovals(at=LATER, done=4, removed=1, position=40)).is_refused({"done": "overtaken"})
    given(queued).when(RecordRemovals(at=LATER, done=0, removed=1, position=1)).is_refused({"status": "not_running"})


def test_a_job_may_fail_before_it_begins() -> None:
    state = (
        given(QUEUED).when(FailImport(at=LATER, code="unreachable")).then(ImportFailed(at=LATER, code="unreachable"))
    )
    assert (state.status, state.code, state.started_at) == ("failed", "unreachable", None)
    given().when(FailImport(at=LATER, code="x")).is_refused({"status": "not_running"})
