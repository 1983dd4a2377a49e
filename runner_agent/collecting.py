"""Taking out of a runner's object store what no job needs, least recently used first.

In two phases, so that whoever counts on an object a moment ago keeps it: an object that nobody needs is marked, with
the time it was last used; after a grace, if that time is still the same and still nobody needs it, it is removed.
Using an object (asking whether it is here is a use) sets that time under the store's lock, which unmarks it. A kill at
any moment leaves whole objects only, and marks that are either the old ones or the new.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mldesk.core import canonical
from mldesk.core.durable import write_atomic
from mldesk.core.errors import LibraryDamaged
from mldesk.core.filelock import locked
from mldesk.wire import linked
from mldesk.wire.manifest import MARK, Entry
from mldesk.wire.objects import DAY, ObjectMissing, ObjectStore

GRACE = 600.0              # seconds between mark and removal
MARKS = ".marks"           # in the store's folder: {digest: [nanoseconds it was used last, when it was marked]}
_LARGEST_MANIFEST = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the store."""

    digest: str
    size: int              # bytes it takes; 0 for one that is a file outside as well
    used: int              # when it was put or asked for last, nanoseconds since the epoch
    group: tuple[int, str]  # (last use, manifest) of the youngest thing it is part of; its own where there is none


@dataclass(frozen=True, slots=True)
class Holding:
    """What a store holds, and what of it must stay."""

    items: Mapping[str, Item]
    pinned: frozenset[str]

    @property
    def used(self) -> int:
        """Bytes."""
        return sum(item.size for item in self.items.values())

    @property
    def pinned_bytes(self) -> int:
        return sum(item.size for digest, item in self.items.items() if digest in self.pinned)


class Collector:
    """Marks and removes. Used by one thread at a time; other processes may use the store meanwhile."""

    def __init__(self, store: ObjectStore, *, grace: float = GRACE, clock: Callable[[], float] = time.time) -> None:
        self._store, self._grace, self._clock = store, grace, clock
        self._manifests: dict[str, tuple[Entry, ...]] = {}   # files by manifest; () for an object that is none

    def look(self, needed: Iterable[str] = (), writing_since: float | None = None) -> Holding:
        """Take stock. ``needed``: digests that must stay, a manifest's files with it."""
        facts = {digest: status for digest in self._store.digests() if (status := _status(self._where(digest)))}
        self._manifests = {digest: self._entries(digest, status.st_size) for digest, status in facts.items()}
        groups = {digest: (status.st_mtime_ns, digest) for digest, status in facts.items()}
        for manifest, entries in self._manifests.items():
            members = [manifest, *(entry.sha256 for entry in entries if entry.sha256 in facts)]
            group = max(facts[member].st_mtime_ns for member in members), manifest
            if entries:
                for member in members:
                    groups[member] = max(groups[member], group)
        pinned = self._with_files(needed) | self._on_their_way(facts)
        if writing_since is not None:
            pinned |= {digest for digest, status in facts.items() if status.st_mtime >= writing_since}
        items = {digest: Item(digest, 0 if status.st_nlink > 1 else status.st_size, status.st_mtime_ns, groups[digest])
                 for digest, status in facts.items()}
        return Holding(items, frozenset(pinned & facts.keys()))

    def mark(self, holding: Holding) -> None:
        """Mark what nobody needs; what was marked and is used again loses its mark. Raises OSError."""
        now, before = self._clock(), self._marks()
        marks = {}
        for digest, item in holding.items.items():
            if digest not in holding.pinned:
                used, since = before.get(digest, (0, now))
                marks[digest] = (item.used, since if used == item.used and since <= now else now)
        if marks != before:
            write_atomic(self._store.root / MARKS, canonical.dumps({digest: list(mark) for digest, mark in
                                                                    marks.items()}))

    def remove(self, holding: Holding, wanted: int | None = None) -> int:
        """Remove what was marked long enough ago until ``wanted`` bytes are free (None: all of it); return the bytes.

        The least recently used goes first, and of a table its manifest, then one part after the other.
        """
        freed, now = 0, self._clock()
        marks = self._marks()
        ripe = [item for digest, item in holding.items.items() if digest not in holding.pinned
                and (mark := marks.get(digest)) and mark[0] == item.used and now - mark[1] >= self._grace]
        # A manifest goes before its files: if this ends half-way, what is left of them is nobody's.
        for item in sorted(ripe, key=lambda item: (item.group, item.digest != item.group[1])):
            if wanted is not None and freed >= wanted:
                break
            freed += self._remove(item)
        return freed

    def _remove(self, item: Item) -> int:
        path = self._where(item.digest)
        with locked(self._store.root / ".lock"):  # who finds an object here uses it under the same lock
            status = _status(path)
            if status is None or status.st_mtime_ns != item.used:
                return 0
            if os.name == "nt":
                path.chmod(0o600)  # Windows does not remove read-only files
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            linked.forget(self._store.root, item.digest)
            return item.size

    def _marks(self) -> dict[str, tuple[int, float]]:
        try:
            found = json.loads((self._store.root / MARKS).read_bytes())
            return {str(digest): (int(used), float(since)) for digest, (used, since) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # none yet, or damaged: everything is marked anew

    def _where(self, digest: str) -> Path:
        return self._store.root / digest[:2] / digest[2:]

    def _entries(self, digest: str, size: int) -> tuple[Entry, ...]:
        """Return the files of a manifest, () for any other object."""
        known = self._manifests.get(digest)
        if known is None:
            known = ()
            with contextlib.suppress(OSError, ObjectMissing, LibraryDamaged):
                if size <= _LARGEST_MANIFEST and self._begins_like_one(digest):
                    known = self._store.manifest(digest).entries
        return known

    def _begins_like_one(self, digest: str) -> bool:
        with open(self._where(digest), "rb") as file:
            return file.read(len(MARK)) == MARK

    def _with_files(self, digests: Iterable[str]) -> set[str]:
        found = set(digests)
        for digest in tuple(found):
            found.update(entry.sha256 for entry in self._manifests.get(digest, ()))
        return found

    def _on_their_way(self, facts: Mapping[str, os.stat_result]) -> set[str]:
        """Return what belongs to manifests that are not whole and were worked on within a day: uploads go on."""
        found: set[str] = set()
        coming = [status.st_mtime for path in self._store.root.glob(".coming/*") if (status := _status(path))]
        busy = max(coming, default=0.0)  # whatever comes in pieces may belong to any of them
        for manifest, entries in self._manifests.items():
            here = [manifest, *(entry.sha256 for entry in entries if entry.sha256 in facts)]
            if len({entry.sha256 for entry in entries}) < len(set(here)):  # the manifest itself is one of them
                continue
            latest = max(busy, *(facts[digest].st_mtime for digest in here))
            if entries and self._clock() - latest < DAY:
                found.update(here)
        return found


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
