"""Organizations, audiences, clients and their keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from domain import audience, client, organization
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)

KINDS: list[Any] = [
    (
        organization.decider,
        organization.CreateOrganization(at=NOW, slug="datatalksclub", name="DataTalks.Club"),
        organization.OrganizationCreated(at=NOW, slug="datatalksclub", name="DataTalks.Club"),
        organization.RenameOrganization(at=NOW, name="DTC"),
        organization.OrganizationRenamed(at=NOW, name="DTC"),
    ),
    (
        audience.decider,
        audience.CreateAudience(at=NOW, organization_id=1, slug="dtc-courses", name="Courses"),
        audience.AudienceCreated(at=NOW, organization_id=1, slug="dtc-courses", name="Courses"),
        audience.RenameAudience(at=NOW, name="DTC"),
        audience.AudienceRenamed(at=NOW, name="DTC"),
    ),
    (
        client.decider,
        client.CreateClient(at=NOW, organization_id=1, slug="dtc-courses", name="Courses"),
        client.ClientCreated(at=NOW, organization_id=1, slug="dtc-courses", name="Courses"),
        client.RenameClient(at=NOW, name="DTC"),
        client.ClientRenamed(at=NOW, name="DTC"),
    ),
]


@pytest.mark.parametrize("kind", KINDS, ids=["organization", "audience", "client"])
def test_a_thing_is_created_once_and_renamed(kind: Any) -> None:
    decider, create, created, rename, renamed = kind
    Given(decider).when(create).then(created)
    Given(decider, created).when(create).is_refused({"slug": "duplicate"})
    Given(decider).when(rename).is_refused({"slug": "not_found"})
    state = Given(decider, created).when(rename).then(renamed)
    assert state.name == "DTC"
    assert state.slug == create.slug
    Given(decider, created, renamed).when(rename).is_quiet()
    Given(decider, created).when(msgspec.structs.replace(rename, name=" ")).is_refused({"name": "required"})


@pytest.mark.parametrize("kind", KINDS, ids=["organization", "audience", "client"])
@pytest.mark.parametrize(
    ("slug", "name", "fields"),
    [
        ("", "", {"slug": "required", "name": "required"}),
        ("not a slug", "x" * 121, {"slug": "invalid", "name": "too_long"}),
        ("é", "Name", {"slug": "invalid"}),
        ("x" * 121, "Name", {"slug": "too_long"}),
    ],
)
def test_names_are_checked_both_at_once(kind: Any, slug: str, name: str, fields: dict[str, str]) -> None:
    decider, create, *_ = kind
    Given(decider).when(msgspec.structs.replace(create, slug=slug, name=name)).is_refused(fields)


created = client.ClientCreated(at=NOW, organization_id=1, slug="dtc-courses", name="Courses")
issued = client.ApiKeyIssued(at=NOW, public_id="abc", key_hash="00ff", name="production-sync", notes="for the site")
revoked = client.ApiKeyRevoked(at=NOW, public_id="abc")


def issue(public_id: str, name: str) -> client.IssueApiKey:
    return client.IssueApiKey(at=NOW, public_id=public_id, key_hash="00ff", name=name, notes="for the site")


def test_a_client_is_switched_off_and_on() -> None:
    off, on = client.ClientDeactivated(at=NOW), client.ClientActivated(at=NOW)
    state = Given(client.decider, created).when(client.DeactivateClient(at=NOW)).then(off)
    assert not state.active
    Given(client.decider, created, off).when(client.DeactivateClient(at=NOW)).is_quiet()
    state = Given(client.decider, created, off).when(client.ActivateClient(at=NOW)).then(on)
    assert state.active
    Given(client.decider, created).when(client.ActivateClient(at=NOW)).is_quiet()


def test_a_key_is_issued_and_revoked() -> None:
    state = Given(client.decider, created).when(issue("abc", "production-sync")).then(issued)
    assert state.keys == {"abc": client.ApiKey("00ff", "production-sync", "for the site", NOW)}
    revoke = client.RevokeApiKey(at=NOW, public_id="abc")
    state = Given(client.decider, created, issued).when(revoke).then(revoked)
    assert state.keys["abc"].revoked_at == NOW
    Given(client.decider, created, issued, revoked).when(revoke).is_quiet()
    Given(client.decider, created).when(revoke).is_refused({"public_id": "not_found"})


def test_a_name_is_unique_among_active_keys_and_free_after_a_revocation() -> None:
    Given(client.decider, created, issued).when(issue("def", "production-sync")).is_refused({"name": "duplicate"})
    Given(client.decider, created, issued).when(issue("abc", "other")).is_refused({"public_id": "duplicate"})
    Given(client.decider, created, issued).when(issue("def", "")).is_refused({"name": "required"})
    state = Given(client.decider, created, issued, revoked).when(issue("def", "production-sync")).done().state
    assert [key.revoked_at for key in state.keys.values()] == [NOW, None]


@pytest.mark.parametrize(
    "command",
    [
        client.DeactivateClient(at=NOW),
        client.ActivateClient(at=NOW),
        issue("abc", "x"),
        client.RevokeApiKey(at=NOW, public_id="abc"),
    ],
)
def test_a_client_that_is_not_there_is_not_found(command: Any) -> None:
    Given(client.decider).when(command).is_refused({"slug": "not_found"})
