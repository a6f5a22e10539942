"""Commands about one contact: what it was at a moment, what changed between two, and whether a consent proof holds."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from api.cli_output import CommandError, say, table
from api.cli_tenants import client_named, tenants
from api.cloud_events import cloud_events
from api.consent_check import verdict
from api.contact_moments import ContactThen, Watched, watched
from api.directory import Directory
from api.errors import Invalid
from api.moments import moment
from config.settings import Settings
from domain import contact as c
from domain.contact import view
from domain.decider import Rejected
from domain.email_address import normalize
from domain.store.history import Moment
from domain.store.log import Store


def show(settings: Settings, arguments: Namespace) -> None:
    """Show the contact payload as of a moment, as JSON."""
    with tenants(settings) as (store, directory):
        try:
            when = given_moment(arguments.as_of, "as_of")
            then = found(store, directory, arguments).at(when, "as_of")
        except Invalid as error:
            raise refused(error) from None
    fields = msgspec.structs.asdict(then.payload)
    say(pretty(ContactThen(**fields, as_of=when, position=then.position)))


def diff(settings: Settings, arguments: Namespace) -> None:
    """Show the fields that differ between two moments, and the events between."""
    with tenants(settings) as (store, directory):
        try:
            begin, end = given_moment(getattr(arguments, "from"), "from"), given_moment(arguments.to, "to")
            difference = found(store, directory, arguments).between(begin, end)
        except Invalid as error:
            raise refused(error) from None
        events = cloud_events(difference.events, directory)
    rows = [(change.field, word(change.before), word(change.after)) for change in difference.changes]
    table(("field", "before", "after"), rows)
    say("")
    lines = [(event.id, f"{event.time:%Y-%m-%d %H:%M:%S}Z", event.type, str(event.origin or "")) for event in events]
    table(("position", "time", "event", "source"), lines)


def verify(settings: Settings, arguments: Namespace) -> None:
    """Check a consent proof's chain, its seal, and that it agrees with the log."""
    try:
        text = Path(arguments.file).read_bytes()
    except OSError as error:
        raise CommandError(f"{arguments.file}: {error.strerror}") from None
    with tenants(settings) as (store, directory):
        held = verdict(text, store, directory)
    if held.flaws:
        raise CommandError("\n".join(["The document does not hold:", *(f"- {flaw}" for flaw in held.flaws)]))
    say(f"The document is as it was issued and agrees with the log: {held.facts} facts.")
    if held.erased:
        say(f"{held.erased} of its texts were erased since, and stand in the log no more.")
    if held.later:
        say(f"The log has {held.later} facts from after it.")


def found(store: Store, directory: Directory, arguments: Namespace) -> Watched:
    """The contact that the arguments name, by its id or address. Raises Invalid and CommandError."""
    client = client_named(directory, arguments.client, arguments.organization)
    audience = directory.audience(client.organization_id, arguments.audience)
    if audience is None:
        raise Invalid({"audience": "not_found"})
    scope = view.Names(audience.number, client.number, audience.slug, client.slug)
    return watched(store, contact_number(store, arguments.contact), scope, client.organization_id)


def contact_number(store: Store, text: str) -> int:
    """The id of a contact, 0 when there is none. Raises Invalid for what is neither an id nor an address."""
    if text.isascii() and text.isdecimal():
        return min(int(text), 2**53)
    try:
        email = normalize(text)
    except Rejected:
        raise Invalid({"contact": "invalid"}) from None
    return store.load(c.decider, keys=[email])[0].number


def given_moment(text: str, field: str) -> Moment | None:
    """The moment that an argument names, None for an empty one. Raises Invalid."""
    return moment(text or UNSET, field, datetime.now(UTC))


def refused(error: Invalid) -> CommandError:
    """The wrong arguments, for a terminal."""
    return CommandError(", ".join(f"{field}: {code}" for field, code in error.fields.items()))


def pretty(value: Any) -> str:
    """JSON laid out for reading."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def word(value: Any) -> str:
    """A value in a table; nothing is a dash."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, list | tuple):
        return " ".join(value) or "-"
    return "-" if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)
