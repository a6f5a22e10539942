"""Rows reach the table as they are, whatever the types of its columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from projections.projection import Table
from projections.rebuild.rows import Rows

DDL = """
CREATE TABLE IF NOT EXISTS everything (
    number bigint, small integer, flag boolean, text text, at timestamptz, words text[], numbers bigint[],
    key uuid, exact numeric, day date, ratio float8, days date[])
"""


class Everything(msgspec.Struct, frozen=True):
    """A row of each type that the encoder writes itself, and some that the driver writes."""

    number: int | None
    small: int | None
    flag: bool | None
    text: str | None
    at: datetime | None
    words: list[str] | None
    numbers: list[int] | None
    key: UUID | None
    exact: Decimal | None
    day: date | None
    ratio: float | None
    days: list[date] | None


TABLE = Table(name="everything", row=Everything, key=("number",), group="number", place=attrgetter("number"))
bigints = st.integers(-(2**63), 2**63 - 1)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
days = st.dates(date(1900, 1, 1), date(2200, 1, 1))
exact = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6)
rows = st.lists(
    st.builds(
        Everything,
        number=st.none() | bigints,
        small=st.none() | st.integers(-(2**31), 2**31 - 1),
        flag=st.none() | st.booleans(),
        text=st.none() | words,
        at=st.none() | times,
        words=st.none() | st.lists(words, max_size=3),
        numbers=st.none() | st.lists(bigints, max_size=3),
        key=st.none() | st.uuids(),
        exact=st.none() | exact,
        day=st.none() | days,
        ratio=st.none() | st.floats(allow_nan=False),
        days=st.none() | st.lists(days, max_size=2),
    ),
    min_size=1,
    max_size=8,
)


@given(written=rows)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_out_as_they_went_in(connection: Connection, written: list[Everything]) -> None:
    connection.execute(DDL)
    connection.execute("TRUNCATE everything")
    encoder = Rows(connection, "public", TABLE)
    with connection.cursor().copy(encoder.statement) as copy:
        copy.write(encoder.encode(written))
    found = connection.execute(f"SELECT {', '.join(Everything.__struct_fields__)} FROM everything").fetchall()
    assert [Everything(*row) for row in found] == written


def test_more_rows_than_fit_into_a_piece(connection: Connection) -> None:
    connection.execute(DDL)
    encoder = Rows(connection, "public", TABLE)
    nothing = [None] * (len(Everything.__struct_fields__) - 1)
    with connection.cursor().copy(encoder.statement) as copy:
        copy.write(encoder.encode([Everything(number, *nothing) for number in range(1_234)]))
    assert connection.execute("SELECT count(DISTINCT number) FROM everything").fetchone() == (1_234,)
