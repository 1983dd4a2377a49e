"""The SHA-256 of files while they are imported, in a thread beside it: what a version came of can be told later."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mldesk.core.errors import MldeskError
from mldesk.workbench.sources import Source, remembered, resolve

_PIECE = 1 << 20   # bytes


class SourceDigests:
    """Hashes those of the sources that are files, as far as they can be read. Ends with its ``with`` block."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self._found: list[dict[str, Any]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mldesk-digests", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def found(self) -> list[dict[str, Any]]:
        """Return {"path", "size" (bytes), "sha256"} of every file, once all are hashed."""
        self._thread.join()
        return list(self._found)

    def _run(self) -> None:
        for source in self._sources:
            try:
                path = Path(resolve(source))
                if not path.is_file():   # a folder, or an address
                    continue
                digest, size = hashlib.sha256(), 0
                with path.open("rb", buffering=0) as file:
                    while not self._stopped.is_set() and (piece := file.read(_PIECE)):
                        digest.update(piece)
                        size += len(piece)
            except (OSError, ValueError, MldeskError):   # the import says what is wrong with it
                continue
            if not self._stopped.is_set():
                self._found.append({"path": remembered(source), "size": size, "sha256": digest.hexdigest()})
