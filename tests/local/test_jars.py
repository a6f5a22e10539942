"""Finding Java and Maven, and the jars that the broker runs on."""

import os
from pathlib import Path

import pytest

from config.local.kafka.jars import KafkaUnavailableError, find_runtime

JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
JAVA_11 = """echo 'openjdk version "11.0.2" 2019-01-15' >&2"""
JAVA_8 = """echo 'java version "1.8.0_392"' >&2"""
FETCHES = """for word in "$@"; do case "$word" in -Dmdep.outputFile=*)
  echo "$0:/bin/sh" > "${word#-Dmdep.outputFile=}"; echo run >> "$0.runs" ;; esac; done"""


class Machine:
    """A machine on whose path are only the programs that a test put there, each a few lines of shell."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.cache = folder / "cache"
        self.log = folder / "maven.log"
        self.said: list[str] = []

    def has(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def find(self) -> str:
        runtime = find_runtime(self.cache, self.log, self.said.append)
        return runtime.classpath

    def missing(self) -> str:
        with pytest.raises(KafkaUnavailableError) as missing:
            self.find()
        return str(missing.value)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return made


def test_a_missing_component_is_named(machine: Machine) -> None:
    assert machine.missing() == "Java 17 or later is not installed"
    machine.has("java", JAVA_17)
    assert machine.missing() == "Maven is not installed"


@pytest.mark.parametrize("script", [JAVA_11, JAVA_8, "exit 1"])
def test_an_old_java_or_one_that_does_not_run_is_not_enough(machine: Machine, script: str) -> None:
    machine.has("java", script)
    assert machine.missing() == f"Java 17 or later is needed, and {machine.bin / 'java'} is not that"


def test_java_home_goes_before_the_path(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("java", JAVA_17)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "empty"))
    assert machine.missing() == "Java 17 or later is not installed"


def test_a_maven_that_fails_shows_the_end_of_its_log(machine: Machine) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", "echo no route to host; exit 1")
    said = machine.missing()
    assert said.startswith("Maven could not fetch Apache Kafka: mvn failed (exit 1)")
    assert "no route to host" in said


def test_maven_runs_once_and_again_when_a_jar_is_gone(machine: Machine) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", FETCHES)
    runs = machine.bin / "mvn.runs"
    for _ in range(2):
        assert machine.find().split(os.pathsep) == [f"{machine.bin / 'mvn'}", "/bin/sh"]
        assert runs.read_text() == "run\n"
    assert machine.said == ["fetching Apache Kafka with Maven, once"]
    next(machine.cache.glob("*.classpath")).write_text("/gone.jar")
    machine.find()
    assert runs.read_text() == "run\nrun\n"


def test_where_there_is_no_home_maven_keeps_its_repository_in_the_cache(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("java", JAVA_17)
    machine.has("mvn", f'echo "$@" > "$0.arguments"; {FETCHES}')
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    machine.find()
    assert f"-Dmaven.repo.local={machine.cache / 'm2'}" in (machine.bin / "mvn.arguments").read_text()
