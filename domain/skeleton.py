"""A text with places that differ from recipient to recipient, cut once so that filling it costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

Edit = tuple[int, int, tuple[str, ...]]
"""From where to before where a text is replaced, and by what: literals at even places, names of slots at odd ones."""


class Skeleton(msgspec.Struct, frozen=True):
    """The text in pieces: literals at even places, names of slots at odd ones."""

    parts: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values into the slots. Raises KeyError when one is missing."""
        parts = list(self.parts)
        parts[1::2] = [values[slot] for slot in parts[1::2]]
        return "".join(parts)

    def template(self) -> str:
        """Give the text with ``{{slot}}`` for each slot, as SES's templates name values."""
        parts = list(self.parts)
        parts[1::2] = [f"{{{{{slot}}}}}" for slot in parts[1::2]]
        return "".join(parts)


def skeleton(text: str, edits: Iterable[Edit]) -> Skeleton:
    """Cut a text at its edits, which do not overlap; those at one place come in the order given."""
    parts, position = [""], 0
    for start, end, made in sorted(edits, key=lambda edit: edit[:2]):
        parts[-1] += text[position:start] + made[0]
        parts += made[1:]
        position = end
    parts[-1] += text[position:]
    return Skeleton(tuple(parts))
