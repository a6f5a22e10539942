"""Events of SES that are of a wrong form, in envelopes that SNS signed: each its clear error, and nothing half done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.mail import STREAM_TAG
from domain.store.waiting_feedback import WaitingFeedback
from tests.api.posted import posted
from tests.api.serving import fields
from tests.api.telling import Stand, standing
from tests.api.test_sns import MEMBERS


@pytest.fixture(scope="module")
def stand(demo_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(demo_database, tmp_path_factory.mktemp("ses")) as both:
        yield both


def an_event(stand: Stand) -> dict[str, Any]:
    """The event of a bounce that nothing is wrong with."""
    mail = posted(stand.store)
    return {
        "eventType": "Bounce",
        "mail": {
            "timestamp": "2026-05-24T12:00:00.000Z",
            "messageId": "ses",
            "tags": {STREAM_TAG: [str(mail.stream)]},
        },
        "bounce": {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": mail.email}]},
    }


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"eventType": "Surprise"}, {"Message.eventType": "unsupported"}),
    ({"eventType": None}, {"Message.eventType": "required"}),
    ({"eventType": ["Bounce"]}, {"Message.eventType": "must_be_string"}),
    ({"mail": None}, {"Message.mail": "required"}),
    ({"mail": "x"}, {"Message.mail": "must_be_object"}),
    ({"mail": {"timestamp": "2026-05-24T12:00:00Z"}}, {"Message.mail.messageId": "required"}),
    ({"mail": {"messageId": "x"}}, {"Message.mail.timestamp": "required"}),
    ({"mail": {"messageId": "x", "timestamp": "noon"}}, {"Message.mail.timestamp": "must_be_iso_datetime"}),
    (
        {"mail": {"messageId": "x", "timestamp": "2026-05-24T12:00:00Z", "tags": []}},
        {"Message.mail.tags": "must_be_object"},
    ),
    (
        {"mail": {"messageId": "x", "timestamp": "2026-05-24T12:00:00Z", "tags": {STREAM_TAG: "x"}}},
        {f"Message.mail.tags.{STREAM_TAG}": "must_be_list"},
    ),
    (
        {"mail": {"messageId": "x\0", "timestamp": "2026-05-24T12:00:00Z"}},
        {"Message.mail.messageId": "invalid"},
    ),
    ({"bounce": []}, {"Message.bounce": "must_be_object"}),
    ({"bounce": {}}, {"Message.bounce.bouncedRecipients": "required"}),
    ({"bounce": {"bouncedRecipients": []}}, {"Message.bounce.bounceType": "required"}),
    ({"bounce": {"bouncedRecipients": ["x"]}}, {"Message.bounce.bouncedRecipients.0": "must_be_object"}),
    ({"bounce": {"bouncedRecipients": [{}]}}, {"Message.bounce.bouncedRecipients.0.emailAddress": "required"}),
    (
        {"bounce": {"bouncedRecipients": [{"emailAddress": 7}]}},
        {"Message.bounce.bouncedRecipients.0.emailAddress": "must_be_string"},
    ),
    ({"bounce": {"bouncedRecipients": "x"}}, {"Message.bounce.bouncedRecipients": "must_be_list"}),
    (
        {"bounce": {"bouncedRecipients": [], "bounceType": ["Permanent"]}},
        {"Message.bounce.bounceType": "must_be_string"},
    ),
    (
        {"bounce": {"bouncedRecipients": [], "bounceType": "Permanent", "timestamp": "noon"}},
        {"Message.bounce.timestamp": "must_be_iso_datetime"},
    ),
    *[
        ({"eventType": kind, member: value}, {f"Message.{member}{path}": code})
        for kind, member, value, path, code in (
            ("Delivery", "delivery", [], "", "must_be_object"),
            ("Delivery", "delivery", {"recipients": "a@example.com"}, ".recipients", "must_be_list"),
            ("Delivery", "delivery", {"recipients": ["a@example.com", 7]}, ".recipients.1", "must_be_string"),
            ("Delivery", "delivery", {"timestamp": 7}, ".timestamp", "must_be_string"),
            ("DeliveryDelay", "deliveryDelay", {"delayedRecipients": {}}, ".delayedRecipients", "must_be_list"),
            ("DeliveryDelay", "deliveryDelay", {"delayedRecipients": [7]}, ".delayedRecipients.0", "must_be_object"),
            ("DeliveryDelay", "deliveryDelay", {"delayType": 7}, ".delayType", "must_be_string"),
            ("Complaint", "complaint", {}, ".complainedRecipients", "required"),
            ("Complaint", "complaint", {"complainedRecipients": [None]}, ".complainedRecipients.0", "must_be_object"),
            ("Click", "click", {"link": ["x"]}, ".link", "must_be_string"),
        )
    ],
]


@pytest.mark.parametrize(("members", "expected"), WRONG, ids=lambda value: next(iter(value)) if value else "")
def test_events_of_a_wrong_form(stand: Stand, members: dict[str, Any], expected: dict[str, str]) -> None:
    event, waiting = an_event(stand), WaitingFeedback(stand.store)
    before = (stand.store.recorder.head(), waiting.count())
    answer = stand.post(stand.sealed({**event, **members}))
    assert (answer.status_code, fields(answer)) == (400, expected)
    assert (stand.store.recorder.head(), waiting.count()) == before, "nothing half done"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["Bounce", "Permanent", "ses"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["bounceType", "tags"]), inner),
    max_leaves=4,
)
ODD_EVENT = st.fixed_dictionaries(
    {"eventType": st.sampled_from(["Send", "Bounce", "Complaint", "Click", "Rendering Failure"]) | ODD},
    optional={
        "mail": ODD
        | st.fixed_dictionaries({"messageId": ODD, "timestamp": ODD | st.just("0001-01-01T00:00:00+14:00")}),
        "bounce": ODD | st.fixed_dictionaries({"bouncedRecipients": ODD, "bounceType": ODD, "timestamp": ODD}),
        "click": ODD | st.fixed_dictionaries({"link": ODD}),
        "complaint": ODD,
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=ODD_EVENT | ODD | st.text(max_size=20), members=st.dictionaries(st.sampled_from(MEMBERS), ODD, max_size=2))
@example(event={"eventType": "Send", "mail": {"messageId": "x", "timestamp": "0001-01-01T00:00:00+14:00"}}, members={})
def test_odd_events_have_an_answer(stand: Stand, event: Any, members: dict[str, Any]) -> None:
    head = stand.store.recorder.head()
    for envelope in (stand.sealed(event), {**stand.sealed(event), **members}):
        answer = stand.post(envelope)
        assert answer.status_code in {200, 400, 403}, answer.text
        assert answer.status_code == 200 or answer.json()["error"]["code"]
    assert stand.store.recorder.head() == head, "nothing half done"
