"""The settings of the local SES, read from the environment; nothing that leaves this machine is accepted."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec

DEFAULT_WEBHOOK = "http://127.0.0.1:8000/webhooks/ses"
DEFAULT_TOPIC = "arn:aws:sns:us-east-1:000000000000:datamailer-ses"
LABEL = re.compile(r"[a-z][a-z0-9-]{0,62}", re.IGNORECASE)
"""A host name of one label that is no number in disguise: what a container network calls its members."""
MAX_PORT = 65535


class UnsafeHostError(ValueError):
    """A host that is neither loopback nor a named member of the container network."""


def check_host(host: str, allowed: frozenset[str] = frozenset()) -> str:
    """Return the host when it is loopback, or one label that `allowed` names; raise `UnsafeHostError` otherwise."""
    if host == "localhost" or (host in allowed and LABEL.fullmatch(host)):
        return host
    try:
        if ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise UnsafeHostError("only loopback hosts, and single names in LOCAL_SES_ALLOW_HOSTS, are accepted")


def check_url(url: str, allowed: frozenset[str] = frozenset()) -> str:
    """Return an http URL whose host passes `check_host`; raise `UnsafeHostError` otherwise."""
    parts = urlsplit(url)
    if parts.scheme != "http" or "@" in parts.netloc:
        raise UnsafeHostError("only plain http URLs without credentials are accepted")
    check_host(parts.hostname or "", allowed)
    return url


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the local SES runs with."""

    host: str = "127.0.0.1"
    port: int = 8025
    allowed_hosts: frozenset[str] = frozenset()
    webhook_url: str = DEFAULT_WEBHOOK
    topic_arn: str = DEFAULT_TOPIC
    data_dir: Path = Path(".data")
    keep: int = 20_000
    keep_megabytes: int = 256
    auto_events: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings of an environment; raise ValueError with the variable's name when one is wrong."""
        allowed = frozenset(_words(environ.get("LOCAL_SES_ALLOW_HOSTS", "")))
        return cls(
            allowed_hosts=allowed,
            host=check_host(environ.get("LOCAL_SES_HOST") or "127.0.0.1", allowed),
            port=_number(environ, "LOCAL_SES_PORT", 8025, MAX_PORT),
            webhook_url=check_url(environ.get("SES_WEBHOOK_URL") or DEFAULT_WEBHOOK, allowed),
            topic_arn=environ.get("LOCAL_SES_TOPIC_ARN") or DEFAULT_TOPIC,
            data_dir=Path(environ.get("DATA_DIR") or ".data").expanduser().absolute(),
            keep=_number(environ, "LOCAL_SES_KEEP", 20_000, 10_000_000),
            keep_megabytes=_number(environ, "LOCAL_SES_KEEP_MB", 256, 65_536),
            auto_events=tuple(_words(environ.get("LOCAL_SES_AUTO_EVENTS", ""))),
        )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) > most:
        raise ValueError(f"{name} must be a whole number of at most {most}")
    return int(text)
