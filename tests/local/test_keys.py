"""Keys of the local stack are made once, for their owner only."""

import base64
import stat
from pathlib import Path

import pytest

from config.local.keys import master_key, operator_key
from config.local.program import StartError


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    master, operator = master_key(tmp_path, fresh=True), operator_key(tmp_path)
    assert len(base64.b64decode(master)) == 32
    assert len(operator) >= 24
    assert (master_key(tmp_path, fresh=False), operator_key(tmp_path)) == (master, operator)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_data_without_its_master_key_is_refused_rather_than_given_a_new_one(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"master\.key is gone"):
        master_key(tmp_path, fresh=False)
    assert list(tmp_path.iterdir()) == []


def test_a_key_half_written_by_a_killed_start_is_made_again(tmp_path: Path) -> None:
    (tmp_path / ".master.key").write_text("half")
    assert len(base64.b64decode(master_key(tmp_path, fresh=True))) == 32
