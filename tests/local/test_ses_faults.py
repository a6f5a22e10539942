"""Faults strike exactly the calls that they should, and the inbox says what was accepted all the same."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from config.local.ses.client import LocalSes, RefusedError
from config.local.ses.faults import Chance, Draw
from config.local.ses.process import local_ses

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import TemplateTypeDef

DEFAULT_RATE = 100_000.0
REQUEST: dict[str, Any] = {
    "Destination": {"ToAddresses": ["ada@example.org"]},
    "Content": {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hi"}}}},
}


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
    server.reset_faults()
    return server


def send(client: "SESV2Client", *to: str) -> str:
    """Send and return "sent", or the error's type."""
    try:
        client.send_email(
            FromEmailAddress="news@example.com",
            Destination={"ToAddresses": list(to) or ["ada@example.org"]},
            Content=REQUEST["Content"],
        )
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "sent"


def send_bulk(client: "SESV2Client", count: int) -> list[str]:
    template: TemplateTypeDef = {"TemplateContent": {"Subject": "Hi", "Text": "Hi"}, "TemplateData": "{}"}
    entries: list[Any] = [{"Destination": {"ToAddresses": [f"p{number}@example.org"]}} for number in range(count)]
    answer = client.send_bulk_email(
        FromEmailAddress="news@example.com",
        DefaultContent={"Template": template},
        BulkEmailEntries=entries,
    )
    return [result["Status"] for result in answer["BulkEmailEntryResults"]]


def test_every_second_call_is_throttled_and_leaves_no_mail(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(throttle={"every": 2})
    assert [send(client) for _ in range(4)] == ["sent", "TooManyRequestsException"] * 2
    assert ses.count() == 2
    assert ses.faults()["hits"]["throttle"] == 2
    send(client)
    with pytest.raises(client.exceptions.TooManyRequestsException) as error:
        client.send_email(FromEmailAddress="news@example.com", **REQUEST)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_only_the_first_calls_to_an_address_are_hit(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(throttle={"every": 1, "times": 2, "to": ["Ada <ada@example.org>"]})
    assert send(client, "grace@example.org") == "sent"
    assert [send(client) for _ in range(3)] == ["TooManyRequestsException"] * 2 + ["sent"]


@given(st.integers(), st.floats(0.2, 0.8))
def test_a_share_is_drawn_from_its_seed(seed: int, share: float) -> None:
    def drawn() -> list[bool]:
        draw = Draw(Chance(share=share, seed=seed))
        return [draw.hit(()) for _ in range(400)]

    assert drawn() == drawn()
    assert 400 * (share - 0.15) < sum(drawn()) < 400 * (share + 0.15)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServiceErrorException", 500),
        ("ServiceUnavailableException", 503),
        ("MailFromDomainNotVerifiedException", 400),
        ("LimitExceededException", 400),
    ],
)
def test_any_error_can_stand_in_for_the_answer(ses: LocalSes, client: "SESV2Client", code: str, status: int) -> None:
    ses.set_faults(error={"every": 1, "code": code, "message": "Because."})
    with pytest.raises(ClientError) as error:
        client.send_email(FromEmailAddress="news@example.com", **REQUEST)
    assert error.value.response["Error"] == {"Code": code, "Message": "Because."}
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert ses.count() == 0


