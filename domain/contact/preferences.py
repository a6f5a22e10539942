"""Deciding on category preferences: which mail a contact wants from a client. One never set is enabled."""

from __future__ import annotations

from domain.contact.commands import CategoryChoice, SetPreferences
from domain.contact.events import ContactCategoryDisabled, ContactCategoryEnabled
from domain.contact.registration import require_subscription
from domain.contact.state import Contact, personal
from domain.contact.tag import tag_named
from domain.decider import Event, Rejected

SUPPRESSED = "suppressed_contact_cannot_be_enabled"


def set_preferences(state: Contact, command: SetPreferences) -> tuple[Event, ...]:
    """Take the choices that are news. All wrong fields are refused at once; a suppressed contact enables nothing."""
    require_subscription(state, command, field="email")
    chosen = _by_slug(command.categories)
    if state.global_unsubscribes or state.hard_bounces or state.complaints:
        enabling = {f"categories.{n}.enabled": SUPPRESSED for n, choice in chosen.values() if choice.enabled}
        if enabling:
            raise Rejected.of(enabling)
    decided = (_choose(state, command, slug, choice) for slug, (_, choice) in chosen.items())
    return tuple(event for event in decided if event is not None)


def _by_slug(choices: tuple[CategoryChoice, ...]) -> dict[str, tuple[int, CategoryChoice]]:
    chosen: dict[str, tuple[int, CategoryChoice]] = {}
    wrong: dict[str, str] = {}
    for n, choice in enumerate(choices):
        field = f"categories.{n}.tag"
        try:
            slug = tag_named(choice.tag, field).slug
        except Rejected as refusal:
            wrong |= refusal.fields
            continue
        if slug in chosen:
            wrong[field] = "duplicate"
        chosen[slug] = (n, choice)
    if wrong:
        raise Rejected.of(wrong)
    return chosen


def _choose(state: Contact, command: SetPreferences, slug: str, choice: CategoryChoice) -> Event | None:
    before = state.categories.get((command.audience_id, command.client_id), {}).get(slug)
    label = choice.label or (choice.tag.strip() if before is None else before.label)
    if before is not None and before.enabled == choice.enabled and before.label == label:
        return None
    fact = ContactCategoryEnabled if choice.enabled else ContactCategoryDisabled
    return fact(
        at=command.at,
        audience_id=command.audience_id,
        client_id=command.client_id,
        tag=slug,
        label=label,
        reason=personal(command.reason),
    )
