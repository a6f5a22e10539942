"""Webhooks: what a client may say of them, who switches them off, and which secrets sign when."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import webhook as w
from domain.webhook_signing import Secrets
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
URL = "https://example.com/hooks?tenant=1"
created = w.WebhookCreated(at=NOW, organization_id=1, client_id=2, key="main", url=URL, generation=1)
off = w.WebhookSwitchedOff(at=NOW, reason="client")
gone = w.WebhookSwitchedOff(at=NOW, reason="gone")


def save(at: datetime = LATER, **said: Any) -> w.SaveWebhook:
    whole: dict[str, Any] = {"organization_id": 1, "client_id": 2, "key": "main", "url": URL} | said
    return w.SaveWebhook(at=at, **whole)


def test_a_webhook_is_created_revised_and_quiet_when_it_says_the_same() -> None:
    state = Given(w.decider).when(save(NOW)).then(created)
    assert state.active
    there = Given(w.decider, created)
    there.when(save()).is_quiet()
    revised = w.WebhookRevised(at=LATER, url=URL, types=("contact.tagged", "contact.verified"), description="ours")
    types = ("contact.verified", "contact.tagged", "contact.tagged")
    state = there.when(save(types=types, description="ours")).then(revised)
    assert (state.types, state.description, state.updated_at) == (revised.types, "ours", LATER)


def test_what_is_not_said_stays() -> None:
    there = Given(
        w.decider, created, w.WebhookRevised(at=NOW, url=URL, types=("contact.tagged",), description="a"), off
    )
    moved = "https://example.org/"
    revised = w.WebhookRevised(at=LATER, url=moved, types=("contact.tagged",), description="a")
    assert not there.when(save(url=moved)).then(revised).active
    there.when(save(types=())).then(w.WebhookRevised(at=LATER, url=URL, description="a"))


def test_it_is_switched_off_and_on() -> None:
    Given(w.decider).when(save(NOW, is_active=False)).then(created, off)
    Given(w.decider).when(save(NOW, is_active=True)).then(created)
    there = Given(w.decider, created)
    there.when(save(is_active=False)).then(w.WebhookSwitchedOff(at=LATER, reason="client"))
    Given(w.decider, created, gone).when(save(is_active=False)).is_quiet()
    assert Given(w.decider, created, gone).when(save(is_active=True)).then(w.WebhookSwitchedOn(at=LATER)).active


def test_a_receiver_that_is_gone_switches_off_what_leads_to_it() -> None:
    there = Given(w.decider, created)
    assert there.when(w.SwitchOffGone(at=NOW, url=URL)).then(gone).off == "gone"
    there.when(w.SwitchOffGone(at=NOW, url="https://example.com/before")).is_quiet()
    Given(w.decider, created, off).when(w.SwitchOffGone(at=NOW, url=URL)).is_quiet()
    Given(w.decider).when(w.SwitchOffGone(at=NOW, url=URL)).is_quiet()


def test_only_what_is_there_and_on_is_pinged() -> None:
    Given(w.decider, created).when(w.PingWebhook(at=LATER)).then(w.WebhookPinged(at=LATER))
    Given(w.decider, created, gone).when(w.PingWebhook(at=LATER)).is_refused({"key": "switched_off"})


def test_a_deleted_one_is_no_more_and_comes_back_with_another_secret() -> None:
    deleted = w.WebhookDeleted(at=LATER)
    rotated = w.WebhookSecretRotated(at=NOW, generation=2)
    state = Given(w.decider, created, rotated).when(w.DeleteWebhook(at=LATER)).then(deleted)
    assert (state.active, state.url) == (False, "")
    anew = Given(w.decider, created, rotated, deleted).when(save(NOW)).done().state
    assert (anew.active, anew.generations(NOW)) == (True, (3,))


@pytest.mark.parametrize("command", [w.PingWebhook(at=NOW), w.RotateSecret(at=NOW), w.DeleteWebhook(at=NOW)])
def test_what_is_not_there_is_not_found(command: Any) -> None:
    Given(w.decider).when(command).is_refused({"key": "not_found"})
    Given(w.decider, created, w.WebhookDeleted(at=NOW)).when(command).is_refused({"key": "not_found"})


def test_the_secret_before_signs_for_a_day_more() -> None:
    rotated = w.WebhookSecretRotated(at=NOW, generation=2)
    state = Given(w.decider, created).when(w.RotateSecret(at=NOW)).then(rotated)
    day = timedelta(hours=24)
    assert state.generations(NOW + day - timedelta(seconds=1)) == (2, 1)
    assert state.generations(NOW + day) == (2,)
    twice = Given(w.decider, created, rotated).when(w.RotateSecret(at=LATER)).done().state
    assert twice.generations(LATER) == (3, 2, 1)
    assert twice.generations(NOW + day) == (3, 2)


@example(hours=[0, 1, 1, 1, 1, 30])
@given(hours=st.lists(st.integers(0, 60), max_size=12))
def test_however_often_it_rotates_few_secrets_sign(hours: list[int]) -> None:
    there, at = Given(w.decider, created), NOW
    for number in hours:
        at += timedelta(hours=number)
        there = there.when(w.RotateSecret(at=at)).done()
        signing = there.state.generations(at)
        assert signing[0] == there.state.generation
        assert list(signing) == sorted(signing, reverse=True)
        assert len(signing) <= 1 + w.MOST_OLD_SECRETS
        assert signing[1:2] == (there.state.generation - 1,)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("  ", "required"),
        ("https://example.com/" + "a" * 2048, "too_long"),
        ("https://example.com/#part", "invalid"),
        ("https://example.com/\r\nHost: other", "invalid"),
        ("http://example.com/", "unsupported"),
        ("ftp://example.com/", "unsupported"),
        ("example.com", "unsupported"),
        ("https://user:secret@example.com/", "unsupported"),
        ("https://bücher.example/", "unsupported"),
        ("https://127.0.0.1/", "unsupported"),
        ("https://[::1]/", "unsupported"),
        ("https://169.254.169.254/latest/meta-data/", "unsupported"),
        ("https://10.0.0.8:8443/", "unsupported"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused(url: str, code: str) -> None:
    for there in (Given(w.decider), Given(w.decider, created)):
        there.when(save(url=url)).is_refused({"url": code})


def test_private_hosts_are_for_those_who_allow_them() -> None:
    for url in ("http://127.0.0.1:9000/hook", "http://receiver:9000/"):
        Given(w.decider).when(save(url=url)).is_refused({"url": "unsupported"})
        assert Given(w.decider).when(save(url=url, private_hosts=True)).done().state.url == url
    metadata = save(url="http://169.254.169.254/", private_hosts=True)
    Given(w.decider).when(metadata).is_refused({"url": "unsupported"})


def test_every_wrong_field_is_named() -> None:
    wrong = save(key="a b", url="", types=("contact.tagged",) * 101, description="a\x07b")
    Given(w.decider).when(wrong).is_refused(
        {"key": "invalid", "url": "required", "types": "too_many", "description": "invalid"}
    )
    longer = save(key="k" * 121, description="d" * 1001)
    Given(w.decider).when(longer).is_refused({"key": "too_long", "description": "too_long"})


def test_signatures_are_those_of_the_specification() -> None:
    secrets = Secrets(b"a key of thirty-two bytes or so.")
    shown = {generation: secrets.shown(7, generation) for generation in (1, 2)}
    value = secrets.signatures(7, (2, 1), message_id="dm-7-12", seconds=1_779_624_000, body=b'{"a":1}')
    assert len(set(shown.values()) | {secrets.shown(8, 1)}) == 3
    for signature, generation in zip(value.split(" "), (2, 1), strict=True):
        key = b64decode(shown[generation].removeprefix("whsec_"), validate=True)
        assert len(key) == 32
        expected = b64encode(digest(key, b'dm-7-12.1779624000.{"a":1}', sha256)).decode()
        assert compare_digest(signature, f"v1,{expected}")
