"""Reads the rows of a CSV file as contact upserts: what each says in its supported columns, or every mistake in it.

Columns, boolean words and the semicolon between tags are those of the seed *CSV import*; a cell that is empty or absent
says nothing. Rows of one file say the same things over and over, so what a set of cells means is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, cast, get_args

from domain.contact import EmailVerdict, SubscriptionStatus, Suppressions, UpsertContact, ValidationStatus, tags_named
from domain.csv_rows import Malformed, Row, Table
from domain.decider import Rejected
from domain.email_address import LIMIT, normalize
from domain.import_row import ImportRow
from domain.import_scope import Scopes

EMAIL: Final = "email"
FLAGS: Final = ("global_unsubscribed", "hard_bounced", "complained")
SUPPORTED: Final = (
    EMAIL,
    "audience",
    "client",
    "tags",
    "subscription_status",
    "status",
    "verified",
    *FLAGS,
    "unsubscribed",
    "email_validation_status",
    "email_validation_reason",
    "email_validated_at",
    "unsubscribe_reason",
)
BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "1", "y", "on"), True),
    **dict.fromkeys(("false", "no", "0", "n", "off", ""), False),
}
STATUSES: Final = frozenset(get_args(SubscriptionStatus))
VERDICTS: Final = frozenset(get_args(ValidationStatus))
REASON_LIMIT: Final = 255
"""Characters of a reason (contract, Errors)."""

GUARDED: Final = tuple("=+-@\t\r'")
"""What a leading ``'`` hides from a spreadsheet; the export writes it, the import takes it off (contract)."""

PERIOD: Final = 1_000
"""Rows after which meanings are worked out anew: memory stays flat, and time goes on."""

WORTH_KEEPING: Final = 4096
"""Characters in a set of cells whose meaning is kept."""

Cells = Mapping[str, str]
Errors = dict[str, str]
Said = tuple[partial[UpsertContact], Errors]


Now = Callable[[], datetime]


def rows_of(table: Table, scopes: Scopes, now: Now) -> Iterator[ImportRow]:
    """The file's rows as upserts, made at about the time when they are read.

    Raises Rejected on ``csv`` for the file, at once; see :func:`columns`.
    """
    return ContactRows(columns(table.header), scopes, now).read(table.rows)


def columns(header: Iterable[str]) -> dict[str, int]:
    """Where the supported columns stand; case and surrounding space of their names do not matter.

    Raises Rejected on ``csv``: ``missing_email_column``, or ``duplicate_column`` when a supported one is there twice.
    """
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = cell.strip().lower()
        if name in SUPPORTED and places.setdefault(name, place) != place:
            raise Rejected("duplicate_column", "csv")
    if EMAIL not in places:
        raise Rejected("missing_email_column", "csv")
    return places


class ContactRows:
    """Turns rows into upserts."""

    def __init__(self, places: dict[str, int], scopes: Scopes, now: Now) -> None:
        self._email = places[EMAIL]
        self._others = {name: place for name, place in places.items() if name != EMAIL}
        self._places = list(self._others.values())
        self._names = {place: name for name, place in places.items()}
        self._width = max(places.values()) + 1
        self._scopes = scopes
        self._now = now
        self._said: dict[tuple[str, ...], Said] = {}

    def read(self, rows: Iterable[Row]) -> Iterator[ImportRow]:
        """Each row, read or refused."""
        width, at_email, places, known = self._width, self._email, self._places, self._said
        for item, (line, cells) in enumerate(rows, 1):
            if item % PERIOD == 0:
                known.clear()
            if isinstance(cells, Malformed):
                yield self._malformed(item, line, cells)
                continue
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            others = tuple([cells[place] for place in places])
            upsert, errors = known.get(others) or self._meaning(others)
            email = cells[at_email]
            try:
                address = normalize(unguarded(email) if email[:1] == "'" else email)
            except Rejected:
                yield ImportRow(item=item, line=line, email=shown(email), errors=with_email(email, errors))
                continue
            if errors:
                yield ImportRow(item=item, line=line, email=address, errors=dict(errors))
            else:
                yield ImportRow(item=item, line=line, email=address, said=upsert(email=address), sets=True)

    def _malformed(self, item: int, line: int, row: Malformed) -> ImportRow:
        field = "row" if row.column is None else self._names.get(row.column, "row")
        email = row.cells[self._email] if len(row.cells) > self._email else ""
        return ImportRow(item=item, line=line, email=shown(email), errors={field: row.code})

    def _meaning(self, others: tuple[str, ...]) -> Said:
        cells = {name: unguarded(text) for name, text in zip(self._others, others, strict=True)}
        errors: Errors = {}
        caller = self._scopes.caller
        upsert = partial(
            UpsertContact,
            at=self._now(),
            organization_id=caller.organization_id,
            audience_id=self._scopes.audience_id(
                cells.get("audience", "").strip(), cells.get("client", "").strip(), errors
            ),
            client_id=caller.client_id,
            status=status_in(cells, errors),
            unsubscribe_reason=text_in(cells, "unsubscribe_reason", errors),
            verified=flag_in(cells, "verified", errors),
            tags=tags_in(cells, errors),
            validation=verdict_in(cells, errors),
            suppressions=suppressions_in(cells, errors),
        )
        if sum(map(len, others)) <= WORTH_KEEPING:
            self._said[others] = upsert, errors
        return upsert, errors


