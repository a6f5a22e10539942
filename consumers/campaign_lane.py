"""Campaign mail: takes what waits of each campaign that may send, as fast as SES allows."""

from __future__ import annotations

from time import monotonic
from typing import Final

from consumers.claims import CAMPAIGN_SENDERS, Claims
from consumers.flights import Flights
from consumers.ledger import Ledger, Ready, Scope, Scoped
from consumers.pace import Pace
from consumers.posting import Letter, Posting
from domain import audience, campaign
from domain.campaign import Campaign
from domain.campaign.mail import CampaignMail, compile_mail
from domain.decider import Rejected
from domain.eligibility import campaign_skip_reason
from domain.links import UnsubscribeLink
from domain.mailbox import Mailbox, mailbox
from domain.store.log import Store
from domain.tracking import Site

CHUNK: Final = 250
"""Mails attempted at once; a crash can leave two chunks unconfirmed."""
LOOK_EVERY: Final = 0.25
"""Seconds for which a look at a campaign holds: it is paused and cancelled within a second."""
SENDABLE: Final = frozenset({"sending", "sent"})
"""Phases in which mail may go out; what an operator releases may go when all the rest is done."""
OVER: Final = frozenset({"cancelled", "failed"})


class CampaignLane:
    """The lane of one sender."""

    name = "datamailer.campaign_sender"
    senders = CAMPAIGN_SENDERS
    share = 0.9

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._ledger = Ledger(store)
        self._site = site
        self._mails: dict[int, CampaignMail] = {}
        self._seen: dict[int, tuple[float, Campaign]] = {}
        self._over: set[int] = set()
        self._flights = Flights(self._ledger)

    def work(self, claims: Claims, posting: Posting, pace: Pace) -> bool:
        """Send a chunk of each campaign that may send."""
        waiting = [number for number in claims.campaigns() if number not in self._over]
        self._mails = {number: mail for number, mail in self._mails.items() if number in waiting}
        busy = False
        for number in waiting:
            state = self._look(number)
            if state.phase in OVER:
                self._over.add(number)
            elif state.phase in SENDABLE and not state.paused:
                busy |= self._send(claims, posting, pace, number, state)
        if not busy and self._flights:
            self.land(claims, pace)
            return True
        return busy

    def land(self, claims: Claims, pace: Pace) -> None:
        """Wait for what is in the air, and settle it."""
        self._flights.land(claims, pace)

    def _look(self, number: int) -> Campaign:
        """The campaign as it was a moment ago."""
        at, state = self._seen.get(number, (-LOOK_EVERY, Campaign()))
        if monotonic() - at >= LOOK_EVERY:
            [loaded] = self._store.load(campaign.decider, numbers=[number])
            state = loaded.state
            self._seen[number] = (monotonic(), state)
        return state

    def _send(self, claims: Claims, posting: Posting, pace: Pace, number: int, state: Campaign) -> bool:
        mail = self._mail(number, state)
        leave = pace.take(CHUNK if mail.is_bulk else self._flights.chunk(CHUNK))
        claimed = claims.take(number, leave) if leave else []
        if not claimed:
            pace.give_back(leave)
            return False
        contacts = self._ledger.contacts(claimed)
        scope = Scope(state.organization_id, state.client_id)
        where = (state.audience_id, state.client_id, state.content.category_tag if state.content else "")
        scoped = [Scoped(each, scope, campaign_skip_reason(contacts[each.contact_id], *where)) for each in claimed]
        ready = self._flights.attempt(claims, pace, scoped, contacts)
        pace.give_back(leave - len(ready))
        writable, broken = parted(ready)
        self._ledger.fail([(each.claimed, each.scope, "unsupported") for each in broken])
        self._flights.launch(writable, posting.letters(mail, [letter(state, each) for each in writable]))
        return True

    def _mail(self, number: int, state: Campaign) -> CampaignMail:
        """The campaign's mail, compiled once: it is frozen."""
        if number not in self._mails:
            [loaded] = self._store.load(audience.decider, numbers=[state.audience_id])
            if state.content is None:
                raise Rejected("not_found", "external_key")
            self._mails[number] = compile_mail(
                state.content,
                sender=mailbox(state.sender),
                audience_name=loaded.state.name,
                site=self._site,
            )
        return self._mails[number]


def parted(ready: list[Ready]) -> tuple[list[Ready], list[Ready]]:
    """Part those whose address SES can write to from the others: it takes no local part beyond ASCII."""
    writable: list[Ready] = []
    broken: list[Ready] = []
    for each in ready:
        email = each.contact.email
        local = email.text.partition("@")[0] if email else ""
        (writable if local and local.isascii() else broken).append(each)
    return writable, broken


def letter(state: Campaign, ready: Ready) -> Letter:
    """The campaign's mail to one contact."""
    stream, contact_id = ready.claimed
    email = ready.contact.email
    out = UnsubscribeLink(stream, state.organization_id, state.audience_id, state.client_id, contact_id)
    return Letter(ready.claimed, Mailbox(email.text if email else ""), out)
