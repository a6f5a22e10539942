"""One mail: its bytes as a mail program reads them, and what can never be in it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decider import Rejected
from domain.mail import Header, Mail, Part, one_click, stream_tag
from domain.mailbox import Mailbox, mailbox

SENDER, TO = mailbox("Jürgen Müller <courses@example.com>"), mailbox("ann@example.com")
GOOD: dict[str, Any] = {"sender": SENDER, "to": TO, "subject": "Hi", "text": "Hello"}


def read(mail: Mail) -> EmailMessage:
    raw = mail.as_bytes()
    assert raw.isascii()
    head, _, _ = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in head.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def test_both_halves_and_every_header() -> None:
    subject = "Grüße aus Köln: " + "Kurs für maschinelles Lernen, " * 5
    mail = Mail(
        sender=SENDER,
        to=mailbox("ann@bücher.example"),
        cc=(mailbox("Ben, Dr. <ben@example.com>"), mailbox("eve@example.com")),
        bcc=(mailbox("secret@example.com"),),
        reply_to=(mailbox("reply@example.com"),),
        subject=subject.strip(),
        html="<p>Hällo</p>" + "x" * 3000,
        text="Hallo\nWelt\n",
        headers=(*one_click("https://mail.example.com/unsubscribe/" + "A" * 200), Header("X-Name", "näme " * 40 + "x")),
    )
    message = read(mail)
    assert message["From"] == "Jürgen Müller <courses@example.com>"
    assert message["To"] == "ann@xn--bcher-kva.example"
    assert message["Cc"] == '"Ben, Dr." <ben@example.com>, eve@example.com'
    assert message["Reply-To"] == "reply@example.com"
    assert message["Bcc"] is None
    assert b"secret" not in mail.as_bytes()
    assert message["Subject"] == mail.subject
    assert message["X-Name"] == mail.headers[2].value
    assert message["List-Unsubscribe"] == mail.headers[0].value
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content(), html.get_content()) == ("Hallo\r\nWelt\r\n", mail.html)


def test_the_way_out_stands_on_its_headers_first_line() -> None:
    mail = Mail(**GOOD, headers=one_click("https://mail.example.com/unsubscribe/" + "A" * 200))
    assert b"\r\nList-Unsubscribe: <https://mail.example.com/unsubscribe/" + b"A" * 200 + b">\r\n" in mail.as_bytes()


def test_further_parts_are_alternatives_or_attachments() -> None:
    calendar = Part("text/calendar; method=REQUEST; charset=latin-1", "BEGIN:VCALENDAR\r\nSUMMARY:Grüße")
    mail = Mail(**GOOD, parts=(calendar, Part("text/csv", "a,b\n1,2\n", "dätä.csv")))
    assert not mail.is_simple
    message = read(mail)
    kinds = ["multipart/mixed", "multipart/alternative", "text/plain", "text/calendar", "text/csv"]
    parts = list(message.walk())
    assert [part.get_content_type() for part in parts] == kinds
    assert parts[3].get_param("method") == "REQUEST"
    assert parts[3].get_content() == calendar.content
    assert (parts[4].get_filename(), parts[4].get_content_disposition()) == ("dätä.csv", "attachment")


def test_what_ses_can_put_together_itself() -> None:
    assert Mail(**GOOD, headers=tuple(Header(f"X-{n}", "a") for n in range(15))).is_simple
    assert not Mail(**GOOD, headers=tuple(Header(f"X-{n}", "a") for n in range(16))).is_simple
    ascii_headers = Mail(**GOOD, headers=(Header("X-A", "ä"), Header("X-B", "b"))).ascii_headers
    assert ascii_headers == (Header("X-A", "=?utf-8?b?w6Q=?="), Header("X-B", "b"))


def test_the_stream_stands_in_a_tag_that_ses_takes() -> None:
    name, value = stream_tag(UUID(int=8 << 96 | 5 << 48 | 77))
    assert value == "00000008-0000-0000-0005-00000000004d"
    assert set(name + value) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("bad", ["\r\nBcc: evil@example.com", "\n", "\r", "\x00", "\x85", "\u2028", "\x1b", "\x7f"])
@pytest.mark.parametrize(
    "field",
    [
        lambda bad: {"subject": f"Hi{bad}"},
        lambda bad: {"sender": Mailbox("a@example.com", f"Ann{bad}")},
        lambda bad: {"to": Mailbox(f"a@example.com{bad}")},
        lambda bad: {"cc": (Mailbox("a@example.com", bad),)},
        lambda bad: {"bcc": (Mailbox(f"a{bad}@example.com"),)},
        lambda bad: {"reply_to": (Mailbox("a@example.com", bad),)},
        lambda bad: {"headers": (Header("X-A", f"a{bad}"),)},
        lambda bad: {"headers": (Header(f"X-A{bad}", "a"),)},
        lambda bad: {"parts": (Part(f"text/csv{bad}", "a"),)},
        lambda bad: {"parts": (Part("text/csv", "a", f"a.csv{bad}"),)},
    ],
    ids=["subject", "sender", "to", "cc", "bcc", "reply_to", "header value", "header name", "type", "filename"],
)
def test_no_value_can_start_a_header_of_its_own(field: Any, bad: str) -> None:
    with pytest.raises(ValueError, match="character"):
        Mail(**(GOOD | field(bad)))


@pytest.mark.parametrize("name", ["", "X A", "X:A", "Xä", "X" * 127])
def test_a_header_has_a_name_that_mail_allows(name: str) -> None:
    with pytest.raises(ValueError, match="character"):
        Mail(**GOOD, headers=(Header(name, "a"),))


@pytest.mark.parametrize("lacking", [{"text": ""}, {"to": Mailbox("")}])
def test_a_mail_has_a_recipient_and_a_body(lacking: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no recipient or no body"):
        Mail(**(GOOD | lacking))


def test_an_address_that_ses_cannot_write_to_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        Mail(**(GOOD | {"to": Mailbox("jürgen@example.com")})).as_bytes()
    assert refusal.value.fields == {"email": "unsupported"}


lines = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=80).map(str.strip)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=300)


@given(lines.filter(bool), texts, texts)
@settings(max_examples=150)
def test_whatever_is_said_arrives(subject: str, text: str, html: str) -> None:
    message = read(Mail(sender=SENDER, to=TO, subject=subject, text=text, html=html))
    assert str(message["Subject"]).split() == subject.split()
    for kind, half in (("plain", text), ("html", html)):
        part = message.get_body((kind,))
        assert part is not None
        assert part.get_content().splitlines() == half.splitlines()
