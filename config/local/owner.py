"""The user as whom a server runs that refuses to run as root, and which folders that user can enter."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Self

UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Owner:
    """A user and group to drop to."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> Self | None:
        """Return the user to drop to, or None for a process that is not root and stays what it is."""
        if os.geteuid() != 0:
            return None
        users = {user.pw_name: user for user in pwd.getpwall()}
        found = next((users[name] for name in UNPRIVILEGED if name in users), None)
        return cls(65534, 65534) if found is None else cls(found.pw_uid, found.pw_gid)

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Return the owner of something there already when this process is root and has to become that user."""
        status = path.stat()
        if os.geteuid() != 0 or status.st_uid == 0:
            return cls.unprivileged()
        return cls(status.st_uid, status.st_gid)

    def reaches(self, folder: Path) -> bool:
        """Tell whether this user can enter a folder: every folder on the way lets it through."""
        way = folder.resolve()
        return all(self._enters(step.stat()) for step in (way, *way.parents))

    def _enters(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)
