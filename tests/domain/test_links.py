"""Tokens: what was signed is read back, anything else is nothing."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.links import ClickLink, Link, OpenLink, Signer, UnsubscribeLink

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
SIGNER = Signer(KEY)
STREAM = UUID(int=8 << 96 | 5 << 48 | 77)
URL = "https://example.com/kurs?name=ä&x=1#top"
OPEN, CLICK = OpenLink(STREAM), ClickLink(STREAM, 3, URL)
UNSUBSCRIBE = UnsubscribeLink(STREAM, 1, 2, 3, 77)


def token_of(link: Link, signer: Signer = SIGNER) -> str:
    match link:
        case OpenLink():
            return signer.open(link.stream)
        case ClickLink():
            return signer.click(link.stream, link.number, link.url)
        case UnsubscribeLink():
            return signer.unsubscribe(link)


def readers(signer: Signer = SIGNER) -> dict[type[Link], Callable[[str], Link | None]]:
    return {OpenLink: signer.opened, ClickLink: signer.clicked, UnsubscribeLink: signer.unsubscribing}


@pytest.mark.parametrize("link", [OPEN, CLICK, UNSUBSCRIBE])
def test_a_token_is_read_for_its_own_purpose_only(link: Link) -> None:
    token = token_of(link)
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    for kind, read in readers().items():
        assert read(token) == (link if kind is type(link) else None)


@pytest.mark.parametrize("link", [OPEN, CLICK, UNSUBSCRIBE])
def test_another_key_opens_nothing_and_an_older_one_does(link: Link) -> None:
    token = token_of(link)
    assert readers(Signer(OTHER_KEY))[type(link)](token) is None
    assert readers(Signer(OTHER_KEY, KEY))[type(link)](token) == link
    assert token_of(link, Signer(OTHER_KEY, KEY)) != token


@pytest.mark.parametrize("link", [OPEN, CLICK, UNSUBSCRIBE])
def test_no_other_spelling_is_read(link: Link) -> None:
    token, read = token_of(link), readers()[type(link)]
    for n, c in enumerate(token):
        for other in "A", "b", "_", "=", "%", " ", "é":
            assert other == c or read(token[:n] + other + token[n + 1 :]) is None
    last = [token[:-1] + c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert [read(other) for other in last if read(other) is not None] == [link]
    for wrong in "", token[:-1], token + "A", token + "=", token + "\n", token * 2, "A" * 20_000:
        assert read(wrong) is None


def test_the_destination_cannot_be_exchanged() -> None:
    raw = urlsafe_b64decode(SIGNER.click(STREAM, 3, URL) + "==")
    forged = raw.replace(b"example.com", b"evil.invalid"[:11])
    assert SIGNER.clicked(urlsafe_b64encode(forged).decode().rstrip("=")) is None


@given(st.binary(max_size=90))
def test_garbage_is_nothing(data: bytes) -> None:
    token = urlsafe_b64encode(data).decode().rstrip("=")
    assert all(read(token) is None for read in readers().values())


ids = st.integers(0, 2**53)
streams = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
links: st.SearchStrategy[Link] = st.one_of(
    st.builds(OpenLink, streams),
    st.builds(ClickLink, streams, st.integers(0, 65_535), texts),
    st.builds(UnsubscribeLink, streams, ids, ids, ids, ids),
)


@given(links)
@settings(max_examples=100)
def test_whatever_was_signed_is_read_back(link: Link) -> None:
    assert readers()[type(link)](token_of(link)) == link


@pytest.mark.parametrize("key", [KEY, bytes(64), bytes(range(200))])
def test_the_signature_is_hmac_sha256(key: bytes) -> None:
    raw = urlsafe_b64decode(Signer(key).open(STREAM))
    assert raw[-16:] == hmac.digest(key, raw[:-16], "sha256")[:16]


def test_all_links_of_a_mail_are_signed_at_once() -> None:
    urls = ["https://a.example/", URL]
    assert SIGNER.clicks(STREAM, urls) == [SIGNER.click(STREAM, number, url) for number, url in enumerate(urls)]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(KEY, b"short")
