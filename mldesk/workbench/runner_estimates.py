"""What a job would take on each runner: time from past runs, memory from the table. None where nothing is known.

Nothing follows from a processor's time for a graphics card's, or the other way: they are kept apart.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.library.records import Run, RunnerRecord
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.runner_choice import ON_GPU, Seen, gpus

_BASE = 700 * 2**20     # bytes a trainer takes before it has read a row: Python, torch or LightGBM, Arrow
_COPIES = 3             # of the encoded table: as read, encoded, and what the estimator makes of it
_NUMBER = 4             # bytes of one encoded cell
_MOST_CATEGORIES = 64   # a text column of more values is encoded by these at most
_CORES_POWER = 0.7      # twice the cores make it 2 ** 0.7 times as fast: reading, scoring and small steps do not scale
_FAR = 0.35             # in powers of ten: how far past runs of one size may lie apart and still say something
_ROUNDS = ("rounds", "epochs", "trees")  # parameters that time is proportional to, at most


@dataclass(frozen=True, slots=True)
class RunnerEstimate:
    """What is known of one runner before a job is sent there."""

    name: str
    reachable: bool
    seconds: float | None   # about; None: nothing comparable was trained yet
    memory: int             # bytes that the job needs, about
    memory_there: int       # bytes of the machine; 0 unknown
    fits: bool              # whether the memory will do, as far as is known
    why: str                # where the time comes from, or what speaks against this runner; one sentence
    waiting: int            # jobs in front of it
    gpu: str                # its first graphics card; "" for none


@dataclass(frozen=True, slots=True)
class Job:
    """What decides how much there is to do."""

    estimator: str
    rows: int
    columns: tuple[Column, ...]         # the features
    parameters: Mapping[str, Any]
    device: str = "auto"                # as Resources.device

    @property
    def cells(self) -> float:
        """Rows times columns, by which time grows."""
        return float(self.rows) * max(1, len(self.columns))

    @property
    def memory(self) -> int:
        """Bytes that the trainer will take, about."""
        return int(_BASE + self.rows * sum(map(_width, self.columns)) * _NUMBER * _COPIES)


def estimate(job: Job, records: Sequence[RunnerRecord], seen: Mapping[str, Seen],
             runs: Iterable[Run]) -> list[RunnerEstimate]:
    """Say what ``job`` takes on each runner. ``seen``: those that answered just now."""
    past = [item for item in map(_past, runs) if item is not None and item.estimator == job.estimator]
    machines = {record.name: _facts(record, seen) for record in records}
    return [_one(job, record, seen.get(record.name), past, machines) for record in records]


@dataclass(frozen=True, slots=True)
class _Past:
    """A run that came to its end."""

    estimator: str
    runner: str
    seconds: float
    cells: float
    rounds: float | None
    device: str = "auto"


def _one(job: Job, record: RunnerRecord, seen: Seen | None, past: Sequence[_Past],
         machines: Mapping[str, Mapping[str, Any]]) -> RunnerEstimate:
    answered = seen is not None and seen.error is None
    facts = machines[record.name]
    memory_there = int(facts.get("memory") or 0)
    seconds, why = _seconds(job, record.name, past, machines)
    cards = gpus(facts)
    fits = not memory_there or job.memory <= memory_there
    if not fits:
        why = "The job needs more memory than the machine has."
    if seen is not None and seen.error is not None:
        why = seen.error.message
    elif not answered:
        why = record.trouble or "It gave no answer in time."
    queue = seen.queue if seen is not None else None
    if queue is not None and queue.draining:
        why = "It is being drained: nothing new starts."
    return RunnerEstimate(
        record.name, answered, seconds, job.memory, memory_there, fits, why,
        len(queue.in_line) + (not queue.free) if queue is not None else 0,
        str(cards[0].get("name", "")) if cards else "")


def _seconds(job: Job, runner: str, past: Sequence[_Past],
             machines: Mapping[str, Mapping[str, Any]]) -> tuple[float | None, str]:
    """Return seconds and where they come from: runs there, else runs elsewhere on the same kind of device."""
    card = _card(job, machines[runner])
    cards = {item.runner: _card(item, machines.get(item.runner, {})) for item in past}
    alike = [item for item in past if bool(_card(item, machines.get(item.runner, {}))) == bool(card)]
    own = [item for item in alike if item.runner == runner]
    if own:
        return _typical(job, own, {}), f"From {_runs(len(own))} there."
    if card:
        return _on_cards(job, card, alike, cards)
    mine = _cores(machines[runner])
    others = [item for item in alike if mine and _cores(machines.get(item.runner, {}))]
    if not others:
        return None, ("It was trained on graphics cards only, so its time without one is unknown." if past and not alike
                      else "Nothing like it was trained yet, so its time is unknown.")
    factors = {item.runner: (_cores(machines[item.runner]) / mine) ** _CORES_POWER for item in others}
    seconds = _typical(job, others, factors)
    return seconds, f"From {_runs(len(others))} elsewhere, by the number of cores."


def _on_cards(job: Job, card: str, past: Sequence[_Past], cards: Mapping[str, str]) -> tuple[float | None, str]:
    """The time on a card: from runs on cards of its name, else on any; how fast one is beside another is not known."""
    same = [item for item in past if cards[item.runner] == card]
    if same:
        return _typical(job, same, {}), f"From {_runs(len(same))} on such a card elsewhere."
    if past:
        return _typical(job, past, {}), f"From {_runs(len(past))} on another kind of graphics card."
    return None, f"Nothing like it was trained on a graphics card yet, so its time on the {card} is unknown."


def _card(job: Job | _Past, facts: Mapping[str, Any]) -> str:
    """Return the name of the card that a job would take on a machine; "" for none."""
    cards = gpus(facts) if job.estimator in ON_GPU and job.device != "cpu" else []
    return str(max(cards, key=lambda card: int(card.get("memory") or 0)).get("name") or "card") if cards else ""


def _typical(job: Job, past: Sequence[_Past], factors: Mapping[str, float]) -> float:
    """Scale the runs that are nearest in size to the job's; the median of what they say."""
    nearest = min(abs(math.log10(job.cells / item.cells)) for item in past)
    near = [item for item in past if abs(math.log10(job.cells / item.cells)) <= nearest + _FAR]
    wanted = _rounds(job.parameters)
    return statistics.median(
        item.seconds * factors.get(item.runner, 1.0) * _grown(job.cells, item.cells)
        * (min(1.0, wanted / item.rounds) if wanted and item.rounds else 1.0) for item in near)


