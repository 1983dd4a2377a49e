"""Where MLDesk keeps things. ``Home`` is the one answer; nothing else joins these paths."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_LONGEST_BASE = 56  # bytes: with "/mldesk-<uid>/<16 digits>/<name>" behind it a socket's path stays below 107


def default_home() -> Path:
    """Return ``MLDESK_HOME`` or the user's data folder for MLDesk, made or not."""
    chosen = os.environ.get("MLDESK_HOME")
    if chosen:
        return chosen_home(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or chosen_home("~") / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = chosen_home("~") / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or chosen_home("~") / ".local" / "share")
    return base / "mldesk"


def chosen_home(folder: str) -> Path:
    """Return the folder that somebody typed; a ``~name`` of nobody stays as it is."""
    return Path(os.path.expanduser(folder)).absolute()  # noqa: PTH111 - Path's own raises where there is no such home


@dataclass(frozen=True, slots=True)
class Home:
    """One library on disk: ``MLDESK_HOME`` and the names below it."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "library.db"

    @property
    def objects(self) -> Path:
        """The content-addressed store; the local runner shares it, so nothing is copied on this machine."""
        return self.root / "objects"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def vault(self) -> Path:
        return self.root / "vault.json"

    @property
    def runner(self) -> Path:
        """The local runner's own folder: jobs, journals, checkpoints."""
        return self.root / "runner"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def scratch(self) -> Path:
        """Files in the making; on the same file system as ``objects`` so that a rename is atomic."""
        return self.root / "scratch"

    @property
    def trusted_code(self) -> Path:
        """The digests of the recipes' Python code that may run here."""
        return self.root / "trusted_code.json"

    @property
    def cache(self) -> Path:
        """What can be made again at any time, as statistics of datasets; may be deleted while nothing runs."""
        return self.root / "cache"

    @property
    def wheels(self) -> Path:
        """Packages for runners without internet: what the user puts there, and what we made for them in ``made``."""
        return self.root / "wheels"

    def make(self) -> Home:
        """Create the folders, readable by this user only. Raises OSError."""
        for folder in (self.root, self.objects, self.backups, self.runner, self.logs, self.scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self


def socket_directory(runner_root: Path) -> Path:
    """Return a short per-user folder for the sockets of the runner at ``runner_root``.

    A Unix socket's path is limited to 107 bytes, which a home deep in a tree exceeds, and a home may be on NFS.
    """
    name = hashlib.sha256(os.fsencode(runner_root.absolute())).hexdigest()[:16]
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and len(os.fsencode(base)) <= _LONGEST_BASE and Path(base).is_dir():
        return Path(base) / "mldesk" / name
    user = os.getuid() if hasattr(os, "getuid") else 0
    base = tempfile.gettempdir()
    if os.name == "posix" and len(os.fsencode(base)) > _LONGEST_BASE:
        base = "/tmp"  # noqa: S108 - TMPDIR may be of any length; the folder below is ours alone and checked to be
    return Path(base) / f"mldesk-{user}" / name
