"""Collects what several rules refuse, so that an answer names every wrong field at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.scalars import Errors
from domain.decider import Rejected


@contextmanager
def noted(errors: Errors) -> Iterator[None]:
    """Take the fields of a refusal into ``errors`` and go on after the block."""
    try:
        yield
    except Rejected as refusal:
        errors.update(refusal.fields)
