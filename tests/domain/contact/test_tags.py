"""Tags: replace, add, remove; slugs identify them."""

from __future__ import annotations

from typing import Any

import pytest

from domain import contact
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    NOW,
    OWN,
    given,
    registered,
    subscribed,
    subscribed_elsewhere,
    tagged,
)

WHO: dict[str, Any] = {"at": NOW, "organization_id": OWN, "audience_id": AUDIENCE, "client_id": CLIENT}


def test_replace_removes_what_was_not_named_and_adds_what_was() -> None:
    given(registered, subscribed, tagged).when(contact.ReplaceTags(**WHO, tags=("DE", "de"))).then(
        contact.ContactUntagged(at=NOW, audience_id=AUDIENCE, slugs=("ml",)),
        contact.ContactTagged(at=NOW, audience_id=AUDIENCE, tags=(contact.Tag("de", "DE"),)),
    )


def test_replace_with_nothing_clears_and_with_the_same_is_quiet() -> None:
    state = (
        given(registered, subscribed, tagged)
        .when(contact.ReplaceTags(**WHO, tags=()))
        .then(contact.ContactUntagged(at=NOW, audience_id=AUDIENCE, slugs=("ml",)))
    )
    assert not state.tags[AUDIENCE]
    given(registered, subscribed, tagged).when(contact.ReplaceTags(**WHO, tags=("mL",))).is_quiet()


def test_add_and_remove_one() -> None:
    given(registered, subscribed, tagged).when(contact.TagContact(**WHO, tag="D E")).then(
        contact.ContactTagged(at=NOW, audience_id=AUDIENCE, tags=(contact.Tag("d-e", "D E"),))
    )
    given(registered, subscribed, tagged).when(contact.TagContact(**WHO, tag="ml")).is_quiet()
    given(registered, subscribed, tagged).when(contact.UntagContact(**WHO, tag="ML")).then(
        contact.ContactUntagged(at=NOW, audience_id=AUDIENCE, slugs=("ml",))
    )
    given(registered, subscribed, tagged).when(contact.UntagContact(**WHO, tag="other")).is_quiet()


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (contact.ReplaceTags(**WHO, tags=("?",)), "tags"),
        (contact.TagContact(**WHO, tag="?"), "tag"),
        (contact.UntagContact(**WHO, tag="?"), "tag"),
    ],
)
def test_a_name_without_a_slug_is_invalid_and_an_unknown_contact_not_found(command: Any, field: str) -> None:
    given(registered, subscribed).when(command).is_refused({field: "invalid"})
    given(registered, subscribed_elsewhere).when(command).is_refused({"contact_id": "not_found"})
    given().when(command).is_refused({"contact_id": "not_found"})


def test_slugs_end_at_120_characters() -> None:
    assert contact.tag_named("a" * 120).slug == "a" * 120
    given(registered, subscribed).when(contact.TagContact(**WHO, tag="a" * 121)).is_refused({"tag": "too_long"})
