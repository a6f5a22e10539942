"""What the local stack runs on its servers: how schema and demo data are made, and the service's processes."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]

Arguments = tuple[str, ...]
Feed = Literal["kafka", "direct"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Commands, as the arguments of Python.

    `migrate` runs at every start, `demo` on the first, and `services` for as long as the stack does.
    """

    migrate: Arguments
    demo: Arguments
    services: Callable[[Feed], Mapping[str, Arguments]]


def services(feed: Feed) -> dict[str, Arguments]:
    """Return the processes of Datamailer; where consumers follow the log directly there is nothing to relay."""
    relay = ["relay"] if feed == "kafka" else []
    found: dict[str, Arguments] = {
        "api": ("-m", "api"),
        "consumers": ("-m", "consumers", *relay, "projector", "importer"),
    }
    if importlib.util.find_spec("config.local.ses") is not None:
        found["ses"] = ("-m", "config.local.ses")
    return found


DATAMAILER = Plan(migrate=("-m", "api.cli", "migrate"), demo=("-m", "api.cli", "demo"), services=services)
