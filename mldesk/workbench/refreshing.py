"""Bringing several runs up to date at once, without waiting long for machines that are off."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.library.records import Run
from mldesk.workbench.following import Follower
from mldesk.workbench.runner_asking import AskedRunners

PATIENCE = 5.0  # seconds that runners elsewhere are waited for, all at once
_PARTING = 2.0  # seconds that a thread takes to end once its connection is closed


class Refresher:
    """Asks every runner in a thread of its own; one that is slow goes on behind, and what it brings is kept."""

    def __init__(self, follower: Follower, runners: AskedRunners) -> None:
        self._follower, self._runners = follower, runners
        self._threads: list[threading.Thread] = []

    def bring(self, runs: Sequence[Run]) -> list[str]:
        """Bring ``runs`` up to date as far as their runners answer; return why others could not be, in sentences."""
        near = {record.name for record in self._runners.list() if record.kind == "local"}
        groups: dict[str, list[Run]] = {}
        for run in runs:
            groups.setdefault(run.runner, []).append(run)
        troubles: dict[str, str] = {}
        asked = {name: threading.Thread(target=self._bring, args=(name, group, troubles), name=f"refresh-{name}",
                                        daemon=True) for name, group in groups.items() if name not in near}
        for thread in asked.values():
            thread.start()
        for name in near & set(groups):
            self._bring(name, groups[name], troubles)
        deadline = time.monotonic() + PATIENCE
        for name, thread in asked.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive() and name not in troubles:
                late = RunnerUnreachable(f"The runner {name} gave no answer within {PATIENCE:.0f} seconds.")
                troubles[name] = late.message
                self._runners.gave_up(name, late)
        self._threads = [thread for thread in (*self._threads, *asked.values()) if thread.is_alive()]
        return [troubles[name] for name in groups if name in troubles]

    def close(self) -> None:
        """Wait a little for what still goes on; call it once the connections are closed."""
        for thread in self._threads:
            thread.join(_PARTING)

    def _bring(self, name: str, runs: Sequence[Run], troubles: dict[str, str]) -> None:
        for run in runs:
            try:
                self._follower.drain(run.id)
            except RunnerUnreachable as error:
                troubles[name] = error.message
                return  # the others would wait as long
            except MldeskError as error:
                troubles[name] = error.message
