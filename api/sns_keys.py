"""The keys with which SNS signs: each certificate fetched once, off the event loop, and kept for a day."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.errors import RETRY_AFTER_SECONDS, ApiError

SECONDS: Final = 5.0
"""For each step of an exchange."""
WHOLE_SECONDS: Final = 10.0
ANSWER_LIMIT: Final = 64 * 1024
KEPT_FOR: Final = timedelta(days=1)
KEPT: Final = 32
"""Certificates in memory; SNS has one for each region at a time."""
FAILED_SECONDS: Final = 10.0
"""How long a certificate that could not be had is not asked for again."""
OK: Final = range(200, 300)
T = TypeVar("T")


class Unfetched(Exception):
    """There was no answer, or not one that can be used."""


class Kept(NamedTuple):
    """A key, and until when it counts."""

    key: RSAPublicKey
    until: datetime


class SnsKeys:
    """To be used on one event loop. One certificate is fetched at a time, however many wait for it."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._failed: dict[str, float] = {}
        self._fetching = asyncio.Lock()

    async def key(self, url: str) -> RSAPublicKey:
        """The key of the certificate at a URL that was found to be trusted.

        Raises ApiError 503 ``certificate_unavailable``: SNS then posts again.
        """
        if kept := self._fresh(url):
            return kept
        async with self._fetching:
            if kept := self._fresh(url):
                return kept
            if monotonic() - self._failed.get(url, -FAILED_SECONDS) < FAILED_SECONDS:
                raise unavailable()
            return await self._fetch(url)

    def _fresh(self, url: str) -> RSAPublicKey | None:
        kept = self._kept.get(url)
        return kept.key if kept is not None and datetime.now(UTC) < kept.until else None

    async def _fetch(self, url: str) -> RSAPublicKey:
        try:
            kept = read_certificate(await fetched(url), datetime.now(UTC))
        except Unfetched:
            remember(self._failed, url, monotonic())
            raise unavailable() from None
        remember(self._kept, url, kept)
        return kept.key


def remember(memory: dict[str, T], name: str, value: T) -> None:
    """Keep a value, at the cost of the oldest when there are too many."""
    memory.pop(name, None)
    if len(memory) >= KEPT:
        memory.pop(next(iter(memory)))
    memory[name] = value


def unavailable() -> ApiError:
    """The certificate cannot be had now."""
    message = "The certificate of the signature cannot be fetched. Try again."
    return ApiError(503, "certificate_unavailable", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def read_certificate(pem: bytes, now: datetime) -> Kept:
    """The RSA key of a certificate that is valid now. Raises Unfetched for anything else."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError as error:
        raise Unfetched from error
    if (
        not isinstance(key, RSAPublicKey)
        or not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    ):
        raise Unfetched
    return Kept(key, min(now + KEPT_FOR, certificate.not_valid_after_utc))


async def fetched(url: str) -> bytes:
    """The body of a GET, off the event loop. Raises Unfetched."""
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            return await asyncio.to_thread(fetch, url)
    except TimeoutError as error:
        raise Unfetched from error


def fetch(url: str) -> bytes:
    """The body of a GET: bounded in time and size, redirects not followed. Raises Unfetched. Blocks."""
    parts = urlsplit(url)
    connection: HTTPConnection
    try:
        if parts.scheme == "https":
            connection = HTTPSConnection(parts.netloc, timeout=SECONDS, context=ssl.create_default_context())
        else:
            connection = HTTPConnection(parts.netloc, timeout=SECONDS)
    except HTTPException as error:
        raise Unfetched from error
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        answer = connection.getresponse()
        body = answer.read(ANSWER_LIMIT + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise Unfetched from error
    finally:
        connection.close()
    if answer.status not in OK or len(body) > ANSWER_LIMIT:
        raise Unfetched
    return body
