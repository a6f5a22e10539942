"""Writers without pause, one for each part of the product, who leave events of every kind in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

from domain import audience, campaign, contact, import_job, list_send, message, organization, recipient, recipient_list
from domain import template as templates
from domain import webhook as webhooks
from domain.campaign import CampaignContent
from domain.import_job import QueueImport
from domain.mail_event import MailEvent
from domain.store.feedback import Feedback, Told
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from domain.store.uploads import Uploads
from domain.template import SaveTemplate, TemplateContent
from tests.store.conftest import NOON

SLUGS: dict[str, Any] = {"audience": "dtc-courses", "client": "dtc-courses"}
OWNER: dict[str, Any] = {"organization_id": 1, "client_id": 2}
SCOPE: dict[str, Any] = {**OWNER, "audience_id": 2}
CONTEXT = Context(organization_id=1, client_id=2)
BATCH = 20
KEY = "may-0"
"""The key of a campaign, a list and a webhook that are there from the first round on."""

SENT = (message.AttemptMessage(at=NOON), message.ConfirmSent(at=NOON, ses_message_id="ses-1"))


class Office:
    """All who write to one store, in the scope of the demo client ``dtc-courses``."""

    def __init__(self, store: Store) -> None:
        self.writers: tuple[Callable[[int], None], ...] = (
            self.people,
            self.mail,
            self.lists,
            self.imports,
            self.tenants,
        )
        self._store = store
        self._uploads = Uploads(store.conninfo, store.keyring)

    def sessions(self) -> list[Callable[[Flag], None]]:
        """Each writer as a session: a first round was written before."""
        return [self._session(write) for write in self.writers]

    def begin(self) -> None:
        """A first round of everything."""
        for write in self.writers:
            write(0)

    def people(self, n: int) -> None:
        """Contacts come, are tagged, choose and leave."""
        emails = [f"person-{n}-{i}@example.com" for i in range(BATCH)]
        upserts = [
            contact.UpsertContact(
                at=NOON, **SCOPE, email=email, status="subscribed", verified=True, tags=("reader", f"round {n % 7}")
            )
            for email in emails
        ]
        numbers = self._handle(*(order(contact.decider, each, key=each.email) for each in upserts))
        choice = contact.CategoryChoice(tag="digest", enabled=bool(n % 2), label="Digest")
        later: list[Any] = [
            contact.TagContact(at=NOON, **SCOPE, tag="again"),
            contact.UntagContact(at=NOON, **SCOPE, tag="reader"),
            contact.SetPreferences(at=NOON, **SCOPE, categories=(choice,)),
            contact.Unsubscribe(at=NOON, **SCOPE, email=emails[3], scope="client"),
            contact.Unsubscribe(at=NOON, **SCOPE, email=emails[4], scope="global"),
        ]
        self._handle(*(order(contact.decider, each, number=numbers[i]) for i, each in enumerate(later)))

    def mail(self, n: int) -> None:
        """A template and a campaign are sent to people of this round's, and SES tells what became of it."""
        emails = [f"reader-{n}-{i}@example.com" for i in range(BATCH // 2)]
        joins = [contact.UpsertContact(at=NOON, **SCOPE, email=email, status="subscribed") for email in emails]
        numbers = self._handle(*(order(contact.decider, each, key=each.email) for each in joins))
        content = TemplateContent(name="Welcome", subject=f"Welcome {n}", text_body="Hello", is_active=True)
        save = SaveTemplate(at=NOON, **OWNER, key="welcome", content=content)
        self._handle(order(templates.decider, save, key=templates.natural_key(2, "welcome")))
        streams = [*self._campaign(f"may-{n}", numbers), self._transactional(n, numbers[0])]
        told = [
            heard(stream, email, kind, f"{n} {i} {kind}")
            for i, (stream, email) in enumerate(zip(streams, [*emails, emails[0]], strict=True))
            for kind in (("Delivery", "Open", "Click") if i % 3 else ("Bounce", "Complaint"))
        ]
        verdicts = Feedback(self._store).take([Told(event, "ses", uuid4()) for event in told])
        assert set(verdicts) == {"recorded"}, verdicts

    def _campaign(self, key: str, numbers: Sequence[int]) -> list[UUID]:
        content = CampaignContent(subject="News", html_body='<a href="https://example.com/a">Secret words</a>')
        save = campaign.SaveCampaign(at=NOON, **SCOPE, external_key=key, content=content)
        [number] = self._handle(order(campaign.decider, save, key=campaign.key_of(2, key)))
        queue = campaign.QueueCampaign(at=NOON, sender_id="courses", sender="Courses <courses@example.com>")
        start = campaign.StartSnapshot(at=NOON, position=1)
        self._handle(*(order(campaign.decider, step, number=number) for step in (queue, start)))
        places = [message.campaign_message_number(number, contact_id) for contact_id in numbers]
        self._handle(
            *(
                order(message.of_campaign, step, number=place, contact_id=contact_id)
                for place, contact_id in zip(places, numbers, strict=True)
                for step in (message.PlanMessage(at=NOON, campaign_id=number, contact_id=contact_id), *SENT)
            )
        )
        finish = campaign.FinishSnapshot(at=NOON, recipient_count=len(numbers), skipped_count=0)
        self._handle(order(campaign.decider, finish, number=number))
        return [UUID(int=message.of_campaign.kind << 96 | place) for place in places]

    def _transactional(self, n: int, contact_id: int) -> UUID:
        request = message.RequestMessage(
            at=NOON,
            **OWNER,
            contact_id=contact_id,
            template_key="welcome",
            template_version=1,
            sender_id="courses",
            sender="Courses <courses@example.com>",
            content='{"subject":"Secret words"}',
            request='{"context":{"name":"Ann"}}',
        )
        waits, goes = ({"key": message.key_of(2, f"{key}-{n}"), "contact_id": contact_id} for key in ("next", "mail"))
        steps = [order(message.transactional, step, **goes) for step in (request, *SENT)]
        number, *_ = self._handle(*steps, order(message.transactional, request, **waits))
        return UUID(int=message.transactional.kind << 96 | number)

    def lists(self, n: int) -> None:
        """A list is opened, its members come, one goes, and the others are written to."""
        key = f"may-{n}"
        opened = recipient_list.OpenList(at=NOON, **OWNER, key=key)
        [list_id] = self._handle(order(recipient_list.decider, opened, key=recipient_list.key_of(2, key)))
        emails = [f"member-{n}-{i}@example.com" for i in range(BATCH // 4)]
        known = [contact.RegisterContact(at=NOON, organization_id=1, email=email) for email in emails]
        numbers = self._handle(*(order(contact.decider, each, key=each.email) for each in known))
        puts = [
            recipient.PutRecipient(
                at=NOON, list_id=list_id, contact_id=number, source_object_key=f"{number}", metadata={"name": "Ann"}
            )
            for number in numbers
        ]
        self._handle(*(order(recipient.decider, put, **member(list_id, put.contact_id)) for put in puts))
        self._handle(order(recipient.decider, recipient.RemoveRecipient(at=NOON), **member(list_id, numbers[0])))
        self._list_send(key, numbers)

    def _list_send(self, key: str, numbers: Sequence[int]) -> None:
        send = list_send.RequestListSend(
            at=NOON, **OWNER, list_key=key, template_key="welcome", mailing="", total=len(numbers), through=numbers[-1]
        )
        counts = list_send.SendCounts(enqueued=len(numbers))
        done = list_send.RecordSends(at=NOON, done=0, after=numbers[-1], counts=counts)
        steps = (send, done, list_send.FinishListSend(at=NOON))
        place = list_send.key_of(2, key, "once")
        self._handle(*(order(list_send.decider, step, key=place) for step in steps))

    def imports(self, n: int) -> None:
        """A file waits for the importer, which runs beside."""
        rows = "".join(f"imported-{n}-{i}@example.com,one\n" for i in range(BATCH))
        upload = self._uploads.add([f"email,tags\n{rows}".encode()])
        queue = QueueImport(at=NOON, **OWNER, **SLUGS)
        self._handle(order(import_job.decider, queue, key=str(upload)))
        self._uploads.announce()

    def tenants(self, n: int) -> None:
        """An organization and an audience are renamed, a webhook is changed."""
        rename = organization.RenameOrganization(at=NOON, name=f"DataTalksClub {n}")
        other = audience.RenameAudience(at=NOON, name=f"Courses {n}")
        url = f"https://example.com/{n}"
        hook = webhooks.SaveWebhook(at=NOON, **OWNER, key=KEY, url=url, is_active=bool(n % 2))
        self._handle(
            order(organization.decider, rename, number=1),
            order(audience.decider, other, number=2),
            order(webhooks.decider, hook, key=webhooks.natural_key(2, KEY)),
        )

    def _session(self, write: Callable[[int], None]) -> Callable[[Flag], None]:
        def session(stop: Flag) -> None:
            for n in count(1):
                if stop.is_set():
                    return
                write(n)

        return session

    def _handle(self, *orders: Order) -> list[int]:
        """All of them must hold; gives the numbers."""
        outcomes = self._store.handle(*orders)
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
        return [outcome.number for outcome in outcomes if isinstance(outcome, Accepted)]


def order(decider: Any, command: Any, **place: Any) -> Order:
    return Order(decider=decider, command=command, context=CONTEXT, **place)


def heard(stream: UUID, email: str, kind: Any, event_id: str) -> MailEvent:
    """What SES tells of a mail."""
    word = "Permanent" if kind == "Bounce" else ""
    url = "https://example.com/a" if kind == "Click" else ""
    told = {"kind": kind, "event_id": event_id, "recipients": (email,), "word": word, "url": url}
    return MailEvent(at=NOON, stream=stream, **told)


def member(list_id: int, contact_id: int) -> dict[str, Any]:
    """Where a member's stream is."""
    return {"key": recipient.key_of(list_id, f"{contact_id}"), "contact_id": contact_id}
