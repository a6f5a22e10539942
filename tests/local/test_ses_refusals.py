"""What SES refuses is refused here, with the same error types; compared with moto where moto has the call."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st
from moto import mock_aws

from config.local.ses import rules
from config.local.ses.client import LocalSes
from config.local.ses.errors import STATUSES, SesError
from config.local.ses.mime import raw_subject, read_head, read_raw
from config.local.ses.process import local_ses
from config.local.ses.substitution import missing, names, parse
from config.local.ses.wire import TemplateContent

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

BAD, REJECTED = "BadRequestException", "MessageRejected"
TEXT = {"Text": {"Data": "Hi"}}
LONG = "x" * 257


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSes]:
    with local_ses(tmp_path_factory.mktemp("ses")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LocalSes) -> "SESV2Client":
    return server.boto3()


def simple(subject: str = "Hi", **members: Any) -> dict[str, Any]:
    return {"Simple": {"Subject": {"Data": subject}, "Body": TEXT, **members}}


def mail(**members: Any) -> dict[str, Any]:
    return {
        "FromEmailAddress": "news@example.com",
        "Destination": {"ToAddresses": ["ada@example.org"]},
        "Content": simple(),
        **members,
    }


def to(*addresses: str) -> dict[str, Any]:
    return mail(Destination={"ToAddresses": list(addresses)})


def tagged(name: str, value: str) -> dict[str, Any]:
    return mail(EmailTags=[{"Name": name, "Value": value}])


def with_headers(*headers: tuple[str, str]) -> dict[str, Any]:
    return mail(Content=simple(Headers=[{"Name": name, "Value": value} for name, value in headers]))


def raw(data: bytes) -> dict[str, Any]:
    return {"Content": {"Raw": {"Data": data}}}


def inline(html: str, **members: Any) -> dict[str, Any]:
    content = {"Subject": "Hi", "Html": html}
    return mail(Content={"Template": {"TemplateContent": content, "TemplateData": "{}", **members}})


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no recipient": (mail(Destination={}), BAD),
    "51 recipients": (to(*(f"p{number}@example.org" for number in range(51))), REJECTED),
    "recipient without a domain": (to("ada"), BAD),
    "recipient with a bare host": (to("ada@localhost"), BAD),
    "recipient beyond ASCII": (to("ådå@example.org"), BAD),
    "name beyond ASCII": (to("Åda <ada@example.org>"), BAD),
    "line break in a recipient": (to("ada@example.org\nBcc: eve@example.org"), BAD),
    "two addresses in one": (to("ada@example.org,eve@example.org"), BAD),
    "no sender": (mail(FromEmailAddress=""), BAD),
    "bad reply-to": (mail(ReplyToAddresses=["nobody"]), BAD),
    "no body": (mail(Content={"Simple": {"Subject": {"Data": "Hi"}, "Body": {}}}), BAD),
    "no content": (mail(Content={}), BAD),
    "two contents": (mail(Content={**simple(), "Raw": {"Data": b"From: a@example.com\n\nHi"}}), BAD),
    "line break in the subject": (mail(Content=simple("Hi\r\nBcc: eve@example.org")), BAD),
    "tag value with a slash": (tagged("stream", "8/1"), BAD),
    "tag value beyond ASCII": (tagged("stream", "ü"), BAD),
    "tag value with a line end": (tagged("stream", "8\n"), BAD),
    "tag value empty": (tagged("stream", ""), BAD),
    "tag value too long": (tagged("stream", LONG), BAD),
    "tag name with a dot": (tagged("a.b", "1"), BAD),
    "16 headers": (with_headers(*((f"X-{number}", "1") for number in range(16))), BAD),
    "header name with a colon": (with_headers(("X:Y", "1")), BAD),
    "header name too long": (with_headers(("X" * 127, "1")), BAD),
    "header value with a line break": (with_headers(("X-Y", "1\r\nBcc: eve@example.org")), BAD),
    "header value beyond ASCII": (with_headers(("X-Y", "ü")), BAD),
    "header value too long": (with_headers(("X-Y", "1" * 996)), BAD),
    "header too long as a whole": (with_headers(("X-Y", "1" * 994)), BAD),
    "header that SES writes": (with_headers(("Subject", "1")), BAD),
    "raw without a blank line": (raw(b"From: a@example.com\nTo: b@example.org\n"), BAD),
    "raw without From": (raw(b"To: b@example.org\n\nHi"), BAD),
    "raw with two subjects": (raw(b"From: a@example.com\nTo: b@example.org\nSubject: a\nSubject: b\n\nHi"), BAD),
    "raw with a line that is no header": (raw(b"From: a@example.com\nTo: b@example.org\nnonsense\n\nHi"), BAD),
    "raw with a line too long": (raw(b"From: a@example.com\nTo: b@example.org\nX: " + b"x" * 1000 + b"\n\nHi"), BAD),
    "raw with a bad tag": (
        raw(b"From: a@example.com\nTo: b@example.org\nX-SES-MESSAGE-TAGS: stream=8/1\n\nHi"),
        BAD,
    ),
    "template with a block": (inline("{{#if name}}{{name}}{{/if}}"), BAD),
    "template data that is no object": (inline("{{name}}", TemplateData="[]"), BAD),
    "template data too long": (inline("{{name}}", TemplateData='{"name": "%s"}' % ("x" * 262_144)), BAD),
    "inline template beyond 1 MB": (inline("x" * 1024 * 1024), BAD),
    "stored template": (mail(Content={"Template": {"TemplateName": "t", "TemplateData": "{}"}}), "NotFoundException"),
    "mail beyond 40 MB": (mail(Content=simple("x" * (40 * 1024 * 1024 + 1))), BAD),
}


@pytest.mark.parametrize("case", REFUSED)
def test_ses_refuses(server: LocalSes, client: "SESV2Client", case: str) -> None:
    request, code = REFUSED[case]
    before = server.count()
    with pytest.raises(ClientError) as error:
        client.send_email(**request)
    assert code_of(error) == (code, STATUSES[code])
    assert server.count() == before


def test_what_is_just_within_the_limits_is_taken(server: LocalSes, client: "SESV2Client") -> None:
    server.empty()
    client.send_email(**to(*(f"p{number}@example.org" for number in range(50))))
    client.send_email(**with_headers(*((f"X-{number}", "1") for number in range(15))))
    client.send_email(**with_headers(("X-Y", "1" * 993)))
    client.send_email(**tagged("ses:feedback-id-a", "a.b-c_d@e" + "x" * 247))
    client.send_email(**inline("x" * (1024 * 1024 - 600)))
    client.send_email(**mail(Content=simple("x" * (40 * 1024 * 1024 - 2))))
    assert server.count() == 6


def entries(count: int) -> list[dict[str, Any]]:
    return [{"Destination": {"ToAddresses": [f"p{number}@example.org"]}} for number in range(count)]


@pytest.mark.parametrize(
    ("count", "template"),
    [
        (51, {"TemplateContent": {"Subject": "Hi", "Text": "Hi"}, "TemplateData": "{}"}),
        (1, {"TemplateContent": {"Subject": "Hi", "Text": "Hi"}}),
        (1, {"TemplateContent": {"Subject": "Hi"}, "TemplateData": "{}"}),
        (1, {"TemplateContent": {"Subject": "Hi", "Text": "{{> other}}"}, "TemplateData": "{}"}),
    ],
    ids=["51 entries", "no data", "no body", "partial"],
)
def test_ses_refuses_a_bulk_call(client: "SESV2Client", count: int, template: dict[str, Any]) -> None:
    request: dict[str, Any] = {"DefaultContent": {"Template": template}, "BulkEmailEntries": entries(count)}
    with pytest.raises(ClientError) as error:
        client.send_bulk_email(FromEmailAddress="news@example.com", **request)
    assert code_of(error) == (BAD, 400)


def test_an_operation_that_is_not_here_is_refused_in_the_shape_of_amazon(client: "SESV2Client") -> None:
    with pytest.raises(ClientError) as error:
        client.list_email_identities()
    assert code_of(error) == ("UnknownOperationException", 404)


def test_the_limits_and_statuses_are_those_of_the_service_model(client: "SESV2Client") -> None:
    model = client.meta.service_model
    name, value = model.shape_for("MessageHeaderName").metadata, model.shape_for("MessageHeaderValue").metadata
    assert (name["max"], name["pattern"]) == (rules.MAX_HEADER_NAME, f"^{rules.HEADER_NAME.pattern}$")
    assert (value["max"], value["pattern"]) == (rules.MAX_HEADER_VALUE, rules.HEADER_VALUE.pattern)
    assert model.shape_for("MessageHeaderList").metadata["max"] == rules.MAX_HEADERS
    assert model.shape_for("EmailTemplateData").metadata["max"] == rules.MAX_TEMPLATE_DATA
    shapes = {*model.operation_model("SendEmail").error_shapes, *model.operation_model("SendBulkEmail").error_shapes}
    declared = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes}
    assert declared.items() <= STATUSES.items()


def outcome(client: "SESV2Client", request: dict[str, Any]) -> tuple[set[str], str]:
    """Return the members of the answer, or the error's type."""
    try:
        return set(client.send_email(**request)) - {"ResponseMetadata"}, ""
    except ClientError as error:
        return set(), error.response["Error"]["Code"]


