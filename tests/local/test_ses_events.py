"""SES events reach the webhook as signed SNS messages, and go wrong in every way that is asked for."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from config.local.ses.client import LocalSes, RefusedError
from config.local.ses.process import local_ses
from tests.local.receiver import Receiver

if TYPE_CHECKING:
    from mypy_boto3_sesv2.type_defs import TemplateTypeDef

    from config.local.ses.events import EventType

SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[LocalSes]:
    with local_ses(tmp_path_factory.mktemp("ses"), webhook_url=receiver.url) as running:
        yield running


@pytest.fixture
def ses(server: LocalSes, receiver: Receiver) -> LocalSes:
    server.empty()
    server.reset_faults()
    receiver.forget()
    return server


def send(ses: LocalSes, *to: str) -> str:
    return ses.boto3().send_email(
        FromEmailAddress="News <news@example.com>",
        Destination={"ToAddresses": list(to) or ["ada@example.org"]},
        Content={"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hi"}}}},
        EmailTags=[{"Name": "stream", "Value": "6-42"}],
        ConfigurationSetName="main",
    )["MessageId"]


def verify(ses: LocalSes, envelope: dict[str, Any]) -> None:
    """Verify a signature as the SNS developer guide tells; raise InvalidSignature."""
    key = load_pem_x509_certificate(ses.certificate()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    text = "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED[envelope["Type"]] if name in envelope)
    digest = {"1": hashes.SHA1, "2": hashes.SHA256}[envelope["SignatureVersion"]]()
    key.verify(b64decode(envelope["Signature"]), text.encode(), padding.PKCS1v15(), digest)


def message_of(envelope: dict[str, Any]) -> dict[str, Any]:
    return msgspec.json.decode(envelope["Message"], type=dict[str, Any])


OBJECTS: "dict[EventType, tuple[str, str, set[str]]]" = {
    "Send": ("Send", "send", set()),
    "Delivery": ("Delivery", "delivery", {"timestamp", "recipients", "smtpResponse", "processingTimeMillis"}),
    "Bounce": ("Bounce", "bounce", {"bounceType", "bounceSubType", "bouncedRecipients", "timestamp", "feedbackId"}),
    "Complaint": ("Complaint", "complaint", {"complainedRecipients", "timestamp", "feedbackId", "arrivalDate"}),
    "Open": ("Open", "open", {"timestamp", "ipAddress", "userAgent"}),
    "Click": ("Click", "click", {"timestamp", "ipAddress", "userAgent", "link", "linkTags"}),
    "Reject": ("Reject", "reject", {"reason"}),
    "DeliveryDelay": ("DeliveryDelay", "deliveryDelay", {"timestamp", "delayType", "delayedRecipients"}),
    "RenderingFailure": ("Rendering Failure", "failure", {"templateName", "errorMessage"}),
    "Subscription": ("Subscription", "subscription", {"contactList", "source", "newTopicPreferences"}),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_each_kind_of_event_has_the_shape_of_the_ses_guide(
    ses: LocalSes, receiver: Receiver, kind: "EventType"
) -> None:
    message_id = send(ses)
    published = ses.event(message_id, kind)
    (envelope,) = receiver.received
    event = message_of(envelope)
    event_type, name, members = OBJECTS[kind]
    assert published.status == 200
    assert published.envelope == envelope
    assert set(event) == {"eventType", "mail", name}
    assert event["eventType"] == event_type
    assert members <= set(event[name])
    assert event["mail"]["messageId"] == message_id
    assert event["mail"]["destination"] == ["ada@example.org"]
    assert event["mail"]["tags"]["stream"] == ["6-42"]
    assert event["mail"]["tags"]["ses:configuration-set"] == ["main"]
    assert {"name": "Subject", "value": "Hi"} in event["mail"]["headers"]


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_envelope_is_signed_and_posted_as_sns_does(ses: LocalSes, receiver: Receiver, version: str) -> None:
    published = ses.event(send(ses), "Delivery", signature_version=version)
    (envelope,), (headers,) = receiver.received, receiver.headers
    verify(ses, envelope)
    assert envelope["SignatureVersion"] == version
    assert envelope["SigningCertURL"] == f"{ses.url}/certificate.pem"
    assert envelope["MessageId"] == published.sns_message_id
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-message-id"] == published.sns_message_id
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"


def test_details_are_merged_into_the_event_and_chosen_recipients_stand_in_it(ses: LocalSes, receiver: Receiver) -> None:
    message_id = send(ses, "ada@example.org", "grace@example.org")
    details = {"bounceType": "Transient", "bounceSubType": None, "remoteMtaIp": "192.0.2.7"}
    event = {"mail": {"tags": None}}
    ses.event(message_id, "Bounce", recipients=["grace@example.org"], details=details, event=event)
    (envelope,) = receiver.received
    verify(ses, envelope)
    message = message_of(envelope)
    assert [bounced["emailAddress"] for bounced in message["bounce"]["bouncedRecipients"]] == ["grace@example.org"]
    assert (message["bounce"]["bounceType"], message["bounce"]["remoteMtaIp"]) == ("Transient", "192.0.2.7")
    assert "bounceSubType" not in message["bounce"]
    assert "tags" not in message["mail"]


@pytest.mark.parametrize(
    "options",
    [
        {"details": {"bounceType": "Transient"}},
        {"bounceType": "Transient"},
        {"bounce_type": "Transient"},
        {"bounce": {"bounceType": "Transient"}},
    ],
)
def test_details_may_stand_in_the_order_itself(ses: LocalSes, receiver: Receiver, options: dict[str, Any]) -> None:
    ses.event(send(ses), "Bounce", **options)
    bounce = message_of(receiver.wait(1)[0])["bounce"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Transient", "General")


def test_a_detail_of_another_kind_is_refused(ses: LocalSes, receiver: Receiver) -> None:
    with pytest.raises(RefusedError) as refused:
        ses.event(send(ses), "Open", bounce_type="Transient")
    assert refused.value.status == 400
    assert receiver.wait(0) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "wrong"},
        {"signature": "other_key"},
        {"forged": {"Message": "{}"}},
        {"forged": {"TopicArn": "arn:aws:sns:us-east-1:111111111111:foreign"}},
        {"forged": {"SignatureVersion": "2"}},
    ],
    ids=["wrong", "other key", "other message", "other topic", "other version"],
)
def test_a_signature_is_wrong_on_request(ses: LocalSes, receiver: Receiver, wrong: dict[str, Any]) -> None:
    ses.event(send(ses), "Delivery", **wrong)
    with pytest.raises(InvalidSignature):
        verify(ses, receiver.received[0])


def test_the_envelope_itself_is_odd_on_request(ses: LocalSes, receiver: Receiver) -> None:
    message_id = send(ses)
    ses.event(message_id, "Delivery", signature="none")
    ses.event(message_id, "Delivery", envelope={"Message": "no json", "Subject": None})
    ses.event("0100-never-sent", "Delivery", unknown_message=True, recipients=["ada@example.org"], topic_arn="arn:odd")
    unsigned, odd, unknown = receiver.received
    assert "Signature" not in unsigned
    verify(ses, odd)
    assert (odd["Message"], "Subject" in odd) == ("no json", False)
    assert message_of(unknown)["mail"]["messageId"] == "0100-never-sent"
    assert unknown["TopicArn"] == "arn:odd"


def test_duplicates_bear_one_message_id(ses: LocalSes, receiver: Receiver) -> None:
    message_id = send(ses)
    receiver.answers = [200, 500, 200, 200]
    published = ses.event(message_id, "Delivery", copies=4)
    assert sorted(published.statuses) == [200, 200, 200, 500]
    assert published.status == 500
    ses.event(message_id, "Delivery", sns_message_id=published.sns_message_id)
    assert {envelope["MessageId"] for envelope in receiver.received} == {published.sns_message_id}
    assert len(receiver.received) == 5


def test_a_webhook_that_closes_its_connections_gets_every_event_once(ses: LocalSes, receiver: Receiver) -> None:
    message_id = send(ses)
    receiver.hangs_up = True
    statuses = [ses.event(message_id, "Open").status for _ in range(20)]
    receiver.hangs_up = False
    assert statuses == [200] * 20
    assert len({envelope["MessageId"] for envelope in receiver.received}) == len(receiver.received) == 20


def test_a_subscription_is_confirmed_by_visiting_its_url(ses: LocalSes, receiver: Receiver) -> None:
    ses.event("", "SubscriptionConfirmation")
    ses.event("", "UnsubscribeConfirmation", envelope={"Type": "SubscriptionConfirmation"})
    for envelope in receiver.received:
        verify(ses, envelope)
    visited = urlsplit(receiver.received[0]["SubscribeURL"])
    connection = HTTPConnection(visited.netloc)
    connection.request("GET", f"{visited.path}?{visited.query}")
    assert connection.getresponse().read().startswith(b"<ConfirmSubscriptionResponse>")
    connection.close()
    assert ses.confirmations()[-1]["Token"] == receiver.received[0]["Token"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"message_id": "0100-never-sent", "kind": "Delivery"}, 404),
        ({"kind": "Delivery", "webhook_url": "http://192.0.2.1/webhooks/ses"}, 400),
        ({"kind": "Delivery", "webhook_url": "https://127.0.0.1/webhooks/ses"}, 400),
        ({"kind": "Delivery", "webhook_url": "http://127.0.0.1:1/webhooks/ses"}, 502),
        ({"kind": "Delivery", "signature_version": "3"}, 400),
        ({"kind": "Delivery", "copies": 0}, 400),
        ({"kind": "Teleported"}, 400),
    ],
    ids=["unknown message", "foreign host", "https", "nobody there", "version 3", "no copies", "unknown type"],
)
def test_an_order_that_cannot_be_carried_out_says_why(ses: LocalSes, options: dict[str, Any], status: int) -> None:
    with pytest.raises(RefusedError) as error:
        ses.event(**{"message_id": send(ses), **options})
    assert error.value.status == status


def test_automatic_events_follow_each_mail_until_they_are_taken(ses: LocalSes, receiver: Receiver) -> None:
    ses.set_faults(auto_events=["Send", "Delivery"], signature_version="2")
    receiver.answers = [503, 503]
    ids = [send(ses, f"p{number}@example.org") for number in range(3)]
    envelopes = receiver.wait(8)
    seen = [(message_of(envelope)["mail"]["messageId"], message_of(envelope)["eventType"]) for envelope in envelopes]
    for message_id in ids:
        kinds = list(dict.fromkeys(kind for found, kind in seen if found == message_id))
        assert kinds == ["Send", "Delivery"]
    assert len({envelope["MessageId"] for envelope in envelopes}) == 6
    verify(ses, envelopes[0])


def test_a_mail_that_cannot_be_rendered_is_told_by_an_event(ses: LocalSes, receiver: Receiver) -> None:
    ses.set_faults(auto_events=["Send"])
    template: TemplateTypeDef = {"TemplateContent": {"Subject": "Hi {{name}}", "Text": "Hi"}, "TemplateData": "{}"}
    message_id = ses.boto3().send_email(
        FromEmailAddress="news@example.com",
        Destination={"ToAddresses": ["ada@example.org"]},
        Content={"Template": template},
    )["MessageId"]
    event = message_of(receiver.wait(1)[0])
    assert (event["eventType"], event["mail"]["messageId"]) == ("Rendering Failure", message_id)
    assert event["failure"]["errorMessage"] == "Attribute 'name' is not present in the rendering data."
