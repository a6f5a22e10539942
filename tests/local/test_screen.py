"""What the terminal shows of the stack, and what happens when it is gone."""

import io
from pathlib import Path

from rich.console import Console

from api.demo import KEYS
from config.local.screen import DEMO_KEYS, Screen, Terminal


class Closed(io.StringIO):
    def write(self, _: str, /) -> int:
        raise BrokenPipeError


def test_the_screen_shows_the_keys_that_the_demo_data_has() -> None:
    assert dict(KEYS) == DEMO_KEYS


def test_a_long_line_is_not_broken_so_that_it_can_be_copied() -> None:
    out = io.StringIO()
    path = Path("/", *["folder"] * 40)
    Screen(Console(file=out, width=40)).fail(f"[{path}]")
    assert out.getvalue() == f"Datamailer did not start: [{path}]\n"


def test_a_terminal_that_has_gone_disturbs_nothing() -> None:
    terminal = Terminal(file=Closed())
    Screen(terminal).say("one line")
    assert terminal.quiet
