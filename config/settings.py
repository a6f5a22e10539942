"""The service's settings, read from the environment once at start and never changed afterwards."""

import base64
import binascii
import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import psycopg

KafkaMode = Literal["auto", "on", "off"]

REQUIRED = ("DATABASE_URL", "MASTER_KEY")
MASTER_KEY_BYTES = 32
OPERATOR_KEY_LENGTH = 24
MAX_PORT = 65535
MAX_PARTITIONS = 256
LOG_LEVELS = ("debug", "info", "warning", "error")
BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class BadSettingsError(Exception):
    """The environment does not make valid settings; `problems` has one line per variable, without its value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def _text(value: str) -> str:
    return value.strip()


def _list(value: str) -> tuple[str, ...]:
    return tuple(word for part in value.split(",") if (word := part.strip()))


def _public_url(value: str) -> str:
    url = value.strip().rstrip("/")
    if not url.startswith(("http://", "https://")) or any(character.isspace() for character in url):
        raise ValueError("must be a URL such as https://mail.example.com")
    return url


def _boolean(value: str) -> bool:
    try:
        return BOOLEANS[value.strip().lower()]
    except KeyError:
        raise ValueError("must be on or off") from None


def _port(value: str) -> int:
    number = int(value) if value.strip().isdecimal() else 0
    if not 1 <= number <= MAX_PORT:
        raise ValueError(f"must be a port number, 1 to {MAX_PORT}")
    return number


def _partitions(value: str) -> int:
    number = int(value) if value.strip().isdecimal() else 0
    if not 1 <= number <= MAX_PARTITIONS:
        raise ValueError(f"must be a whole number, 1 to {MAX_PARTITIONS}")
    return number


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _kafka_mode(value: str) -> KafkaMode:
    mode = value.strip().lower()
    if mode not in {"auto", "on", "off"}:
        raise ValueError("must be auto, on or off")
    return cast("KafkaMode", mode)


def _log_level(value: str) -> str:
    level = value.strip().lower()
    if level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return level


def _database_url(value: str) -> str:
    try:
        psycopg.conninfo.conninfo_to_dict(value)
    except psycopg.Error:
        raise ValueError("must be a PostgreSQL connection string, such as postgresql://user@host/database") from None
    return value


def _master_key(value: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"must be {MASTER_KEY_BYTES} random bytes in base64")
    return key


def _operator_key(value: str) -> str:
    if len(value.strip()) < OPERATOR_KEY_LENGTH:
        raise ValueError(f"must have at least {OPERATOR_KEY_LENGTH} characters")
    return value.strip()


def setting(meaning: str, parse: Callable[[str], object], default: str = "", *, secret: bool = False) -> Any:
    """Declare a setting: its meaning in one line, its cast, and its default as one would write it in the environment.

    A setting that is unset or empty has its default; one without a default is then the cast's empty value.
    """
    metadata = {"meaning": meaning, "parse": parse, "default": default}
    empty: object = b"" if parse is _master_key else () if parse is _list else ""
    return dataclasses.field(default=parse(default) if default else empty, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the service; the environment variable of a field is its name in capitals."""

    database_url: str = setting("PostgreSQL that holds the log and the read models", _database_url, secret=True)
    master_key: bytes = setting(
        "32 random bytes in base64 that wrap every key of personal data", _master_key, secret=True
    )
    kafka_bootstrap_servers: str = setting(
        "Kafka brokers, `host:port` separated by commas; empty: consumers follow the log directly", _text
    )
    event_partitions: int = setting("partitions of the Kafka topic of events, set when it is made", _partitions, "4")
    operator_key: str = setting("key of the admin API; empty: the admin API is off", _operator_key, secret=True)
    public_url: str = setting(
        "where recipients reach the tracking and unsubscribe routes, such as `https://mail.example.com`",
        _public_url,
        "http://127.0.0.1:8000",
    )
    ses_region: str = setting("region of Amazon SES", _text, "us-east-1")
    ses_endpoint_url: str = setting("another SES than Amazon's, such as the local one; it takes any AWS key", _text)
    ses_configuration_set: str = setting("SES configuration set of every mail, whose events SNS delivers", _text)
    ses_topic_arns: tuple[str, ...] = setting(
        "SNS topics whose notifications the webhook takes, separated by commas; empty: none", _list
    )
    ses_certificate_url: str = setting(
        "certificate of the local SES, which then counts beside Amazon's; leave empty in production", _text
    )
    host: str = setting("address on which the API listens", _text, "127.0.0.1")
    port: int = setting("port on which the API listens", _port, "8000")
    private_hosts: bool = setting("whether imports and webhooks may reach private addresses", _boolean, "off")
    log_level: str = setting("debug, info, warning or error", _log_level, "info")
    data_dir: Path = setting("where `make run` keeps its data, keys and logs", _folder, ".data")
    kafka: KafkaMode = setting(
        "whether `make run` starts Apache Kafka: on, off, or auto (when Java and Maven are there)", _kafka_mode, "auto"
    )
    demo: bool = setting("whether `make run` adds the demo data on its first start", _boolean, "on")
    local_ses_port: int = setting("port of the local SES and its inbox that `make run` starts", _port, "8025")

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, required: tuple[str, ...] = REQUIRED) -> "Settings":
        """Return the settings of an environment, or raise `BadSettingsError` with every problem at once."""
        values: dict[str, object] = {}
        problems = [f"{name} is required" for name in required if not environ.get(name, "").strip()]
        for field in dataclasses.fields(cls):
            name = field.name.upper()
            raw = environ.get(name, "").strip()
            if not raw:
                continue
            try:
                values[field.name] = field.metadata["parse"](raw)
            except ValueError as error:
                problems.append(f"{name} {error}")
        if problems:
            raise BadSettingsError(problems)
        return cls(**cast("dict[str, Any]", values))


@dataclass(frozen=True, slots=True)
class Described:
    """A setting as a table of the documentation shows it."""

    name: str
    default: str
    meaning: str


def described() -> tuple[Described, ...]:
    """Return every setting, in the order in which the documentation lists them."""
    return tuple(
        Described(field.name.upper(), field.metadata["default"], field.metadata["meaning"])
        for field in dataclasses.fields(Settings)
    )
