"""The jobs of this runner, as its agent knows them."""

from __future__ import annotations

import functools
import shutil
import threading
from pathlib import Path

from mldesk.core.errors import LibraryDamaged, MldeskError, NotFound
from mldesk.core.ids import is_id
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from runner_agent.folder import DRAFT, JobFolder
from runner_agent.journal_view import JournalView, ended_state


class Job:
    """One job. Its journal is read when somebody asks."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder
        self.id = folder.id
        self.view = JournalView(folder.journal)
        self.broken = ""      # why no supervisor can work on it, if that is so

    @functools.cached_property
    def spec(self) -> JobSpec:
        """What was submitted. Raises LibraryDamaged."""
        return self.folder.spec()

    @property
    def name(self) -> str:
        """What its submitter called it; "" when its spec cannot be read."""
        try:
            return self.spec.name
        except MldeskError:
            return ""

    @property
    def starts(self) -> float:
        """The moment before which it is not to start, by the wall clock; 0: at once. Raises LibraryDamaged."""
        return self.spec.not_before if self.view.scheduled is None else self.view.scheduled

    def state(self) -> JobState:
        """Return where it is. Raises JournalDamaged."""
        if not self.view.last_seq:
            ended = ended_state(self.folder.journal)
            if ended is not None:
                return ended[0]
        return self.view.refresh().state


class Jobs:
    """Every job with a folder here, by id. ``lock`` keeps those apart who add or remove one."""

    def __init__(self, root: Path) -> None:
        """Find the jobs below ``root``, and remove what a killed agent was in the middle of making or removing."""
        self.folder = root / "jobs"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.lock = threading.RLock()
        for draft in self.folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        self._jobs = {path.name: Job(JobFolder(path)) for path in sorted(self.folder.iterdir())
                      if is_id(path.name) and path.is_dir()}

    def all(self) -> list[Job]:
        """Return all of them, oldest first."""
        with self.lock:
            return sorted(self._jobs.values(), key=lambda job: job.id)

    def get(self, job: str) -> Job | None:
        with self.lock:
            return self._jobs.get(job)

    def find(self, job: str, *, whole: bool = True) -> Job:
        """Return a job. Raises NotFound; LibraryDamaged for one nobody can work on, if it is to be ``whole``."""
        found = self.get(job)
        if found is None:
            raise NotFound(f"This runner does not know the job {job}.")
        if whole and found.broken:
            raise LibraryDamaged(found.broken)
        return found

    def add(self, folder: JobFolder) -> Job:
        with self.lock:
            job = self._jobs[folder.id] = Job(folder)
            return job

    def drop(self, job: Job) -> None:
        with self.lock:
            self._jobs.pop(job.id, None)
