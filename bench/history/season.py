"""A season of the history: people come, some of them change, and a campaign goes to all who are left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from bench.history.author import Act, Author
from bench.mailing import FILLER, HTML
from bench.people import TAGS
from domain import campaign, contact, message
from domain.campaign import CampaignContent
from domain.store.work import Work

LINK: Final = "https://example.com/more"
STEP: Final = timedelta(minutes=7)
"""Between one thing and the next that happens to all."""


class Season:
    """Some people of one name; what happens to them is drawn by lot, the same for the same name."""

    def __init__(self, author: Author, name: str, people: int, begins: datetime) -> None:
        self._author = author
        self._name = name
        self._people = people
        self._now = begins
        self._lot = Random(name)  # noqa: S311 - the same lots each time are what is wanted
        self._scope: dict[str, Any] = {
            "organization_id": author.scope.organization_id,
            "audience_id": author.scope.audience_id,
            "client_id": author.scope.client_id,
        }

    def happen(self) -> None:
        """All of it. Raises RowFailed."""
        people = self._come()
        self._change(people)
        self._author.write()
        members = [person for person in people if not person.state.hard_bounces and self._subscribes(person)]
        self._mail(members)
        self._author.write()

    def _come(self) -> list[Work]:
        """Three events each: registered, subscribed, tagged twice."""
        people, act = list[Work](), self._act("import")
        for place, number in enumerate(self._author.numbers(contact.decider, self._people)):
            email = f"{self._name}-{place}@example.com"
            person = self._author.begin(contact.decider, number, key=email)
            upsert = contact.UpsertContact(
                at=act.at, email=email, status="subscribed", verified=True, tags=TAGS, **self._scope
            )
            self._author.act(person, upsert, act)
            people.append(person)
        return people

    def _change(self, people: list[Work]) -> None:
        """Later, in no order: half get another tag, one in ten is validated, one in twenty leaves."""
        act = self._act("api")
        for person in self._some(people, 0.5):
            self._author.act(person, contact.TagContact(at=act.at, tag=f"attended {self._name}", **self._scope), act)
        act, verdict = self._act("api"), contact.EmailVerdict(status="valid", reason="The mail server knows it")
        for person in self._some(people, 0.1):
            self._author.act(person, contact.ValidateEmail(at=act.at, verdict=verdict, **self._scope), act)
        act = self._act("person")
        for person in self._some(people, 0.05):
            email = person.state.email.text
            leave = contact.Unsubscribe(at=act.at, email=email, scope="client", reason="Too much mail", **self._scope)
            self._author.act(person, leave, act)

    def _mail(self, people: list[Work]) -> None:
        """Requested, attempted and sent to all; then what comes back, of each kind in no order."""
        key = campaign.key_of(self._author.scope.client_id, self._name)
        act = self._act("planner")
        drafted = campaign.SaveCampaign(at=act.at, external_key=self._name, content=self._content(), **self._scope)
        queue = campaign.QueueCampaign(at=act.at, sender_id="courses", sender="Courses <courses@example.com>")
        queued = self._author.carry_out(campaign.decider, key, [drafted, queue], act)
        begin = campaign.StartSnapshot(at=act.at, position=queued.position)
        self._author.carry_out(campaign.decider, key, [begin], act)
        mails = list(self._request(queued.number, people, act))
        taken = campaign.FinishSnapshot(at=act.at, recipient_count=len(mails), skipped_count=0)
        self._author.write()
        self._author.carry_out(campaign.decider, key, [taken], act)
        self._send(mails)
        self._author.write()
        act = self._act("planner")
        self._author.carry_out(campaign.decider, key, [campaign.FinishCampaign(at=act.at)], act)
        self._hear(mails, dict(zip(map(id, mails), people, strict=True)))

    def _content(self) -> CampaignContent:
        html = HTML.format(filler=FILLER, literal="")
        return CampaignContent(subject=f"News of {self._name}", html_body=html, include_tags=(TAGS[0],))

    def _request(self, campaign_id: int, people: list[Work], act: Act) -> Iterator[Work]:
        for person in people:
            number = message.campaign_message_number(campaign_id, person.number)
            mail = self._author.begin(message.of_campaign, number, of=person)
            plan = message.PlanMessage(at=act.at, campaign_id=campaign_id, contact_id=person.number)
            self._author.act(mail, plan, act)
            yield mail

    def _send(self, mails: list[Work]) -> None:
        """Fifty at a time, as SES takes them."""
        for start in range(0, len(mails), 50):
            act = self._act("sender", timedelta(milliseconds=20))
            for mail in mails[start : start + 50]:
                self._author.act(mail, message.AttemptMessage(at=act.at), act)
            for mail in mails[start : start + 50]:
                self._author.act(mail, message.ConfirmSent(at=act.at, ses_message_id=self._id()), act)

    def _hear(self, mails: list[Work], owners: dict[int, Work]) -> None:
        """One in fifty comes back for good, the others are delivered; two in five are opened, one in ten clicked."""
        act, ours = self._act("ses"), self._author.scope.organization_id
        for mail in self._some(mails, 1.0):
            if self._lot.random() < 0.02:
                self._author.act(owners[id(mail)], contact.RecordHardBounce(at=act.at, organization_id=ours), act)
                self._author.act(
                    mail, message.RecordBounce(at=act.at, event_id=self._id(), bounce_type="Permanent"), act
                )
            else:
                self._author.act(mail, message.RecordDelivery(at=act.at, event_id=self._id()), act)
        act = self._act("person")
        for mail in self._some(mails, 0.4):
            self._author.act(mail, message.RecordOpen(at=act.at), act)
        act = self._act("person")
        for mail in self._some(mails, 0.1):
            self._author.act(mail, message.RecordClick(at=act.at, link=1, url=LINK), act)

    def _subscribes(self, person: Work) -> bool:
        scope = self._author.scope
        return bool(person.state.subscriptions[scope.audience_id, scope.client_id].status == "subscribed")

    def _some(self, works: list[Work], share: float) -> list[Work]:
        return self._lot.sample(works, int(len(works) * share))

    def _act(self, source: str, later: timedelta = STEP) -> Act:
        self._now += later
        return Act(self._now, source)

    def _id(self) -> str:
        """An id as SES and SNS give them."""
        return str(UUID(int=self._lot.getrandbits(128), version=4))
