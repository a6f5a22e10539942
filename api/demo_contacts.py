"""Who the demo contacts are: a dozen people, one for each state that a contact can be in."""

from __future__ import annotations

from typing import Any

from domain.contact import EmailVerdict, Suppressions

NEWS = ("datatalks-club", "dtc-newsletter")
CLUB_COURSES = ("datatalks-club", "dtc-courses")
CLUB = ("datatalks-club", "")
COURSES = ("dtc-courses", "dtc-courses")
LABS = ("ai-shipping-labs", "asl-platform")

SUBSCRIBED = {"status": "subscribed", "verified": True}
BY_SIGNUP = EmailVerdict(status="externally_validated", reason="client signup validation")

PEOPLE: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    # verified, in one audience; the documented CSV import adds a tag
    "learner@example.com": [(*COURSES, SUBSCRIBED | {"tags": ("course-ml-zoomcamp",), "validation": BY_SIGNUP})],
    # one person, two products of one audience, each with its own answer, and one for the audience as a whole
    "alice@example.com": [
        (*NEWS, SUBSCRIBED | {"tags": ("newsletter",)}),
        (*CLUB_COURSES, {"status": "unsubscribed", "unsubscribe_reason": "too many course mails"}),
        (*CLUB, {"status": "subscribed"}),
    ],
    "several-audiences@example.com": [(*NEWS, SUBSCRIBED), (*COURSES, SUBSCRIBED), (*LABS, SUBSCRIBED)],
    "unverified@example.com": [(*NEWS, {"status": "subscribed"}), (*COURSES, {"status": "subscribed"})],
    "pending@example.com": [(*NEWS, {"status": "pending"}), (*COURSES, {"status": "pending"})],
    "globally-unsubscribed@example.com": [
        (*NEWS, SUBSCRIBED | {"suppressions": Suppressions(global_unsubscribed=True, reason="no more mail, please")}),
        (*COURSES, SUBSCRIBED),
    ],
    "hard-bounced@example.com": [
        (*NEWS, SUBSCRIBED | {"suppressions": Suppressions(hard_bounced=True, reason="mailbox does not exist")}),
        (*COURSES, SUBSCRIBED),
    ],
    "complained@example.com": [
        (*NEWS, SUBSCRIBED | {"suppressions": Suppressions(complained=True, reason="reported as spam")}),
        (*LABS, SUBSCRIBED),
    ],
    "client-unsubscribed@example.com": [
        (*NEWS, {"status": "unsubscribed", "verified": True, "unsubscribe_reason": "not interested"}),
        (*COURSES, SUBSCRIBED),
    ],
    "audience-unsubscribed@example.com": [
        (*NEWS, SUBSCRIBED),
        (*CLUB, {"status": "unsubscribed", "unsubscribe_reason": "left the club"}),
    ],
    "manually-invalid@example.com": [
        (*NEWS, SUBSCRIBED | {"validation": EmailVerdict(status="manually_invalid", reason="a role account")}),
    ],
    "engineer@example.com": [(*LABS, SUBSCRIBED | {"tags": ("cohort-1", "python")})],
}
