"""The API, the read models and the import jobs on a database with the demo data, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import pytest

from api.demo import add_demo
from config.local.postgres import Postgres
from consumers.importer import Importer
from consumers.projector import Projector, direct_feed
from consumers.running import keep_running
from domain.store.log import Store
from domain.store.mapper import Mapper
from domain.store.unsealing import Unsealer
from projections.schema import read_models
from tests.api.serving import MASTER_KEY_TEXT, serving, settings_of
from tests.conftest import cloned
from tests.imports.service import Service


@contextmanager
def background(name: str, work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Work in a thread until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def following(conninfo: str, store: Store) -> Iterator[None]:
    """The projector and the importer."""
    projector = Projector(conninfo, direct_feed(conninfo), Unsealer(Mapper(), store.keyring), read_models())
    with (
        background("projector", partial(keep_running, "projector", projector.session)),
        background("importer", partial(keep_running, "importer", Importer(store).session)),
    ):
        yield


@pytest.fixture(scope="package")
def service(postgres: Postgres, template: str) -> Iterator[Service]:
    """The service with the demo data; tests that need an audience for themselves make one."""
    with ExitStack() as stack:
        conninfo = stack.enter_context(cloned(postgres, template))
        store = stack.enter_context(closing(Store(conninfo, MASTER_KEY_TEXT)))
        add_demo(store)
        stack.enter_context(following(conninfo, store))
        served = stack.enter_context(serving(settings_of(conninfo)))
        yield Service(stack.enter_context(served.client()), store, conninfo)


@pytest.fixture
def audience(service: Service) -> str:
    """The slug of an audience that only this test uses."""
    return service.make_audience()
