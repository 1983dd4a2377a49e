"""A job's folder on the runner, and who may write in it (ARCHITECTURE.md draws it).

Whoever holds ``lock`` may write the journal: the supervisor for as long as it lives, and the agent for a moment when
no supervisor is there. The kernel lets the lock go when its holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core import canonical, filelock
from mldesk.core.durable import disk_errors, sync_directory, write_atomic
from mldesk.core.errors import Conflict, LibraryDamaged
from mldesk.core.ids import is_id
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import JournalWriter
from runner_agent.processes import Identity

DRAFT = ".new-"


@dataclass(frozen=True, slots=True)
class Command:
    """Something a user asked of a running attempt. The same id is the same command."""

    id: str
    asked: str       # "cancel", "finish", "release" or "pause"
    attempt: int


@dataclass(frozen=True, slots=True)
class Record:
    """Who works on a job: ``processes.json``."""

    attempt: int
    began: float                # when this attempt's trainer was started, wall clock
    starts: int                 # how often a trainer was started for this attempt; more than once only if none began
    supervisor: Identity
    trainer: Identity
    token: str                  # what the trainer and its descendants carry in their environment
    oom: int | None             # processes.oom_kills() at the start

    def to_json(self) -> dict[str, Any]:
        return {"attempt": self.attempt, "began": self.began, "starts": self.starts, "token": self.token,
                "oom": self.oom, "supervisor": self.supervisor.to_json(), "trainer": self.trainer.to_json()}


class JobFolder:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self.journal = path / "journal"
        self.control = path / "control"
        self.output = path / "output.log"
        self.checkpoints = path / "checkpoints"
        self.commands = path / "commands"
        self.processes = path / "processes.json"

    @classmethod
    def create(cls, jobs: Path, spec: JobSpec, priority: int = 0) -> JobFolder:
        """Make the folder with its spec and a journal that says "queued", all of it durably or nothing.

        Raises DiskFull, OSError.
        """
        with cls.drafting(jobs, spec) as draft, JournalWriter.open(draft / "journal") as journal:
            journal.append("queued", {"attempt": 1, **({"priority": priority} if priority else {})})
        return cls(jobs / spec.id)

    @classmethod
    @contextlib.contextmanager
    def drafting(cls, jobs: Path, spec: JobSpec) -> Iterator[Path]:
        """Give a folder in the making, spec and all but the journal, which is the job's once the block ends well.

        Raises DiskFull, OSError, with nothing left.
        """
        draft = jobs / f"{DRAFT}{spec.id}-{secrets.token_hex(4)}"
        with disk_errors("accepting a job"):
            try:
                for folder in (draft, draft / "commands", draft / "checkpoints"):
                    folder.mkdir(mode=0o700)
                (draft / "lock").touch(mode=0o600)
                write_atomic(draft / "spec.json", canonical.dumps(spec.to_json()))
                yield draft
                sync_directory(draft)
                draft.rename(jobs / spec.id)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            sync_directory(jobs)

    def put_aside(self) -> Path:
        """Make a draft of it again, to be removed by the caller or else by the next agent; return that. Raises OSError.
        """
        gone = self.path.rename(self.path.with_name(f"{DRAFT}{self.id}-{secrets.token_hex(4)}"))
        sync_directory(gone.parent)
        return gone

    def spool(self, attempt: int) -> Path:
        return self.path / f"spool.{attempt}"

    def spec(self) -> JobSpec:
        """Return what was submitted. Raises LibraryDamaged."""
        try:
            return JobSpec.from_json(json.loads((self.path / "spec.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise LibraryDamaged(f"The job {self.id} on the runner has no readable spec.") from error

    @contextlib.contextmanager
    def claim(self, wait: float = 0.0) -> Iterator[bool]:
        """Hold the right to write the journal for the block; gives False when another keeps it for ``wait`` seconds."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            deadline = time.monotonic() + wait
            while not (mine := filelock.acquire(handle, wait=False)) and time.monotonic() < deadline:
                time.sleep(0.02)
            yield mine
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def writing(self, wait: float = 5.0) -> Iterator[JournalWriter]:
        """Hold the journal, for an agent that has something to add. Raises Conflict when a supervisor keeps it."""
        with self.claim(wait) as mine:
            if not mine:
                raise Conflict(f"The job {self.id} is busy.", hint="Try again in a moment.")
            with disk_errors("writing a job's journal"), JournalWriter.open(self.journal) as journal:
                yield journal

    # --- commands

    def add_command(self, command: Command) -> None:
        """Leave a command for the supervisor, durably. The same id again changes nothing."""
        path = self.commands / command.id
        if not path.exists():
            with disk_errors("passing a command on"):
                write_atomic(path, canonical.dumps({"asked": command.asked, "attempt": command.attempt}))

    def commands_of(self, attempt: int) -> list[Command]:
        """Return the commands given to an attempt, oldest first."""
        found = []
        for path in sorted(self.commands.iterdir()):
            if is_id(path.name):
                value = json.loads(path.read_bytes())
                if value["attempt"] == attempt:
                    found.append(Command(path.name, str(value["asked"]), attempt))
        return found

    # --- who works on it

    def record(self) -> Record | None:
        """Return who was last known to work on it; None when nobody is, or the file cannot be read."""
        try:
            value = json.loads(self.processes.read_bytes())
            return Record(int(value["attempt"]), float(value["began"]), int(value["starts"]),
                          Identity.from_json(value["supervisor"]), Identity.from_json(value["trainer"]),
                          str(value["token"]), None if value["oom"] is None else int(value["oom"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep_record(self, record: Record) -> None:
        """Write down who works on it, before they begin. Raises OSError."""
        write_atomic(self.processes, canonical.dumps(record.to_json()))

    def forget_record(self) -> None:
        """Nobody works on it any more."""
        self.processes.unlink(missing_ok=True)

    # --- what the trainer printed

    def tail(self, most: int = 8192) -> str:
        """Return the end of what the trainer printed, as text."""
        try:
            with open(self.output, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - most))
                return file.read(most).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
