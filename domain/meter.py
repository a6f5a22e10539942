"""What rendering a template may cost: units that every step takes from, so that no template can hang or fill memory.

A unit is worth some tenths of a microsecond, the whole budget well under a second.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from types import GeneratorType
from typing import Any, Final


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


BUDGET: Final = 1_000_000
STEP: Final = 20
"""Units of one step, beside those for its values."""
CHARACTERS: Final = 16
"""Characters of a text that cost a unit."""
GROWTH_LIMIT: Final = 32_000_000
"""Characters that one step can make of its values at the worst."""
BITS_LIMIT: Final = 8_192
POWER_LIMIT: Final = 64
FORMAT_LIMIT: Final = 1_000

_GROWS: Final = words(
    "batch center format indent join ljust lstrip replace rjust round rstrip slice strip tojson trim wordwrap zfill"
)
"""Filters and methods that take time or make text in proportion to the product of their values."""
_SLOW: Final = frozenset({"striptags", "sum", "urlize", "wordwrap"})
"""Those that take the square of their value."""
_MOST_DIGITS: Final = 20
_BAD_FORMAT: Final = re.compile(r"\d{4}|\*|\{[^{}]*\{")
"""A width of four digits, one taken from the values, or one in a nested field."""
_EMPTY: Final[dict[str, str]] = {}
_PLAIN: Final = frozenset({int, float, bool, type(None)})
_VIEWS: Final = (type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))


class TooCostly(Exception):
    """The template takes more than a mail may."""


class Meter:
    """The units that one rendering has left. Everything raises TooCostly when they are gone."""

    __slots__ = ("left",)

    def __init__(self, units: int = BUDGET) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        """Take units away."""
        self.left -= units
        if self.left < 0:
            raise TooCostly

    def charge(self, value: Any) -> None:
        """Take away what a value weighs, everything inside it counted each time that it is met."""
        stack = [value]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                self.spend(1 + len(value) // CHARACTERS)
            elif isinstance(value, list | tuple):
                self._charge_parts(value, stack)
            elif isinstance(value, dict):
                self._charge_parts(value, stack)
                self._charge_parts(value.values(), stack)
            else:
                self.spend(1 + (len(value) if isinstance(value, _VIEWS) else 0))

    def _charge_parts(self, parts: Collection[Any], stack: list[Any]) -> None:
        self.spend(1 + len(parts))
        stack += [part for part in parts if type(part) not in _PLAIN]

    def enter(self, name: str, value: Any, more: Iterable[Any]) -> Any:
        """Pay for a filter or method before it runs, and give the value to run it on."""
        before = self.left
        self.spend(STEP)
        if name in _GROWS and isinstance(value, GeneratorType):
            value = list(value)
        self.charge(value)
        weight = before - self.left
        given = list(more)
        self.charge(given)
        if name in _GROWS:
            self._check_growth(name, value, given)
        if name in _SLOW:
            length = len(value) if isinstance(value, str) else weight
            self.spend(length * length // 2_500)
        return value

    def leave(self, result: Any) -> Any:
        """Pay for what a step gave; what it gives bit by bit is paid for bit by bit."""
        if isinstance(result, GeneratorType):
            return self._paid(result)
        self.charge(result)
        return result

    def _paid(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.spend(STEP)
            self.charge(value)
            yield value

    def _check_growth(self, name: str, value: Any, given: list[Any]) -> None:
        if name == "round" and any(isinstance(n, int) and n > _MOST_DIGITS for n in given):
            raise TooCostly
        if name == "format" and isinstance(value, str):
            check_format(value)
        product = (self.size(value) + 1) * (1 + sum(map(self.size, given)))
        if product > GROWTH_LIMIT:
            raise TooCostly
        self.spend(product // 1_000)

    def size(self, value: Any) -> int:
        """How much text a value can make at the worst; a number counts as a width."""
        if isinstance(value, str):
            return len(value)
        if isinstance(value, int):
            return abs(value)
        before = self.left
        self.charge(value)
        return (before - self.left) * CHARACTERS

    def operate(self, operator: str, left: Any, right: Any) -> None:
        """Refuse an operation on values that would grow beyond all bounds; pay for it otherwise."""
        self.spend(STEP)
        numbers = isinstance(left, int) and isinstance(right, int)
        if operator == "%" and isinstance(left, str):
            self.enter("format", left, (right,))
        elif operator == "**" and numbers:
            if abs(right) > POWER_LIMIT or left.bit_length() > POWER_LIMIT:
                raise TooCostly
        elif operator == "*" and numbers:
            if left.bit_length() + right.bit_length() > BITS_LIMIT:
                raise TooCostly
        elif operator == "*" and self.size(left) * self.size(right) > GROWTH_LIMIT:
            raise TooCostly


def check_format(text: str) -> None:
    """Refuse a format whose widths are not plain small numbers. Raises TooCostly."""
    if len(text) > FORMAT_LIMIT or _BAD_FORMAT.search(text):
        raise TooCostly
