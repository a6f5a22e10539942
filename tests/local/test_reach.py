"""Commands at a terminal find the running stack, unless the environment names another."""

import stat
from pathlib import Path

from config.local.reach import tell
from config.reach import FILE, with_stack

STACK = {"DATABASE_URL": "postgresql:///there", "MASTER_KEY": "wrapping", "OPERATOR_KEY": "not for terminals"}


def test_commands_find_the_stack_where_the_environment_names_no_database(tmp_path: Path) -> None:
    tell(tmp_path, STACK)
    environ = {"DATA_DIR": str(tmp_path), "PORT": "1"}
    assert with_stack(environ) == {
        **environ,
        "DATABASE_URL": "postgresql:///there",
        "MASTER_KEY": "wrapping",
    }
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_another_start_replaces_what_the_former_told(tmp_path: Path) -> None:
    for url in ("postgresql:///first", "postgresql:///second"):
        tell(tmp_path, {**STACK, "DATABASE_URL": url})
    assert with_stack({"DATA_DIR": str(tmp_path)})["DATABASE_URL"] == "postgresql:///second"


def test_an_environment_that_names_a_database_or_a_key_is_left_alone(tmp_path: Path) -> None:
    tell(tmp_path, STACK)
    for named in ({"DATABASE_URL": "postgresql:///mine"}, {"MASTER_KEY": "mine"}):
        environ = {"DATA_DIR": str(tmp_path), **named}
        assert with_stack(environ) == environ


def test_without_a_stack_nothing_is_added(tmp_path: Path) -> None:
    environ = {"DATA_DIR": str(tmp_path)}
    assert with_stack(environ) == environ
