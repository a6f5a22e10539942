"""The consent proof as a page for people, to be read on a screen and printed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

from domain.chain import Json

HTML: Final = "text/html"
HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept"),
)

WORDS: Final = {
    "contact.registered": "The address became known",
    "contact.addressed": "A message was addressed to the contact",
    "contact.awaiting_confirmation": "Asked to confirm the subscription",
    "contact.subscribed": "Subscribed",
    "contact.resubscribed": "Subscribed again after leaving",
    "contact.unsubscribed": "Unsubscribed",
    "contact.unsubscribe_explained": "Gave another reason for unsubscribing",
    "contact.globally_unsubscribed": "Unsubscribed from all marketing mail",
    "contact.global_unsubscribe_lifted": "The unsubscription from all marketing mail was taken back",
    "contact.hard_bounced": "Mail to the address bounced for good",
    "contact.hard_bounce_lifted": "The record of the bounce was taken back",
    "contact.complained": "Reported mail as spam",
    "contact.complaint_lifted": "The record of the complaint was taken back",
    "contact.verified": "Confirmed the address",
    "contact.verification_withdrawn": "The proof of the address was taken back",
    "contact.category_enabled": "Accepted mail of a category",
    "contact.category_disabled": "Refused mail of a category",
    "contact.subscription_withdrawn": "A subscription that an import had made was taken back",
    "contact.subscription_restored": "A subscription that an import had changed was put back",
    "contact.erased": "The organization's personal data was erased",
}
"""What each fact is called on the page."""

ACTORS: Final = {
    "person": "the person",
    "operator": "an operator of the service",
    "ses": "the mail service",
    "system": "the service itself",
    "another_organization": "another organization",
}


@cache
def template() -> Template:
    """The page's template; everything that it is given is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("api") / "consent.html").read_text(encoding="utf-8"))


def page(document: Json) -> str:
    """The whole page."""
    return template().render(document=document, words=WORDS, actors=ACTORS)
