"""Progress on stderr: a bar on a terminal, now and then a plain line elsewhere, nothing on stdout ever."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Literal, Self

from mldesk.cli import words
from mldesk.cli.face import Face, make_console

EVERY = 5.0  # seconds between plain lines


class Meter:
    """How far one piece of work has come. ``update`` may be called from any thread, as often as one likes."""

    def __init__(self, face: Face, title: str, unit: Literal["bytes", "rows"]) -> None:
        self._face, self._title, self._unit = face, title, unit
        self._bar: Any = None
        self._told = self._started = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar(self._unit)
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: float, total: float | None = None) -> None:
        """Say how much is done, in the meter's unit; ``total`` is None or 0 where it is not known."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None)
        elif (now := time.monotonic()) - self._told >= EVERY:
            self._told = now
            much = words.size if self._unit == "bytes" else words.count
            unit = "" if self._unit == "bytes" else " row" if done == 1 else " rows"   # sizes have theirs
            share = f" of {much(total)} ({done / total:.0%})" if total else unit
            self._face.note(f"{self._title}: {much(done)}{share}, {much(done / (now - self._started))}/s")


def _bar(unit: str) -> Any:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amount: tuple[Any, ...] = ((DownloadColumn(binary_units=True), TransferSpeedColumn()) if unit == "bytes" else
                               (MofNCompleteColumn(),))
    return Progress(TextColumn("{task.description}"), BarColumn(), *amount, TimeRemainingColumn(),
                    console=make_console(sys.stderr), transient=True)
