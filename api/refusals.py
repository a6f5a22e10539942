"""Collects what several rules refuse, so that an answer names every wrong field at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.scalars import Errors
from domain.decider import Rejected


@contextmanager
def noted(errors: Errors, *, at: str = "") -> Iterator[None]:
    """Take the fields of a refusal into ``errors``, or its code for the field ``at``; go on after the block."""
    try:
        yield
    except Rejected as refusal:
        errors.update({at: next(iter(refusal.fields.values()))} if at else refusal.fields)
