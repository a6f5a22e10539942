"""Erasure: an organization's relation ends; with the last one the contact is gone."""

from __future__ import annotations

from domain import contact
from domain.personal import Personal
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    EMAIL,
    NOW,
    OTHER,
    OTHER_AUDIENCE,
    OTHER_CLIENT,
    OWN,
    bounced_elsewhere,
    given,
    registered,
    subscribed,
    subscribed_elsewhere,
    tagged,
    unsubscribed,
)

erase = contact.EraseContact(at=NOW, organization_id=OWN)
erase_elsewhere = contact.EraseContact(at=NOW, organization_id=OTHER)
globally = contact.ContactGloballyUnsubscribed(at=EARLIER, organization_id=OWN, reason=Personal("leave me alone"))
disabled = contact.ContactCategoryDisabled(at=EARLIER, audience_id=AUDIENCE, client_id=CLIENT, tag="a", label="A")
risky = contact.ContactEmailValidated(
    at=EARLIER, organization_id=OWN, status="risky", reason=Personal("odd"), validated_at=EARLIER
)


def test_what_the_organization_held_goes_and_the_others_stays() -> None:
    tagged_elsewhere = contact.ContactTagged(at=EARLIER, audience_id=OTHER_AUDIENCE, tags=(contact.Tag("x", "X"),))
    facts = (registered, unsubscribed, tagged, disabled, globally, risky, subscribed_elsewhere, tagged_elsewhere)
    state = (
        given(*facts)
        .when(erase)
        .then(
            contact.ContactErased(
                at=NOW,
                organization_id=OWN,
                audience_ids=(AUDIENCE,),
                last=False,
                subscriptions=1,
                tags=1,
                categories=1,
                suppressions=1,
            )
        )
    )
    assert contact.text_of(state.email) == EMAIL
    assert state.organizations == {OTHER}
    assert set(state.subscriptions) == {(OTHER_AUDIENCE, OTHER_CLIENT)}
    assert state.tags == {OTHER_AUDIENCE: {"x"}}
    assert state.categories == {}
    assert state.global_unsubscribes == {OWN: contact.Suppression(EARLIER)}
    assert state.validation == contact.EmailValidation("risky", None, EARLIER, OWN)


def test_with_the_last_organization_goes_the_contact() -> None:
    complained = contact.ContactComplained(at=EARLIER, organization_id=OWN)
    state = (
        given(registered, subscribed, complained)
        .when(erase)
        .then(
            contact.ContactErased(
                at=NOW,
                organization_id=OWN,
                audience_ids=(AUDIENCE,),
                last=True,
                subscriptions=1,
                suppressions=1,
                complained=True,
            )
        )
    )
    assert state == contact.Contact()


def test_a_suppression_without_a_relation_does_not_keep_the_contact() -> None:
    after = given(registered, subscribed, subscribed_elsewhere, bounced_elsewhere).when(erase_elsewhere).done()
    (erased,) = after.when(erase).decide()
    assert isinstance(erased, contact.ContactErased)
    assert erased.last
    assert erased.hard_bounced


def test_an_organization_without_a_relation_has_nothing_to_erase() -> None:
    given().when(erase).is_quiet()
    given(registered, subscribed).when(erase_elsewhere).is_quiet()
    given(registered, subscribed, subscribed_elsewhere).when(erase, erase).is_quiet()


def test_an_organization_that_only_wrote_has_a_relation() -> None:
    addressed = contact.ContactAddressed(at=EARLIER, organization_id=OTHER)
    (erased,) = given(registered, subscribed, addressed).when(erase).decide()
    assert isinstance(erased, contact.ContactErased)
    assert not erased.last
    assert erased.forgets == (OWN,)
    (last,) = given(registered, subscribed, addressed).when(erase, erase_elsewhere).decide()
    assert last.forgets == (OTHER, 0)
