"""A search at several runners: what its helpers find is told to it, and they end when it does.

One job, the search, owns the trials and makes the model. Each helper is a job of its own at another runner that tries
other configurations; every trial it has made is an artifact, which whoever follows the helper brings into the library,
and whoever follows the search hands on. Either may be repeated or be killed at any moment: a message has a name, and a
second one of the same name is none. Without anybody who follows, both go on, and the search ends with what it has.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import Conflict, MldeskError, NotFound
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.states import JobState

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient

ONE = "trial-"     # artifacts that are single trials, see training.search.search


def helpers_of(run: Run) -> tuple[str, ...]:
    """Return the jobs that help a search."""
    return tuple(_payload(run).get("helpers") or ())


def helped_by(run: Run) -> str:
    """Return the search that a run helps, "" for any other."""
    return str(_payload(run).get("helps") or "")


class Spreader:
    """Hands trials on. Thread-safe; what it remembers only spares repeats."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._told: set[tuple[str, str]] = set()

    def step(self, client: RunnerClient, run: Run) -> None:
        """Do what there is to do for a run whose events were just brought. Raises RunnerUnreachable."""
        if run.kind != "search" or run.state.ended or run.state is JobState.CREATED:
            return
        for helper in helpers_of(run):
            self._hand_on(client, run, helper)
        if home := helped_by(run):
            self._end_with(client, run, home)

    def _hand_on(self, client: RunnerClient, run: Run, helper: str) -> None:
        try:
            source = self._library.runs.get(helper)
            found = self._library.runs.artifacts(helper)
        except NotFound:
            return
        for name, artifact in found.items():
            if name.startswith(ONE) and (helper, name) not in self._told:
                digest = str(artifact["digest"])
                with contextlib.suppress(Conflict, NotFound):   # the search has just ended, or the trial is gone
                    client.tell(run.id, f"{helper}-{name}", {"trial": digest, "source": source.runner}, (digest,))
                self._told.add((helper, name))

    def _end_with(self, client: RunnerClient, run: Run, home: str) -> None:
        try:
            search = self._library.runs.get(home)
        except NotFound:
            return
        if search.state.final or search.state is JobState.STOPPING:
            with contextlib.suppress(MldeskError):   # it has ended by itself just now
                client.cancel(run.id) if run.state is JobState.QUEUED else client.finish(run.id)


@contextlib.contextmanager
def beside(follow: Callable[[str, Callable[[], bool]], Iterator[Any]], helpers: Sequence[str]) -> Iterator[None]:
    """Follow the helpers of a search, a thread each, for as long as the block lasts."""
    over = threading.Event()

    def keep(helper: str) -> None:
        with contextlib.suppress(MldeskError):   # one that cannot be followed helps nobody; the search goes on
            for _ in follow(helper, over.is_set):
                pass

    threads = [threading.Thread(target=keep, args=(helper,), name=f"follow {helper}") for helper in helpers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _payload(run: Run) -> Mapping[str, Any]:
    payload = run.spec.get("payload")
    return payload if isinstance(payload, Mapping) else {}
