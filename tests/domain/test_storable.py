"""JSON values that the log can hold, and those that it cannot, wherever in them the reason lies."""

from __future__ import annotations

from typing import Any

import pytest

from domain.storable import DEPTH_LIMIT, storable


def nested(depth: int) -> Any:
    value: Any = []
    for level in range(1, depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("code", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_text_that_postgres_cannot_hold_is_found_anywhere(code: int) -> None:
    text = f"fine {chr(code)}"
    values: list[Any] = [text, [1, text], {"a": text}, {text: 1}, [{"a": [None, {text: []}]}]]
    assert [value for value in values if storable(value)] == []


@pytest.mark.parametrize("value", ["", "\U0001f600", "\ud7ff\ue000", 1, 2.5, None, [], {}, {"a": ["b", {"c": True}]}])
def test_other_values_can_be_held(value: Any) -> None:
    assert storable(value)


def test_as_deep_as_the_limit_and_no_deeper() -> None:
    assert storable(nested(DEPTH_LIMIT))
    assert not storable(nested(DEPTH_LIMIT + 1))
