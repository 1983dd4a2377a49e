"""A journal as a whole, verified line by line, to be compared with another one or continued elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.wire.events import Event
from mldesk.wire.journal import MAX_LINE, decode, sound
from mldesk.wire.protocol import PRIORITIES


@dataclass(frozen=True, slots=True)
class History:
    """Lines 1 to ``count`` of a job's journal, in a file that may hold more by now."""

    path: Path
    ends: tuple[int, ...]      # byte offset after each line
    last: str                  # kind of the last event
    attempts: int              # how often it was queued
    priority: int              # with which it last was

    @property
    def count(self) -> int:
        return len(self.ends)

    @classmethod
    def handed_on(cls, path: Path) -> History:
        """Read one that another runner let go of. Raises BadInput unless all of it is sound and it ends interrupted."""
        try:
            found = cls.own(path)
        except LibraryDamaged as error:
            raise BadInput(f"The job's history is not whole: {error}", hint="Fetch its events again.") from error
        if not found.ends or found.ends[-1] != path.stat().st_size:
            raise BadInput("The job's history ends in the middle of a line.", hint="Fetch its events again.")
        if found.last != "interrupted" or not found.attempts:
            raise BadInput(f"The job's history ends with {found.last!r}, so it cannot go on.",
                           hint="Release it from the runner it is on first.")
        return found

    @classmethod
    def own(cls, path: Path) -> History:
        """Read one of this runner as far as it is written. Raises LibraryDamaged."""
        ends, attempts, priority, last = [0], 0, 0, ""
        for event, length in _events(path):
            ends.append(ends[-1] + length)
            last = event.kind
            if event.kind == "queued":
                attempts += 1
                priority = _priority(event.payload.get("priority"))
        return cls(path, tuple(ends[1:]), last, attempts, priority)

    def agrees(self, other: History) -> bool:
        """Say whether the shorter of the two is how the longer one began."""
        pairs = zip(_events(self.path), _events(other.path), range(min(self.count, other.count)), strict=False)
        return all(mine == theirs for (mine, _), (theirs, _), _ in pairs)

    def lines(self, after: int = 0) -> bytes:
        """Return its lines after number ``after``."""
        begin = self.ends[after - 1] if after else 0
        with open(self.path, "rb") as file:
            file.seek(begin)
            return file.read(self.ends[-1] - begin)


def _events(path: Path) -> Iterator[tuple[Event, int]]:
    """Give every event with the length of its line, up to a torn end. Raises JournalDamaged."""
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(MAX_LINE):
            if not sound(line) and not file.readline(1):
                return  # torn, or being written at this moment
            number += 1
            yield decode(line, number, path.name)[0], len(line)


def _priority(value: object) -> int:
    return value if isinstance(value, int) and PRIORITIES[0] <= value <= PRIORITIES[1] else 0
