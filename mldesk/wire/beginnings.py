"""Small files that come in parts: each as a large one does (mldesk.wire.coming), until it is whole and is staged."""

from __future__ import annotations

from pathlib import Path

from mldesk.wire.batch import staged_name
from mldesk.wire.coming import Buffer, Coming, is_begun
from mldesk.wire.manifest import PART


class Beginnings:
    """The beginnings of small files in ``folder``, where what came before an interruption still is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._coming: dict[str, Coming] = {}

    def begun(self, digest: str, size: int) -> int:
        """Return how many bytes of a file of ``size`` bytes are here, from its beginning."""
        if size <= PART or (digest not in self._coming and not is_begun(self._folder, digest)):
            return 0
        coming = self._of(digest, size)
        return 0 if not coming.lacking() else coming.begun(0)  # a whole one waits for nobody: it is brought anew

    def put(self, digest: str, size: int, data: Buffer, offset: int) -> Path | None:
        """Write a part; return where the file lies once it is whole, unchecked, and know it no longer.

        Of files that are small even so, parts are not kept. Raises as ``Coming.put_part``; FileNotFoundError where
        another process has taken the whole of it away.
        """
        if size <= PART or not self._of(digest, size).put_part(0, data, offset):
            return None
        path = staged_name(self._folder, digest)
        self._coming.pop(digest).hand_over(path)
        return path

    def _of(self, digest: str, size: int) -> Coming:
        if digest not in self._coming:
            self._coming[digest] = Coming(self._folder, digest, size)
        return self._coming[digest]
