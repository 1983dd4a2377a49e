"""What of the object store this runner's jobs still need, read from their folders."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.durable import write_atomic
from mldesk.core.errors import MldeskError
from mldesk.wire.states import Cause, JobState
from runner_agent.jobs import Job, Jobs

KEPT_RESULTS = 30 * 86_400.0   # seconds after its end in which a model may still be fetched
HELD = "held"                  # file in a job's folder: digests that somebody is about to fetch
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_RESULTS = (b'{"kind":"artifact"', b'{"kind":"succeeded"')


@dataclass(frozen=True, slots=True)
class Needed:
    """What must stay."""

    digests: frozenset[str]    # of objects; a manifest among them keeps its files
    writing_since: float | None  # when the oldest job began that puts large things there: what is newer stays too


@dataclass(slots=True)
class _Results:
    """What one job has announced, as far as its journal was read."""

    offset: int = 0
    digests: set[str] = field(default_factory=set)


class Pins:
    """Reads journals on from where it stopped, so a second look is cheap. Used by one thread at a time."""

    def __init__(self, jobs: Jobs, kept: float = KEPT_RESULTS) -> None:
        self._jobs, self._kept = jobs, kept
        self._results: dict[str, _Results] = {}

    def needed(self, now: float | None = None) -> Needed:
        """Say what must stay: more rather than less where a job's folder cannot be read."""
        now = time.time() if now is None else now
        digests: set[str] = set()
        began: list[float] = []
        jobs = self._jobs.all()
        for job in jobs:
            state, imports = _state(job), _kind(job) == "import"
            if state is None or not state.ended or (state.resumable and job.view.cause != Cause.MOVED.value):
                digests.update(_in_file(job.folder.path / "spec.json"))
            record = job.folder.record()
            if record is not None and imports:
                began.append(record.began)
            # What an import made may lie nowhere else, so it stays until the job is forgotten.
            if imports or state is None or not state.ended or now - _changed(job.folder.journal) < self._kept:
                digests.update(self._announced(job))
            digests.update(_in_file(job.folder.path / HELD))
        self._results = {job.id: self._results[job.id] for job in jobs if job.id in self._results}
        return Needed(frozenset(digests), min(began, default=None))

    def _announced(self, job: Job) -> set[str]:
        known = self._results.setdefault(job.id, _Results())
        try:
            with open(job.folder.journal, "rb") as file:
                file.seek(known.offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    known.offset += len(line)
                    if line[9:].startswith(_RESULTS):
                        known.digests.update(_digests(line))
        except OSError:  # removed just now
            return set()
        return known.digests


def hold(folder: Path, digest: str) -> None:
    """Keep an object as long as a job's folder is there: somebody is about to fetch it. Raises OSError."""
    path = folder / HELD
    held = set(_in_file(path))
    if digest not in held:
        write_atomic(path, "\n".join(sorted({*held, digest})).encode())


def _state(job: Job) -> JobState | None:
    """Return where a job is; None when its journal does not say."""
    try:
        return job.view.refresh().state  # with the cause, which ``Job.state`` may leave out
    except (MldeskError, OSError):
        return None


def _kind(job: Job) -> str:
    try:
        return job.spec.kind
    except MldeskError:
        return ""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _in_file(path: Path) -> Iterator[str]:
    try:
        return _digests(path.read_bytes())
    except OSError:
        return iter(())


def _digests(data: bytes) -> Iterator[str]:
    return (found.decode("ascii") for found in _DIGEST.findall(data))
