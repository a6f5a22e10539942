"""Which JSON values the log can hold and any reader of it can read again."""

from __future__ import annotations

import re
from typing import Any, Final

UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What Postgres cannot hold as text: U+0000 and lone surrogates."""

DEPTH_LIMIT: Final = 100
"""How deep lists and objects may lie in each other: what is stored must be read again, by whoever reads the log."""


def storable(value: Any) -> bool:
    """Tell whether no text in a JSON value, at any depth, is unstorable, and nothing is too deep to be read."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
        below: list[Any] = []
        for here in level:
            if isinstance(here, str):
                if UNSTORABLE.search(here):
                    return False
            elif isinstance(here, dict):
                below.extend(here)
                below.extend(here.values())
            elif isinstance(here, list):
                below.extend(here)
        if not below:
            return True
        level = below
    return False
