"""Runners: the machines that do the work, and one open connection to each that is in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, NotFound
from mldesk.library import Library
from mldesk.library.records import RunnerRecord
from mldesk.workbench.references import did_you_mean

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient

Connect = Callable[[RunnerRecord], "RunnerClient"]


class RunnerService:
    """Names of runners and clients for them. A client is made when it is first needed and kept until ``close``."""

    def __init__(self, library: Library, connect: Connect, clock: Clock) -> None:
        self._library, self._connect, self._clock = library, connect, clock
        self._clients: dict[str, RunnerClient] = {}
        self._lock = threading.Lock()

    def show(self, name: str) -> RunnerRecord:
        """Return one runner as last seen. Raises NotFound with the nearest names."""
        names = [record.name for record in self._library.runners.list()]
        if name not in names:
            raise NotFound(f"There is no runner {name[:60]!r}.",
                           hint=did_you_mean(name, names) or f"There are: {', '.join(names)}.")
        return self._library.runners.get(name)

    def check(self, name: str) -> RunnerRecord:
        """Ask a runner what it is, keep the answer and return it. Raises NotFound, RunnerUnreachable."""
        facts = self.client(name).hello()
        self._library.runners.set_facts(name, facts, self._clock.now())
        return self._library.runners.get(name)

    def client(self, name: str) -> RunnerClient:
        """Return the open client for a runner. Raises NotFound, RunnerUnreachable."""
        with self._lock:
            if name not in self._clients:
                self._clients[name] = self._connect(self.show(name))
            return self._clients[name]

    def stop(self, name: str) -> None:
        """End the agent of this machine, its jobs with it. Raises NotFound, Conflict for a runner that is elsewhere."""
        from mldesk.runners import LocalRunner

        client = self.client(name)
        if not isinstance(client, LocalRunner):
            raise Conflict(f"The runner {name} is another machine and is not ended from here.")
        client.stop_agent(kill_jobs=True)
        with self._lock:
            self._clients.pop(name, None)
        client.close()

    def close(self) -> None:
        """Let go of every connection. Jobs and agents go on."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    # last, because below it ``list`` is this method
    def list(self) -> list[RunnerRecord]:
        """Return every runner with what it said of itself last; "local" is always there."""
        return self._library.runners.list()
