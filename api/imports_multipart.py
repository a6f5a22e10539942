"""Takes a multipart/form-data body apart while it comes in: small fields to text, the file to wherever it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import Invalid

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD_LIMIT = 64 * 1024
"""Bytes of a field that is no file."""

FIELDS_LIMIT = 64
"""Parts of a body."""

T = TypeVar("T")
TakeFile = Callable[[memoryview], object]


class Form:
    """Fed with the body piece by piece. ``fields`` has the text of every part but those that ``files`` names.

    Raises Invalid: ``invalid`` on ``body`` for what is no multipart body, ``too_long`` or ``invalid`` on a field.
    """

    def __init__(self, content_type: str, files: frozenset[str], take: TakeFile) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise Invalid({"body": "invalid"})
        self.fields: dict[str, str] = {}
        self.has_file = False
        self._files = files
        self._take = take
        self._header = bytearray()
        self._value = bytearray()
        self._name = ""
        self._text = bytearray()
        self._parts = 0
        self._complete = False
        self._parser = self._checked(lambda: MultipartParser(boundary, self._callbacks()))

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_to_header,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body."""
        self._checked(lambda: self._parser.write(piece))

    def _checked(self, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except FormParserError:
            raise Invalid({"body": "invalid"}) from None

    def finish(self) -> dict[str, str]:
        """The fields, once the body is over."""
        if not self._complete:
            raise Invalid({"body": "invalid"})
        return self.fields

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > FIELDS_LIMIT:
            raise Invalid({"body": "too_many"})
        self._name = ""
        self._text.clear()

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            name = parse_options_header(bytes(self._value))[1].get(b"name", b"")
            self._name = name.decode("utf-8", "replace")
            if self._name in self._files and self.has_file:
                raise Invalid({self._name: "too_many"})
            self.has_file = self.has_file or self._name in self._files
        self._header.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name in self._files:
            self._take(memoryview(data)[start:end])
        elif len(self._text) + end - start > FIELD_LIMIT:
            raise Invalid({self._name or "body": "too_long"})
        else:
            self._text += data[start:end]

    def _end_part(self) -> None:
        if self._name and self._name not in self._files:
            try:
                self.fields[self._name] = self._text.decode()
            except UnicodeDecodeError:
                raise Invalid({self._name: "invalid"}) from None

    def _end(self) -> None:
        self._complete = True
