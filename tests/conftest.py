"""What tests share: one real PostgreSQL and one real Kafka broker for the whole run, a database of its own per test."""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from config.local.kafka.broker import Kafka
from config.local.kafka.jars import KafkaUnavailableError, find_runtime
from config.local.postgres import Postgres
from config.settings import Settings
from domain.store.schema import install_schema
from projections.schema import install_read_models

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

pytest.register_assert_rewrite("tests.domain.cases")

TEMPLATE = "template_datamailer"
numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever needs the broker, so that `-m 'not kafka'` leaves it out."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder for the servers of this run; others may pass through it, since PostgreSQL does not run as root."""
    with tempfile.TemporaryDirectory(prefix="datamailer-tests-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(home: Path) -> Iterator[Postgres]:
    """The PostgreSQL server of this run, empty but for what fixtures and tests make."""
    with Postgres(home / "postgres", home / "postgres.log", durable=False).running() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """The name of a database with the whole schema, from which the databases of tests are cloned."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    install_schema(postgres.conninfo(TEMPLATE))
    install_read_models(postgres.conninfo(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database(postgres: Postgres, template: str) -> Iterator[str]:
    """The connection string of a fresh database with the whole schema."""
    with cloned(postgres, template) as conninfo:
        yield conninfo


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """The connection string of a fresh database with nothing in it."""
    with cloned(postgres, "template0") as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def kafka(home: Path) -> Iterator[str]:
    """The address of this run's Apache Kafka; its tests are marked `kafka` and make topics of their own names."""
    settings = Settings.read(required=())
    if settings.kafka == "off":
        pytest.skip("KAFKA=off declines Apache Kafka")
    try:
        runtime = find_runtime(settings.data_dir / "cache", home / "maven.log", print)
    except KafkaUnavailableError as error:
        if settings.kafka == "on" or os.environ.get("CI") == "true":
            pytest.fail(f"Apache Kafka has to run here: {error}")
        pytest.skip(f"no Apache Kafka: {error}")
    with Kafka(home / "kafka", home / "kafka.log", runtime).running() as broker:
        yield broker.bootstrap


@contextlib.contextmanager
def cloned(postgres: Postgres, template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(numbers)}"
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        words = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**words))
        try:
            yield postgres.conninfo(name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**words))
