"""A campaign's audience previewed: how many it means as of a position, how many get mail, and who, page by page."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import chain
from typing import Final, NamedTuple

from domain.campaign import Campaign
from domain.eligibility import SkipReason
from domain.store.log import Store
from projections.campaign_audience.candidates import Intended, intended

READS: Final = ("contacts", "category_choices", "recipient_lists")
"""Read models that must reflect the position."""


class Preview(NamedTuple):
    """How many contacts there are of each reason to be skipped, None being none, and a page of them.

    The page is in the order of the contacts' numbers; ``more``: it is not the last.
    """

    counts: Counter[SkipReason | None]
    page: list[Intended]
    more: bool


def previewed(store: Store, campaign: Campaign, position: int, *, after: int, limit: int) -> Preview:
    """Go through the audience once, and keep of it at most ``limit`` contacts with numbers above ``after``.

    The read models :data:`READS` must reflect the position. Raises psycopg's OperationalError and Unavailable.
    """
    counts: Counter[SkipReason | None] = Counter()
    first: list[Intended] = []
    for chunk in intended(store, campaign, position):
        counts.update(each.skip_reason for each in chunk)
        first = nsmallest(limit + 1, chain(first, (each for each in chunk if each.contact_id > after)))
    return Preview(counts, first[:limit], len(first) > limit)
