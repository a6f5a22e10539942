"""What a transactional message says: rendered once, checked field by field, and made into a mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.decider import Rejected
from domain.links import OpenLink, Signer, UnsubscribeLink
from domain.mail import Header, Mail, Part
from domain.mailbox import mailbox
from domain.message.content import (
    MessageContent,
    MessageRequest,
    compose,
    content_of,
    encode,
    mail_of,
    request_of,
)
from domain.message.wishes import Wishes
from domain.personal import Personal, SealingKey
from domain.template import RequiredValue, TemplateContent
from domain.tracking import Site

SITE = Site("https://mail.example.com", Signer(bytes(range(32))))
STREAM = UUID(int=6 << 96 | 9)
SENDER, TO = mailbox("Courses <courses@example.com>"), mailbox("ann@example.com")
TEMPLATE = TemplateContent(
    name="Reset",
    subject="Hi {{ name }}",
    html_body='<p>{{ name }}: <a href="https://a.example/{{ path }}">reset</a></p>',
    required_context=(RequiredValue("name"),),
)
CONTEXT = {"name": "Ann & <Co>", "path": "x?y=1"}


def refused(wishes: Wishes, context: dict[str, Any] | None = None, **template: Any) -> dict[str, str]:
    with pytest.raises(Rejected) as refusal:
        compose(TemplateContent(**({"name": "T", "subject": "S", "text_body": "B"} | template)), context or {}, wishes)
    return refusal.value.fields


def test_a_message_is_rendered_once_with_the_half_that_it_lacks() -> None:
    content = compose(TEMPLATE, CONTEXT, Wishes())
    assert content.subject == "Hi Ann & <Co>"
    assert content.html == '<p>Ann &amp; &lt;Co&gt;: <a href="https://a.example/x?y=1">reset</a></p>'
    assert content.text == "Ann & <Co>: reset (https://a.example/x?y=1)"
    plain = compose(TemplateContent(name="T", subject="S", text_body="B {{ name }}"), CONTEXT, Wishes())
    assert (plain.html, plain.text) == ("", "B Ann & <Co>")


def test_everything_that_is_missing_or_wrong_is_named_at_once() -> None:
    required = (RequiredValue("name"), RequiredValue("course.title"))
    assert refused(Wishes(cc=("x",)), {"name": "Ann"}, required_context=required) == {
        "context.course.title": "required",
        "cc.0": "invalid",
    }


@pytest.mark.parametrize(
    ("template", "context", "fields"),
    [
        ({"subject": "Hi {{ name }}"}, {"name": "a\r\nBcc: b@example.com"}, {"subject": "invalid"}),
        ({"subject": "{{ name }}"}, {}, {"subject": "required"}),
        ({"subject": "{{ name }}"}, {"name": "x" * 256}, {"subject": "too_long"}),
        ({"text_body": "{{ n * 2 }}"}, {}, {"context": "invalid"}),
        ({"text_body": "{{ 'x' * n }}"}, {"n": 10**9}, {"context": "too_large"}),
        ({"text_body": "{% for i in a %}{% for i in a %}x{% endfor %}{% endfor %}"}, {"a": [1] * 5000},
         {"context": "too_large"}),
        ({"text_body": "{{ body }}"}, {}, {"body": "required"}),
    ],
)  # fmt: skip
def test_a_context_that_the_template_cannot_take(
    template: dict[str, Any], context: dict[str, Any], fields: dict[str, str]
) -> None:
    assert refused(Wishes(), context, **template) == fields


def header(name: str, value: str = "a") -> tuple[Header, ...]:
    return (Header(name, value),)


def part(content_type: str, content: str = "a", filename: str = "") -> tuple[Part, ...]:
    return (Part(content_type, content, filename),)


@pytest.mark.parametrize(
    ("wishes", "fields"),
    [
        (Wishes(reply_to="x"), {"reply_to": "invalid"}),
        (Wishes(reply_to="a@example.com\r\nBcc: b@example.com"), {"reply_to": "invalid"}),
        (Wishes(bcc=("a@example.com", "")), {"bcc.1": "invalid"}),
        (Wishes(cc=("ä@example.com",)), {"cc.0": "unsupported"}),
        (Wishes(cc=("a@example.com",) * 25, bcc=("a@example.com",) * 25), {"cc": "too_many"}),
        (Wishes(headers=header("X A")), {"headers.X A": "invalid_name"}),
        (Wishes(headers=header("")), {"headers.": "invalid_name"}),
        *((Wishes(headers=header(name)), {f"headers.{name}": "reserved"}) for name in
          ("To", "from", "CC", "bcc", "Subject", "Reply-To", "Content-Type", "Date", "X-SES-Message-Tags")),
        (Wishes(headers=header("X-A", "a\r\nBcc: b@example.com")), {"headers.X-A": "invalid_value"}),
        (Wishes(headers=header("X-A", " ")), {"headers.X-A": "invalid_value"}),
        (Wishes(headers=header("X-A", "ä" * 900)), {"headers.X-A": "invalid_value"}),
        (Wishes(headers=header("X-A") + header("x-a")), {"headers.x-a": "duplicate"}),
        (Wishes(headers=tuple(Header(f"X-{n}", "a") for n in range(21))), {"headers": "too_many"}),
        (Wishes(parts=part("text/csv") * 11), {"message_parts": "too_many"}),
        (Wishes(parts=part("text/csv", "x" * 1_048_577)), {"message_parts": "too_large"}),
        (Wishes(parts=part("")), {"message_parts.0.content_type": "required"}),
        (Wishes(parts=part("text/csv", "")), {"message_parts.0.content": "required"}),
        (Wishes(parts=part("csv")), {"message_parts.0.content_type": "invalid"}),
        (Wishes(parts=part("text/csv\r\nX: y")), {"message_parts.0.content_type": "invalid"}),
        (Wishes(parts=part("text/csv; a=b\n")), {"message_parts.0.content_type": "invalid"}),
        (Wishes(parts=part("image/png")), {"message_parts.0.content_type": "unsupported"}),
        (Wishes(parts=part("text/html")), {"message_parts.0.content_type": "unsupported"}),
        (Wishes(parts=part("text/csv", filename="../a\n")), {"message_parts.0.filename": "invalid"}),
    ],
)  # fmt: skip
def test_what_cannot_be_added_to_a_mail(wishes: Wishes, fields: dict[str, str]) -> None:
    assert refused(wishes) == fields


WISHES = Wishes(
    reply_to="Help <help@example.com>",
    cc=("Ben <ben@example.com>",),
    bcc=("eve@example.com",),
    headers=(Header("X-Order", "42"),),
    parts=part("text/calendar; method=REQUEST") + part("text/html", filename="a.html"),
)


def made(content: MessageContent, out: UnsubscribeLink | None = None) -> Mail:
    return mail_of(content, sender=SENDER, to=TO, stream=STREAM, site=SITE, configuration_set="own", out=out)


def test_a_mail_is_made_of_what_was_kept() -> None:
    content = compose(TEMPLATE, CONTEXT, WISHES)
    kept = content_of(Personal(encode(content)))
    assert kept == content
    mail = made(content)
    assert (mail.sender, mail.to, mail.subject) == (SENDER, TO, "Hi Ann & <Co>")
    assert [box.address for box in (*mail.cc, *mail.bcc, *mail.reply_to)] == [
        "ben@example.com", "eve@example.com", "help@example.com",
    ]  # fmt: skip
    assert (mail.headers, mail.parts) == (WISHES.headers, WISHES.parts)
    assert mail.tags == (("datamailer-stream", str(STREAM)),)
    assert mail.configuration_set == "own"
    token = SITE.signer.click(STREAM, 0, "https://a.example/x?y=1")
    assert f'<a href="https://mail.example.com/t/c/{token}">reset</a>' in mail.html
    assert mail.text == f"Ann & <Co>: reset (https://mail.example.com/t/c/{token})"
    assert f"/t/o/{SITE.signer.open(STREAM)}.gif" in mail.html
    assert SITE.signer.opened(SITE.signer.open(STREAM)) == OpenLink(STREAM)


def test_mail_of_a_category_has_a_way_out_unless_it_brings_its_own() -> None:
    out = UnsubscribeLink(STREAM, 1, 11, 21, 77)
    content = MessageContent(subject="S", text="B")
    url = f"https://mail.example.com/unsubscribe/{SITE.signer.unsubscribe(out)}"
    assert made(content).headers == ()
    assert made(content, out).headers == (
        Header("List-Unsubscribe", f"<{url}>"),
        Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    own = MessageContent(subject="S", text="B", headers=header("list-unsubscribe", "<mailto:a@example.com>"))
    assert made(own, out).headers == own.headers


def test_what_was_kept_is_gone_with_its_key() -> None:
    sealed = Personal(encode(MessageRequest(idempotency_key="k", context=CONTEXT, metadata={"a": [1]})))
    assert request_of(sealed) == MessageRequest(idempotency_key="k", context=CONTEXT, metadata={"a": [1]})
    sealed.seal(1, {1: SealingKey(bytes(32))})
    lost = Personal.from_token(sealed.token)
    assert request_of(lost) is None
    assert content_of(lost) is None