def unguarded(cell: str) -> str:
    """Take off the ``'`` that hides a formula from a spreadsheet."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(GUARDED) else cell


def shown(email: str) -> str:
    """A wrong address as far as an answer shows it."""
    return email.strip()[:LIMIT]


def with_email(email: str, errors: Errors) -> Errors:
    """The errors of a row whose address is none."""
    return {EMAIL: "invalid" if email.strip() else "required", **errors}


def flag_in(cells: Cells, name: str, errors: Errors) -> bool | None:
    """True, or None: what a file does not set it leaves alone (contract, Booleans in a CSV)."""
    flag = BOOLEANS.get(cells.get(name, "").strip().lower())
    if flag is None:
        errors[name] = "must_be_boolean"
    return flag or None


def status_in(cells: Cells, errors: Errors) -> SubscriptionStatus | None:
    """The subscription status; ``unsubscribed`` true overrides both columns that may say it."""
    name = "subscription_status" if cells.get("subscription_status", "").strip() else "status"
    status = cells.get(name, "").strip().lower()
    if status and status not in STATUSES:
        errors[name] = "invalid"
    if flag_in(cells, "unsubscribed", errors):
        return "unsubscribed"
    return cast("SubscriptionStatus", status) if status else None


def text_in(cells: Cells, name: str, errors: Errors) -> str | None:
    """A reason, if one is said."""
    text = cells.get(name, "")
    if len(text) > REASON_LIMIT:
        errors[name] = "too_long"
    return text or None


def tags_in(cells: Cells, errors: Errors) -> tuple[str, ...]:
    """The tag names between semicolons."""
    names = tuple(name.strip() for name in cells.get("tags", "").split(";") if name.strip())
    try:
        tags_named(names)
    except Rejected as refusal:
        errors.update(refusal.fields)
    return names


def verdict_in(cells: Cells, errors: Errors) -> EmailVerdict | None:
    """What was found out about the address."""
    status = cells.get("email_validation_status", "").strip().lower()
    if status and status not in VERDICTS:
        errors["email_validation_status"] = "invalid"
    reason = text_in(cells, "email_validation_reason", errors)
    validated_at = time_in(cells, "email_validated_at", errors)
    if not status and reason is None and validated_at is None:
        return None
    return EmailVerdict(
        status=cast("ValidationStatus", status) if status else None, reason=reason, validated_at=validated_at
    )


def time_in(cells: Cells, name: str, errors: Errors) -> datetime | None:
    """An ISO 8601 time, UTC when it says no offset."""
    text = cells.get(name, "").strip()
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        errors[name] = "must_be_iso_datetime"
        return None


def suppressions_in(cells: Cells, errors: Errors) -> Suppressions | None:
    """The suppressions that are set."""
    unsubscribed, bounced, complained = (flag_in(cells, name, errors) for name in FLAGS)
    if not (unsubscribed or bounced or complained):
        return None
    return Suppressions(global_unsubscribed=unsubscribed, hard_bounced=bounced, complained=complained)
