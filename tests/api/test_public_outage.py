"""The log out of reach while people open, click and leave, and SES tells of it: nothing is taken that is not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from config.local.postgres import Postgres
from domain.store.log import Store
from tests.api.conftest import with_demo
from tests.api.posted import Posted, posted
from tests.api.serving import MASTER_KEY_TEXT
from tests.api.telling import Stand, standing
from tests.waiting import wait_until

NAME = "public_outage"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def conninfo(postgres: Postgres, template: str) -> Iterator[str]:
    with with_demo(postgres, template, NAME) as conninfo:
        yield conninfo


@contextmanager
def out_of_reach(postgres: Postgres) -> Iterator[None]:
    """Nobody can connect to the test's database, and whoever was is no more."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {NAME} ALLOW_CONNECTIONS false")
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (NAME,))
            yield
        finally:
            connection.execute(f"ALTER DATABASE {NAME} ALLOW_CONNECTIONS true")


def statuses(stand: Stand, mail: Posted, anybody: httpx.Client) -> list[int]:
    """What everything that comes back is answered with, all of it at once."""
    pixel, link = mail.signer.open(mail.stream), mail.signer.click(mail.stream, 0, "https://example.com/")
    wanted: list[Callable[[], int]] = [
        lambda: anybody.get(f"/t/o/{pixel}.gif").status_code,
        lambda: anybody.get(f"/t/c/{link}").status_code,
        lambda: anybody.post(mail.way_out, data={"scope": "client"}, headers=BROWSER).status_code,
        lambda: anybody.post(mail.way_out, data={"List-Unsubscribe": "One-Click"}).status_code,
        lambda: anybody.get(mail.way_out).status_code,
        lambda: stand.tell(mail, "Bounce", sns_message_id="once"),
    ]
    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(lambda ask: ask(), wanted))


def test_all_of_it_is_asked_for_again(postgres: Postgres, conninfo: str, tmp_path: Path) -> None:
    with standing(conninfo, tmp_path) as stand, httpx.Client(base_url=stand.served.base_url, timeout=30) as anybody:
        mail = posted(stand.store)
        pixel = f"/t/o/{mail.signer.open(mail.stream)}.gif"
        with out_of_reach(postgres):
            assert statuses(stand, mail, anybody) == [503] * 6
        wait_until(lambda: anybody.get(mail.way_out).status_code == 200, "the log to be read again")
        stand.store.close()
        with closing(Store(conninfo, MASTER_KEY_TEXT)) as store:
            mail = mail._replace(store=store)
            assert (mail.events(), mail.contact.hard_bounces) == ([], {})
            wait_until(lambda: anybody.get(pixel).status_code == 200, "events to be taken again")
            before = mail.state.open_count
            assert statuses(stand, mail, anybody) == [200, 302, 200, 200, 200, 200]
            assert (mail.state.open_count, mail.state.click_count) == (before + 1, 1)
            assert (mail.state.bounce_type, mail.state.unsubscribed) == ("Permanent", frozenset({"client"}))
            assert mail.contact.hard_bounces
