"""What a search is told while it runs: more time, and the trials of its helpers. Files that the agent leaves there.

A message counts once, though it may be left again and again, and over all attempts: what was read is written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors

_MOST = 1 << 20   # bytes of a message


class Mail:
    """The messages in a folder, in the order of their names, which whoever sends them makes up."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self._folder, self._kept = folder, kept
        self._read = set(kept.read_text("utf-8").splitlines()) if kept.exists() else set[str]()

    @property
    def count(self) -> int:
        """How many messages were acted on."""
        return len(self._read)

    def new(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield messages that were not read, with their names; whoever has acted on one calls ``done``."""
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            if path.name not in self._read and path.stat().st_size <= _MOST:
                try:
                    message = json.loads(path.read_bytes())
                except (OSError, ValueError):
                    continue
                if isinstance(message, dict):
                    yield path.name, message

    def done(self, name: str) -> None:
        """Remember that a message was acted on. Raises DiskFull."""
        self._read.add(name)
        with disk_errors("keeping what a search was told"):
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            with open(self._kept, "a", encoding="utf-8") as file:
                file.write(name + "\n")
