"""What every runner can do, near or far. The faces and the library know runners by this alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mldesk.runners.ssh.lifeline import LinkState
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import CacheView, QueueView, RunnerSettings, Sample
from mldesk.wire.states import JobState


class RunnerClient(Protocol):
    """One runner. Every method may be called from any thread, and repeated: nothing is done twice.

    All raise RunnerUnreachable when the runner gives no answer, which says nothing about its jobs; all but ``hello``,
    ``submit``, ``jobs``, ``fetch`` and ``close`` raise NotFound for a job the runner does not know. Those below
    "version 2" raise RunnerTooOld (a Conflict) before they ask a runner that speaks version 1 only.
    """

    name: str

    @property
    def link(self) -> LinkState:
        """How the connection stands now. Asks nobody."""
        ...

    def hello(self) -> Mapping[str, Any]:
        """Return what the machine has: cores, memory (bytes), devices, python, versions, boot_id, agent, protocol."""
        ...

    def submit(self, spec: JobSpec, priority: int = 0) -> JobState:
        """Hand a job over, its missing inputs first; the runner has it durably when this returns its state.

        A ``priority`` other than 0 (-10 to 10, higher first), and a wish for a graphics card, need version 2, a moment
        before which it is not to start version 4.

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

    # --- version 2

    def queue(self) -> QueueView:
        """Return what waits, why, and which job holds which slot."""
        ...

    def reorder(self, job: str, before: str) -> None:
        """Put a waiting job right before another, taking that one's priority; "": last of its own priority.

        Raises Conflict when either does not wait.
        """
        ...

    def prioritize(self, job: str, priority: int) -> None:
        """Give a waiting job a priority from -10 to 10, last among its equals. Raises Conflict if it does not wait."""
        ...

    def drain(self, on: bool) -> None:
        """Start nothing new any more (what runs is finished), or start again. The runner remembers it."""
        ...

    def settings(self) -> RunnerSettings:
        """Return how the runner is to behave."""
        ...

    def zone(self) -> str:
        """Return the name of the time zone that its quiet hours are in."""
        ...

    def configure(self, settings: RunnerSettings) -> None:
        """Have it behave otherwise from now on; what runs is left alone. Raises BadInput, DiskFull."""
        ...

    def telemetry(self, after: int = 0, wait: float = 0.0) -> list[Sample]:
        """Return the samples after number ``after``, oldest first, waiting up to ``wait`` seconds (25) for the first.

        The runner keeps ten minutes of them; the numbers begin anew with each life of its agent.
        """
        ...

    def agent_log(self, offset: int = -65536, limit: int = 65536) -> tuple[bytes, int]:
        """Return bytes of the agent's own log from an offset on (negative: from its end), and the offset after them."""
        ...

    def release(self, job: str) -> None:
        """Have a job stop, its checkpoints kept, so that it can go on elsewhere; it ends interrupted, cause "moved".

        Raises Conflict for one that has ended for good.
        """
        ...

    def checkpoint(self, job: str) -> str | None:
        """Have the newest checkpoint that is whole put into the runner's object store; return its manifest's digest.

        None when there is none. ``fetch`` brings it here. Raises DiskFull.
        """
        ...

    def take_over(self, spec: JobSpec, history: bytes, checkpoint: str | None) -> JobState:
        """Have this runner go on with a job that another one released, as its next attempt; return its state.

        ``history``: all lines of its journal so far, which end interrupted; ``checkpoint``: a manifest in our store.
        Both, and the inputs, are brought there first. Raises BadInput for a history that is not whole, Conflict when
        the job went on differently there, NotFound for an input that is nowhere, DiskFull.
        """
        ...

    def forget_job(self, job: str) -> None:
        """Have what is left of an ended job removed there; unknown ones are none. Raises Conflict for one that goes on.
        """
        ...

    def cache(self) -> CacheView:
        """Return what its object store holds."""
        ...

    def collect(self) -> int:
        """Have what no job needs removed from its object store; return the bytes freed."""
        ...

    # --- version 3

    def pause(self, job: str) -> None:
        """Have a job stop, to go on at its runner once it is resumed; it ends interrupted, cause "paused".

        Raises Conflict for one that has ended for good.
        """
        ...

    def tell(self, job: str, name: str, message: Mapping[str, Any], inputs: tuple[str, ...] = (),
             since: int = 3) -> None:
        """Leave a message for a job, its ``inputs`` (manifests) first; a second one of the same ``name`` is none.

        ``since``: the version of the protocol whose jobs know such a message. Raises Conflict for a job that has ended
        for good, NotFound for an input that is nowhere, DiskFull.
        """
        ...

    # --- version 4

    def start_at(self, job: str, moment: float) -> None:
        """Let a waiting job begin at another moment of the runner's clock, in seconds since the epoch; 0: at once.

        Raises Conflict for one that does not wait (any more), DiskFull.
        """
        ...

    def close(self) -> None:
        """Let go of the runner; its jobs go on. A second call does nothing."""
        ...
