"""boto3, unmodified, sends through the local SES, and the inbox shows what a recipient would read."""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.local.ses.client import LocalSes
from config.local.ses.process import local_ses
from config.local.ses.substitution import render

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

UNSUBSCRIBE = {"Name": "List-Unsubscribe", "Value": "<https://mail.example.com/unsubscribe/t0k3n>"}
ONE_CLICK = {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSes]:
    with local_ses(tmp_path_factory.mktemp("ses")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LocalSes) -> "SESV2Client":
    return server.boto3()


@pytest.fixture
def ses(server: LocalSes) -> LocalSes:
    server.empty()
    return server


def simple(**members: Any) -> dict[str, Any]:
    return {
        "FromEmailAddress": "News <news@example.com>",
        "Destination": {"ToAddresses": ["Ada <Ada@Example.org>"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Grüße, Ada", "Charset": "UTF-8"},
                "Body": {
                    "Html": {"Data": "<p>Grüße</p>", "Charset": "UTF-8"},
                    "Text": {"Data": "Grüße", "Charset": "UTF-8"},
                },
                "Headers": [UNSUBSCRIBE, ONE_CLICK],
            }
        },
        **members,
    }


def test_a_simple_mail_arrives_as_it_was_sent(ses: LocalSes, client: "SESV2Client") -> None:
    destination = {
        "ToAddresses": ["Ada <Ada@Example.org>"],
        "CcAddresses": ["cc@example.org"],
        "BccAddresses": ["bcc@example.org"],
    }
    tags = [{"Name": "stream", "Value": "6-42"}, {"Name": "campaign", "Value": "spring_2024"}]
    request = simple(
        Destination=destination,
        EmailTags=tags,
        ConfigurationSetName="main",
        ReplyToAddresses=["reply@example.com"],
    )
    message_id = client.send_email(**request)["MessageId"]

    (mail,) = ses.messages("ada@example.org")
    assert mail.message_id == message_id
    assert (mail.source, mail.to) == ("News <news@example.com>", ("Ada <Ada@Example.org>",))
    assert (mail.cc, mail.bcc, mail.reply_to) == (("cc@example.org",), ("bcc@example.org",), ("reply@example.com",))
    assert (mail.subject, mail.html, mail.text) == ("Grüße, Ada", "<p>Grüße</p>", "Grüße")
    assert mail.tags == {"stream": "6-42", "campaign": "spring_2024"}
    assert mail.configuration_set == "main"
    assert mail.header("list-unsubscribe") == UNSUBSCRIBE["Value"]
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert mail.header("Reply-To") == "reply@example.com"
    assert mail.header("Bcc") is None
    assert mail.sent_at.endswith("Z")


@pytest.mark.parametrize("address", ["cc@example.org", "BCC@example.org", "Ada <ada@example.org>"])
def test_mail_is_found_by_each_of_its_recipients(ses: LocalSes, client: "SESV2Client", address: str) -> None:
    destination = {
        "ToAddresses": ["ada@example.org"],
        "CcAddresses": ["cc@example.org"],
        "BccAddresses": ["bcc@example.org"],
    }
    client.send_email(**simple(Destination=destination))
    client.send_email(**simple(Destination={"ToAddresses": ["else@example.org"]}))
    assert ses.count(address) == 1
    assert ses.count() == 2


def test_text_without_a_charset_is_ascii_as_at_amazon(ses: LocalSes, client: "SESV2Client") -> None:
    content = {"Simple": {"Subject": {"Data": "Grüße"}, "Body": {"Text": {"Data": "Grüße"}}}}
    client.send_email(**simple(Content=content))
    (mail,) = ses.messages()
    assert (mail.subject, mail.text, mail.html) == ("Gr??e", "Gr??e", None)


