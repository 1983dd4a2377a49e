"""Work in a few named steps, on stderr: one line per step, on a terminal with how much of it is done."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from mldesk.cli import words
from mldesk.cli.face import Face


class StepsDone:
    """Shows what ``report`` is told, in the order it comes."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._live = sys.stderr.isatty()
        self._what = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._live and self._what:
            sys.stderr.write("\n")

    def report(self, what: str, share: float) -> None:
        """Say what is being done now, and how much of it, 0 to 1."""
        what = words.cell(what)
        if what != self._what:
            if self._live and self._what:
                sys.stderr.write("\n")
            elif not self._live:
                self._face.note(f"{what} …")
            self._what = what
        if self._live:
            sys.stderr.write(f"\r\x1b[K{what}{f' {share:4.0%}' if 0 < share < 1 else ' …' if not share else ''}")
            sys.stderr.flush()
