"""Where the log stood at a time."""

from __future__ import annotations

from datetime import timedelta
from itertools import accumulate

import pytest

from domain.store import clock
from domain.store.clock import position_at
from domain.store.log import Store
from tests.store.conftest import NOON, upsert

SECONDS = [0, 0, 10, 10, 20, 5, 6, 30, 1, 40, 40, 50]
"""When each event happened, in the order of the log; those from before the ones before them were told late."""


@pytest.mark.parametrize("near", [3, 1_000])
def test_the_position_that_the_log_had_come_to(store: Store, monkeypatch: pytest.MonkeyPatch, near: int) -> None:
    """It ends before the first event that is later than the time, as the latest of the nearest events tells."""
    monkeypatch.setattr(clock, "NEAR", near)
    for n, second in enumerate(SECONDS):
        at = NOON + timedelta(seconds=second)
        store.handle(upsert("one@example.com", at=at, tags=(f"tag {n}",)))
    times = [recorded.occurred_at for recorded in store.read(0, 1_000)]
    latest = list(accumulate(times, max))
    for second in range(-1, 60):
        time = NOON + timedelta(seconds=second)
        assert position_at(store, time) == sum(each <= time for each in latest), second


def test_an_empty_log_has_no_position(store: Store) -> None:
    assert position_at(store, NOON) == 0
