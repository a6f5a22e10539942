"""The data directory of the local stack: held by one supervisor at a time, with a log file per child."""

import fcntl
import os
from pathlib import Path
from typing import IO

from config.local.owner import Owner
from config.local.program import StartError


class DataDirectory:
    """`DATA_DIR`, made on the first start. Children do not inherit the lock, so it ends with the supervisor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def hold(self) -> None:
        """Make the directory and take its lock, or raise `StartError` when another supervisor has it."""
        # PostgreSQL's user has to pass through it when it is not the supervisor's own.
        mode = 0o711 if Owner.unprivileged() else 0o700
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(mode)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise StartError(f"cannot use {self.path} as the data directory: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise StartError(f"Datamailer already runs on the data in {self.path} (process {holder})") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def log(self, name: str) -> Path:
        """Return the log file of a child; the one of the start before is kept beside it with `.1` at its end."""
        folder = self.path / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{name}.log"
        if file.exists():
            file.replace(file.with_name(f"{file.name}.1"))
        return file