def test_an_error_after_accepting_leaves_the_mail(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(error={"every": 1, "times": 1, "status": 502, "after_accepting": True})
    assert [send(client), send(client)] == ["InternalServiceErrorException", "sent"]
    assert ses.count() == 2


def test_an_answer_is_lost_after_accepting(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(lost={"every": 1, "times": 2})
    with pytest.raises(ConnectionClosedError):
        send(client)
    with pytest.raises(ConnectionClosedError):
        send_bulk(client, 3)
    assert send(client) == "sent"
    assert ses.count() == 5


def test_an_answer_takes_longer_than_the_client_waits(ses: LocalSes) -> None:
    ses.set_faults(lost={"every": 1, "times": 1, "hold_ms": 60_000})
    impatient = ses.boto3(read_timeout=0.2)
    with pytest.raises(ReadTimeoutError):
        send(impatient)
    assert send(impatient) == "sent"
    assert ses.count() == 2


def test_latency_comes_before_the_call(ses: LocalSes) -> None:
    ses.set_faults(latency_ms=60_000)
    with pytest.raises(ReadTimeoutError):
        send(ses.boto3(read_timeout=0.2))
    assert ses.count() == 0


def test_quotas_are_kept_to(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(max_24_hour_send=3)
    assert send(client, "a@example.org", "b@example.org") == "sent"
    assert send(client, "a@example.org", "b@example.org") == "LimitExceededException"
    assert send_bulk(client, 2) == ["SUCCESS", "ACCOUNT_DAILY_QUOTA_EXCEEDED"]
    ses.set_faults(max_24_hour_send=-1)
    assert send(client) == "sent"


def test_the_rate_is_kept_to(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(max_send_rate=0.001)
    assert [send(client), send(client)] == ["TooManyRequestsException"] * 2
    ses.set_faults(max_send_rate=2)
    statuses = send_bulk(client, 50)
    assert statuses[:2] == ["SUCCESS", "SUCCESS"]
    assert statuses.count("ACCOUNT_THROTTLED") >= 40
    assert ses.count() == statuses.count("SUCCESS")


def test_single_entries_of_a_bulk_call_fail(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(entries={"every": 3, "status": "TRANSIENT_FAILURE"}, rejected_addresses=["P0@example.org"])
    assert send_bulk(client, 4) == ["MESSAGE_REJECTED", "SUCCESS", "TRANSIENT_FAILURE", "SUCCESS"]
    assert [mail.to for mail in ses.messages()] == [("p1@example.org",), ("p3@example.org",)]


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"sending_paused": True}, "SendingPausedException"),
        ({"suspended": True}, "AccountSuspendedException"),
        ({"rejected_addresses": ["ADA@example.org"]}, "MessageRejected"),
        ({"unverified_senders": ["news@example.com"]}, "MessageRejected"),
        ({"unverified_senders": ["Example.com"]}, "MessageRejected"),
    ],
    ids=["paused", "suspended", "recipient", "sender", "sender's domain"],
)
def test_the_account_refuses(ses: LocalSes, client: "SESV2Client", faults: dict[str, Any], code: str) -> None:
    ses.set_faults(**faults)
    assert send(client) == code
    assert ses.count() == 0


def test_a_number_is_a_share(ses: LocalSes) -> None:
    assert ses.set_faults(throttle=0.5)["throttle"] == {"every": 0, "share": 0.5, "seed": 0, "times": 0, "to": []}
    assert ses.set_faults(throttle=None)["throttle"] is None


def test_faults_are_set_one_by_one_and_reset_together(ses: LocalSes, client: "SESV2Client") -> None:
    ses.set_faults(throttle={"every": 1})
    faults = ses.set_faults(max_send_rate=7)
    assert (faults["throttle"]["every"], faults["max_send_rate"]) == (1, 7.0)
    assert ses.set_faults(throttle=None)["throttle"] is None
    ses.reset_faults()
    assert ses.faults()["max_send_rate"] == DEFAULT_RATE
    assert send(client) == "sent"


@pytest.mark.parametrize(
    "wrong",
    [
        {"throtle": {"every": 2}},
        {"throttle": {"share": 1.5}},
        {"throttle": {"every": "2"}},
        {"lost": {"hold_ms": -1}},
        {"entries": {"status": "SUCCESS"}},
        {"rejected_addresses": ["nobody"]},
        {"auto_events": ["Teleported"]},
    ],
    ids=["unknown name", "share", "type", "negative", "status", "address", "event"],
)
def test_wrong_faults_are_refused_and_change_nothing(ses: LocalSes, wrong: dict[str, Any]) -> None:
    ses.set_faults(max_send_rate=7)
    with pytest.raises(RefusedError) as error:
        ses.set_faults(**{"max_send_rate": 8, **wrong})
    assert error.value.status == 400
    assert ses.faults()["max_send_rate"] == 7.0
