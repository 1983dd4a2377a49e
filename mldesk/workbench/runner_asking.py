"""Asking runners: one open connection to each that is in use, and a note in the library of who gives no answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, MldeskError, NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.records import RunnerRecord
from mldesk.wire.runner_view import QueueView, RunnerSettings, Sample
from mldesk.workbench.access import Access
from mldesk.workbench.reach import Reach
from mldesk.workbench.references import did_you_mean

if TYPE_CHECKING:  # rpyc loads with them
    from mldesk.runners import RunnerClient
    from mldesk.runners.ssh.lifeline import LinkState
    from mldesk.wire.runner_view import CacheView

Connect = Callable[[RunnerRecord], "RunnerClient"]
Result = TypeVar("Result")
_LOG_BYTES = 256 * 1024  # of the end of an agent's log
_PIECE = 64 * 1024


class AskedRunners:
    """Names of runners and clients for them. A client is made when it is first needed and kept until ``close``.

    Every method that asks a runner raises NotFound for an unknown name and RunnerUnreachable for a silent runner, which
    is written down with the library (``unreachable``, ``trouble``) until it answers, here or in any other program.
    """

    def __init__(self, library: Library, connect: Connect, clock: Clock, access: Access | None = None) -> None:
        self._library, self._connect, self._clock, self._access = library, connect, clock, access
        self._reach = Reach(library, clock)
        self._clients: dict[str, RunnerClient] = {}
        self._addresses: dict[str, str] = {}  # of those clients
        self._lock = threading.Lock()

    # --- what the library knows

    def show(self, name: str) -> RunnerRecord:
        """Return one runner as last seen. Raises NotFound with the nearest names."""
        names = [record.name for record in self._library.runners.list()]
        if name not in names:
            raise NotFound(f"There is no runner {name[:60]!r}.",
                           hint=did_you_mean(name, names) or f"There are: {', '.join(names)}.")
        return self._library.runners.get(name)

    def link(self, name: str) -> LinkState:
        """Return how this program's connection to a runner stands. Asks nobody. Raises NotFound."""
        from mldesk.runners.ssh.lifeline import LinkState

        record = self.show(name)
        with self._lock:
            client = self._clients.get(name)
        state = client.link if client is not None else LinkState(False, 0.0)
        if not state.connected and record.unreachable is not None:
            return LinkState(False, record.unreachable, state.reason or record.trouble)
        return state

    # --- asking a runner

    def client(self, name: str) -> RunnerClient:
        """Return the open client for a runner. Raises NotFound, RunnerUnreachable."""
        with self._lock:
            if name not in self._clients:
                record = self.show(name)
                self._clients[name] = self._connect(record)
                self._addresses[name] = record.address
            return self._clients[name]

    @contextmanager
    def asking(self, name: str) -> Iterator[RunnerClient]:
        """Lend the client for one question, and note whether it was answered. Raises as ``client``."""
        client = self.client(name)
        try:
            yield client
        except RunnerUnreachable as error:
            if self._clients.get(name) is client:  # else it was let go here, which says nothing of the runner
                self._reach.failed(name, error)
            self._login(name, refused=error.code == "login_refused")
            raise
        except MldeskError:
            self._answered(name)
            raise
        self._answered(name)

    def gave_up(self, name: str, error: RunnerUnreachable) -> None:
        """Note that somebody has waited long enough for a runner."""
        self._reach.failed(name, error)

    def check(self, name: str) -> RunnerRecord:
        """Ask a runner what it is, now, however it failed before; keep the answer and return it."""
        if (nudge := getattr(self.client(name), "reconnect_soon", None)) is not None:
            nudge()
        with self.asking(name) as client:
            facts = client.hello()
        self._library.runners.set_facts(name, facts, self._clock.now())
        return self._library.runners.get(name)

    def speaks(self, name: str, version: int) -> bool:
        """Say whether a runner speaks so high a version of the protocol, as it said last; one that never did may."""
        protocol = self.show(name).facts.get("protocol")
        return not isinstance(protocol, (list, tuple)) or len(protocol) != 2 or protocol[1] >= version

    def queue(self, name: str) -> QueueView:
        """Return what waits there, why, and which job holds which slot. Raises Conflict for one that is too old."""
        return self._ask(name, lambda client: client.queue())

    def reorder(self, name: str, job: str, before: str) -> None:
        """Put a waiting job right before another ("": last of its priority). Raises Conflict if it does not wait."""
        self._ask(name, lambda client: client.reorder(job, before))

    def prioritize(self, name: str, job: str, priority: int) -> None:
        """Give a waiting job a priority from -10 to 10. Raises Conflict if it does not wait."""
        self._ask(name, lambda client: client.prioritize(job, priority))

    def drain(self, name: str, on: bool) -> None:
        """Let what runs end and start nothing new, or start again."""
        self._ask(name, lambda client: client.drain(on))

    def settings(self, name: str) -> RunnerSettings:
        """Return how a runner is to behave."""
        return self._ask(name, lambda client: client.settings())

    def zone(self, name: str) -> str:
        """Return the name of the time zone that a runner's quiet hours are in."""
        return self._ask(name, lambda client: client.zone())

    def configure(self, name: str, settings: RunnerSettings) -> None:
        """Have a runner behave otherwise from now on. Raises BadInput."""
        self._ask(name, lambda client: client.configure(settings))

    def telemetry(self, name: str, after: int = 0, wait: float = 0.0) -> list[Sample]:
        """Return the load samples after number ``after``, waiting up to ``wait`` seconds (25) for the first."""
        return self._ask(name, lambda client: client.telemetry(after, wait))

    def log(self, name: str) -> str:
        """Return the end of the agent's own log, as plain text."""
        from mldesk.runners.provision.execution import plain

        with self.asking(name) as client:
            data, offset = client.agent_log(-_LOG_BYTES, _PIECE)
            pieces = [data]
            while data and sum(map(len, pieces)) < _LOG_BYTES:
                data, offset = client.agent_log(offset, _PIECE)
                pieces.append(data)
        return plain(b"".join(pieces))

    def cache(self, name: str) -> CacheView:
        """Return what a runner's object store holds."""
        return self._ask(name, lambda client: client.cache())

    def collect(self, name: str) -> int:
        """Have a runner drop the objects that no job needs; return the bytes freed."""
        return self._ask(name, lambda client: client.collect())

    def stop(self, name: str) -> None:
        """End the agent of this machine, its jobs with it. Raises NotFound, Conflict for a runner that is elsewhere."""
        from mldesk.runners import LocalRunner

        client = self.client(name)
        if not isinstance(client, LocalRunner):
            raise Conflict(f"The runner {name} is another machine and is not ended from here.")
        client.stop_agent(kill_jobs=True)
        self._drop(name)

    def close(self) -> None:
        """Let go of every connection. Jobs and agents go on."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    # --- inside

    def _ask(self, name: str, question: Callable[[RunnerClient], Result]) -> Result:
        with self.asking(name) as client:
            return question(client)

    def _answered(self, name: str) -> None:
        self._reach.answered(name)
        self._login(name, refused=False, accepted=True)

    def _login(self, name: str, *, refused: bool, accepted: bool = False) -> None:
        """Tell the secrets of a machine's login whether they did."""
        address = self._addresses.get(name)
        if self._access is None or not address:
            return
        if refused:
            self._access.login(address).refused()
        elif accepted:
            self._access.login(address).accepted()

    def _drop(self, name: str) -> None:
        """Let go of one client: the next question makes a new one."""
        with self._lock:
            client = self._clients.pop(name, None)
        if client is not None:
            client.close()

    # last, because below it ``list`` is this method
    def list(self) -> list[RunnerRecord]:
        """Return every runner with what it said of itself last; "local" is always there."""
        return self._library.runners.list()
