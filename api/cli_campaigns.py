"""Commands about a campaign and its contacts: why it mailed one or not, and whom it means at a moment."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime

import psycopg

from api.campaigns_audience import AudienceQuery, counts
from api.campaigns_evidence import evidence, explained
from api.campaigns_explained import Explanation, Fact
from api.cli_contacts import contact_number, given_moment, refused
from api.cli_messages import campaign_named
from api.cli_output import CommandError, say, table
from api.cli_tenants import tenants
from api.errors import Invalid
from api.moments import check_reached
from api.readers import read_query
from api.scalars import Errors
from config.settings import Settings
from domain.store.clock import position_at
from domain.store.history import Moment
from domain.store.log import Store
from projections.campaign_audience.preview import READS, previewed
from projections.checkpoint import reflected_position


def why(settings: Settings, given: Namespace) -> None:
    """Show each condition and rule as of the campaign's queueing, for a draft now, and the events of the mail."""
    with tenants(settings) as (store, directory):
        number, _ = campaign_named(store, directory, given)
        try:
            person = contact_number(store, given.contact)
        except Invalid as error:
            raise refused(error) from None
        said = evidence(store, number, person)
        found = explained(store, said)
    when = "when the campaign was queued" if found.queued else "now, for it is a draft"
    say(f"As of position {found.as_of}, {when}:")
    table(("rule", "outcome", "position", "time", "event"), weighed(found))
    say(f"Outcome: {found.outcome}")
    if found.sending is not None:
        say(f"Skipped right before it was sent: {found.sending.skip_reason}, {' '.join(behind(found.sending.because))}")
    say("")
    lines = [(str(each.position), clock(each.at), each.fact, detail(each.detail)) for each in found.message]
    table(("position", "time", "event", "detail"), lines)


def weighed(found: Explanation) -> list[tuple[str, ...]]:
    """Conditions and rules in their order; the first that holds back is the reason."""
    named = [(f"{each.condition} {each.value}".strip(), each) for each in found.conditions]
    rows: list[tuple[str, ...]] = [
        (name, "yes" if each.passes else "no: not meant", *behind(each.because)) for name, each in named
    ]
    if not found.conditions[0].passes:
        return [("known", "no: not a contact then, or in another audience", "-", "-", "-"), *rows]
    rows += [(each.rule, "passes" if each.passes else "holds back", *behind(each.because)) for each in found.rules]
    return rows


def behind(because: Fact | None) -> tuple[str, str, str]:
    """The event behind an outcome; dashes for none."""
    return ("-", "-", "-") if because is None else (str(because.position), clock(because.at), because.fact)


def detail(said: dict[str, str | int]) -> str:
    """What an event says besides its name."""
    return " ".join(map(str, said.values())) or "-"


def clock(at: datetime) -> str:
    """A time as a terminal shows it."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def audience(settings: Settings, given: Namespace) -> None:
    """Show how many the campaign means at a moment, how many of them get mail, and who, page by page."""
    with tenants(settings) as (store, directory):
        _, state = campaign_named(store, directory, given)
        try:
            page = page_named(given)
            position = reflected(store, given_moment(given.as_of, "as_of"))
        except Invalid as error:
            raise refused(error) from None
        after = page.cursor if isinstance(page.cursor, int) else 0
        preview = previewed(store, state, position, after=after, limit=page.limit)
    whole = counts(preview)
    say(f"As of position {position}:")
    skipped = [(f"skipped: {reason}", str(number)) for reason, number in whole.skipped_by_reason.items()]
    table(("audience", "contacts"), [("intended", str(whole.intended)), ("mailed", str(whole.mailed)), *skipped])
    say("")
    table(("contact", "outcome"), [(str(number), reason or "mailed") for number, reason in preview.page])
    if preview.more:
        say(f"More follow: --cursor {preview.page[-1].contact_id}")


def page_named(given: Namespace) -> AudienceQuery:
    """Which contacts to show. Raises Invalid as the API does."""
    errors: Errors = {}
    page = read_query(AudienceQuery, {"limit": given.limit, "cursor": given.cursor}, errors)
    if errors or page is None:
        raise Invalid(errors)
    return page


def reflected(store: Store, when: Moment | None) -> int:
    """The position to look at: that of the moment, or the one that the read models reflect.

    Raises Invalid for a moment that was not yet, CommandError where a read model has not come so far.
    """
    check_reached(when, "as_of", store.recorder.head())
    with psycopg.connect(store.conninfo) as connection:
        reached = min(reflected_position(connection, name) for name in READS)
    position = position_at(store, when) if isinstance(when, datetime) else when
    if position is not None and position > reached:
        raise CommandError(f"The read models have come to position {reached} only. Try again.")
    return reached if position is None else position
