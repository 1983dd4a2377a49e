"""The SHA-256 of files while they are imported, in a thread beside it: what a version came of can be told later.

A folder has the digest of the list of its files, as ``sha256sum`` writes it: "DIGEST  NAME" and a line break for each,
by name; beside it are those of the files one by one. What an address names has the digest of the bytes that it gave.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from mldesk.workbench.sources import Source, remembered

_PIECE = 1 << 20   # bytes
_Task = tuple[int, "BinaryIO | None", Sequence[tuple[str, Path]]]


class SourceDigests:
    """Hashes what an import has seen of its sources, as far as it can be read. Ends with its ``with`` block."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self._found: dict[int, dict[str, Any]] = {}
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mldesk-digests", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stopped.set()
        self._tasks.put(None)
        self._thread.join()

    def see(self, number: int, path: Path, files: Sequence[tuple[str, Path]]) -> None:
        """Hear which file source ``number`` is, or which ``files`` of a folder by their names in it."""
        opened = None
        with suppress(OSError, ValueError):   # the import says what is wrong with it
            opened = None if files else path.open("rb", buffering=0)   # now: what was fetched goes with the import
        if files or opened is not None:
            self._tasks.put((number, opened, files))

    def found(self) -> list[dict[str, Any]]:
        """Return {"path", "size" (bytes), "sha256"} of every source, once all are hashed.

        Of a folder also "files", how many there are, and "each", their digests by name.
        """
        self._tasks.put(None)
        self._thread.join()
        return [self._found[number] for number in sorted(self._found)]

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            number, opened, files = task
            with suppress(OSError, ValueError):
                made = dict(zip(("size", "sha256"), self._of_file(opened), strict=True)) if opened is not None else \
                    self._of_files(files)
                if not self._stopped.is_set():
                    self._found[number] = {"path": remembered(self._sources[number]), **made}

    def _of_file(self, file: BinaryIO) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with file:
            while not self._stopped.is_set() and (piece := file.read(_PIECE)):
                digest.update(piece)
                size += len(piece)
        return size, digest.hexdigest()

    def _of_files(self, files: Sequence[tuple[str, Path]]) -> dict[str, Any]:
        lines, total = [], 0
        for name, path in files:
            with path.open("rb", buffering=0) as file:
                size, digest = self._of_file(file)
            lines.append((name, digest))
            total += size
        said, each = list_digest(lines)
        return {"size": total, "sha256": said, "files": len(files), "each": each}


def list_digest(digests: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return the digest of the list of a folder's files (name, SHA-256), and their own, by name."""
    ordered = sorted(digests, key=lambda item: f"{item[0]}\n".encode("utf-8", "surrogateescape"))
    said = "".join(f"{digest}  {name}\n" for name, digest in ordered)
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest(), [digest for _, digest in ordered]
