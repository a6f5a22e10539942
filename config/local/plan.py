"""What the local stack runs on its servers: how schema and demo data are made, and the service's processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

Arguments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Commands, as the arguments of Python.

    `migrate` runs at every start, `demo` on the first, and `services` for as long as the stack does.
    """

    migrate: Arguments
    demo: Arguments
    services: Mapping[str, Arguments]


DATAMAILER = Plan(
    migrate=("-m", "api.cli", "migrate"),
    demo=("-m", "api.cli", "demo"),
    services={
        "api": ("-m", "api"),
        "consumers": ("-m", "consumers", "all"),
        "ses": ("-m", "config.local.ses"),
    },
)
