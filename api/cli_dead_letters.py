"""Commands about dead letters: show them, try one again, drop one."""

from __future__ import annotations

from argparse import Namespace
from typing import Final

import psycopg

from api import dead_letters
from api.cli_output import CommandError, say, table
from api.cli_tenants import opened
from api.dead_letters import DeadLetter
from config.settings import Settings

AT_A_TIME: Final = 500
KINDS: Final = ("webhook", "feedback", "projection")


def show(settings: Settings, given: Namespace) -> None:
    """Show what was given up, those last first."""
    if given.kind and given.kind not in KINDS:
        raise CommandError(f"kind: one of {', '.join(KINDS)}")
    rows: list[tuple[str, ...]] = []
    cursor: str | None = ""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        while cursor is not None:
            page, cursor = dead_letters.listed(connection, kind=given.kind, limit=AT_A_TIME, cursor=cursor)
            rows += [
                (
                    each.id,
                    f"{each.given_up_at:%Y-%m-%d %H:%M:%S}Z",
                    str(each.attempts),
                    each.error or each.subject or "",
                )
                for each in page
            ]
    table(("id", "given up", "attempts", "error"), rows)


def line(letter: DeadLetter) -> tuple[str, ...]:
    """A dead letter in a line."""
    why = letter.error or letter.subject or ""
    return letter.id, f"{letter.given_up_at:%Y-%m-%d %H:%M:%S}Z", str(letter.attempts), why


def retry(settings: Settings, given: Namespace) -> None:
    """Try one again."""
    store = opened(settings)
    try:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            if not dead_letters.retry(connection, store, given.id):
                raise CommandError("id: no such dead letter")
    finally:
        store.close()
    say("It is tried again.")


def drop(settings: Settings, given: Namespace) -> None:
    """Forget one."""
    store = opened(settings)
    try:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            if not dead_letters.drop(connection, store, given.id):
                raise CommandError("id: no such dead letter")
    except dead_letters.NotDroppableError:
        raise CommandError("id: a read model's event cannot be dropped, only tried again") from None
    finally:
        store.close()
    say("It is dropped.")
