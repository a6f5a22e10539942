"""Logs as JSON, one object a line, with nobody's personal data.

Log an event as a constant message with its facts in ``extra``. Of an exception only its type and place are written: its
words may quote what somebody sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
CHATTY: Final = ("kafka", "eventsourcing", "psycopg", "botocore", "boto3", "urllib3", "asyncio")
REPEATS: Final = "kafka"
"""While its broker is out of reach, this library writes the same lines many times a second."""

REPEAT_SECONDS: Final = 60.0


def place_of(error: BaseException) -> str:
    """Where an exception was raised, as ``file:line function``; empty for one that never was."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} {frames[-1].name}" if frames else ""


class JSONFormatter(logging.Formatter):
    """One JSON object: time, level, logger, message, the facts of ``extra``, error and its place."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record's line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": type(error).__name__, "at": place_of(error)}
        return msgspec.json.encode(line, enc_hook=lambda value: type(value).__name__).decode()


class Repeats(logging.Filter):
    """Passes one line of each kind a minute of the library that repeats itself, and everything of others."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written; lines are of a kind when they differ in their facts alone."""
        if record.name.partition(".")[0] != REPEATS:
            return True
        kind = (record.name, str(record.msg))
        if record.created - self._said.get(kind, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._said[kind] = record.created
        return True


def configure_logging(level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Have everything logged as JSON lines. Libraries are heard from warnings on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    handler.addFilter(Repeats())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
