"""What boto3's answers say of a mail: sent, refused, held back, or unknown."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.local.ses.client import LocalSes
from config.local.ses.process import local_ses
from consumers.pace import Pace
from consumers.ses import Ses, SesHeld, SesRefused, SesSent, SesUnknown
from domain.mail import Header, Mail, Part
from domain.mailbox import Mailbox

MAIL = Mail(
    sender=Mailbox("a@example.com", "Ä"),
    to=Mailbox("b@example.com"),
    subject="Grüße",
    text="Hello",
    html="<p>Hello</p>",
    reply_to=(Mailbox("r@example.com"),),
    headers=(Header("X-Course", "ml"),),
    tags=(("stream", "6-1"),),
)
TEMPLATE = {"TemplateContent": {"Subject": "Hi", "Text": "Hello {{name}}"}, "TemplateData": "{}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSes]:
    with local_ses(tmp_path_factory.mktemp("ses")) as running:
        yield running


@pytest.fixture
def local(server: LocalSes) -> Iterator[LocalSes]:
    server.empty()
    yield server
    server.reset_faults()


@pytest.fixture
def ses(local: LocalSes) -> Ses:
    return Ses("eu-west-1", endpoint_url=local.url, configuration_set="datamailer")


def send(ses: Ses) -> object:
    return ses.send(MAIL)


def entry(n: int) -> dict[str, Any]:
    return {
        "Destination": {"ToAddresses": [f"{n}@example.com"]},
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": f'{{"name": "N{n}"}}'}},
        "ReplacementTags": [{"Name": "stream", "Value": f"8-{n}"}],
    }


@pytest.mark.parametrize(
    "mail", [MAIL, replace(MAIL, parts=(Part("text/plain", "notes", "notes.txt"),))], ids=["simple", "raw"]
)
def test_a_mail_arrives_as_it_is(ses: Ses, local: LocalSes, mail: Mail) -> None:
    answer = ses.send(replace(mail, cc=(Mailbox("c@example.com"),), bcc=(Mailbox("d@example.com"),)))
    [shown] = local.wait("b@example.com")
    assert answer == SesSent(shown.message_id)
    assert (shown.tags["stream"], shown.subject, (shown.text or "").strip()) == ("6-1", "Grüße", "Hello")
    assert "<p>Hello</p>" in (shown.html or "")
    headers = {header.name.lower(): header.value for header in shown.headers}
    assert headers["x-course"] == "ml"
    assert "r@example.com" in headers["reply-to"]
    assert [local.count(f"{name}@example.com") for name in "cd"] == [1, 1]


def test_a_bulk_call_answers_for_each_entry(ses: Ses, local: LocalSes) -> None:
    local.set_faults(rejected_addresses=["1@example.com"])
    answers = ses.send_bulk("a@example.com", TEMPLATE, [entry(n) for n in range(3)])
    assert [type(answer) for answer in answers] == [SesSent, SesRefused, SesSent]
    [mail] = local.wait("2@example.com")
    assert (mail.text or "").strip() == "Hello N2"
    assert mail.tags["stream"] == "8-2"


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({"throttle": {"every": 1}}, SesHeld("throttled")),
        ({"sending_paused": True}, SesHeld("stopped")),
        ({"suspended": True}, SesHeld("stopped")),
        ({"rejected_addresses": ["b@example.com"]}, SesRefused("MessageRejected")),
        ({"unverified_senders": ["a@example.com"]}, None),
        ({"lost": {"every": 1}}, None),
        ({"error": {"every": 1, "after_accepting": True}}, None),
    ],
    ids=["throttled", "paused", "suspended", "rejected", "unverified", "lost", "failed"],
)
def test_each_failure_says_what_is_known(ses: Ses, local: LocalSes, faults: dict[str, Any], expected: object) -> None:
    local.set_faults(**faults)
    answer = send(ses)
    if expected is not None:
        assert answer == expected
    elif "unverified_senders" in faults:
        assert isinstance(answer, SesRefused)
    else:
        assert isinstance(answer, SesUnknown)
        assert local.count("b@example.com") == 1


def test_a_service_out_of_reach_has_nothing() -> None:
    assert send(Ses("eu-west-1", endpoint_url="http://127.0.0.1:1")) == SesHeld("unreachable")


def test_the_allowance_is_the_accounts(ses: Ses, local: LocalSes) -> None:
    local.set_faults(max_send_rate=14.0, max_24_hour_send=100.0)
    send(ses)
    allowance = ses.allowance()
    assert (allowance.rate, allowance.daily, allowance.left, allowance.enabled) == (14.0, 100.0, 99.0, True)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 40)), max_size=40),
    st.floats(1, 50),
)
def test_a_pace_never_gives_more_than_its_rate(steps: list[tuple[float, int]], rate: float) -> None:
    now = [0.0]
    pace = Pace(rate, lambda: now[0])
    given_out = 0
    for seconds, wanted in steps:
        now[0] += seconds
        assert pace.take(0) == 0
        given_out += pace.take(wanted)
        assert given_out <= rate * (now[0] + 1) + 1e-6
    now[0] += pace.delay() + 1e-6
    assert pace.take(1) == 1


def test_a_pace_of_nothing_gives_nothing() -> None:
    now = [0.0]
    pace = Pace(10.0, lambda: now[0])
    pace.set_rate(0)
    now[0] = 100.0
    assert pace.take(5) == 0
    assert pace.delay() > 0
