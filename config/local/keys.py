"""The secrets that the local stack makes for itself on its first start and keeps in files of the data directory."""

import base64
import os
import secrets
from pathlib import Path

from config.local.program import StartError
from config.settings import MASTER_KEY_BYTES, OPERATOR_KEY_LENGTH

MASTER = "master.key"
OPERATOR = "operator.key"


def master_key(data: Path, *, fresh: bool) -> str:
    """Return the master key in base64, made when the data is `fresh`.

    Raises `StartError` when there is data but no key to it: a new key would open none of it.
    """
    file = data / MASTER
    if not file.exists() and not fresh:
        raise StartError(f"{file} is gone, and without it the data in {data} cannot be read")
    return _kept(file, base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())


def operator_key(data: Path) -> str:
    """Return the key of the admin API, made on the first start."""
    return _kept(data / OPERATOR, secrets.token_urlsafe(OPERATOR_KEY_LENGTH))


def write_private(file: Path, text: str) -> None:
    """Write a file whole or not at all, readable for its owner alone."""
    unfinished = file.with_name(f".{file.name}")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{text}\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)


def _kept(file: Path, made: str) -> str:
    """Return what a file holds, made when it is not there."""
    if not file.exists():
        write_private(file, made)
    return file.read_text().strip()
