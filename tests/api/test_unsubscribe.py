"""The way out of a list: the page, and the one click of RFC 8058 (contract, Public routes)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.unsubscribe_page import masked
from domain import contact, message
from domain.links import Signer, UnsubscribeLink
from domain.store.log import Store
from tests.api.posted import Posted, accept, posted
from tests.api.serving import MASTER_KEY_TEXT, Served, fields
from tests.store.conftest import CONTEXT, NOON

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SCOPES = ["client", "audience", "global"]


@pytest.fixture(scope="module")
def store(demo_database: str) -> Iterator[Store]:
    store = Store(demo_database, MASTER_KEY_TEXT)
    yield store
    store.close()


@pytest.fixture(params=[False, True], ids=["campaign", "transactional"])
def mail(store: Store, request: pytest.FixtureRequest) -> Posted:
    return posted(store, transactional=request.param)


class Page(HTMLParser):
    """What a person, or a program that reads it aloud, finds on the page."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.scopes: list[str] = []
        self.chosen: list[str] = []
        self.tags: set[str] = set()
        self.roles: list[str] = []
        self.methods: list[str | None] = []
        self.loads: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            self.methods.append(said.get("method"))
        if said.get("name") == "scope":
            self.scopes.append(said["value"] or "")
            self.chosen += [said["value"] or ""] if "checked" in said else []
        self.roles += [said["role"] or ""] if "role" in said else []
        self.loads += [name for name in ("src", "href", "action", "onclick") if name in said]


def left(mail: Posted) -> list[str]:
    """The scopes that the contact has left."""
    state = mail.contact
    ended = {scope for scope, subscription in state.subscriptions.items() if subscription.status == "unsubscribed"}
    held = {
        "client": (mail.audience_id, mail.client_id) in ended,
        "audience": (mail.audience_id, 0) in ended,
        "global": mail.organization_id in state.global_unsubscribes,
    }
    return [scope for scope in SCOPES if held[scope]]


def test_looking_leaves_nothing(anybody: httpx.Client, mail: Posted) -> None:
    head = mail.store.recorder.head()
    for _ in range(2):
        answer = anybody.get(mail.way_out, headers=BROWSER)
        assert answer.status_code == 200
    assert anybody.head(mail.way_out).status_code == 200
    assert anybody.get(f"{mail.way_out}?List-Unsubscribe=One-Click&scope=global").status_code == 200
    assert (left(mail), mail.store.recorder.head()) == ([], head)


def test_the_page_is_one_that_everybody_can_use(anybody: httpx.Client, mail: Posted) -> None:
    answer = anybody.get(mail.way_out)
    page = Page(answer)
    assert (page.scopes, page.chosen, page.methods) == (SCOPES, ["client"], ["post"])
    assert {"label", "fieldset", "legend", "main", "h1", "title", "button"} <= page.tags
    assert not page.tags & {"script", "img", "link", "iframe"}
    assert page.loads == []
    assert '<html lang="en">' in answer.text
    assert "DataTalksClub courses platform" in answer.text
    assert mail.email not in answer.text, "a mail is forwarded with its links"
    assert "r…@example.com" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("scope", SCOPES)
def test_the_form_leaves_what_was_picked(anybody: httpx.Client, store: Store, scope: str) -> None:
    mail = posted(store, transactional=scope == "audience")
    for _ in range(2):
        answer = anybody.post(mail.way_out, data={"scope": scope}, headers=BROWSER)
        assert answer.status_code == 200
        assert "status" in Page(answer).roles
        assert Page(answer).scopes == [other for other in SCOPES if other != scope]
    assert left(mail) == [scope]
    assert [(source, event.scope) for source, event in mail.events()] == [("person", scope)]
    assert isinstance(mail.events()[0][1], message.MessageUnsubscribed)
    told = [each for each in mail.store.read(0, 1_000_000) if each.stream.int & 0xFFFF_FFFF == mail.contact_id]
    assert [each.source for each in told][-1] == "person"
    shown = anybody.get(mail.way_out).text
    assert shown.count("You have left this already.") == 1
    assert shown.count("You have not left this.") == 2


def test_every_scope_one_after_the_other(anybody: httpx.Client, mail: Posted) -> None:
    for number, scope in enumerate(SCOPES):
        answer = anybody.post(mail.way_out, data={"scope": scope}, headers=BROWSER)
        assert Page(answer).scopes == SCOPES[number + 1 :]
    assert left(mail) == SCOPES
    assert Page(anybody.get(mail.way_out)).chosen == []


def test_one_click_leaves_the_clients_list_at_once(anybody: httpx.Client, mail: Posted) -> None:
    for _ in range(2):
        assert anybody.post(mail.way_out, data=ONE_CLICK).status_code == 200
    assert left(mail) == ["client"]
    assert [event.scope for _, event in mail.events()] == ["client"]


