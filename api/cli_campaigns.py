"""Why a campaign mailed a person or not: the rules as of its snapshot, and what became of the mail, from the log."""

from __future__ import annotations

from argparse import Namespace

from api.cli_contacts import contact_number, refused
from api.cli_messages import campaign_named
from api.cli_output import CommandError, say, table
from api.cli_tenants import tenants
from api.errors import Invalid
from config.settings import Settings
from domain import contact, message
from domain.campaign import Campaign
from domain.contact import Contact
from domain.decider import EVENT_TYPES
from domain.eligibility import CAMPAIGN, candidate, is_intended
from domain.message import campaign_message_number
from domain.store.history import read_stream


def why(settings: Settings, given: Namespace) -> None:
    """Show each rule's outcome as of the campaign's snapshot, then the events of the mail."""
    with tenants(settings) as (store, directory):
        number, state = campaign_named(store, directory, given)
        if state.position is None:
            raise CommandError("campaign: no snapshot yet")
        try:
            person = contact_number(store, given.contact)
        except Invalid as error:
            raise refused(error) from None
        then = store.load(contact.decider, numbers=[person], as_of=state.position)[0].state
        events = read_stream(store, message.of_campaign.kind, campaign_message_number(number, person)).events
    say(f"As of position {state.position}, when the campaign was queued:")
    table(("rule", "outcome"), outcomes(then, state))
    say("")
    lines = [(str(r.position), f"{e.at:%Y-%m-%d %H:%M:%S}Z", EVENT_TYPES[type(e)].name) for r, e in events]
    details = [str(getattr(e, "reason", getattr(e, "code", ""))) or "-" for _, e in events]
    table(("position", "time", "event", "detail"), [(*line, why) for line, why in zip(lines, details, strict=True)])


def outcomes(then: Contact, state: Campaign) -> list[tuple[str, str]]:
    """Each condition in its order; the first that holds back is the reason."""
    content = state.content
    if content is None or then.email is None:
        return [("known", "no: not a contact then, or erased since")]
    here = any(audience == state.audience_id for audience, _ in then.subscriptions)
    meant = is_intended(then.tags.get(state.audience_id, frozenset()), content.include_tags, content.exclude_tags)
    asked = candidate(then, state.audience_id, state.client_id, content.category_tag)
    rows = [("in the audience", "yes" if here else "no: not meant"), ("tags", "yes" if meant else "no: not meant")]
    return rows + [(reason, "holds back" if holds(asked) else "passes") for reason, holds in CAMPAIGN]
