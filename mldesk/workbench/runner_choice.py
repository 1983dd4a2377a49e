"""Which runner is to do a job: the free one that is big enough, and what the job would take on each."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, Conflict, MldeskError
from mldesk.library.records import RunnerRecord
from mldesk.training.catalogue import NETWORKS
from mldesk.wire.runner_view import QueueView

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient

ON_GPU = NETWORKS  # estimators that can use a graphics card
PATIENCE = 8.0  # seconds that runners are waited for when one is chosen; a short cut of the network is no reason
_ANY = re.compile(r"any(?::\s*(?P<size>\d+(?:\.\d+)?)\s*(?P<unit>G|GB|GIB)?)?", re.IGNORECASE)
_GB, _GIB = 10**9, 2**30
_SLACK = 0.95   # a card that is sold as "24 GB" may report a little less

@dataclass(frozen=True, slots=True)
class Seen:
    """What one runner said when all were asked."""

    facts: Mapping[str, Any]
    queue: QueueView | None         # None: too old to say
    error: MldeskError | None = None


def gpu_memory_of(wanted: str) -> int | None:
    """Return the bytes of graphics memory that "any" (0) or "any:24GB" asks for; None for the name of a runner.

    Raises BadInput for "any:" with anything else behind it.
    """
    found = _ANY.fullmatch(wanted.strip())
    if found is None:
        if wanted.strip().lower().startswith("any:"):
            raise BadInput(f"{wanted[:40]!r} names no runner.", hint="Write any, or any:24GB for a graphics card of "
                           "at least 24 GB.")
        return None
    unit = _GIB if (found["unit"] or "").upper() == "GIB" else _GB
    return int(float(found["size"] or 0) * unit)


def card_memory(wanted: int) -> int:
    """Return the bytes a card must report to count as one of ``wanted``: drivers keep a little for themselves."""
    return int(wanted * _SLACK)


def survey(names: Sequence[str], ask: Callable[[str], Seen], patience: float = PATIENCE) -> dict[str, Seen]:
    """Ask all runners at once what they have and what waits there; those that take too long have said nothing."""
    answers: queue.SimpleQueue[tuple[str, Seen]] = queue.SimpleQueue()

    def one(name: str) -> None:
        try:
            answers.put((name, ask(name)))
        except MldeskError as error:
            answers.put((name, Seen({}, None, error)))

    for name in names:
        # Daemons: one that waits for a dead network ends when its client is closed.
        threading.Thread(target=one, args=(name,), name=f"ask-{name}", daemon=True).start()
    found: dict[str, Seen] = {}
    deadline = time.monotonic() + patience
    while len(found) < len(names):
        try:
            name, seen = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[name] = seen
    return found


def pick(wanted: str, records: Sequence[RunnerRecord], seen: Mapping[str, Seen]) -> str:
    """Return the name of the best runner that may take the job now. Raises Conflict naming why each was not taken."""
    memory = gpu_memory_of(wanted) or 0
    reasons: list[str] = []
    fit: list[tuple[tuple[Any, ...], str]] = []
    for record in records:
        found = seen.get(record.name)
        why = cannot_train(record, found.facts if found else None) or (
            "it gave no answer in time" if found is None else _why_not(found, memory))
        if why:
            reasons.append(f"{record.name}: {why}")
        elif found is not None:
            fit.append((_rank(found, memory), record.name))
    if not fit:
        size = f" with a graphics card of at least {memory / _GB:g} GB" if memory else ""
        raise Conflict(f"No runner{size} can take the job: {'; '.join(reasons)}.",
                       hint="`mldesk runners check NAME` asks one again; --runner NAME names one.")
    return min(fit)[1]


def cannot_train(record: RunnerRecord, facts: Mapping[str, Any] | None = None) -> str:
    """Return why a machine that was made a runner has nothing to train with, in words; "" for one that has.

    ``facts``: what its agent says now, where that is newer than what is kept. Its own word counts, if it gives one.
    """
    said = (facts or record.facts).get("trains")
    if said if isinstance(said, bool) else record.options.get("trains", True):
        return ""
    return str(record.options.get("training") or "it has nothing to train with").rstrip(".")


def look(client: RunnerClient) -> Seen:
    """Ask one runner. Raises RunnerUnreachable."""
    facts = client.hello()
    try:
        return Seen(facts, client.queue())
    except Conflict:  # it speaks version 1 only
        return Seen(facts, None)


def _why_not(seen: Seen, memory: int) -> str:
    if seen.error is not None:
        return seen.error.message.rstrip(".")
    if seen.queue is not None and seen.queue.draining:
        return "it is being drained"
    largest = max((int(item.get("memory", 0)) for item in gpus(seen.facts)), default=0)
    if memory and not largest:
        return "it has no graphics card"
    if memory and largest < card_memory(memory):
        return f"its largest graphics card has {largest / _GB:.0f} GB"
    if memory and seen.queue is None:
        return "its agent is too old to hold a card for a job"
    return ""


def _rank(seen: Seen, memory: int) -> tuple[Any, ...]:
    """Order runners: starts now, few waiting, then the faster one."""
    slots = seen.queue.slots if seen.queue else ()
    right = [slot for slot in slots if not memory or (slot.kind == "gpu" and slot.memory >= card_memory(memory))]
    starts_now = (not slots or any(not slot.job for slot in right)) and not (seen.queue and seen.queue.quiet)
    waiting = len(seen.queue.in_line) if seen.queue else 0
    return (not starts_now, waiting, -len(gpus(seen.facts)), -int(seen.facts.get("cores") or 0))


def gpus(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the graphics cards of a hello."""
    return [item for item in facts.get("devices", ()) if isinstance(item, Mapping) and item.get("kind") != "cpu"]
