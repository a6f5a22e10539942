"""Requests the messages of a mailing for some members of a recipient list at once, and says what became of each."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from domain import message
from domain.addressee import address, check_recipient, skip_reason
from domain.contact import Contact
from domain.decider import Rejected
from domain.list_send import Mailing, SendCounts
from domain.message import Message, RequestMessage
from domain.message.content import MessageRequest, compose, encode
from domain.store.keyring import Keyring
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Refused
from domain.template import Template


def sealed(keyring: Keyring, mailing: Mailing) -> str:
    """A mailing as it may stand in the log."""
    return b64encode(keyring.seal(msgspec.json.encode(mailing))).decode()


def opened(keyring: Keyring, token: str) -> Mailing:
    """What was sealed."""
    return msgspec.json.decode(keyring.unseal(b64decode(token)), type=Mailing)


class Target(NamedTuple):
    """A member to write to. ``recipient_id`` is its place, 0 when it has none."""

    recipient_id: int
    source_object_key: str
    contact_id: int
    person: Contact
    metadata: dict[str, Any]


class Sent(NamedTuple):
    """A member's message, made now or before, or with ``errors`` none. ``position`` is one that has it."""

    target: Target
    errors: Mapping[str, str] = {}
    number: int = 0
    state: Message = Message()
    is_new: bool = False
    position: int = 0


class ListSending:
    """A mailing on its way, by one client."""

    def __init__(self, store: Store, context: Context, mailing: Mailing, template: Template, at: datetime) -> None:
        self._store = store
        self._context = context
        self._mailing = mailing
        self._template = template
        self._at = at

    def send(self, targets: Sequence[Target]) -> list[Sent]:
        """Have a message for each. Raises what kept the log from answering: some may be made then."""
        sent: dict[str, Sent] = {}
        orders: dict[str, Order] = {}
        for target in targets:
            try:
                orders[target.source_object_key] = self._order(target)
            except Rejected as refusal:
                sent[target.source_object_key] = Sent(target, refusal.fields)
        outcomes = self._store.handle(*orders.values()) if orders else []
        made = dict(zip(orders, outcomes, strict=True))
        for target in targets:
            outcome = made.get(target.source_object_key)
            if isinstance(outcome, Refused):
                sent[target.source_object_key] = Sent(target, outcome.error.fields)
            elif isinstance(outcome, Accepted):
                told = (outcome.number, outcome.state, bool(outcome.events), outcome.position)
                sent[target.source_object_key] = Sent(target, {}, *told)
            elif outcome is not None:
                raise outcome.error if isinstance(outcome, Failed) else TypeError(outcome)
        return [sent[target.source_object_key] for target in targets]

    def _order(self, target: Target) -> Order:
        key = f"{self._mailing.key}:{target.source_object_key}"
        return Order(
            decider=message.transactional,
            command=self._command(target, key),
            context=self._context,
            key=message.key_of(self._context.client_id, key),
            contact_id=target.contact_id,
        )

    def _command(self, target: Target, key: str) -> RequestMessage:
        """Compose one member's message; its metadata goes over the context. Raises Rejected."""
        mailing, template, owner = self._mailing, self._template, self._context
        content = template.content
        if content is None:
            raise TypeError(template)
        check_recipient(address(target.person, owner.organization_id) or "")
        context = mailing.context | target.metadata
        request = MessageRequest(idempotency_key=key, context=context, metadata=mailing.metadata)
        return RequestMessage(
            at=self._at,
            organization_id=owner.organization_id,
            client_id=owner.client_id,
            contact_id=target.contact_id,
            template_key=template.key,
            template_version=template.version,
            sender_id=mailing.sender.id,
            sender=mailing.sender.email,
            content=encode(compose(content, context, mailing.wishes)),
            request=encode(request),
            audience_id=mailing.audience_id,
            category_tag=mailing.category_tag,
            retry_unconfirmed=content.retry_unconfirmed,
            skip_reason=skip_reason(target.person, mailing.audience_id, owner.client_id, mailing.category_tag),
        )


def counted(sent: Sequence[Sent], *, at: datetime | None = None) -> SendCounts:
    """The counts of some members. A message that was requested at that very moment counts as made now."""
    failed = sum(bool(each.errors) for each in sent)
    made = [each for each in sent if not each.errors]
    new = [each for each in made if each.is_new or (at is not None and each.state.requested_at == at)]
    skipped = sum(each.state.status == "skipped" for each in new)
    return SendCounts(enqueued=len(new) - skipped, skipped=skipped, replayed=len(made) - len(new), failed=failed)
