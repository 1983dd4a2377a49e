"""Where a runner that is reached from elsewhere keeps its things, and what is at this end of an SSH channel."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import mldesk
from mldesk.core.paths import socket_directory
from mldesk.wire import bulk
from mldesk.wire.protocol import PROTOCOL
from runner_agent.ownership import own
from runner_agent.processes import boot_id

SOCKET = "agent.sock"


def default_place() -> Path:
    """Return ``MLDESK_RUNNER`` or the user's data folder for a runner, made or not."""
    if chosen := os.environ.get("MLDESK_RUNNER"):
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mldesk-runner"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one runner and the names below it."""

    folder: Path

    @property
    def root(self) -> Path:
        """The agent's root: jobs, journals, checkpoints, its lock."""
        return self.folder / "runner"

    @property
    def objects(self) -> Path:
        return self.folder / "objects"

    @property
    def log(self) -> Path:
        return self.folder / "agent.log"

    @property
    def socket(self) -> Path:
        """Where its agent listens, wherever this process and the agent were started from (see ``settle``)."""
        return socket_directory(self.root) / SOCKET

    def make(self) -> Place:
        """Create the folders, readable by this user only. Raises OSError."""
        for folder in (self.folder, self.root, self.objects):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own(self.objects)
        return self


def settle() -> None:
    """Make this process and what it starts find the same socket, whatever session they were started from.

    XDG_RUNTIME_DIR is set in some sessions only and vanishes with the last of them, and TMPDIR may be a session's own:
    without both, the socket lies in a private folder below /tmp.
    """
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP"):
        os.environ.pop(name, None)


def facts() -> dict[str, Any]:
    """Return what a banner says of this end."""
    return {"protocol": list(PROTOCOL), "bulk": bulk.VERSION, "bulk_newest": bulk.NEWEST, "build": mldesk.__version__,
            "rpyc": metadata.version("rpyc"), "python": platform.python_version(), "boot_id": boot_id()}
