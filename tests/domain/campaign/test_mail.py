"""A campaign's mail: compiled once, and the same whether the sender or SES puts the tokens in."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from uuid import UUID

import pytest

from domain.campaign import CampaignContent
from domain.campaign.mail import BULK_LIMIT, CampaignMail, compile_mail, halves, sample
from domain.links import Signer, UnsubscribeLink
from domain.mail import Header
from domain.mailbox import mailbox
from domain.tracking import Site, links_of

SITE = Site("https://mail.example.com", Signer(bytes(range(32))))
STREAM = UUID(int=8 << 96 | 5 << 48 | 77)
OUT = UnsubscribeLink(STREAM, 1, 11, 21, 77)
TO = mailbox("ann@example.com")
PAGE = '<html><body><p>Hi <a href="https://a.example/">a</a></p></body></html>'


def compiled(**said: Any) -> CampaignMail:
    content = CampaignContent(subject=said.pop("subject", "News"), **said)
    return compile_mail(
        content,
        sender=mailbox("News <news@example.com>"),
        audience_name="Courses & Co",
        site=SITE,
        configuration_set="own",
    )


def test_every_mail_has_what_a_campaigns_mail_must_have() -> None:
    mail = compiled(html_body=PAGE, preview_text="Soon").mail(TO, STREAM, OUT)
    click = f"https://mail.example.com/t/c/{SITE.signer.click(STREAM, 0, 'https://a.example/')}"
    way_out = f"https://mail.example.com/unsubscribe/{SITE.signer.unsubscribe(OUT)}"
    assert f'<a href="{click}">a</a>' in mail.html
    assert f"/t/o/{SITE.signer.open(STREAM)}.gif" in mail.html
    assert f'<a href="{way_out}"' in mail.html
    assert "subscribed to Courses &amp; Co." in mail.html
    assert ">Soon&#847;" in mail.html
    assert mail.text.startswith(
        f"Hi a ({click})\n\n-- \nYou get this email because you are subscribed to Courses & Co.\n"
    )
    assert mail.text.endswith(f"\nUnsubscribe: {way_out}\n")
    assert mail.headers == (
        Header("List-Unsubscribe", f"<{way_out}>"),
        Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    assert mail.tags == (("datamailer-stream", str(STREAM)),)
    assert (mail.to, mail.subject, mail.configuration_set, mail.is_simple) == (TO, "News", "own", True)


@pytest.mark.parametrize("said", [{"html_body": PAGE}, {"text_body": "Hi\n\nhttps://a.example/"}])
def test_the_half_that_is_lacking_is_made(said: dict[str, Any]) -> None:
    mail = compiled(**said)
    made = mail.mail(TO, STREAM, OUT)
    assert made.html.count("/t/c/") == made.text.count("/t/c/") == 1
    assert "<img " in made.html
    assert mail.links == links_of(*halves(CampaignContent(subject="News", **said))) == ("https://a.example/",)


def test_a_page_of_pictures_still_has_a_text() -> None:
    made = compiled(html_body='<img src="https://a.example/a.png">').mail(TO, STREAM, OUT)
    assert made.text.startswith("News\n\n-- \n")


@pytest.mark.parametrize(
    "said", [{"html_body": PAGE, "preview_text": "Soon"}, {"text_body": "{https://a.example/}. } {"}]
)
def test_ses_fills_the_templates_in_as_the_sender_does(said: dict[str, Any]) -> None:
    mail = compiled(**said)
    tokens, made = mail.tokens(STREAM, OUT), mail.mail(TO, STREAM, OUT)
    for template, half in ((mail.html_template, made.html), (mail.text_template, made.text)):
        assert re.sub(r"\{\{(\w+)\}\}", lambda match: tokens[match[1]], template) == half
    assert mail.headers(tokens) == made.headers


@pytest.mark.parametrize(
    ("said", "bulk"),
    [
        ({"html_body": PAGE}, True),
        ({"text_body": "{ } }} a{b"}, True),
        ({"text_body": "{{ name }}"}, False),
        ({"html_body": "<style>a{{b}</style>x"}, False),
        ({"subject": "Hi {{name}}", "html_body": PAGE}, False),
        ({"html_body": PAGE, "preview_text": "{{"}, False),
        ({"html_body": PAGE, "text_body": "See {https://a.example/}"}, False),
        ({"html_body": "x" * BULK_LIMIT}, False),
        ({"html_body": "ä" * (BULK_LIMIT // 2)}, False),
    ],
)
def test_what_ses_would_take_for_its_own_is_sent_one_by_one(said: dict[str, Any], bulk: bool) -> None:  # noqa: FBT001
    assert compiled(**said).is_bulk == bulk


@pytest.mark.parametrize(
    "said",
    [
        {"html_body": PAGE, "preview_text": "Soon & sure"},
        {"html_body": '<a href="https://a.example/?x=1&amp;y=2">a</a>', "text_body": "Hi"},
        {"text_body": "Hi\n\nhttps://a.example/?x=1&y=2"},
    ],
)
def test_a_sample_is_the_mail_without_what_tells_of_it(said: dict[str, Any]) -> None:
    mail = compiled(**said)
    made = mail.mail(TO, STREAM, OUT)
    way_out = f"{SITE.out}{SITE.signer.unsubscribe(OUT)}"
    html, text = re.sub(r'<img src="[^"]+/t/o/[^>]+>', "", made.html), made.text
    for number, url in enumerate(mail.links):
        click = f"{SITE.click}{SITE.signer.click(STREAM, number, url)}"
        html, text = html.replace(click, escape(url)), text.replace(click, url)
    content = CampaignContent(subject="News", **said)
    shown = sample(content, audience_name="Courses & Co", out="https://mail.example.com/out")
    assert shown == tuple(half.replace(way_out, "https://mail.example.com/out") for half in (html, text))
