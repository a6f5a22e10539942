"""A tag as a contact bears it: the slug that identifies it in its audience, and the name it was given."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from domain.decider import Rejected
from domain.slug import slugify

SLUG_LIMIT: Final = 120


class Tag(msgspec.Struct, frozen=True):
    """An audience-scoped label. Two tags of an audience are the same when their slugs are."""

    slug: str
    name: str


@lru_cache(maxsize=8192)
def _named(name: str) -> Tag | str:
    slug = slugify(name)
    if not slug:
        return "invalid"
    return Tag(slug, name.strip()) if len(slug) <= SLUG_LIMIT else "too_long"


def tag_named(name: str, field: str = "tag") -> Tag:
    """Make the tag of a name. Raises Rejected: ``invalid`` without a slug, ``too_long`` beyond 120 characters of it."""
    tag = _named(name)
    if isinstance(tag, str):
        raise Rejected(tag, field)
    return tag


def tags_named(names: Iterable[str], field: str = "tags") -> dict[str, Tag]:
    """Make tags of names, by slug, in order; of two names with one slug the first wins. Raises Rejected."""
    tags: dict[str, Tag] = {}
    for name in names:
        tag = tag_named(name, field)
        tags.setdefault(tag.slug, tag)
    return tags
