"""Addresses are found again with the item that brought them, and take little memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain import seen_addresses
from domain.seen_addresses import ENTRY_BYTES, SeenAddresses


@given(st.lists(st.text(max_size=4), unique=True, max_size=40), st.text(max_size=4))
def test_it_is_a_dictionary_from_addresses_to_items(addresses: list[str], other: str) -> None:
    seen = SeenAddresses()
    for item, address in enumerate(addresses, 1):
        assert seen.item_of(seen.digest(address)) == 0
        seen.add(seen.digest(address), item)
    for item, address in enumerate(addresses, 1):
        assert seen.item_of(seen.digest(address)) == item
    assert bool(seen.item_of(seen.digest(other))) is (other in addresses)


def test_bytes_that_look_like_a_digest_across_two_entries_are_none() -> None:
    seen = SeenAddresses()
    item = 0x40414243
    first = b"\0\0" + bytes(range(14))
    across = b"\0\0" + bytes(range(4, 14)) + item.to_bytes(4)
    seen.add(first, item)
    assert seen.item_of(across) == 0
    seen.add(across, 3)
    assert [seen.item_of(digest) for digest in (first, across)] == [item, 3]


def test_an_address_takes_a_few_bytes() -> None:
    assert ENTRY_BYTES <= 20
    assert seen_addresses.DIGEST_BYTES * 8 >= 128
