"""Verified chunks that came over a link without a plan, each in a file of its own until their file is assembled."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from mldesk.core import durable
from mldesk.core.errors import BadInput
from mldesk.wire.manifest import CHUNK, check_digest


class ChunkShelf:
    """Chunks by digest in one folder. Not synced: a chunk that a power cut tears is found when it is read."""

    def __init__(self, folder: Path, drafts: Path) -> None:
        self._folder, self._drafts = folder, drafts

    def put(self, digest: str, data: bytes | bytearray | memoryview) -> None:
        """Keep a chunk. Raises BadInput when it is not what ``digest`` says."""
        check_digest(digest)
        if len(data) > CHUNK or hashlib.sha256(data).hexdigest() != digest:
            raise BadInput(f"The chunk {digest[:12]}… came in damaged.", hint="Send it again.")
        with durable.draft(self._drafts) as new:
            new.file.write(data)
            new.keep_as(self._folder / digest, sync=False)

    def holds(self, digest: str, size: int) -> bool:
        """Say whether a chunk of this size is here; no sweep takes it soon then."""
        path = self._folder / check_digest(digest)
        try:
            if path.stat().st_size != size:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def read(self, digest: str) -> bytes | None:
        """Return a chunk; None if it is absent or was torn, and so is gone now."""
        path = self._folder / check_digest(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            path.unlink(missing_ok=True)
            return None
        return data

    def drop(self, digest: str) -> None:
        """Let a chunk go whose last use is past."""
        (self._folder / check_digest(digest)).unlink(missing_ok=True)

    def sweep(self, older_than: float) -> None:
        """Remove what nobody asked for in so many seconds."""
        for path in list(self._folder.iterdir()):
            try:
                age = max(0.0, time.time() - path.stat().st_mtime)
            except FileNotFoundError:
                continue
            if age >= older_than:
                path.unlink(missing_ok=True)
