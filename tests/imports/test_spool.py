"""A spool gives back what was written, and the disk shows nothing of it."""

from __future__ import annotations

import tempfile
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import imports_spool
from api.imports_spool import Spool


@given(st.lists(st.binary(max_size=50)), st.integers(1, 40))
def test_what_was_written_is_read_as_often_as_one_likes(pieces: list[bytes], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports_spool, "BLOCK", block)
        spool = Spool()
        for piece in pieces:
            spool.write(piece)
        whole = b"".join(pieces)
        assert spool.size == len(whole)
        assert b"".join(spool.blocks()) == b"".join(spool.blocks()) == whole
        spool.close()
        assert not list(spool.blocks())


def test_the_disk_holds_ciphertext(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[IO[bytes]] = []

    def opened(*arguments: Any) -> IO[bytes]:
        files.append(tempfile.TemporaryFile(*arguments))  # noqa: SIM115 - the spool closes it
        return files[-1]

    monkeypatch.setattr(imports_spool, "TemporaryFile", opened)
    monkeypatch.setattr(imports_spool, "BLOCK", 1000)
    spool = Spool()
    spool.write(b"somebody@example.com\n" * 100)
    [file] = files
    file.seek(0)
    on_disk = file.read()
    assert len(on_disk) > 2000
    assert b"somebody" not in on_disk
    spool.close()
    assert file.closed
