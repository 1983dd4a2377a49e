"""Small files that get their names in a store together, since the disk serves many syncs as quickly as one."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mldesk.wire.manifest import check_digest

BATCH = 4096    # files that get their names together


def staged_name(folder: Path, digest: str) -> Path:
    """Return a new name in ``folder`` for a small file that waits for the one it will have; its digest is in it."""
    return folder / f"{check_digest(digest)}.{secrets.token_hex(6)}.got"


class Naming(Protocol):
    """What knows where whole files belong: an ObjectStore."""

    def stage(self, digest: str, data: bytes | bytearray | memoryview) -> Path:
        """Write a small object where it waits for its name; return the path."""
        ...

    def name_all(self, files: Sequence[tuple[str, Path]]) -> None:
        """Make objects of these files, given with their digests; durable at the return."""
        ...


class Batch:
    """Collects staged files. At the end of a block all are named, or, where it raised, those left are removed."""

    def __init__(self, store: Naming) -> None:
        self._store = store
        self._staged: dict[str, Path] = {}
        self._named: set[str] = set()

    def holds(self, digest: str) -> bool:
        return digest in self._staged or digest in self._named

    def add(self, digest: str, staged: Path) -> None:
        """Take in a file of ``stage``. Raises DiskFull, OSError when it is time to name some and that fails."""
        self._staged[digest] = staged
        if len(self._staged) >= BATCH:
            self.settle()

    def settle(self) -> None:
        """Name what there is. Raises DiskFull, OSError."""
        self._store.name_all(list(self._staged.items()))
        self._named.update(self._staged)
        self._staged.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.settle()
        finally:
            for staged in self._staged.values():
                with contextlib.suppress(OSError):  # nobody asks for it, and a sweep finds it
                    staged.unlink(missing_ok=True)
