"""What the slug and the display name of an organization, audience or client must be."""

from __future__ import annotations

from typing import Final

from domain.decider import Rejected
from domain.slug import is_slug

LIMIT: Final = 120


def check_names(*, taken: bool, slug: str, name: str) -> None:
    """Refuse names for a new thing, both fields at once.

    Raises Rejected: ``required``, ``invalid``, ``too_long`` or, when the thing is there already, ``duplicate`` on
    ``slug``; ``required`` or ``too_long`` on ``name``.
    """
    wrong = {}
    if taken:
        wrong["slug"] = "duplicate"
    elif not slug:
        wrong["slug"] = "required"
    elif not is_slug(slug):
        wrong["slug"] = "invalid"
    elif len(slug) > LIMIT:
        wrong["slug"] = "too_long"
    try:
        check_present(name)
    except Rejected as refusal:
        wrong |= refusal.fields
    if wrong:
        raise Rejected.of(wrong)


def check_present(name: str) -> None:
    """Refuse a display name. Raises Rejected on ``name``: ``required`` when blank, ``too_long`` beyond the limit."""
    if not name.strip():
        raise Rejected("required", "name")
    if len(name) > LIMIT:
        raise Rejected("too_long", "name")
