"""A rebuild in a process of its own, which tells where it is and stands still at a stage that it is told."""

from __future__ import annotations

import sys

from projections.rebuild import stretches
from projections.rebuild.database import Database
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import read_model, rebuild
from tests.projections.conftest import MASTER_KEY


def main(conninfo: str, name: str, processes: str, halt_at: str, done: str) -> None:
    """Rebuild the model; halt at the stage once so many events are done."""
    vars(stretches)["SIZE"] = 10

    def watch(progress: Progress) -> None:
        sys.stdout.write(f"{progress.stage}\n")
        sys.stdout.flush()
        if progress.stage == halt_at and progress.done >= int(done):
            sys.stdout.write("halted\n")
            sys.stdout.flush()
            sys.stdin.read()

    rebuild(Database(conninfo, MASTER_KEY), read_model(name), processes=int(processes), watch=watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
