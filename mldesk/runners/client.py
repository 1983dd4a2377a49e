"""What every runner can do, near or far. The faces and the library know runners by this alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from mldesk.wire.states import JobState


class RunnerClient(Protocol):
    """One runner. Every method may be called from any thread, and repeated: nothing is done twice.

    All raise RunnerUnreachable when the runner gives no answer, which says nothing about its jobs; all but ``hello``,
    ``submit``, ``jobs``, ``fetch`` and ``close`` raise NotFound for a job the runner does not know.
    """

    name: str

    def hello(self) -> Mapping[str, Any]:
        """Return what the machine has: cores, memory (bytes), devices, python, versions, boot_id, agent, protocol."""
        ...

    def submit(self, spec: JobSpec) -> JobState:
        """Hand a job over, its missing inputs first; the runner has it durably when this returns its state.

        Raises Conflict for another spec under the same id, NotFound for an input that is nowhere, DiskFull.
        """
        ...

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        """Return events after number ``after``, dense, waiting up to ``wait`` (at most 25) seconds for the first.

        Raises LibraryDamaged for a journal that is damaged at the next event.
        """
        ...

    def state(self, job: str) -> JobState:
        """Return where the job is."""
        ...

    def cancel(self, job: str) -> None:
        """Ask the job to stop, which it does within ten seconds. Raises Conflict for one that has ended otherwise."""
        ...

    def finish(self, job: str) -> None:
        """Ask the job to stop fitting and keep its model. Raises Conflict for one that does not run."""
        ...

    def resume(self, job: str) -> None:
        """Queue an interrupted job again. Raises Conflict for any other, DiskFull."""
        ...

    def log(self, job: str, offset: int = 0, limit: int = 65536) -> tuple[bytes, int]:
        """Return what the trainer printed from a byte offset on, and the offset after it."""
        ...

    def jobs(self) -> list[Mapping[str, Any]]:
        """Return every job there, newest first: id, name, state, position (in the queue from 1, else 0)."""
        ...

    def fetch(self, digest: str, store: ObjectStore) -> None:
        """Bring an object here, or a manifest with all its files. Raises NotFound."""
        ...

    def close(self) -> None:
        """Let go of the runner; its jobs go on. A second call does nothing."""
        ...