def raw_mail(**headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Größe <news@example.com>"
    message["To"] = "ada@example.org"
    message["Bcc"] = "hidden@example.org"
    message["Subject"] = "Grüße aus der Ferne, Ada"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Grüße")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="terms.pdf")
    return message.as_bytes()


def test_a_raw_mail_is_parsed_for_the_inbox(ses: LocalSes, client: "SESV2Client") -> None:
    data = raw_mail(List_Unsubscribe=UNSUBSCRIBE["Value"], Message_ID="<own@example.com>")
    message_id = client.send_email(Content={"Raw": {"Data": data}})["MessageId"]
    (mail,) = ses.messages("hidden@example.org")
    assert (mail.to, mail.bcc) == (("ada@example.org",), ("hidden@example.org",))
    assert mail.source == "Größe <news@example.com>"
    assert mail.subject == "Grüße aus der Ferne, Ada"
    assert (mail.html, mail.text) == ("<p>Grüße</p>\n", "Grüße\n")
    assert mail.attachments == ("terms.pdf",)
    assert mail.header("List-Unsubscribe") == UNSUBSCRIBE["Value"]
    assert mail.header("Message-ID") == f"<{message_id}@email.amazonses.com>"
    assert mail.header("Bcc") is None
    assert ses.messages(bodies=False)[0].subject == mail.subject


def test_the_envelope_and_the_ses_headers_of_a_raw_mail(ses: LocalSes, client: "SESV2Client") -> None:
    data = raw_mail(X_SES_MESSAGE_TAGS="stream=6-42, kind=welcome", X_SES_CONFIGURATION_SET="main")
    client.send_email(
        FromEmailAddress="bounce@example.com",
        Destination={"ToAddresses": ["envelope@example.org"]},
        Content={"Raw": {"Data": data}},
    )
    (mail,) = ses.messages()
    assert (mail.source, mail.to, mail.bcc) == ("bounce@example.com", ("envelope@example.org",), ())
    assert (mail.tags, mail.configuration_set) == ({"stream": "6-42", "kind": "welcome"}, "main")
    assert not [header for header in mail.headers if header.name.lower().startswith("x-ses-")]


def bulk(*entries: dict[str, Any], **template: Any) -> dict[str, Any]:
    content = {"Subject": "Hi {{name}}", "Html": "<p>{{ name }} {{link}}</p>", "Text": "{{name}}"}
    return {
        "FromEmailAddress": "news@example.com",
        "DefaultEmailTags": [{"Name": "campaign", "Value": "7"}, {"Name": "stream", "Value": "none"}],
        "DefaultContent": {
            "Template": {
                "TemplateContent": content,
                "TemplateData": '{"name": "friend", "link": "-"}',
                "Headers": [ONE_CLICK, {"Name": "X-Campaign", "Value": "7"}],
                **template,
            }
        },
        "BulkEmailEntries": list(entries),
    }


def entry(address: str, data: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    content = {"ReplacementTemplate": {"ReplacementTemplateData": json.dumps(data or {})}}
    return {"Destination": {"ToAddresses": [address]}, "ReplacementEmailContent": content, **members}


def test_a_bulk_call_gives_every_recipient_a_mail_of_their_own(ses: LocalSes, client: "SESV2Client") -> None:
    own = entry(
        "ada@example.org",
        {"name": "A & <b>", "link": "{{name}}"},
        ReplacementHeaders=[UNSUBSCRIBE, {"Name": "x-campaign", "Value": "own"}],
        ReplacementTags=[{"Name": "stream", "Value": "8-1"}],
    )
    results = client.send_bulk_email(**bulk(own, entry("grace@example.org")))["BulkEmailEntryResults"]

    ada, grace = ses.messages("ada@example.org")[0], ses.messages("grace@example.org")[0]
    assert [result["Status"] for result in results] == ["SUCCESS", "SUCCESS"]
    assert [result["MessageId"] for result in results] == [ada.message_id, grace.message_id]
    assert (ada.subject, ada.html) == ("Hi A & <b>", "<p>A & <b> {{name}}</p>")
    assert (grace.subject, grace.html, grace.text) == ("Hi friend", "<p>friend -</p>", "friend")
    assert ada.tags == {"campaign": "7", "stream": "8-1"}
    assert grace.tags == {"campaign": "7", "stream": "none"}
    assert ada.header("List-Unsubscribe") == UNSUBSCRIBE["Value"]
    assert [header.value for header in ada.headers if header.name.lower() == "x-campaign"] == ["own"]
    assert (grace.header("X-Campaign"), grace.header("List-Unsubscribe")) == ("7", None)


def test_one_bad_entry_fails_alone(ses: LocalSes, client: "SESV2Client") -> None:
    bad_tag = entry("b@example.org", ReplacementTags=[{"Name": "stream", "Value": "8/1"}])
    bad_data = entry("d@example.org")
    bad_data["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"] = "[]"
    request = bulk(entry("a@example.org"), bad_tag, entry("no address"), bad_data, entry("e@example.org"))
    statuses = [result["Status"] for result in client.send_bulk_email(**request)["BulkEmailEntryResults"]]
    assert statuses == ["SUCCESS", "INVALID_PARAMETER", "INVALID_PARAMETER", "INVALID_PARAMETER", "SUCCESS"]
    assert [mail.to for mail in ses.messages()] == [("a@example.org",), ("e@example.org",)]


def test_a_value_that_is_missing_is_accepted_and_never_arrives(ses: LocalSes, client: "SESV2Client") -> None:
    request = bulk(entry("a@example.org", {"link": "x"}), entry("b@example.org", {"name": "B"}), TemplateData="{}")
    results = client.send_bulk_email(**request)["BulkEmailEntryResults"]
    assert [result["Status"] for result in results] == ["SUCCESS", "SUCCESS"]
    assert ses.count() == 0
    failed = ses.message(results[0]["MessageId"])
    assert failed is not None
    assert failed.failure == "Attribute 'name' is not present in the rendering data."
    assert ses.message("0100-never-sent") is None


def test_a_single_call_takes_an_inline_template_too(ses: LocalSes, client: "SESV2Client") -> None:
    template = {"TemplateContent": {"Subject": "{{a.b}}", "Text": "{{n}} {{yes}}"}}
    data = json.dumps({"a": {"b": "deep"}, "n": 3, "yes": True})
    client.send_email(**simple(Content={"Template": {**template, "TemplateData": data}}))
    (mail,) = ses.messages()
    assert (mail.subject, mail.text) == ("deep", "3 true")


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(alphabet=st.characters(codec="utf-8")))
def test_values_are_inserted_as_they_are(before: str, inserted: str) -> None:
    before = before.replace("{", "(").replace("}", ")")
    assert render(before + "{{name}}" + before, {"name": inserted}) == before + inserted + before


def test_the_inbox_pages_counts_and_waits(ses: LocalSes, client: "SESV2Client") -> None:
    for number in range(5):
        client.send_email(**simple(Destination={"ToAddresses": [f"p{number}@example.org"]}))
    page = ses.messages(limit=2, offset=1, bodies=False)
    assert [mail.to[0] for mail in page] == ["p1@example.org", "p2@example.org"]
    assert (page[0].subject, page[0].html, page[0].headers) == ("Grüße, Ada", None, ())
    assert ses.count() == ses.wait_count(5) == len(ses.wait(count=5)) == 5
    with pytest.raises(TimeoutError):
        ses.wait("nobody@example.org", seconds=0.01)


def test_get_account_has_what_the_sender_reads(ses: LocalSes, client: "SESV2Client") -> None:
    client.send_email(**simple(Destination={"ToAddresses": ["a@example.org"], "CcAddresses": ["b@example.org"]}))
    account = client.get_account()
    assert account["SendingEnabled"] is True
    assert account["SendQuota"]["SentLast24Hours"] == 2.0
    assert account["SendQuota"]["MaxSendRate"] > 0
    ses.set_faults(max_send_rate=14, max_24_hour_send=50_000, sending_paused=True)
    account = client.get_account()
    ses.reset_faults()
    assert account["SendQuota"] == {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 2.0}
    assert account["SendingEnabled"] is False
