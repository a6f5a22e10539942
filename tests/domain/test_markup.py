"""Finding tags and links in HTML and text, however broken, and making the one of the other."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.markup import body_end, body_start, html_links, tags, text_links, web_page
from domain.plain_text import html_of, text_of

A = "https://a.example/"


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        (f'<a href="{A}">x</a>', [A]),
        (f"<A HREF='{A}'>x</A><area href={A}>", [A, A]),
        (f'<a\n class="x"\n href\n=\n"{A}"/>', [A]),
        ('<a href=" HTTP://a.example/?x=1&amp;y=2&#38;z ">', ["HTTP://a.example/?x=1&y=2&z"]),
        ('<a href="https://a.ex\nample/\t">', ["https://a.example/"]),
        (f'<a title=">" href="{A}">', [A]),
        (f'<a href="{A}" href="https://b.example/">', [A]),
        (f'<a href="/relative"><a href="#top"><a href="mailto:a@example.com"><link href="{A}">', []),
        ('<a href><a><a href=""><a href=>', []),
        (f'<a data-href="{A}"><a xhref="{A}"><abbr href="{A}">', []),
        (f'<!-- <a href="{A}"> --><!doctype <a href="{A}"><?x <a href="{A}">', []),
        (f'<script>"<a href={A}>"</script><style><a href="{A}"></style><title><a href="{A}"></title>', []),
        (f'<script></scripty><a href="{A}"></script ><a href="{A}">', [A]),
        (f'<img alt="<a href=\'{A}\'>"><a href="{A}">', [A]),
        (f'< a href="{A}"> 1 <2 <a b="c"d=\'e\'href={A}>', [A]),
        (f'<a href="{A}', []),
        (f'<a href="{A}" title="x>', []),
        (f"<!--><a href={A}><!---><a href={A}>--><!-- --!><a href={A}>", [A, A, A]),
        (f'<a href="https://a.example/{"x" * 2000}">', []),
        ("<a href='https://'><a href='https:///x'><a href='javascript:1'>", []),
    ],
)
def test_links_of_html(html: str, urls: list[str]) -> None:
    found = html_links(html)
    assert [link.url for link in found] == urls
    assert all("<" not in html[link.start : link.end] for link in found)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (f"See {A}.", [A]),
        (f'({A}) [{A}], <{A}> "{A}"!', [A] * 4),
        ("https://a.example/x_(y) and http://b.example?q=a,b;", ["https://a.example/x_(y)", "http://b.example?q=a,b"]),
        (f"\n{A}\r\nHTTPS://B.example", [A, "HTTPS://B.example"]),
        ("https:// ftp://a.example www.example.com a@example.com https://)", []),
    ],
)
def test_links_of_text(text: str, urls: list[str]) -> None:
    found = text_links(text)
    assert [text[link.start : link.end] for link in found] == urls


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ("x", "[x]"),
        ("<p>x</p>", "[<p>x</p>]"),
        ("<!DOCTYPE html>x", "<!DOCTYPE html>[x]"),
        ("<html><head><title>t</title></head><body class='>'>x</body></html>\n", None),
        ("<html>x</html>", "<html>[x]</html>"),
        ("<html><head></head>x", "<html><head></head>[x]"),
        ("<body>x<!-- </body> --><pre></pre></body >", "<body>[x<!-- </body> --><pre></pre>]</body >"),
        ("<title></body></title>", "[<title></body></title>]"),
    ],
)
def test_where_the_body_starts_and_ends(html: str, marked: str | None) -> None:
    marked = marked or "<html><head><title>t</title></head><body class='>'>[x]</body></html>\n"
    start, end = body_start(html), body_end(html)
    assert f"{html[:start]}[{html[start:end]}]{html[end:]}" == marked


class Library(HTMLParser):
    """The standard library's reading."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"a", "area"}:
            self.hrefs.append(next((value or "" for name, value in attrs if name == "href"), ""))


words = st.sampled_from([A, "https://b.example/?x=1&amp;y=2", "/relative", "#top", "x y", "é", "a>b", "it's"])
attributes = st.builds('{}="{}"'.format, st.sampled_from(["href", "class", "title", "data-x"]), words)
elements = st.builds(
    lambda name, given, text: f"<{name} {' '.join(given)}>{text}</{name}>",
    st.sampled_from(["a", "b", "td", "area", "script", "style"]),
    st.lists(attributes, max_size=3, unique_by=lambda text: text.partition("=")[0]),
    st.sampled_from(["text", "1 < 2", "&lt;a&gt;", f"<a href='{A}'>z</a>", "<!-- <a href=x> -->", "<br/>", ""]),
)


@given(st.lists(elements, max_size=6).map("".join))
@settings(max_examples=200)
def test_ordinary_html_is_read_as_the_standard_library_does(html: str) -> None:
    library = Library()
    library.feed(html)
    library.close()
    assert [link.url for link in html_links(html)] == [url for url in map(web_page, library.hrefs) if url]


@given(st.text(alphabet="<>/!-='\"ab \n", max_size=60))
@settings(max_examples=200)
def test_tags_stand_where_they_are_said_to(html: str) -> None:
    end = 0
    for tag in tags(html):
        assert tag.start >= end
        end = tag.end
        assert html[tag.start] == "<"
        assert html[end - 1] == ">"


@pytest.mark.parametrize(
    "part", ["<!--", "<a ", "<a b='", '<a b="', "<a href=x", "</", "<!", "<script>", "< ", "<a =", "<a/"]
)
def test_hostile_html_takes_no_longer_than_other(part: str) -> None:
    """A megabyte that would take hours if the time grew with the square of the length."""
    html = part * (1_000_000 // len(part))
    assert len(html_links(html)) == 0
    assert body_end(html) == len(html)
    assert len(text_of(html)) <= len(html)
    assert len(html_of(html)) > len(html)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Hi&nbsp;you</h1><p>One\n  two<br>three</p><p>four</p>", "Hi you\n\nOne two\nthree\n\nfour"),
        (f'<p>See <a href="{A}">the course</a> or <a href="{A}">{A}</a></p>', f"See the course ({A}) or {A}"),
        ('<a href="mailto:a@example.com?subject=x">write</a> <a href="#x">up</a>', "write (a@example.com) up"),
        ("<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<head><title>t</title><meta></head><style>p{}</style><script>x<y</script>a &lt;b&gt;", "a <b>"),
        ("<head><title>t</title><body>a", "a"),
    ],
)
def test_html_said_in_plain_text(html: str, text: str) -> None:
    lines = [line for line in text_of(html).split("\n") if line or "\n\n" in text]
    assert "\n".join(lines) == text


def test_a_text_made_into_a_page() -> None:
    page = html_of(f"Hi <you> & all\nsee {A}?a=1&b=2.\n \nBye\r\n")
    assert page.endswith(
        '<body>\n<p>Hi &lt;you&gt; &amp; all<br>see <a href="https://a.example/?a=1&amp;b=2">'
        "https://a.example/?a=1&amp;b=2</a>.</p>\n<p>Bye</p>\n</body></html>\n"
    )
    assert html_links(page)[0].url == "https://a.example/?a=1&b=2"
