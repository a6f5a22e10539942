"""The page on which a person leaves a list: plain HTML that needs no JavaScript and loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from api.answer import Answer
from domain.contact import UnsubscribeScope

HTML: Final = b"text/html; charset=utf-8"
HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"vary", b"Accept"),
)
LEAVING: Final = "Unsubscribe"
LEFT: Final = "You have unsubscribed"


class Choice(NamedTuple):
    """A scope to leave, in words, and whether that was done before."""

    scope: UnsubscribeScope
    name: str
    left: bool
    chosen: bool = False


@cache
def template() -> Template:
    """The page's template; everything that it is given is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("api") / "unsubscribe.html").read_text(encoding="utf-8"))


def page(
    title: str,
    *,
    status: int = 200,
    problem: str = "",
    done: str = "",
    address: str = "",
    choices: Sequence[Choice] = (),
) -> Answer:
    """The page as an answer."""
    text = template().render(title=title, problem=problem, done=done, address=address, choices=choices)
    return Answer(body=text.encode(), status=status, content_type=HTML, headers=HEADERS)


def gone() -> Answer:
    """The link is none of ours, or the person's data was erased since: there is nothing to leave."""
    problem = (
        "It may be incomplete: try to copy the whole of it from the mail. "
        "If your data was erased, no list has your address any more."
    )
    return page("This link leads nowhere", status=404, problem=problem)


def unreachable() -> Answer:
    """The event store cannot be reached."""
    return page("Please try again in a moment", status=503, problem="Your choice could not be recorded just now.")


def masked(address: str) -> str:
    """An address that its owner knows again; a mail may have been forwarded, and its links with it."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
