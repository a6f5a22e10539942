"""Shows on a terminal how far a rebuild is: a bar with its rate and the time left, or a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from api.cli_output import say
from projections.rebuild.progress import Progress, Watch

EVERY_SECONDS: Final = 5.0


class CountColumn(ProgressColumn):
    """Events, and events a second, in words that leave room for a bar on a terminal of 80 columns."""

    def render(self, task: Task) -> Text:
        """What is known of them; nothing where none are counted."""
        if not task.fields["events"]:
            return Text("")
        rate = f", {task.speed:,.0f}/s" if task.speed else ""
        return Text(f"{task.completed:,.0f}/{task.fields['events']:,}{rate}", no_wrap=True)


COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(bar_width=6),  # what 80 columns leave beside eight digits and a rate
    CountColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.fields[note]}"),
)


@contextmanager
def shown() -> Iterator[Watch]:
    """What a rebuild tells of its progress is shown for the length of the block."""
    if not sys.stdout.isatty():
        yield Lines().watch
        return
    with Bars(*COLUMNS, console=Console(highlight=False)) as bars:
        yield Stages(bars).watch


class Stages:
    """A bar for each stage; those that count nothing pulse."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._stage: tuple[str, str] | None = None
        self._task: TaskID | None = None

    def watch(self, progress: Progress) -> None:
        """Move the bar of the stage."""
        stage = (progress.projection, progress.stage)
        if stage != self._stage or self._task is None:
            self.end()
            self._stage = stage
            self._task = self._bars.add_task(f"{progress.projection}: {progress.stage}", total=None, note="", events=0)
        note = f"waiting for {progress.note}" if progress.note else ""
        self._bars.update(
            self._task, completed=progress.done, total=progress.events or None, note=note, events=progress.events
        )

    def end(self) -> None:
        """Fill the bar that was the last one."""
        if self._task is not None:
            done = self._bars.tasks[self._task].completed or 1
            self._bars.update(self._task, total=done, completed=done, note="")


class Lines:
    """A line when a stage begins, and every few seconds."""

    def __init__(self) -> None:
        self._stage: tuple[str, str] | None = None
        self._began = self._said = 0.0

    def watch(self, progress: Progress) -> None:
        """Say where it is, unless that was said a moment ago."""
        now, stage = monotonic(), (progress.projection, progress.stage)
        if stage == self._stage and now - self._said < EVERY_SECONDS:
            return
        if stage != self._stage:
            self._stage, self._began = stage, now
        self._said = now
        say(f"{progress.projection}: {progress.stage}{counted(progress, now - self._began)}")


def counted(progress: Progress, seconds: float) -> str:
    """How many events are behind it, how fast they went, and what is left."""
    waits = f", waiting for {progress.note}" if progress.note else ""
    if not (progress.done and seconds):
        return waits
    rate = progress.done / seconds
    left = (progress.events - progress.done) / rate
    return f", {progress.done:,} of {progress.events:,} events, {rate:,.0f} a second, {left:,.0f} s left{waits}"
