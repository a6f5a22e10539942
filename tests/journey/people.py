"""The thousand contacts of the journey: what the file says of each, and what is to come of it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

TAG, STAFF, CATEGORY = "journey", "staff", "digest"
HEADER: Final = "email,tags,status,verified,global_unsubscribed,hard_bounced,complained,email_validation_status"


class State(NamedTuple):
    """How many contacts are in a state, the file's cells after the address, and why they get no mail.

    ``meant``: the campaign's tags mean them.
    """

    size: int
    cells: str
    skip_reason: str | None = None
    meant: bool = True


STATES: Final[dict[str, State]] = {
    "reader": State(600, f"{TAG},subscribed,true,,,,"),
    "late": State(10, f"{TAG},subscribed,true,,,,", "client_unsubscribe"),  # leaves between snapshot and sending
    "bounced": State(30, f"{TAG},subscribed,true,,true,,", "hard_bounce"),
    "complained": State(20, f"{TAG},subscribed,true,,,true,", "complaint"),
    "everything": State(10, f"{TAG},unsubscribed,,true,true,true,risky", "hard_bounce"),
    "angry": State(10, f"{TAG},pending,,true,,true,no_mx", "complaint"),
    "gone": State(40, f"{TAG},subscribed,true,true,,,", "global_unsubscribe"),
    "risky": State(15, f"{TAG},subscribed,true,,,,risky", "invalid_email"),
    "invalid": State(25, f"{TAG},subscribed,,,,,manually_invalid", "invalid_email"),
    "unverified": State(50, f"{TAG},subscribed,,,,,", "unverified"),
    "left": State(50, f"{TAG},unsubscribed,true,,,,", "client_unsubscribe"),
    "pending": State(40, f"{TAG},pending,true,,,,", "suppressed"),
    "away": State(20, f"{TAG},subscribed,true,,,,", "audience_unsubscribe"),  # left the audience
    "choosy": State(20, f"{TAG},subscribed,true,,,,", "client_unsubscribe"),  # switched the category off
    "staff": State(40, f"{TAG};{STAFF},subscribed,true,,,,", meant=False),
    "untagged": State(20, ",subscribed,true,,,,", meant=False),
}
Who = tuple[str, int]
"""A contact: its state in the file, and its number there."""


def email(who: Who) -> str:
    return f"{who[0]}-{who[1]}@example.com"


def some(state: str, start: int, stop: int) -> list[Who]:
    return [(state, number) for number in range(start, stop)]


def everybody(state: str) -> list[Who]:
    return some(state, 0, STATES[state].size)


def file() -> str:
    lines = [f"{email(who)},{state.cells}" for name, state in STATES.items() for who in everybody(name)]
    assert len(lines) == 1_000
    return "\n".join([HEADER, *lines])


REFUSED: Final = some("reader", 0, 5)
OPENED: Final = some("reader", 10, 60)
OPENED_TWICE: Final = some("reader", 10, 20)
OPENED_BY_SES: Final = some("reader", 60, 61)
CLICKED: Final = some("reader", 10, 40)
CLICKED_BOTH: Final = some("reader", 10, 25)
OUT_OF_CLIENT: Final = some("reader", 70, 74)
OUT_OF_AUDIENCE: Final = some("reader", 74, 77)
OUT_OF_ALL: Final = some("reader", 77, 79)
ONE_CLICK: Final = some("reader", 80, 90)
PERMANENT: Final = some("reader", 100, 110)
TRANSIENT: Final = some("reader", 110, 118)
COMPLAINED: Final = some("reader", 120, 126)
SENT: Final = some("reader", 5, 600)
OUT: Final = [*OUT_OF_CLIENT, *OUT_OF_AUDIENCE, *OUT_OF_ALL, *ONE_CLICK]


def recipients() -> dict[str, dict[str, Any]]:
    """What is to be shown of every recipient in the end, by address."""
    shown = {
        email(who): {
            "status": "sent" if state.skip_reason is None else "skipped",
            "skip_reason": state.skip_reason,
            "open_count": (who in OPENED) + (who in OPENED_TWICE) + (who in OPENED_BY_SES),
            "click_count": (who in CLICKED) + (who in CLICKED_BOTH),
            "last_error": "",
        }
        for name, state in STATES.items()
        if state.meant
        for who in everybody(name)
    }
    ends = (
        (REFUSED, "failed", "MESSAGE_REJECTED"),
        (PERMANENT, "bounced", "bounced_permanent"),
        (TRANSIENT, "bounced", "bounced_transient"),
        (COMPLAINED, "complained", ""),
    )
    for group, status, error in ends:
        for who in group:
            shown[email(who)] |= {"status": status, "last_error": error}
    return shown


COUNTERS: Final = {
    "recipient_count": 600,
    "sent_count": len(SENT),
    "skipped_count": sum(state.size for state in STATES.values() if state.skip_reason),
    "failed_count": len(REFUSED),
    "delivered_count": len(SENT),
    "unique_open_count": len(OPENED) + len(OPENED_BY_SES),
    "open_count": len(OPENED) + len(OPENED_TWICE) + len(OPENED_BY_SES),
    "unique_click_count": len(CLICKED),
    "click_count": len(CLICKED) + len(CLICKED_BOTH),
    "unsubscribe_count": len(OUT),
    "bounce_count": len(PERMANENT) + len(TRANSIENT),
    "complaint_count": len(COMPLAINED),
}

NEXT_TIME: Final = Counter(
    {
        "hard_bounce": 40 + len(PERMANENT),
        "complaint": 30 + len(COMPLAINED),
        "global_unsubscribe": 40 + len(OUT_OF_ALL),
        "invalid_email": 40,
        "unverified": 50,
        "audience_unsubscribe": 20 + len(OUT_OF_AUDIENCE),
        "client_unsubscribe": 50 + 20 + 10 + len(OUT_OF_CLIENT) + len(ONE_CLICK),
        "suppressed": 40,
    }
)
"""Why a second campaign skips, once all has been heard of the first one."""


def contacts() -> dict[str, dict[str, Any]]:
    """What is to be shown of every contact in the end, by address."""
    return {email(who): contact(who) for name in STATES for who in everybody(name)}


def contact(who: Who) -> dict[str, Any]:
    state, _ = who
    _, status, _, gone, bounced, complained, validation = STATES[state].cells.split(",")
    left = state == "late" or who in OUT_OF_CLIENT or who in ONE_CLICK
    away = state == "away" or who in OUT_OF_AUDIENCE
    shown: dict[str, Any] = {
        "hard_bounced": bool(bounced) or who in PERMANENT,
        "complained": bool(complained) or who in COMPLAINED,
        "global_unsubscribed": bool(gone) or who in OUT_OF_ALL,
        "validation": validation or "unknown",
        "client": "unsubscribed" if left else status,
        "audience": "unsubscribed" if away else None,
    }
    # who switched a category off may get mail of others
    refused = STATES[state].skip_reason is not None and state not in {"late", "away", "choosy"}
    suppressed = shown["hard_bounced"] or shown["complained"]
    shown["can_send_transactional"] = not suppressed
    shown["can_send_marketing"] = not (refused or suppressed or left or away or shown["global_unsubscribed"])
    return shown


def shown(payload: dict[str, Any]) -> dict[str, Any]:
    """What of the contact payload :func:`contact` tells."""
    return {
        **{name: payload[name] for name in ("hard_bounced", "complained", "global_unsubscribed")},
        "validation": payload["email_validation"]["status"],
        "client": payload["client"]["status"],
        "audience": payload["audience"]["status"],
        **{name: payload[name] for name in ("can_send_transactional", "can_send_marketing")},
    }
