"""Finds Java and has Maven fetch Apache Kafka, once, from the checked-in `pom.xml`."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.local.program import Program, StartError

POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17
VERSION = re.compile(r'version "(\d+)')


class KafkaUnavailableError(Exception):
    """Apache Kafka cannot be had here; the message names the component that is missing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Java to run Apache Kafka with, and the class path that makes it up."""

    java: str
    classpath: str

    @property
    def version(self) -> str:
        """The version of Apache Kafka."""
        found = re.search(r"kafka_2\.13-([\d.]+)\.jar", self.classpath)
        return found[1] if found else ""


def find_runtime(cache: Path, log: Path, say: Callable[[str], None]) -> Runtime:
    """Return what runs Apache Kafka, fetched by Maven if this machine does not have it yet.

    `cache` keeps the class path between starts; a fetch is told to `say`. Raises `KafkaUnavailableError` when Java is
    missing or too old, when Maven is missing, or when it cannot fetch.
    """
    java = _java()
    known = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}.classpath"
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "kafka.lock"):
        if not _whole(known):
            say("fetching Apache Kafka with Maven, once")
            _fetch(known, cache, log)
    return Runtime(java, known.read_text().strip())


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        raise KafkaUnavailableError(f"Java {OLDEST_JAVA} or later is not installed")
    # A Java that cannot start, or that only offers to be installed, says no version.
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = VERSION.search(said)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise KafkaUnavailableError(f"Java {OLDEST_JAVA} or later is needed, and {java} is not that")
    return java


def _whole(classpath: Path) -> bool:
    """Tell whether a class path was kept and everything on it is still there."""
    return classpath.exists() and all(Path(jar).exists() for jar in classpath.read_text().strip().split(os.pathsep))


def _fetch(classpath: Path, cache: Path, log: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("Maven is not installed")
    unfinished = classpath.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    options = ["-B", "-q", "-C", "-f", str(POM), f"-Dmdep.outputFile={unfinished}", *_repository(cache)]
    try:
        Program(name="mvn", command=[maven, *options, "dependency:build-classpath"], log=log).run()
    except StartError as error:
        raise KafkaUnavailableError(f"Maven could not fetch Apache Kafka: {error}") from None
    unfinished.rename(classpath)


def _repository(cache: Path) -> list[str]:
    """Return the option that gives Maven a repository in the cache, where the user has no home to keep one in."""
    home = Path.home()
    usual = next((folder for folder in (home / ".m2", home) if folder.exists()), None)
    if usual is not None and os.access(usual, os.W_OK):
        return []
    return [f"-Dmaven.repo.local={cache / 'm2'}"]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock file, so that two starts at once do not fetch into one repository."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
