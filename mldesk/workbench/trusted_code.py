"""The Python code of recipes that the user of this library has allowed to run, by its digest."""

from __future__ import annotations

import json
from pathlib import Path

from mldesk.core import durable


class TrustedCode:
    """A file with a list of digests. What cannot be read allows nothing, and is asked again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def digests(self) -> frozenset[str]:
        """Return what may run."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(item for item in found if isinstance(item, str)) if isinstance(found, list) else frozenset()

    def add(self, digest: str) -> None:
        """Let code run from now on. Raises DiskFull."""
        kept = sorted({*self.digests(), digest})
        with durable.disk_errors("allowing the code"), durable.replacing(self._path) as file:
            file.write(json.dumps(kept, indent=0).encode())