COMPARED: dict[str, dict[str, Any]] = {
    "simple": mail(),
    "simple with everyone": mail(
        Destination={
            "ToAddresses": ["Ada <ada@example.org>"],
            "CcAddresses": ["cc@example.org"],
            "BccAddresses": ["bcc@example.org"],
        },
        ReplyToAddresses=["reply@example.com"],
        EmailTags=[{"Name": "stream", "Value": "8-1"}],
        ConfigurationSetName="main",
    ),
    "raw": raw(b"From: news@example.com\nTo: ada@example.org\nSubject: Hi\n\nHi"),
    "raw with an envelope": mail(Content={"Raw": {"Data": b"From: news@example.com\nSubject: Hi\n\nHi"}}),
    "unverified sender": mail(FromEmailAddress="foreign@example.net"),
    "unverified sender of raw mail": raw(b"From: foreign@example.net\nTo: ada@example.org\n\nHi"),
    "51 recipients": to(*(f"p{number}@example.org" for number in range(51))),
}


@pytest.mark.parametrize("case", COMPARED)
def test_answers_and_errors_are_those_of_moto(server: LocalSes, client: "SESV2Client", case: str) -> None:
    server.set_faults(unverified_senders=["example.net"])
    with mock_aws():
        moto = boto3.client("sesv2", "us-east-1", aws_access_key_id="local", aws_secret_access_key="local")
        moto.create_email_identity(EmailIdentity="example.com")
        expected = outcome(moto, COMPARED[case])
    assert outcome(client, COMPARED[case]) == expected
    server.reset_faults()


@given(st.text())
def test_an_address_is_taken_or_refused_and_nothing_else(text: str) -> None:
    try:
        address = rules.bare_address(text)
    except SesError:
        return
    assert address.isascii()
    assert address == rules.bare_address(address)


@given(st.text(), st.text())
def test_a_template_is_taken_or_refused_and_nothing_else(text: str, data: str) -> None:
    try:
        content = TemplateContent(subject="Hi", text="{{" + text + "}}")
        assert missing(content, parse(data)) is None or names(content)
    except SesError:
        pass


HEADS = st.lists(
    st.sampled_from(["Subject: =?utf-8?q?", "Subject:", "To: ", "Content-Type: text/html; charset=x", "\n "])
)


@example(["To: "], b"<")
@given(HEADS, st.binary(max_size=200))
def test_any_bytes_can_be_read_as_raw_mail(lines: list[str], body: bytes) -> None:
    data = "\n".join(lines).encode() + body
    assert isinstance(raw_subject(data), str)
    assert isinstance(read_raw(data).subject, str)
    assert read_head(data).tags == () or b"x-ses-message-tags" in data.lower()
