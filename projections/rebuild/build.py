"""The making of a generation: begun or gone on with, filled, indexed and brought forward, each step safe to repeat."""

from __future__ import annotations

from typing import Final

from psycopg.sql import SQL

from projections.checkpoint import reflected_position
from projections.projection import Projection, RowFold
from projections.rebuild.crew import crew, wait
from projections.rebuild.database import Connection, Database
from projections.rebuild.filling import fill
from projections.rebuild.full_speed import at_full_speed
from projections.rebuild.generation import Generation
from projections.rebuild.journal import Journal, Purpose, Stage
from projections.rebuild.log_fold import CHUNK, LogFold
from projections.rebuild.progress import Progress, Watch
from projections.rebuild.stopping import Stop
from projections.rebuild.stretches import Stretches

NEAR: Final = 5_000
"""Events that a swap or a comparison may have before it: some hundredths of a second."""

ROUNDS: Final = 20
"""How often to run after live rows that go on before the rest is left to the swap, which has them wait."""

HEAD = "SELECT coalesce(max(notification_id), 0) FROM log"
LIVE = "SELECT version FROM read_models WHERE name = %s"
FOLLOWED = "SELECT EXISTS (SELECT FROM checkpoints WHERE projection = %s)"


class Build:
    """A generation in the making, in a session that finds its tables before the live ones."""

    def __init__(
        self, database: Database, projection: Projection, connection: Connection, watch: Watch, stop: Stop
    ) -> None:
        self.projection = projection
        self.stop = stop
        self.generation = Generation(connection, projection)
        self.journal = Journal(connection, projection.name)
        self._unsealer = database.unsealer()
        self.fold = LogFold(connection, self._unsealer, projection)
        self.reached = 0
        self._as_of = 0
        self._database = database
        self._connection = connection
        self._watch = watch
        self._stage: Stage = "filling"

    @property
    def replaces_its_like(self) -> bool:
        """Whether the live tables are of this version, and followed."""
        row = self._connection.execute(LIVE, (self.projection.name,)).fetchone()
        return bool(row and row[0] == self.projection.version and self._one(FOLLOWED, self.projection.name))

    @property
    def target(self) -> int:
        """Where live rows are that go on, or the log's end."""
        if self.replaces_its_like:
            return reflected_position(self._connection, self.projection.name)
        return self.head

    @property
    def head(self) -> int:
        """The log's end."""
        return self._one(HEAD)

    def prepare(self, purpose: Purpose) -> None:
        """Go on with what was left if it is of the same making; begin anew otherwise.

        One that is done may have been killed before it dropped what the swap left of the generation.
        """
        entry, shape = self.journal.entry(), self.generation.shape
        self.generation.drop_retired()
        if entry and entry.stage != "done" and entry.shape == shape and self.generation.exists():
            self.journal.resume(purpose)
            self._as_of, self.reached = entry.as_of, entry.reached
            return
        self._as_of = self.target
        self.reached = self._as_of if self.generation.by_stream else 0
        with self._connection.transaction():
            self.generation.drop()
            self.generation.create()
            if isinstance(fold := self.projection.fold, RowFold) and fold.streams:
                Stretches(self._connection, self.generation.schema).cut(fold.streams)
            self.journal.begin(purpose, self.projection.version, shape, self._as_of, self.reached)

    def fill(self, processes: int) -> None:
        """Have everything up to the position that the generation began with in its rows. Raises BadEventError."""
        self.enter("filling")
        if not self.generation.by_stream:
            self.advance(self._as_of)
            return
        stretches = Stretches(self._connection, self.generation.schema)

        def note() -> None:
            self.note(*stretches.progress())

        while stretches.free():
            with crew(self._database, self.projection.name, self._as_of, processes) as others:
                fill(self._database, self._unsealer, self.projection, self._as_of, note)
                wait(others, note)
            processes = 1

    def index(self) -> None:
        """Add keys and indexes."""
        self.enter("indexing")
        self.generation.build_indexes()

    def catch_up(self) -> None:
        """Come near the live rows, or the log's end."""
        self.enter("catching up")
        for _ in range(ROUNDS):
            target = self.target
            if target - self.reached <= NEAR:
                return
            self.advance(target)

    def advance(self, position: int) -> None:
        """Fold the log up to the position, in transactions of their own. Raises BadEventError."""
        began = self.reached
        while self.reached < position:
            through = min(self.reached + CHUNK, position)
            with at_full_speed(), self._connection.transaction():
                self.fold.apply(self.reached, through)
                self.journal.reach(through)
            self.reached = through
            self.note(self.reached - began, position - began)

    def enter(self, stage: Stage) -> None:
        """Note that a stage begins."""
        self._stage = stage
        self.journal.enter(stage)
        self.note(0, 0)

    def note(self, done: int, events: int, waits_for: str = "") -> None:
        """Note how far the stage is, and let whoever watches stop it. Raises StoppedError."""
        self.stop.check()
        self.journal.note(done, events)
        self._watch(Progress(self.projection.name, self._stage, done, events, waits_for))

    def _one(self, statement: str, *parameters: object) -> int:
        row = self._connection.execute(SQL(statement), parameters).fetchone()
        return row[0] if row else 0
