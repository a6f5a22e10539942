"""A log line is one JSON object that anybody may read."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from config.logging import Repeats, configure_logging


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield stream
    root.handlers, root.level = before, level


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_its_time_its_message_and_its_facts(logged: io.StringIO) -> None:
    logging.getLogger("consumers.relay").info("published", extra={"position": 42})
    [line] = lines(logged)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "logger": "consumers.relay", "message": "published", "position": 42}


def test_an_exception_shows_its_type_and_place_and_not_its_words(logged: io.StringIO) -> None:
    try:
        int("ada@example.com")
    except ValueError:
        logging.getLogger("api").exception("broke")
    [line] = lines(logged)
    assert line["error"] == "ValueError"
    assert line["at"].endswith("test_an_exception_shows_its_type_and_place_and_not_its_words")
    assert "ada" not in logged.getvalue()


def test_what_is_no_json_value_is_named_by_its_type(logged: io.StringIO) -> None:
    logging.getLogger("api").info("odd", extra={"thing": object()})
    assert lines(logged)[0]["thing"] == "object"


def test_libraries_are_heard_from_warnings_on(logged: io.StringIO) -> None:
    logging.getLogger("kafka.consumer").info("chatter")
    logging.getLogger("kafka.consumer").warning("trouble")
    assert [line["message"] for line in lines(logged)] == ["trouble"]


def test_a_library_that_repeats_itself_is_heard_once_a_minute(logged: io.StringIO) -> None:
    library, own = logging.getLogger("kafka.net.manager"), logging.getLogger("consumers.relay")
    for seconds in (1, 2):
        library.warning("waiting %s s", seconds)
        own.warning("waiting")
    library.warning("refused")
    assert [line["message"] for line in lines(logged)] == ["waiting 1 s", "waiting", "waiting", "refused"]


def test_a_repeated_line_is_heard_again_after_a_minute() -> None:
    repeats = Repeats()
    record = logging.makeLogRecord({"name": "kafka.net", "msg": "refused"})
    heard = []
    for seconds in (0.0, 59.0, 60.0):
        record.created = 1_800_000_000 + seconds
        heard.append(repeats.filter(record))
    assert heard == [True, False, True]


def test_colours_for_terminals_stay_out(logged: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("started", extra={"color_message": "\u001b[1mstarted\u001b[0m"})
    assert "color_message" not in lines(logged)[0]
