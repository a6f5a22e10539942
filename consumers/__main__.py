"""Runs consumers in this process until it is asked to stop: ``python -m consumers relay projector``, or ``all``."""

from __future__ import annotations

import argparse
import base64
import gc
import logging
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import Final

import psycopg

from config.logging import configure_logging
from config.settings import BadSettingsError, Settings
from consumers.campaign_lane import CampaignLane
from consumers.feedback import FeedbackConsumer
from consumers.fetcher import Fetcher
from consumers.importer import Importer
from consumers.list_sender import ListSender
from consumers.outside import Outside
from consumers.planner import Planner
from consumers.projector import Projector, direct_feed, kafka_feed
from consumers.rebuilder import Rebuilder
from consumers.relay import Relay
from consumers.running import keep_running
from consumers.sender import Lane, Sender
from consumers.ses import Ses
from consumers.transactional_lane import TransactionalLane
from consumers.webhooks_out import WebhooksOut
from domain.links import Signer
from domain.store.keyring import Keyring
from domain.store.log import Store
from domain.store.mapper import Mapper
from domain.store.unsealing import Unsealer
from domain.tracking import Site
from projections.rebuild.database import Database
from projections.schema import read_models

Session = Callable[[Flag], None]

GC_THRESHOLD: Final = 200_000
"""Batches make many objects and drop them together: looking for cycles among them takes a third of the time."""

log = logging.getLogger("consumers")


def relay(settings: Settings) -> Session:
    """The log's way to Kafka."""
    return Relay(settings.database_url, settings.kafka_bootstrap_servers, settings.event_partitions).session


def projector(settings: Settings) -> Session:
    """The read models."""
    servers = settings.kafka_bootstrap_servers
    open_feed = kafka_feed(servers) if servers else direct_feed(settings.database_url)
    master_key = base64.b64encode(settings.master_key).decode()

    def session(stop: Flag) -> None:
        with psycopg.connect(settings.database_url) as connection:
            unsealer = Unsealer(Mapper(), Keyring.open(connection, master_key))
        Projector(settings.database_url, open_feed, unsealer, read_models()).session(stop)

    return session


def rebuilder(settings: Settings) -> Session:
    """The read models that are to be made anew."""
    database = Database(settings.database_url, base64.b64encode(settings.master_key).decode())
    return Rebuilder(database, settings.log_level).session


def importer(settings: Settings) -> Session:
    """The files that wait to be imported."""

    def session(stop: Flag) -> None:
        with closing(store_of(settings)) as store:
            Importer(store).session(stop)

    return session


def fetcher(settings: Settings) -> Session:
    """The files that imports name by URL."""

    def session(stop: Flag) -> None:
        with closing(store_of(settings)) as store:
            Fetcher(store, Outside(private_hosts=settings.private_hosts)).session(stop)

    return session


def planner(settings: Settings) -> Session:
    """The campaigns that wait for their time, their messages, their end."""

    def session(stop: Flag) -> None:
        with closing(store_of(settings)) as store:
            Planner(store).session(stop)

    return session


def list_sender(settings: Settings) -> Session:
    """The messages of sends to long recipient lists."""

    def session(stop: Flag) -> None:
        with closing(store_of(settings)) as store:
            ListSender(store).session(stop)

    return session


def feedback(settings: Settings) -> Session:
    """What SES told of mail before the log knew it."""

    def session(stop: Flag) -> None:
        with closing(store_of(settings)) as store:
            FeedbackConsumer(store).session(stop)

    return session


def webhooks_out(settings: Settings) -> Session:
    """The events that clients want delivered."""

    def session(stop: Flag) -> None:
        outside = Outside(private_hosts=settings.private_hosts)
        with closing(store_of(settings)) as store:
            WebhooksOut(store, outside).session(stop)

    return session


def sender(lane: Callable[[Store, Site], Lane]) -> Callable[[Settings], Session]:
    """Mail of one lane."""

    def consumer(settings: Settings) -> Session:
        def session(stop: Flag) -> None:
            ses = Ses(
                settings.ses_region,
                endpoint_url=settings.ses_endpoint_url,
                configuration_set=settings.ses_configuration_set,
            )
            with closing(store_of(settings)) as store:
                Sender(store, ses, lane(store, site_of(settings, store))).session(stop)

        return session

    return consumer


def store_of(settings: Settings) -> Store:
    """A store of a consumer's own."""
    return Store(settings.database_url, base64.b64encode(settings.master_key).decode())


def site_of(settings: Settings, store: Store) -> Site:
    """Where tracking and unsubscribe links lead, signed with a key that the database's root key gives."""
    return Site(settings.public_url, Signer(store.keyring.secret("links")))


CONSUMERS: Final[Mapping[str, Callable[[Settings], Session]]] = {
    "relay": relay,
    "projector": projector,
    "rebuilder": rebuilder,
    "importer": importer,
    "fetcher": fetcher,
    "planner": planner,
    "list-sender": list_sender,
    "transactional-sender": sender(TransactionalLane),
    "campaign-sender": sender(CampaignLane),
    "feedback": feedback,
    "webhooks-out": webhooks_out,
}


def chosen(names: Sequence[str], settings: Settings) -> list[str]:
    """The consumers of the names; ``all`` is every one that has something to do. Raises BadSettingsError."""
    everything = [name for name in CONSUMERS if name != "relay" or settings.kafka_bootstrap_servers]
    wanted = everything if "all" in names else list(dict.fromkeys(names))
    if "relay" in wanted and not settings.kafka_bootstrap_servers:
        raise BadSettingsError(["KAFKA_BOOTSTRAP_SERVERS is required by the relay"])
    return wanted


class Process:
    """Consumers in threads of their own. All stop together: when asked to, or when one of them breaks."""

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self.stop = Flag()
        self._broken = False
        self._threads = [Thread(target=partial(self._run, name, s), name=name) for name, s in sessions.items()]

    def _run(self, name: str, session: Session) -> None:
        try:
            keep_running(name, session, self.stop)
        except Exception:
            log.exception("consumer broke", extra={"consumer": name})
            self._broken = True
        finally:
            self.stop.set()

    def run(self) -> int:
        """Run to the end; gives the exit status."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        return 1 if self._broken else 0


def main(arguments: Sequence[str]) -> int:
    """Start, and stop in order on SIGTERM and SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m consumers", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*CONSUMERS, "all"], metavar="consumer")
    names = parser.parse_args(arguments).names
    try:
        settings = Settings.read()
        wanted = chosen(names, settings)
    except BadSettingsError as error:
        parser.error(str(error))
    configure_logging(settings.log_level)
    process = Process({name: CONSUMERS[name](settings) for name in wanted})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop.set())
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    log.info("consumers started", extra={"consumers": wanted, "feed": feed_of(settings)})
    status = process.run()
    log.info("consumers stopped")
    return status


def feed_of(settings: Settings) -> str:
    """How consumers follow the log, in a word."""
    return "kafka" if settings.kafka_bootstrap_servers else "direct"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
