"""Tells commands at a terminal where the stack is (``config.reach``)."""

import json
from collections.abc import Mapping
from pathlib import Path

from config.local.keys import write_private
from config.reach import FILE
from config.settings import REQUIRED


def tell(data: Path, environ: Mapping[str, str]) -> None:
    """Leave where the database is, and the key to it, for whoever may read the data directory."""
    write_private(data / FILE, json.dumps({name: environ[name] for name in REQUIRED}))
