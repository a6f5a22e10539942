"""Slugs: how a name becomes one, and which strings are one (contract, Conventions and Tags)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]+")
_DROPPED: Final = re.compile(r"[^\w\s-]")
_RUNS: Final = re.compile(r"[-\s]+")


def is_slug(text: str) -> bool:
    """Tell whether the text is a slug as the contract spells it."""
    return _SLUG.fullmatch(text) is not None


def slugify(name: str) -> str:
    """Make the slug of a name as Django does; empty when nothing of the name survives.

    NFKD, drop what is not ASCII, lower-case, keep letters, digits, space, ``_`` and ``-``, turn runs of space and ``-``
    into one ``-``, and strip ``-`` and ``_`` at the ends.
    """
    ascii_name = name if name.isascii() else unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _RUNS.sub("-", _DROPPED.sub("", ascii_name.lower())).strip("-_")
