"""The event files of TensorBoard that a program writes in its folder: metrics and pictures while it goes on, histograms
once it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mldesk.training.event_files import Damaged, Seen, seen_in
from mldesk.training.event_pictures import HISTOGRAMS, MOST_BYTES, MOST_PICTURES, Histograms, picture_files
from mldesk.wire.report import Report

_PAUSE = 1.0            # seconds between two looks, since a folder is looked through
_AT_ONCE = 5_000        # records of a file at a look
_MOST_FILES = 100
_LARGEST_STEP = 1 << 53
_PARTS = frozenset({"train", "validation", "val", "test", "eval"})   # folders whose name tells readings apart

Metrics = Callable[[int, Mapping[str, float]], None]
Keep = Callable[[str, bytes], None]


class EventFiles:
    """Follows the event files at or below some folders; ``metrics`` hears the readings of a step together, ``keep`` is
    given files: pictures, and in the end histograms.

    Files that are there already came with the program, and are not of this run.
    """

    def __init__(self, folders: Sequence[Path], metrics: Metrics, keep: Keep, report: Report) -> None:
        self._folders, self._metrics, self._keep, self._report = folders, metrics, keep, report
        self._histograms, self._pictures, self._bytes = Histograms(), 0, 0
        self._places: dict[Path, int | None] = dict.fromkeys(self._files())   # the next record; None: not to be read
        self._next = 0.0

    def read(self, *, last: bool = False) -> None:
        """Take in what is there by now, if it is time to look again; all of it at the ``last`` look."""
        if not last and time.monotonic() < self._next:
            return
        for path in self._files():
            while self._places.get(path, 0) is not None and self._read(path) and last:
                pass
        self._next = time.monotonic() + _PAUSE
        if last and (bins := self._histograms.file()) is not None:
            self._keep(HISTOGRAMS, bins)

    def _files(self) -> list[Path]:
        return sorted(path for folder in self._folders for path in folder.rglob("*tfevents*"))[:_MOST_FILES]

    def _read(self, path: Path) -> bool:
        """Take in some records of a file; say whether there were as many as may be at once."""
        count = 0
        together: dict[int, dict[str, float]] = {}
        try:
            if path.is_symlink() or not path.is_file():
                return False
            with open(path, "rb") as file:
                for seen, after in seen_in(file, self._places.get(path) or 0):
                    self._places[path] = after
                    for _, step, name, value in seen.points:
                        if 0 <= step < _LARGEST_STEP:
                            together.setdefault(step, {})[self._name(path, name)] = value   # the last one counts
                    self._look(path, seen)
                    count += 1
                    if count == _AT_ONCE:
                        break
        except Damaged:
            self._places[path] = None
            self._report.warning(f"{path.name!r:.120} is no event file that can be read.",
                                 "Its curves are not shown.")
        except OSError:
            self._places[path] = None
        for step, values in together.items():
            with suppress(ValueError):   # a name of control characters
                self._metrics(step, values)
        return count == _AT_ONCE

    def _look(self, path: Path, seen: Seen) -> None:
        """Take in pictures, of so many bytes at most, and histograms."""
        for histogram in seen.histograms:
            self._histograms.add(histogram, self._name(path, histogram.tag))
        for name, data in picture_files(replace(picture, tag=self._name(path, picture.tag))
                                        for picture in seen.pictures):
            self._bytes += len(data)
            self._pictures += 1
            if self._bytes <= MOST_BYTES and self._pictures <= MOST_PICTURES:
                with suppress(ValueError):   # as above
                    self._keep(name, data)

    def _name(self, path: Path, name: str) -> str:
        part = path.parent.name
        return f"{part}/{name}" if part in _PARTS and path.parent not in self._folders else name
