"""The open pixel and the tracked links (contract, Public routes)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.tracking import GIF, destination
from domain import contact, message
from domain.links import Signer
from domain.store.log import Store
from tests.api.posted import Posted, accept, posted
from tests.api.serving import MASTER_KEY_TEXT, Served
from tests.store.conftest import CONTEXT, NOON

URL = "https://example.com/a?b=1&c=%2F#d"
FOREIGN = Signer(b"the key of quite another service")
PAGES = st.from_regex(r"https?://[a-z0-9.]{1,20}(/[^\x00-\x20\x7f]{0,60})?", fullmatch=True)


@pytest.fixture(scope="module")
def store(demo_database: str) -> Iterator[Store]:
    store = Store(demo_database, MASTER_KEY_TEXT)
    yield store
    store.close()


@pytest.fixture(params=[False, True], ids=["campaign", "transactional"])
def mail(store: Store, request: pytest.FixtureRequest) -> Posted:
    return posted(store, transactional=request.param)


def pixel(token: str) -> str:
    return f"/t/o/{token}.gif"


def test_the_pixel_records_every_opening(anybody: httpx.Client, mail: Posted) -> None:
    path = pixel(mail.signer.open(mail.stream))
    for _ in range(3):
        answer = anybody.get(path)
        assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "image/gif", GIF)
        assert answer.headers["Cache-Control"] == "no-store"
    assert mail.state.open_count == 3
    assert {(source, type(event)) for source, event in mail.events()} == {("person", message.MessageOpened)}
    assert mail.state.sent_at is None, "who opens a mail proves nothing to the ledger of sending"


def test_looking_with_head_is_no_opening_and_no_click(anybody: httpx.Client, mail: Posted) -> None:
    assert anybody.head(pixel(mail.signer.open(mail.stream))).status_code == 200
    assert anybody.head(f"/t/c/{mail.signer.click(mail.stream, 0, URL)}").headers["Location"] == URL
    assert mail.events() == []


def test_the_openings_belong_to_whose_mail_it_is(anybody: httpx.Client, mail: Posted) -> None:
    assert anybody.get(pixel(mail.signer.open(mail.stream))).status_code == 200
    last = [each for each in mail.store.read(0, 1_000_000) if each.stream == mail.stream][-1]
    assert (last.organization_id, last.client_id, last.contact_id) == (
        mail.organization_id,
        mail.client_id,
        mail.contact_id,
    )


def test_a_pixel_without_a_message_is_a_picture_all_the_same(anybody: httpx.Client, mail: Posted) -> None:
    good = mail.signer.open(mail.stream)
    nobody = UUID(int=mail.stream.int + 1_000_000)
    tokens = (good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1], FOREIGN.open(mail.stream), "x")
    for token in (*tokens, mail.signer.open(nobody), mail.signer.click(mail.stream, 0, URL)):
        answer = anybody.get(pixel(token))
        assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (404, GIF, "no-store")
    assert anybody.get(f"/t/o/{good}").status_code == 404
    assert mail.events() == []


def test_many_openings_at_once_all_count(served: Served, mail: Posted) -> None:
    async def open_all() -> list[int]:
        async with httpx.AsyncClient(base_url=served.base_url, timeout=30) as client:
            path = pixel(mail.signer.open(mail.stream))
            answers = await asyncio.gather(*(client.get(path) for _ in range(150)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(open_all()) == [200] * 150
    assert mail.state.open_count == 150


def test_a_click_leads_to_the_page_and_is_recorded(anybody: httpx.Client, mail: Posted) -> None:
    answer = anybody.get(f"/t/c/{mail.signer.click(mail.stream, 7, URL)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    [(source, event)] = mail.events()
    assert (source, event.link, event.url.text) == ("person", 7, URL)
    assert mail.state.click_count == 1


def test_a_click_after_the_erasure_keeps_no_page(anybody: httpx.Client, mail: Posted) -> None:
    erase = contact.EraseContact(at=NOON, organization_id=mail.organization_id)
    accept(mail.store, CONTEXT, contact.decider, erase, number=mail.contact_id)
    answer = anybody.get(f"/t/c/{mail.signer.click(mail.stream, 0, URL)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    [(_, event)] = mail.events()
    assert (event.link, event.url) == (0, None)


def test_no_click_leads_elsewhere(anybody: httpx.Client, mail: Posted) -> None:
    good = mail.signer.click(mail.stream, 0, URL)
    tokens = [good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1], good + "A", FOREIGN.click(mail.stream, 0, URL)]
    tokens += [mail.signer.open(mail.stream), "x", "https:%2F%2Fevil.example"]
    tokens += [mail.signer.click(mail.stream, 0, url) for url in ("javascript:alert(1)", "//evil.example", "/x", "x")]
    for token in tokens:
        answer = anybody.get(f"/t/c/{token}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_tracking_redirect"), token
        assert "Location" not in answer.headers
    assert anybody.get(f"/t/c/{good}?url=https://evil.example").headers["Location"] == URL


@given(url=PAGES)
@example(url="https://exämple.com/ü?q=ß#é")
@example(url="https://example.com/%zz%20{}|\\^`")
def test_a_page_stands_in_one_header_line_as_it_was(url: str) -> None:
    place = destination(url)
    if place is None:
        return
    assert place.isascii()
    assert not set(place) & set(b"\r\n\0 ")
    assert place == url.encode() if url.isascii() else place.startswith(b"http")


@given(url=st.text())
@example(url="https://example.com/\r\nSet-Cookie: a=b")
@example(url="https://[::1")
def test_what_is_no_page_leads_nowhere(url: str) -> None:
    place = destination(url)
    assert place is None or (place.startswith((b"http://", b"https://")) and b"\n" not in place and b"\r" not in place)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_odd_tokens(anybody: httpx.Client, token: str) -> None:
    quoted = quote(token, safe="")
    assert anybody.get(pixel(quoted)).status_code == 404
    assert anybody.get(f"/t/c/{quoted}").status_code in {400, 404}
