"""Who a client's mail is from: named senders, one of them the default (contract, Senders)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from domain.decider import Rejected
from domain.mailbox import mailbox
from domain.slug import is_slug

ID_LIMIT: Final = 120
SENDERS_LIMIT: Final = 100


class Sender(msgspec.Struct, frozen=True):
    """An address that mail comes from. ``email`` is ``address`` or ``Name <address>``."""

    id: str
    email: str


def check_senders(senders: Iterable[Sender], default_sender_id: str) -> tuple[Sender, ...]:
    """Give the senders with their texts trimmed.

    Raises Rejected on all that is wrong: ``required``, ``invalid``, ``too_long``, ``duplicate`` on ``senders.<n>.id``;
    ``required``, ``invalid``, ``too_long``, ``unsupported`` on ``senders.<n>.email``; ``too_many`` on ``senders``;
    ``required`` or ``not_found`` on ``default_sender_id``, which must name one of them unless there is none.
    """
    trimmed = tuple(Sender(sender.id.strip(), sender.email.strip()) for sender in senders)
    ids = [sender.id for sender in trimmed]
    wrong: dict[str, str] = {}
    for n, sender in enumerate(trimmed):
        if code := _wrong_id(sender.id, taken=sender.id in ids[:n]):
            wrong[f"senders.{n}.id"] = code
        if code := _wrong_email(sender.email):
            wrong[f"senders.{n}.email"] = code
    if len(trimmed) > SENDERS_LIMIT:
        wrong = {"senders": "too_many"}
    if default_sender_id not in ids and (ids or default_sender_id):
        wrong["default_sender_id"] = "not_found" if default_sender_id else "required"
    if wrong:
        raise Rejected.of(wrong)
    return trimmed


def _wrong_id(text: str, *, taken: bool) -> str:
    if not text:
        return "required"
    if not is_slug(text):
        return "invalid"
    if len(text) > ID_LIMIT:
        return "too_long"
    return "duplicate" if taken else ""


def _wrong_email(text: str) -> str:
    if not text:
        return "required"
    try:
        _ = mailbox(text).header
    except Rejected as refusal:
        return refusal.fields["email"]
    return ""


def choose(senders: Iterable[Sender], *wanted: str, field: str = "from_email") -> Sender:
    """Find the sender that the first non-empty wanted id names.

    Raises Rejected on the field: ``not_found`` when there is no such sender, ``not_configured`` when none was wanted.
    """
    chosen = next((sender_id for sender_id in wanted if sender_id), "")
    if not chosen:
        raise Rejected("not_configured", field)
    for sender in senders:
        if sender.id == chosen:
            return sender
    raise Rejected("not_found", field)
