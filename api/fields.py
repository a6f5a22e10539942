"""Field types that requests share, with the rules that the domain has for them: scope, address, tags, reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.contact import tag_named, tags_named
from domain.decider import Rejected
from domain.email_address import normalize

T = TypeVar("T")


def said(value: T | UnsetType) -> T | None:
    """A value of a request, None when nothing was said."""
    return None if value is UNSET else value


def code_of(rule: Callable[[Any], object]) -> Callable[[Any], str | None]:
    """A rule that raises Rejected, as one that gives the code."""

    def check(value: Any) -> str | None:
        try:
            rule(value)
        except Rejected as refusal:
            return next(iter(refusal.fields.values()))
        return None

    return check


REASON_LIMIT = 255
"""Characters that a reason or subject may have (contract, Errors)."""

Slug = Annotated[str, Meta(extra={"trim": True})]
Email = Annotated[str, Meta(extra={"check": code_of(normalize), "checked_codes": ("invalid",)})]
Reason = Annotated[str, Meta(max_length=REASON_LIMIT)]
Name = Annotated[str, Meta(min_length=1)]
TagName = Annotated[str, Meta(extra={"check": code_of(tag_named), "checked_codes": ("invalid", "too_long")})]
TagNames = Annotated[list[Name], Meta(extra={"check": code_of(tags_named), "checked_codes": ("invalid", "too_long")})]


class Scoped(msgspec.Struct, kw_only=True):
    """A request within one client's relation to an audience. ``client`` is the caller's own slug."""

    audience: Slug
    client: Slug
