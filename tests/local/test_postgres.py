"""The local PostgreSQL server: settings, leftovers, and places that it can reach."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from config.local import binaries, place
from config.local.binaries import postgres_binaries
from config.local.leftovers import end_leftovers
from config.local.owner import Owner
from config.local.place import postgres_home
from config.local.postgres import Postgres
from tests.local.running import alive


class Confined(Owner):
    """A user who can enter nothing."""

    def reaches(self, folder: Path) -> bool:
        return folder is None


def answer(server: Postgres, query: str) -> str:
    with psycopg.connect(server.conninfo()) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_the_database_is_utf8_with_code_point_order_and_sound_settings(postgres: Postgres) -> None:
    assert answer(postgres, "SELECT getdatabaseencoding()") == "UTF8"
    assert answer(postgres, "SELECT datlocale FROM pg_database WHERE datname = 'datamailer'") == "C.UTF-8"
    assert answer(postgres, "SELECT upper('straßé') || ('Z' < 'a')") == "STRAßÉtrue"
    assert answer(postgres, "SHOW jit") == "off"
    assert answer(postgres, "SHOW listen_addresses") == ""
    assert answer(postgres, "SHOW timezone") == "UTC"


def test_values_that_violate_a_constraint_stay_out_of_the_log(postgres: Postgres, home: Path) -> None:
    with psycopg.connect(postgres.conninfo()) as connection:
        connection.execute("CREATE TEMPORARY TABLE once (email text PRIMARY KEY)")
        with pytest.raises(UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('kept@out.example'), ('kept@out.example')")
    log = (home / "postgres.log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "kept@out" not in log


def test_a_server_for_data_to_keep_syncs_and_survives_what_is_left_of_a_former_one(home: Path) -> None:
    folder, log = home / "kept", home / "kept.log"
    with Postgres(folder, log).running() as server:
        assert answer(server, "SHOW fsync") == "on"
    # A process number that now belongs to somebody else.
    (folder / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'cluster'}\n")
    forgotten = Postgres(folder, log)
    server_process = forgotten.prepare()
    server_process.start()
    server_process.wait_until(forgotten.ready, 30)
    with Postgres(folder, log).running() as server:
        assert server_process.exited() == 0
        assert answer(server, "SELECT 1") == "1"


def test_leftovers_of_another_cluster_are_left_alone(postgres: Postgres, tmp_path: Path) -> None:
    server = int(answer(postgres, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
    (tmp_path / "cluster").mkdir()
    lock = tmp_path / "cluster" / "postmaster.pid"
    lock.write_text(f"{server}\n")
    end_leftovers(tmp_path / "cluster", tmp_path)
    assert not lock.exists()
    assert alive(server)


def test_a_path_too_long_for_a_socket_is_no_obstacle(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with Postgres(deep / "postgres", home / "deep.log", durable=False).running() as server:
        sockets = Path(answer(server, "SHOW unix_socket_directories"))
        assert sockets != server.home
    assert not sockets.exists()


def test_reaching_is_judged_on_the_whole_way(home: Path) -> None:
    outer = home / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    status = outer.stat()
    us, groupmate, stranger = Owner(status.st_uid, 54321), Owner(54321, status.st_gid), Owner(54321, 54321)
    for mode, let_in in (
        (0o711, [us, groupmate, stranger]),
        (0o710, [us, groupmate]),
        (0o701, [us, stranger]),
        (0o700, [us]),
    ):
        outer.chmod(mode)
        assert [user for user in (us, groupmate, stranger) if user.reaches(inner)] == let_in


def test_root_gets_a_place_that_the_server_can_reach_and_finds_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", tmp_path / "elsewhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = postgres_home(closed / "postgres")
    expected = tmp_path / "elsewhere" if os.geteuid() == 0 else closed
    assert home.parent == expected
    assert postgres_home(closed / "postgres") == home


def test_programs_that_the_server_cannot_reach_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "COPIES", tmp_path / "cache")
    copied = postgres_binaries(Confined(0, 0))
    assert copied.is_relative_to(tmp_path / "cache")
    for program in ("initdb", "postgres"):
        said = subprocess.run([copied / program, "--version"], capture_output=True, text=True, check=True).stdout
        assert "PostgreSQL" in said
    before = copied.stat().st_mtime_ns
    assert postgres_binaries(Confined(0, 0)) == copied
    assert copied.stat().st_mtime_ns == before
    assert [entry.name.startswith(".") for entry in (tmp_path / "cache").iterdir()] == [False]
