"""Where the job that a 202 tells of is to be looked for: the same on the first answer and on every repeat."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from api.answer import Answer
from api.routing import Route

ACCEPTED = 202


class Job(msgspec.Struct):
    """The number of a job, as its payload has it."""

    id: int


class Begun(msgspec.Struct):
    """What is read of an answer."""

    job: Job = msgspec.field(name="import")


def located(answer: Answer, route: Route, names: Mapping[str, str]) -> Answer:
    """The answer with its ``Location``, when it is one that tells of a job. ``names`` are those of the path."""
    if not route.location or answer.status != ACCEPTED:
        return answer
    words = {name: quote(text, safe=":@") for name, text in names.items()}
    place = route.location.format(**words, job=msgspec.json.decode(answer.body, type=Begun).job.id)
    return replace(answer, headers=(*answer.headers, (b"location", place.encode())))
