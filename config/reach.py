"""How commands at a terminal reach the stack of `make run`: by a file in its data directory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.settings import REQUIRED

FILE: Final = "stack.json"


def with_stack(environ: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the environment, with the stack's own database where the environment names none.

    The stack may have stopped since: then its database cannot be reached.
    """
    file = Path(environ.get("DATA_DIR") or ".data").expanduser() / FILE
    if any(environ.get(name) for name in REQUIRED) or not file.exists():
        return environ
    return {**environ, **json.loads(file.read_text())}