def _grown(now: float, then: float) -> float:
    """Larger tables take longer in proportion; smaller ones have a part that stays."""
    share = now / then
    return share if share >= 1 else 0.3 + 0.7 * share


def _past(run: Run) -> _Past | None:
    if run.kind != "train":  # a search takes the time of many
        return None
    result = run.result or {}
    seconds = result.get("seconds", run.seconds)
    rows = sum(value for value in dict(result.get("rows", {})).values() if isinstance(value, (int, float)))
    payload = run.spec.get("payload", {})
    features = payload.get("features")
    width = sum(1 for column in payload.get("columns", ()) if column.get("distinct", 1)) - 1
    width = width if features is None else len(features)
    if not isinstance(seconds, (int, float)) or seconds <= 0 or rows <= 0 or result.get("finished_early"):
        return None
    return _Past(str(result.get("estimator", run.estimator)), run.runner, float(seconds), float(rows) * max(1, width),
                 _rounds(run.parameters), str(dict(run.spec.get("resources", {})).get("device", "auto")))


def _rounds(parameters: Mapping[str, Any]) -> float | None:
    for name in _ROUNDS:
        value = parameters.get(name)
        if isinstance(value, (int, float)) and value > 0:
            return float(value)
    return None


def _facts(record: RunnerRecord, seen: Mapping[str, Seen]) -> Mapping[str, Any]:
    """Return what a machine says of itself now, else what it said last."""
    found = seen.get(record.name)
    return found.facts if found is not None and found.error is None else record.facts


def _cores(facts: Mapping[str, Any]) -> int:
    return int(facts.get("cores") or 0)


def _width(column: Column) -> int:
    """Return how many numbers a column becomes, at most, where categories are encoded apart."""
    if column.type in (ColumnType.TEXT, ColumnType.BOOLEAN):
        return max(1, min(column.distinct, _MOST_CATEGORIES))
    return 2  # its value, and whether it is missing


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
