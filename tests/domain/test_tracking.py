"""Tracked mail: only links change, each leads back to its page, and the rest is byte for byte what was given."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.links import ClickLink, OpenLink, Signer, UnsubscribeLink
from domain.skeleton import Skeleton, skeleton
from domain.tracking import LINKS_LIMIT, Footer, Site, links_of, tracked

SIGNER = Signer(bytes(range(32)))
SITE = Site("https://mail.example.com", SIGNER)
STREAM = UUID(int=8 << 96 | 5 << 48 | 77)
OUT = UnsubscribeLink(STREAM, 1, 11, 21, 77)
A, B = "https://a.example/?x=1&y=2", "http://b.example"
HTML = (
    f"<!doctype html>\n<html><HEAD><title>T</title></HEAD>\n<Body class=x>\n<p title=\"1 > 2\">Hi &amp; <A HREF='{A}'>a"
    f"</a> <a class=b href={B} >b</a>\n<a href='mailto:x@example.com'>m</a><a href='#t'>t</a><a href='/r'>r</a> &nbsp;"
    f"<a href='https://x.example/unsubscribe/1'>u</a><!-- <a href='{A}'> --></p></Body>\n</html>\n"
)
CLICK = re.compile(r"https://mail\.example\.com/t/c/([\w-]+)")
PIXEL = re.compile(r'<img src="https://mail\.example\.com/t/o/([\w-]+)\.gif"[^>]*>')
WAY_OUT = re.compile(r"https://mail\.example\.com/unsubscribe/([\w-]+)")


def html_of(html: str, preview: str = "", footer: Footer | None = None) -> str:
    made = tracked(html, "", SITE, preview=preview, footer=footer)
    return made.html.fill(made.tokens(SIGNER, STREAM, OUT))


def test_links_are_replaced_a_pixel_is_added_and_nothing_else_changes() -> None:
    html = html_of(HTML)
    clicks = [SIGNER.clicked(token) for token in CLICK.findall(html)]
    assert clicks == [ClickLink(STREAM, 0, A), ClickLink(STREAM, 1, B)]
    pixel = PIXEL.search(html)
    assert pixel is not None
    assert SIGNER.opened(pixel[1]) == OpenLink(STREAM)
    assert html[pixel.end() :] == "</Body>\n</html>\n"
    back = PIXEL.sub("", CLICK.sub(lambda match: getattr(SIGNER.clicked(match[1]), "url", ""), html))
    assert back == HTML


def test_what_stands_around_a_body() -> None:
    html = html_of(HTML, preview="Now & <soon>", footer=Footer("You are subscribed to A & B."))
    before, _, rest = html.partition("<Body class=x>")
    assert before.endswith("</HEAD>\n")
    assert re.match(r'<div style="display:none[^"]*">Now &amp; &lt;soon&gt;(&[#\w]+;)+</div>\n<p title', rest)
    assert re.search(r"You are subscribed to A &amp; B\. <a href=\"[^\"]+\"[^>]*>Unsubscribe</a></p><img ", rest)
    tokens = WAY_OUT.findall(html)
    assert [SIGNER.unsubscribing(token) for token in tokens] == [OUT]


def test_a_text_has_its_links_and_its_way_out() -> None:
    made = tracked("", f"See {A}, or {B}.", SITE, footer=Footer("You are subscribed."))
    text = made.text.fill(made.tokens(SIGNER, STREAM, OUT))
    assert re.fullmatch(
        r"See https://mail\.example\.com/t/c/[\w-]+, or https://mail\.example\.com/t/c/[\w-]+\.\n\n-- \n"
        r"You are subscribed\.\nUnsubscribe: https://mail\.example\.com/unsubscribe/[\w-]+\n",
        text,
    )
    assert [SIGNER.clicked(token) for token in CLICK.findall(text)] == [
        ClickLink(STREAM, 0, A),
        ClickLink(STREAM, 1, B),
    ]


def test_a_page_has_one_number_in_both_halves() -> None:
    html, text = f'<a href="{A}">1</a><a href="{B}">2</a><a href="{A}">3</a>', f"{B} https://c.example/"
    assert links_of(html, text) == (A, B, "https://c.example/")
    made = tracked(html, text, SITE)
    assert made.links == links_of(html, text)
    assert [part for part in made.html.parts[1::2] if part != "open"] == ["l0", "l1", "l0"]
    assert made.text.parts[1::2] == ("l1", "l2")


@pytest.mark.parametrize(
    "url",
    [
        "https://mail.example.com/unsubscribe/abc",
        "https://mail.example.com/t/c/abc",
        "http://x.example/unsubscribe?id=1",
    ],
)
def test_ways_out_and_links_that_are_tracked_already_stay(url: str) -> None:
    assert links_of(f'<a href="{url}">', url) == ()
    assert links_of(f'<a href="{url}">', "https://x.example/unsubscribed/") == ("https://x.example/unsubscribed/",)


def test_links_beyond_the_limit_stay_as_they_are() -> None:
    html = "".join(f'<a href="https://a.example/{n}">' for n in range(LINKS_LIMIT + 2))
    made = html_of(html)
    assert len(CLICK.findall(made)) == LINKS_LIMIT
    assert f'<a href="https://a.example/{LINKS_LIMIT + 1}">' in made


@given(st.text(alphabet="<>/!-='\"abodyhref: \n", max_size=80))
@settings(max_examples=200)
def test_any_text_comes_out_whole(html: str) -> None:
    made = tracked(html, html, SITE, footer=Footer("x"))
    assert set(made.html.parts[1::2]) <= {"open", "out"}
    assert made.text.parts[0].startswith(html)


def test_a_skeleton_is_filled_and_is_a_template() -> None:
    cut = skeleton("a1b2c", [(3, 4, ("<", "two", ">")), (1, 2, ("", "one", "")), (5, 5, ("!",)), (0, 0, ("^",))])
    assert cut == Skeleton(("^a", "one", "b<", "two", ">c!"))
    assert cut.fill({"one": "1", "two": "2"}) == "^a1b<2>c!"
    assert cut.template() == "^a{{one}}b<{{two}}>c!"
    with pytest.raises(KeyError):
        cut.fill({"one": "1"})