def test_one_click_as_multipart(anybody: httpx.Client, mail: Posted) -> None:
    parts = {name: (None, text) for name, text in ONE_CLICK.items()}
    assert anybody.post(mail.way_out, files=parts).status_code == 200
    assert left(mail) == ["client"]


def test_many_clicks_at_once_are_one(served: Served, mail: Posted) -> None:
    async def click_all() -> set[int]:
        async with httpx.AsyncClient(base_url=served.base_url, timeout=30) as client:
            answers = await asyncio.gather(*(client.post(mail.way_out, data=ONE_CLICK) for _ in range(30)))
        return {answer.status_code for answer in answers}

    assert asyncio.run(click_all()) == {200}
    assert left(mail) == ["client"]
    assert len(mail.events()) == 1


def test_it_is_said_what_is_missing(anybody: httpx.Client, mail: Posted) -> None:
    for said, code in (({}, "required"), ({"scope": "everything"}, "invalid"), ({"List-Unsubscribe": "x"}, "required")):
        shown = anybody.post(mail.way_out, data=said, headers=BROWSER)
        assert (shown.status_code, Page(shown).roles, Page(shown).scopes) == (400, ["alert"], SCOPES)
        answer = anybody.post(mail.way_out, data=said)
        assert (answer.status_code, fields(answer)) == (400, {"scope": code})
    assert left(mail) == []


def test_bodies_that_are_no_form(anybody: httpx.Client, mail: Posted) -> None:
    broken = anybody.post(mail.way_out, content=b"x", headers={"Content-Type": "multipart/form-data; boundary=a"})
    assert (broken.status_code, fields(broken)) == (400, {"body": "invalid"})
    many = anybody.post(mail.way_out, content=b"a=1&" * 30)
    assert (many.status_code, fields(many)) == (400, {"body": "invalid"})
    assert anybody.post(mail.way_out, content=b"a" * 20_000).status_code == 413
    assert left(mail) == []


def test_a_link_that_leads_nowhere(anybody: httpx.Client, mail: Posted) -> None:
    good = mail.way_out
    foreign = Signer(b"the key of quite another service").unsubscribe(UnsubscribeLink(mail.stream, 1, 1, 1, 1))
    paths = [
        good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1],
        f"/unsubscribe/{foreign}",
        f"/unsubscribe/{mail.signer.open(mail.stream)}",
        "/unsubscribe/x",
    ]
    for path in paths:
        for answer in (anybody.get(path), anybody.post(path, data={"scope": "global"}, headers=BROWSER)):
            assert answer.status_code == 404
            assert (Page(answer).roles, Page(answer).scopes) == (["alert"], [])
        assert fields(anybody.post(path, data=ONE_CLICK)) == {"token": "not_found"}
    assert left(mail) == []


def test_an_erased_person_has_nothing_to_leave(anybody: httpx.Client, mail: Posted) -> None:
    erase = contact.EraseContact(at=NOON, organization_id=mail.organization_id)
    accept(mail.store, CONTEXT, contact.decider, erase, number=mail.contact_id)
    head = mail.store.recorder.head()
    assert anybody.get(mail.way_out).status_code == 404
    assert anybody.post(mail.way_out, data={"scope": "global"}, headers=BROWSER).status_code == 404
    assert fields(anybody.post(mail.way_out, data=ONE_CLICK)) == {"token": "not_found"}
    assert mail.store.recorder.head() == head


def test_mail_beside_every_list_is_left_as_a_whole(anybody: httpx.Client, mail: Posted) -> None:
    alone = mail._replace(audience_id=0)
    assert Page(anybody.get(alone.way_out)).scopes == ["global"]
    assert fields(anybody.post(alone.way_out, data={"scope": "client"})) == {"scope": "invalid"}
    assert anybody.post(alone.way_out, data=ONE_CLICK).status_code == 200
    assert left(mail) == ["global"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60) | st.sampled_from([b"scope=client%00", b"scope=%FF", b"scope=client&scope=x"]),
    kind=st.sampled_from(
        ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    ),
)
def test_odd_bodies_leave_nothing(anybody: httpx.Client, store: Store, body: bytes, kind: str) -> None:
    known = accept(store, CONTEXT, contact.decider, REGISTER, key=REGISTER.email)
    link = UnsubscribeLink(posted_once(store).stream, 1, 1, 1, known)
    path = f"/unsubscribe/{Signer(store.keyring.secret('links')).unsubscribe(link)}"
    head = store.recorder.head()
    answer = anybody.post(path, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["fields"]
    assert store.recorder.head() == head


REGISTER = contact.RegisterContact(at=NOON, organization_id=1, email="odd-bodies@example.com")
ONCE: list[Posted] = []


def posted_once(store: Store) -> Posted:
    """One mail for all examples."""
    if not ONCE:
        ONCE.append(posted(store))
    return ONCE[0]


@given(local=st.text(min_size=1).filter(lambda text: "@" not in text))
def test_a_masked_address_tells_one_character(local: str) -> None:
    assert re.fullmatch(r".?…@example\.com", masked(f"{local}@example.com"), re.DOTALL)
