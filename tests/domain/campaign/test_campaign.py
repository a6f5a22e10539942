"""Campaigns: what each command does where, and that nothing is sent but what was frozen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import campaign
from domain.campaign import CampaignContent
from domain.campaign.commands import Command
from domain.decider import Event, Rejected
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WHOSE: dict[str, Any] = {"organization_id": 1, "client_id": 21, "audience_id": 11, "external_key": "may-news"}
CONTENT = CampaignContent(subject="News", html_body='<a href="https://a.example/">a</a> https://b.example/')
LINKS = ("https://a.example/", "https://b.example/")

drafted = campaign.CampaignDrafted(at=NOW, **WHOSE, content=CONTENT)
queued = campaign.CampaignQueued(at=NOW, sender_id="news", sender="N <n@example.com>", links=LINKS)
started = campaign.CampaignSnapshotStarted(at=NOW, position=42)
taken = campaign.CampaignSnapshotTaken(at=NOW, recipient_count=10, skipped_count=2)
paused = campaign.CampaignPaused(at=NOW)
sent = campaign.CampaignSent(at=NOW)
cancelled = campaign.CampaignCancelled(at=NOW)
failed = campaign.CampaignFailed(at=NOW, code="sender_not_configured")
STAGES: dict[str, tuple[Event, ...]] = {
    "draft": (drafted,),
    "queued": (drafted, queued),
    "snapshotting": (drafted, queued, started),
    "sending": (drafted, queued, started, taken),
    "sent": (drafted, queued, started, taken, sent),
    "cancelled": (drafted, queued, cancelled),
    "failed": (drafted, failed),
}

queue = campaign.QueueCampaign(at=NOW, sender_id="news", sender="N <n@example.com>")
start = campaign.StartSnapshot(at=NOW, position=42)
finish_snapshot = campaign.FinishSnapshot(at=NOW, recipient_count=10, skipped_count=2)
pause, resume = campaign.PauseCampaign(at=NOW), campaign.ResumeCampaign(at=NOW)
cancel, finish = campaign.CancelCampaign(at=NOW), campaign.FinishCampaign(at=NOW)
fail = campaign.FailCampaign(at=NOW, code="sender_not_configured")


def save(at: datetime = NOW, content: CampaignContent = CONTENT, **whose: Any) -> campaign.SaveCampaign:
    return campaign.SaveCampaign(at=at, **(WHOSE | whose), content=content)


def saying(**said: Any) -> CampaignContent:
    return msgspec.structs.replace(CONTENT, **said)


def at(stage: str, *more: Event) -> Given[campaign.Campaign]:
    return Given(campaign.decider, *STAGES[stage], *more)


def test_a_draft_is_saved_revised_and_quiet_when_it_says_the_same() -> None:
    state = Given(campaign.decider).when(save()).then(drafted)
    assert (state.status, state.created_at, state.recipient_count) == ("draft", NOW, None)
    at("draft").when(save(LATER)).is_quiet()
    other = saying(subject="Other", include_tags=("ml",), scheduled_at=LATER)
    state = at("draft").when(save(LATER, other)).then(campaign.CampaignRevised(at=LATER, content=other))
    assert (state.content, state.updated_at) == (other, LATER)
    assert campaign.key_of(21, "may-news") == "21/may-news"


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"subject": " "}, {"subject": "required"}),
        ({"subject": "a\nb"}, {"subject": "invalid"}),
        ({"subject": "a\rb"}, {"subject": "invalid"}),
        ({"subject": "s" * 256}, {"subject": "too_long"}),
        ({"html_body": " "}, {"body": "required"}),
        ({"html_body": "x" * 1_048_577}, {"html_body": "too_large"}),
        ({"text_body": "x" * 1_048_577}, {"text_body": "too_large"}),
        ({"preview_text": "p" * 256}, {"preview_text": "too_long"}),
        ({"preview_text": "p\n"}, {"preview_text": "invalid"}),
        ({"include_tags": ("a",) * 101}, {"include_tags": "too_many"}),
        ({"exclude_tags": ("a",) * 101}, {"exclude_tags": "too_many"}),
        ({"subject": "", "html_body": ""}, {"subject": "required", "body": "required"}),
    ],
)  # fmt: skip
def test_what_could_not_be_sent_is_refused(said: dict[str, Any], fields: dict[str, str]) -> None:
    Given(campaign.decider).when(save(content=saying(**said))).is_refused(fields)
    at("draft").when(save(content=saying(**said))).is_refused(fields)


@pytest.mark.parametrize(
    ("key", "code"), [("", "required"), (" ", "required"), ("a\nb", "invalid"), ("k" * 256, "too_long")]
)
def test_a_key_that_is_none_is_refused(key: str, code: str) -> None:
    Given(campaign.decider).when(save(external_key=key)).is_refused({"external_key": code})


def test_only_a_draft_can_be_edited_and_only_in_its_audience() -> None:
    for stage in STAGES:
        at(stage).when(save(audience_id=12)).is_refused({"audience": "audience_mismatch"})
        if stage != "draft":
            at(stage).when(save(content=saying(subject="Other"))).is_refused({"status": "not_editable"})


QUIET = "quiet"
UNDER_WAY = ("queued", "snapshotting", "sending")
TABLE: list[tuple[Command, Mapping[str, Event | str]]] = [
    (queue, {"draft": queued, "cancelled": "not_queueable", "failed": "not_queueable"}),
    (start, {"queued": started, "snapshotting": QUIET, "": "not_snapshotting"}),
    (finish_snapshot, {"snapshotting": taken, "sending": QUIET, "sent": QUIET, "": "not_snapshotting"}),
    (pause, dict.fromkeys(("queued", "snapshotting", "sending"), paused) | {"": "not_pausable"}),
    (resume, dict.fromkeys(("queued", "snapshotting", "sending"), QUIET) | {"": "not_resumable"}),
    (cancel, {"sent": "not_cancellable", "failed": "not_cancellable", "cancelled": QUIET, "": cancelled}),
    (finish, {"sending": sent, "sent": QUIET, "": "not_sending"}),
    (fail, dict.fromkeys(("queued", "snapshotting", "sending"), failed) | {"failed": QUIET, "": "not_sending"}),
]


@pytest.mark.parametrize(("command", "rows"), TABLE, ids=[type(command).__name__ for command, _ in TABLE])
@pytest.mark.parametrize("stage", STAGES)
def test_what_a_command_does_at_each_stage(command: Command, rows: Mapping[str, Event | str], stage: str) -> None:
    follows = rows.get(stage, rows.get("", QUIET))
    when = at(stage).when(command)
    if follows == QUIET:
        when.is_quiet()
    elif isinstance(follows, str):
        when.is_refused({"status": follows})
    else:
        when.then(follows)


@pytest.mark.parametrize("command", [command for command, _ in TABLE] + [campaign.QueueWhenDue(at=NOW)])
def test_a_campaign_that_is_none_is_not_found(command: Command) -> None:
    Given(campaign.decider).when(command).is_refused({"external_key": "not_found"})


def test_a_pause_holds_back_sending_and_nothing_else() -> None:
    for stage in ("queued", "snapshotting", "sending"):
        there = at(stage, paused)
        assert there.state.status == "paused"
        there.when(pause).is_quiet()
        state = there.when(resume).then(campaign.CampaignResumed(at=NOW))
        assert state.status == stage
        assert there.when(cancel).then(cancelled).status == "cancelled"
    at("queued", paused).when(start).then(started)
    assert at("snapshotting", paused).when(finish_snapshot).then(taken).status == "paused"
    assert at("sending", paused).when(finish).then(sent).status == "sent"


def test_a_campaign_that_means_nobody_is_sent_with_its_snapshot() -> None:
    nobody = campaign.FinishSnapshot(at=NOW, recipient_count=0, skipped_count=3)
    none = campaign.CampaignSnapshotTaken(at=NOW, recipient_count=0, skipped_count=3)
    state = at("snapshotting").when(nobody).then(none, sent)
    assert (state.status, state.skipped_count) == ("sent", 3)


def test_a_draft_queues_itself_when_its_time_has_come() -> None:
    scheduled = campaign.CampaignRevised(at=NOW, content=saying(scheduled_at=LATER))
    due = campaign.QueueWhenDue(at=LATER, sender_id="news", sender="N <n@example.com>")
    at("draft", scheduled).when(due).then(msgspec.structs.replace(queued, at=LATER))
    at("draft", scheduled).when(msgspec.structs.replace(due, at=NOW)).is_quiet()
    at("draft").when(due).is_quiet()
    for stage in list(STAGES)[1:]:
        at(stage, scheduled).when(due).is_quiet()
    lost = campaign.QueueWhenDue(at=LATER)
    state = at("draft", scheduled).when(lost).then(msgspec.structs.replace(failed, at=LATER))
    assert (state.status, state.error) == ("failed", "sender_not_configured")


def test_a_queued_campaign_knows_its_sender_its_links_and_its_position() -> None:
    state = at("sending").state
    assert (state.sender_id, state.sender, state.links) == ("news", "N <n@example.com>", LINKS)
    assert (state.position, state.recipient_count, state.skipped_count) == (42, 10, 2)


COMMANDS = [save(), save(content=saying(subject="Other")), *(command for command, _ in TABLE)]
FACTS = [*STAGES["sent"], paused, cancelled, failed, campaign.CampaignResumed(at=NOW)]


@given(st.lists(st.sampled_from(COMMANDS), max_size=20))
@settings(max_examples=200)
def test_what_was_queued_never_changes_and_what_is_over_stays_over(history: list[Command]) -> None:
    there = at("draft")
    for command in history:
        before = there.state
        try:
            there = there.when(command).done()
        except Rejected:
            continue
        if before.phase != "draft":
            assert there.state.content == before.content
        if before.phase in {"sent", "cancelled", "failed"}:
            assert there.state == before


class SomethingElseHappened(Event, frozen=True):
    """A fact of another kind of thing."""


@given(st.lists(st.sampled_from(FACTS), max_size=12))
@settings(max_examples=100)
def test_evolve_takes_any_facts_in_any_order(facts: list[Event]) -> None:
    state = Given(campaign.decider, *facts).state
    assert campaign.evolve(state, SomethingElseHappened(at=NOW)) is state
    stored = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(stored, type=campaign.Campaign) == state


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_changes_something(fact: Event) -> None:
    other = campaign.CampaignPaused(at=LATER)
    assert Given(campaign.decider, other, fact).state != Given(campaign.decider, other).state
