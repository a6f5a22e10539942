"""Comparing the members of a recipient list with those that a client says it should have: a plan, nothing more.

A bulk upsert is the same without taking anybody off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from domain.decider import Rejected
from domain.email_address import normalize
from domain.recipient import METADATA_LIMIT, key_problem, metadata_text

MEMBERS_LIMIT: Final = 10_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A member as a client says it. Without ``metadata``, what is there stays."""

    source_object_key: str
    email: str
    metadata: dict[str, object] | None = None


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """A member that the list has or had: a normalized address, metadata as ``metadata_text`` gives it."""

    email: str
    metadata: str = "{}"
    removed: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, by source object keys. Those ``restored`` were taken off before."""

    added: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    revised: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(keys) for name, keys in msgspec.structs.asdict(self).items()}


def check_members(members: Iterable[Wanted]) -> dict[str, Wanted]:
    """Give the members by source object key, their addresses normalized.

    Raises Rejected with every wrong field: ``required``, ``invalid``, ``too_long`` or ``duplicate`` on
    ``members.<n>.source_object_key``, ``invalid`` on ``members.<n>.email``, ``too_large`` on ``members.<n>.metadata``;
    ``too_many`` on ``members``.
    """
    checked: dict[str, Wanted] = {}
    wrong: dict[str, str] = {}
    for n, member in enumerate(members):
        field, key = f"members.{n}", member.source_object_key
        if code := key_problem(key) or ("duplicate" if key in checked else ""):
            wrong[f"{field}.source_object_key"] = code
        if len(metadata_text(member.metadata or {})) > METADATA_LIMIT:
            wrong[f"{field}.metadata"] = "too_large"
        try:
            checked[key] = msgspec.structs.replace(member, email=normalize(member.email, f"{field}.email"))
        except Rejected as refusal:
            wrong |= refusal.fields
        if n >= MEMBERS_LIMIT:
            raise Rejected("too_many", "members")
    if wrong:
        raise Rejected.of(wrong)
    return checked


def reconcile(present: Mapping[str, Present], wanted: Mapping[str, Wanted], *, remove_absent: bool) -> Plan:
    """Plan what makes the list have the wanted members, and with ``remove_absent`` no others."""
    kinds: dict[str, list[str]] = {"added": [], "restored": [], "revised": [], "unchanged": []}
    for key, member in wanted.items():
        kinds[_kind(present.get(key), member)].append(key)
    absent = [key for key, member in present.items() if not member.removed and key not in wanted]
    return Plan(**{kind: tuple(keys) for kind, keys in kinds.items()}, removed=tuple(absent if remove_absent else ()))


def _kind(known: Present | None, member: Wanted) -> str:
    if known is None:
        return "added"
    if known.removed:
        return "restored"
    same = member.metadata is None or metadata_text(member.metadata) == known.metadata
    return "unchanged" if same and member.email == known.email else "revised"
