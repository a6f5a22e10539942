"""The demo data of the documented examples: two organizations, three clients with known keys, a contact in every state.

Adding it again changes nothing: what is there stays as it has become since. The keys are public, so the data is added
only where somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from api.demo_contacts import PEOPLE
from api.directory import Directory, loaded
from api.tenancy import Deed, key_pepper
from domain import api_key, contact
from domain.sender import Sender
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order

ORGANIZATIONS = {"datatalksclub": "DataTalksClub", "ai-shipping-labs": "AI Shipping Labs"}

AUDIENCES = {
    "datatalks-club": ("datatalksclub", "DataTalks.Club"),
    "dtc-courses": ("datatalksclub", "DataTalks.Club courses"),
    "ai-shipping-labs": ("ai-shipping-labs", "AI Shipping Labs"),
}

CLIENTS = {
    "dtc-newsletter": ("datatalksclub", "DataTalksClub newsletter"),
    "dtc-courses": ("datatalksclub", "DataTalksClub courses platform"),
    "asl-platform": ("ai-shipping-labs", "AI Shipping Labs platform"),
}

KEYS = {
    "dtc-newsletter": "dm_dtcnews_demo_newsletter_import_export_key",
    "dtc-courses": "dm_dtccourses_demo_transactional_email_key",
    "asl-platform": "dm_aslplatform_demo_transactional_email_key",
}
KEY_NAME = "demo"

SENDERS = {
    "dtc-newsletter": Sender("newsletter", "DataTalks.Club <newsletter@datatalksclub.example>"),
    "dtc-courses": Sender("courses", "DataTalks.Club courses <courses@datatalksclub.example>"),
    "asl-platform": Sender("hello", "AI Shipping Labs <hello@aishippinglabs.example>"),
}


class DemoError(Exception):
    """The store did not take a part of the demo data."""


def add_demo(store: Store) -> None:
    """Add what is missing of the demo data. Raises DemoError, and Unavailable when the store cannot be reached."""
    now = datetime.now(UTC)
    directory = add_tenants(store, now)
    states = store.load(contact.decider, keys=list(PEOPLE))
    missing = [email for email, known in zip(PEOPLE, states, strict=True) if known.state.email is None]
    handle(store, (relation(directory, now, email, *each) for email in missing for each in PEOPLE[email]))


def add_tenants(store: Store, now: datetime) -> Directory:
    """Add organizations, audiences, clients and keys."""
    deed = Deed(Context(source="cli"), now)
    known = loaded(store)
    new = {slug: name for slug, name in ORGANIZATIONS.items() if slug not in known.organizations}
    handle(store, (deed.create_organization(slug, name) for slug, name in new.items()))
    owners = loaded(store).organizations
    lists = [(owners[owner], slug, name) for slug, (owner, name) in AUDIENCES.items()]
    handle(store, (deed.create_audience(*each) for each in lists if (each[0].number, each[1]) not in known.audiences))
    apps = [(owners[owner], slug, name) for slug, (owner, name) in CLIENTS.items()]
    handle(store, (deed.create_client(*each) for each in apps if (each[0].number, each[1]) not in known.clients))
    add_keys_and_senders(store, deed, loaded(store))
    return loaded(store)


def add_keys_and_senders(store: Store, deed: Deed, known: Directory) -> None:
    """Issue each demo key with its client's sender; a key that was revoked since stays revoked."""
    pepper = key_pepper(store)
    orders = []
    for slug, text in KEYS.items():
        key = api_key.parse(text)
        app = known.clients[known.organizations[CLIENTS[slug][0]].number, slug]
        if key is not None and key.public_id not in app.keys:
            orders.append(deed.issue_key(app, key, pepper, name=KEY_NAME, notes="the key of the documented examples"))
            orders.append(deed.replace_senders(app, (SENDERS[slug],), SENDERS[slug].id))
    handle(store, orders)


def relation(
    known: Directory, now: datetime, email: str, audience_slug: str, client_slug: str, said: dict[str, Any]
) -> Order:
    """An upsert of a demo contact; without a client slug, of its relation with the audience as a whole."""
    owner = known.organizations[AUDIENCES[audience_slug][0]].number
    audience_id = known.audiences[owner, audience_slug].number
    client_id = known.clients[owner, client_slug].number if client_slug else 0
    command = contact.UpsertContact(
        at=now, organization_id=owner, audience_id=audience_id, client_id=client_id, email=email, **said
    )
    context = Context(organization_id=owner, client_id=client_id, source="cli")
    return Order(decider=contact.decider, command=command, context=context, key=email)


def handle(store: Store, orders: Iterable[Order]) -> None:
    """Carry orders out. Raises DemoError unless all are accepted."""
    for outcome in store.handle(*orders):
        if not isinstance(outcome, Accepted):
            raise DemoError(outcome)
