"""Publishes SES events to the webhook: on request, with whatever is to be wrong about them, or by itself."""

import asyncio
from typing import Final

import msgspec

from config.local.ses.account import Account
from config.local.ses.certificate import SignatureVersion, Signer
from config.local.ses.events import EventType, Json, merged, ses_event
from config.local.ses.inbox import Inbox
from config.local.ses.mail import Mail
from config.local.ses.order import Order
from config.local.ses.settings import check_url
from config.local.ses.sns import Envelope, confirmation, notification, signed
from config.local.ses.webhook import UnreachableError, Webhook
from config.local.ses.wire import Destination

WORKERS: Final = 8
ATTEMPTS: Final = 12
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 5.0


class Published(msgspec.Struct, frozen=True):
    """The webhook's answers to one order, and the envelope that was posted."""

    status: int
    statuses: tuple[int, ...]
    sns_message_id: str
    envelope: Envelope


class UnknownMessageError(Exception):
    """No message of that id was accepted here."""


class Publishing:
    """Makes envelopes and has them posted."""

    def __init__(self, signer: Signer, webhook: Webhook, topic: str, base_url: str, allowed: frozenset[str]) -> None:
        self._signer = signer
        self._webhook = webhook
        self._topic = topic
        self._base_url = base_url
        self._allowed = allowed

    async def publish(self, order: Order, inbox: Inbox) -> Published:
        """Carry out an order.

        Raises `UnknownMessageError`, `UnreachableError`, and `UnsafeHostError` for a webhook that is not local.
        """
        url = check_url(order.webhook_url, self._allowed) if order.webhook_url else ""
        envelope = merged(self._envelope(order, inbox), order.envelope)
        if order.sns_message_id:
            envelope["MessageId"] = order.sns_message_id
        envelope = signed(envelope, self._signer, order.signature_version, self._base_url, order.signature)
        envelope = merged(envelope, order.forged)
        posts = (self._webhook.post(envelope, url) for _ in range(order.copies))
        statuses = tuple(await asyncio.gather(*posts))
        return Published(max(statuses), statuses, str(envelope.get("MessageId", "")), envelope)

    def _envelope(self, order: Order, inbox: Inbox) -> Envelope:
        topic = order.topic_arn or self._topic
        if order.type == "SubscriptionConfirmation" or order.type == "UnsubscribeConfirmation":  # noqa: PLR1714 - narrows
            return confirmation(order.type, topic, self._base_url)
        mail = inbox.find(order.message_id)
        if mail is None and order.unknown_message:
            mail = Mail(order.message_id, 0.0, "", Destination(), None, addresses=order.recipients)
        if mail is None:
            raise UnknownMessageError
        event = merged(ses_event(mail, order.type, order.recipients, order.details), order.event)
        return notification(msgspec.json.encode(event).decode(), topic, self._base_url)

    async def deliver(self, mail: Mail, kind: EventType, version: SignatureVersion) -> None:
        """Publish an event and try again while the webhook does not take it, as SNS does; give up in the end."""
        event: Json = ses_event(mail, kind, (), {})
        envelope = notification(msgspec.json.encode(event).decode(), self._topic, self._base_url)
        envelope = signed(envelope, self._signer, version, self._base_url)
        for attempt in range(ATTEMPTS):
            try:
                if 200 <= await self._webhook.post(envelope) < 300:  # noqa: PLR2004 - the classes of HTTP statuses
                    return
            except UnreachableError:
                pass
            await asyncio.sleep(min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))


class AutoEvents:
    """Publishes the account's `auto_events` for each accepted mail, in their order, many mails at a time."""

    def __init__(self, publishing: Publishing, account: Account) -> None:
        self._publishing = publishing
        self._account = account
        self._queue: asyncio.Queue[tuple[Mail, tuple[EventType, ...], SignatureVersion]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    def accepted(self, mail: Mail) -> None:
        """Queue the events of a mail; nothing when there are no `auto_events`."""
        faults = self._account.faults
        if not faults.auto_events:
            return
        kinds: tuple[EventType, ...] = ("RenderingFailure",) if mail.failure else faults.auto_events
        self._queue.put_nowait((mail, kinds, faults.signature_version))
        if not self._workers:
            self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
            for worker in self._workers:
                worker.add_done_callback(asyncio.Task.result)

    def forget(self) -> None:
        """Drop the events that are still queued."""
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _work(self) -> None:
        while True:
            mail, kinds, version = await self._queue.get()
            for kind in kinds:
                await self._publishing.deliver(mail, kind, version)
