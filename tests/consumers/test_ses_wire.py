"""The wire to SES: what leaves is what boto3's client would send, signed so that Amazon can check it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import boto3
import pytest

from consumers.ses import Ses, SesAnswer, SesHeld, SesRefused, SesSent, SesUnknown, simple
from domain.mail import Header, Mail
from domain.mailbox import Mailbox

MAIL = Mail(
    sender=Mailbox("a@example.com", "Ä"),
    to=Mailbox("b@example.com"),
    subject="Grüße",
    html="<p>Hello</p>",
    headers=(Header("X-Course", "ml"),),
    tags=(("stream", "6-1"),),
)
ASKED: dict[str, Any] = {
    "FromEmailAddress": MAIL.sender.header,
    "Destination": {"ToAddresses": ["b@example.com"]},
    "Content": simple(MAIL),
    "EmailTags": [{"Name": "stream", "Value": "6-1"}],
    "ConfigurationSetName": "c",
}
SENT = b'{"MessageId":"m-1"}'


class Recorder(BaseHTTPRequestHandler):
    """Keeps what came, answers what it is told."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []
    answer: ClassVar[tuple[int, bytes]] = (200, SENT)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.requests.append((self.command, self.path, headers, body))
        status, answer = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def ses(server: str) -> Ses:
    return Ses("eu-west-1", endpoint_url=server, configuration_set="c")


@pytest.fixture
def url(server: str) -> str:
    Recorder.requests.clear()
    Recorder.answer = (200, SENT)
    return server


def test_the_request_is_that_of_boto3(url: str, ses: Ses) -> None:
    assert ses.send(MAIL) == SesSent("m-1")
    session = boto3.session.Session("local", "local", region_name="eu-west-1")
    session.client("sesv2", endpoint_url=url).send_email(**ASKED)
    own, theirs = Recorder.requests
    assert own[:2] == theirs[:2] == ("POST", "/v2/email/outbound-emails")
    assert json.loads(own[3]) == json.loads(theirs[3])
    for name in ("host", "content-type"):
        assert own[2][name] == theirs[2][name]
    credential = own[2]["authorization"].partition(" Signed")[0]
    assert credential == theirs[2]["authorization"].partition(" Signed")[0]
    assert credential.endswith("/eu-west-1/ses/aws4_request,")
    assert "Botocore/" in own[2]["user-agent"]


@pytest.mark.usefixtures("url")
def test_the_signature_holds_for_what_arrived(ses: Ses) -> None:
    ses.send(MAIL)
    [(method, path, headers, body)] = Recorder.requests
    told = dict(part.split("=") for part in headers["authorization"].partition(" ")[2].split(", "))
    names = told["SignedHeaders"].split(";")
    assert {"content-type", "host", "x-amz-date"} <= set(names)
    lines = [method, path, "", *(f"{name}:{headers[name]}" for name in names), "", ";".join(names)]
    request = "\n".join([*lines, sha256(body).hexdigest()])
    day, *scope = told["Credential"].split("/")[1:]
    words = ["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join((day, *scope)), sha256(request.encode()).hexdigest()]
    key = b"AWS4local"
    for word in (day, *scope):
        key = hmac.digest(key, word.encode(), "sha256")
    assert told["Signature"] == hmac.digest(key, "\n".join(words).encode(), "sha256").hex()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, b"<html>"), SesUnknown("UnreadableAnswer")),
        ((200, b"{}"), SesUnknown("UnreadableAnswer")),
        ((400, b'{"__type":"BadRequestException","message":"no"}'), SesRefused("BadRequestException")),
        ((429, b'{"__type":"com.amazonaws#TooManyRequestsException"}'), SesHeld("throttled")),
        ((403, b'{"message":"The security token included in the request is expired"}'), SesHeld("stopped")),
        ((503, b"<html><body>Service Unavailable</body></html>"), SesUnknown("503")),
    ],
)
@pytest.mark.usefixtures("url")
def test_an_answer_is_read_as_botocore_reads_it(ses: Ses, answer: tuple[int, bytes], expected: SesAnswer) -> None:
    Recorder.answer = answer
    assert ses.send(MAIL) == expected


def test_a_proxy_of_the_environment_is_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", url)
    assert Ses("eu-west-1", endpoint_url="http://ses.invalid").send(MAIL) == SesSent("m-1")
    [(_, path, headers, _)] = Recorder.requests
    assert (path, headers["host"]) == ("http://ses.invalid/v2/email/outbound-emails", "ses.invalid")


def test_without_credentials_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert Ses("eu-west-1").send(MAIL) == SesHeld("unreachable")
