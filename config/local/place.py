"""Where PostgreSQL's files stand, so that the user as whom it runs can reach them and no other user can."""

import os
import tempfile
import uuid
from pathlib import Path

from config.local.owner import Owner

ELSEWHERE = Path("/var/lib/datamailer")


def postgres_home(folder: Path) -> Path:
    """Return the folder itself, or a place of its own outside where PostgreSQL's user cannot reach it.

    That happens to root alone, in a tree such as `/root` that lets nobody through; its permissions are not ours to
    change. The place is noted beside the folder, so the next start finds it, and one with other data does not.
    """
    owner = Owner.unprivileged()
    if owner is None or folder.exists() or owner.reaches(folder.parent):
        return folder
    note = folder.with_name(f"{folder.name}.place")
    if not note.exists():
        note.write_text(f"{ELSEWHERE / uuid.uuid4().hex}\n")
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return Path(note.read_text().strip())


def make_private(folder: Path, owner: Owner | None) -> None:
    """Make a folder that only its owner (and root) can enter; one that is there already stays as it is."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)


def socket_folder(owner: Owner | None) -> Path:
    """Make a private folder with a short path: the path of a socket has room for about a hundred bytes."""
    folder = Path(tempfile.mkdtemp(prefix="datamailer-"))
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
    return folder
