"""The wish to stop: signals leave a mark, and what is under way is cut short."""

from __future__ import annotations

import signal

import pytest

from consumers.session import Connection
from projections.rebuild.refusals import StoppedError
from projections.rebuild.stopping import Stop, cancelling, on_signals
from tests.projections.building import beside
from tests.waiting import wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_and_the_next_one_is_nobodys(number: signal.Signals) -> None:
    before = signal.signal(number, signal.default_int_handler)
    try:
        with on_signals() as stop:
            stop.check()
            signal.raise_signal(number)
            assert stop.asked
            assert signal.getsignal(number) == signal.SIG_DFL
        assert signal.getsignal(number) == signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with on_signals() as stop:
            signal.raise_signal(signal.SIGINT)
        assert not stop.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_wait_ends_as_soon_as_it_is_asked() -> None:
    stop = Stop()

    def waits() -> None:
        with pytest.raises(StoppedError):
            stop.wait(3600)

    with beside(waits) as thread:
        stop.asked = True
        thread.join()
    stop.asked = False
    stop.wait(0)


def test_a_statement_is_cancelled_and_those_afterwards_are_not(connection: Connection) -> None:
    stop = Stop()

    def lasts() -> None:
        with pytest.raises(StoppedError), cancelling(connection, stop), connection.transaction():
            connection.execute("SELECT pg_sleep(3600)")

    with beside(lasts):
        wait_until(lambda: connection.info.transaction_status.name == "ACTIVE", "the statement to begin")
        stop.asked = True
    assert connection.execute("SELECT 1 FROM generate_series(1, 1000000) OFFSET 999999").fetchone() == (1,)
    with cancelling(connection, Stop()):
        assert connection.execute("SELECT 2").fetchone() == (2,)
