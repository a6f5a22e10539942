"""Several workers fill a generation together, each the stretches that nobody else has: of every read model."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.demo import add_demo
from consumers.session import Connection
from domain.store.log import Store
from projections.projection import Projection
from projections.rebuild import stretches
from projections.rebuild.database import Database
from projections.rebuild.filling import fill
from projections.rebuild.full_speed import at_full_speed
from projections.rebuild.generation import Generation
from projections.rebuild.journal import Journal
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import rebuild
from projections.rebuild.refusals import StoppedError
from projections.schema import read_models
from tests.consumers.busy import Office
from tests.projections.building import followed, schemas, stopping
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import rows

WORKERS = 3


def fill_together(database: Database, connection: Connection, model: Projection) -> None:
    """Stop a rebuild before it fills anything, and have several workers fill what it prepared."""
    with pytest.raises(StoppedError):
        rebuild(database, model, watch=stopping(lambda _: True))
    entry = Journal(connection, model.name).entry()
    assert entry is not None
    with ThreadPoolExecutor(WORKERS) as workers:
        parts = [
            workers.submit(fill, database, database.unsealer(), model, entry.as_of, lambda: None)
            for _ in range(WORKERS)
        ]
        for part in parts:
            part.result()


def test_full_speed_is_over_with_the_last_of_those_who_wanted_it() -> None:
    before = (gc.isenabled(), sys.getswitchinterval())
    first, second = at_full_speed(), at_full_speed()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert (gc.isenabled(), sys.getswitchinterval()) == before


def test_several_workers_come_to_the_live_rows(
    store: Store, connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose rows do not come from one stream each is one worker's, however many are asked for."""
    monkeypatch.setattr(stretches, "SIZE", 3)
    add_demo(store)
    office = Office(store)
    office.begin()
    for n in range(1, 3):
        office.mail(n)
    place = Database(database, MASTER_KEY)
    for model in read_models():
        followed(store, connection, [], model)
        live = rows(connection, model)
        assert all(live.values()), f"nobody in tests/consumers/busy.py writes what makes rows of {model.name}"
        by_stream = Generation(connection, model).by_stream
        if by_stream:
            fill_together(place, connection, model)
        seen: list[Progress] = []
        comparison = rebuild(place, model, processes=WORKERS if not by_stream else 1, watch=seen.append)
        filled = [progress.done for progress in seen if progress.stage == "filling" and progress.events]
        assert not (by_stream and filled), f"nothing of {model.name} was left to be filled"
        assert comparison is not None
        assert comparison.equal, comparison
        assert rows(connection, model) == live
    assert schemas(connection) == []
