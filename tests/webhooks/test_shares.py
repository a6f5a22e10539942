"""Shares of the calls to webhooks: those who do not answer hold a part of them, and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.webhook_shares import FAILING, GOOD, LIMITS, NEW, Shares

EVERYBODY = range(200)
FREE_FOR_GOOD = LIMITS[GOOD].together - LIMITS[NEW].together


def taken(shares: Shares, webhooks: range) -> dict[int, int]:
    room = shares.room(webhooks)
    for webhook_id, share in room.items():
        for _ in range(share):
            shares.began(webhook_id)
    return room


def test_strangers_get_one_each_until_they_answer() -> None:
    shares = Shares()
    assert set(taken(shares, range(10)).values()) == {LIMITS[NEW].of_one}
    assert shares.room(range(10)) == {}
    shares.ended(3, well=True)
    shares.ended(4, well=False)
    assert shares.room(range(10)) == {3: LIMITS[GOOD].of_one, 4: LIMITS[FAILING].of_one}


def test_those_who_hang_leave_room_for_new_ones_and_for_good_ones() -> None:
    shares = Shares()
    taken(shares, range(1000, 1001))
    shares.ended(1000, well=True)
    hanging = range(100)
    for _ in hanging:
        for webhook_id in taken(shares, hanging):
            shares.ended(webhook_id, well=False)
    assert sum(taken(shares, hanging).values()) == LIMITS[FAILING].together
    assert sum(taken(shares, range(500, 600)).values()) == LIMITS[NEW].together - LIMITS[FAILING].together
    assert shares.room(range(1000, 1001)) == {1000: LIMITS[GOOD].of_one}


@given(ends=st.lists(st.tuples(st.sampled_from(EVERYBODY), st.booleans()), max_size=300))
def test_no_limit_is_ever_passed(ends: list[tuple[int, bool]]) -> None:
    shares = Shares()
    busy: dict[int, int] = {}
    for webhook_id, well in ends:
        for each, share in taken(shares, EVERYBODY).items():
            busy[each] = busy.get(each, 0) + share
        if busy.get(webhook_id):
            busy[webhook_id] -= 1
            shares.ended(webhook_id, well=well)
        assert sum(busy.values()) == shares.under_way <= LIMITS[GOOD].together
        assert max(busy.values()) <= LIMITS[GOOD].of_one
    assert LIMITS[GOOD].of_one <= FREE_FOR_GOOD
