"""Amazon SNS's envelopes: believed when SNS signed them for a topic of ours, else refused with a clear error."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.sns import is_certificate, may_visit
from config.local.ses.certificate import Signer
from config.local.ses.settings import DEFAULT_TOPIC
from config.local.ses.sns import ConfirmationType, notification, signed
from domain.ses_event import KINDS
from tests.api.posted import Posted, posted
from tests.api.serving import fields, serving, settings_of
from tests.api.telling import OTHER_TOPIC, Stand, standing

AMAZON = "https://sns.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def stand(demo_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(demo_database, tmp_path_factory.mktemp("ses")) as both:
        yield both


@pytest.fixture
def mail(stand: Stand) -> Posted:
    return posted(stand.store)


@pytest.mark.parametrize("signature", ["wrong", "other_key"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_forged_envelope_is_refused(stand: Stand, signature: Any, version: Any) -> None:
    mail = posted(stand.store)
    assert stand.tell(mail, "Bounce", signature=signature, signature_version=version) == 403
    assert stand.tell(mail, "Bounce", forged={"Subject": None}) == 403
    assert stand.tell(mail, "Bounce", forged={"MessageId": str(uuid4())}) == 403
    assert (
        stand.tell(mail, "Bounce", forged={"Type": "UnsubscribeConfirmation", "Token": "x", "SubscribeURL": "x"}) == 403
    )
    assert stand.tell(mail, "Bounce", signature="none") == 400
    assert mail.events() == []
    assert mail.contact.hard_bounces == {}


def test_a_signature_counts_for_its_own_version_only(stand: Stand, mail: Posted) -> None:
    for signed_as, called in (("1", "2"), ("2", "1")):
        assert stand.tell(mail, "Bounce", signature_version=signed_as, forged={"SignatureVersion": called}) == 403
    assert mail.events() == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"Subscription", "Rendering Failure"}])
def test_a_replayed_envelope_changes_nothing(stand: Stand, mail: Posted, kind: str) -> None:
    name = str(uuid4())
    assert stand.tell(mail, kind, sns_message_id=name) == 200
    head = stand.store.recorder.head()
    assert {stand.tell(mail, kind, sns_message_id=name, signature_version=version) for version in ("1", "2")} == {200}
    assert stand.store.recorder.head() == head


def test_a_replayed_confirmation_is_confirmed_again_and_nothing_else(stand: Stand) -> None:
    head, visited = stand.store.recorder.head(), len(stand.ses.confirmations())
    envelope = stand.ses.event("", "SubscriptionConfirmation", webhook_url=stand.url).envelope
    assert stand.post(dict(envelope)).json() == {"status": "confirmed"}
    assert (stand.store.recorder.head(), len(stand.ses.confirmations())) == (head, visited + 2)


def test_only_topics_of_ours_count(stand: Stand, mail: Posted) -> None:
    answer = stand.post(stand.sealed("{}", TopicArn=OTHER_TOPIC))
    assert (answer.status_code, fields(answer)) == (403, {"TopicArn": "forbidden"})
    assert stand.tell(mail, "Bounce", topic_arn=OTHER_TOPIC) == 403
    assert mail.events() == []


def test_only_certificates_of_amazon_count(stand: Stand) -> None:
    for url in ("https://evil.example/x.pem", f"{stand.ses.url}/other.pem", f"{AMAZON}.evil.example/x.pem"):
        answer = stand.post({**stand.sealed("{}"), "SigningCertURL": url})
        assert (answer.status_code, fields(answer)) == (403, {"SigningCertURL": "forbidden"})


def test_a_certificate_that_cannot_be_had_makes_sns_try_again(demo_database: str) -> None:
    nowhere = "http://127.0.0.1:9/certificate.pem"
    said = notification("{}", DEFAULT_TOPIC, "http://127.0.0.1:9")
    envelope = signed(said, Signer.new(), "1", "http://127.0.0.1:9")
    more = {"ses_topic_arns": (DEFAULT_TOPIC,), "ses_certificate_url": nowhere}
    with serving(settings_of(demo_database, **more)) as served:
        for _ in range(2):
            answer = httpx.post(f"{served.base_url}/webhooks/ses", json=envelope)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "certificate_unavailable")


def test_confirmations(stand: Stand) -> None:
    visited = len(stand.ses.confirmations())
    answer = stand.ses.event("", "SubscriptionConfirmation", webhook_url=stand.url)
    assert answer.status == 200
    assert len(stand.ses.confirmations()) == visited + 1
    assert stand.ses.confirmations()[-1]["Token"] == answer.envelope["Token"]
    elsewhere = {"SubscribeURL": "http://127.0.0.1:9/?Action=ConfirmSubscription"}
    kind: ConfirmationType = "SubscriptionConfirmation"
    assert stand.ses.event("", kind, webhook_url=stand.url, topic_arn=OTHER_TOPIC).status == 403
    assert stand.ses.event("", kind, webhook_url=stand.url, envelope=elsewhere).status == 403
    wrong = {"SubscribeURL": f"{stand.ses.url}/nothing"}
    assert stand.ses.event("", "SubscriptionConfirmation", webhook_url=stand.url, envelope=wrong).status == 503
    assert stand.ses.event("", "UnsubscribeConfirmation", webhook_url=stand.url).status == 200
    assert len(stand.ses.confirmations()) == visited + 1


def test_the_greeting_of_a_new_topic_is_taken(stand: Stand) -> None:
    text = "Successfully validated SNS topic for Amazon SES event publishing."
    answer = stand.post(stand.sealed(text))
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})


MEMBERS = [
    "Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL",
]  # fmt: skip


@pytest.mark.parametrize("name", MEMBERS)
def test_each_member_is_asked_for(stand: Stand, name: str) -> None:
    envelope = stand.sealed("{}")
    for value, code in ((None, "required"), ("", "required"), (7, "must_be_string"), ([], "must_be_string")):
        answer = stand.post({**envelope, name: value})
        assert (answer.status_code, fields(answer)) == (400, {name: code})
    del envelope[name]
    assert fields(stand.post(envelope)) == {name: "required"}


def test_members_of_a_wrong_form(stand: Stand) -> None:
    wrong = {
        "Type": ("Greeting", "invalid"),
        "MessageId": ("x" * 101, "too_long"),
        "Timestamp": ("yesterday", "must_be_iso_datetime"),
        "SignatureVersion": ("3", "unsupported"),
        "Signature": ("not base64!", "invalid"),
        "Subject": (7, "must_be_string"),
    }
    envelope = stand.sealed("{}")
    for name, (value, code) in wrong.items():
        assert fields(stand.post({**envelope, name: value})) == {name: code}
    every = fields(stand.post({**envelope, **{name: value for name, (value, _) in wrong.items()}}))
    assert every == {name: code for name, (_, code) in wrong.items()}
    assert set(fields(stand.post({**envelope, "Type": "SubscriptionConfirmation"}))) == {"Token", "SubscribeURL"}


def test_bodies_that_are_no_envelope(stand: Stand) -> None:
    for body, code in ((b"", "invalid_json"), (b"\xff", "invalid_json"), (b"[]", "must_be_object")):
        assert fields(httpx.post(stand.url, content=body)) == {"body": code}
    assert fields(httpx.post(stand.url, content=b"[" * 100_000)) == {"body": "invalid_json"}
    large = httpx.post(stand.url, content=b" " * (256 * 1024 + 1))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "payload_too_large")


TRUSTED = "http://127.0.0.1:8025/certificate.pem"


def test_hosts() -> None:
    for good in (f"{AMAZON}/SimpleNotificationService-0a.pem", "https://sns.cn-north-1.amazonaws.com.cn/x.pem"):
        assert is_certificate(good, "")
    bad = [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com:444/x.pem",
        "https://user@sns.us-east-1.amazonaws.com/x.pem",
        "https://evil.example\\@sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://xsns.us-east-1.amazonaws.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.txt",
        "https://sns.us-east-1.amazonaws.com/a/../x.pem",
        "https://sns.us-east-1.amazonaws.com/x\r\n.pem",
        "https://[::1",
        TRUSTED,
        "",
    ]
    assert [url for url in bad if is_certificate(url, "")] == []
    assert is_certificate(TRUSTED, TRUSTED)
    assert not is_certificate(f"{TRUSTED}?x", TRUSTED)
    assert may_visit(f"{AMAZON}/?Action=ConfirmSubscription&Token=1", "")
    assert may_visit("http://127.0.0.1:8025/sns?Action=ConfirmSubscription", TRUSTED)
    refused = ("http://127.0.0.1:8025/sns", "http://127.0.0.1/sns", "https://evil.example/", "/sns", "https://[::1")
    assert [url for url in refused if may_visit(url, "")] == []
    assert not may_visit("http://127.0.0.1:80250/sns", TRUSTED)


def test_signatures_are_base64_of_any_length(stand: Stand) -> None:
    answer = stand.post({**stand.sealed("{}"), "Signature": b64encode(b"short").decode()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invalid_signature")
