"""What a comparison found: for operators, and without values for the journal and the admin API."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

Kind = Literal["missing", "extra", "changed"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A live row that is not as the log says: it is missing, or extra, or changed in some columns.

    ``values`` are those columns' texts, the live one and the rebuilt one. They may be personal data, so they are there
    only when they were asked for, and never stored.
    """

    table: str
    kind: Kind
    key: dict[str, str]
    columns: list[str] = []
    values: dict[str, list[str | None]] = {}


class Digested(msgspec.Struct, frozen=True):
    """A table whose digests were compared: how many rows the live one has, and how many differ in which organizations.

    Organization 0 stands for a table without organizations.
    """

    table: str
    rows: int
    organizations: int
    differing_organizations: list[int]
    differing_rows: int


class Outcome(msgspec.Struct, frozen=True):
    """A comparison as it is kept. ``equal`` says that every live row was as the log says as of the position."""

    equal: bool
    position: int
    tables: list[Digested]
    first: list[Difference]


class Comparison(msgspec.Struct, frozen=True):
    """Live and rebuilt rows as of one moment of the live checkpoints, the lowest of which is ``position``."""

    position: int
    tables: tuple[Digested, ...]
    first: tuple[Difference, ...]

    def outcome(self) -> Outcome:
        """As the journal keeps it: without values."""
        first = [replace(difference, values={}) for difference in self.first]
        return Outcome(self.equal, self.position, list(self.tables), first)

    @property
    def equal(self) -> bool:
        """Whether every row is as the log says."""
        return not any(table.differing_organizations for table in self.tables)
