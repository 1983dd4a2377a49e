"""The metric points of a run, read out of its events: which readings stand once later attempts began. No I/O."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mldesk.core import canonical
from mldesk.library import codec
from mldesk.library.event_blocks import Group, StoredEvent, places
from mldesk.library.records import MetricPoint
from mldesk.wire.elapsed import Elapsed


@dataclass(slots=True)
class Readings:
    """One metric of one run, column by column, in the order in which the readings came."""

    seqs: array[int] = field(default_factory=lambda: array("q"))       # of the events they came in
    steps: array[int] = field(default_factory=lambda: array("q"))
    epochs: array[float] = field(default_factory=lambda: array("d"))   # nan: none was said
    seconds: array[float] = field(default_factory=lambda: array("d"))  # at work, over all attempts
    values: array[float] = field(default_factory=lambda: array("d"))   # may be nan or infinite

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def columns(self) -> tuple[array[Any], ...]:
        return self.seqs, self.steps, self.epochs, self.seconds, self.values

    def add(self, seq: int, step: int, epoch: float, seconds: float, value: float) -> None:
        """Take in one reading."""
        for column, item in zip(self.columns, (seq, step, epoch, seconds, value), strict=True):
            column.append(item)

    def drop_above(self, step: int) -> None:
        """Forget the readings past ``step``."""
        kept = [place for place, at in enumerate(self.steps) if at <= step]
        if len(kept) < len(self):
            self.seqs, self.steps, self.epochs, self.seconds, self.values = (
                array(column.typecode, [column[place] for place in kept]) for column in self.columns)


class Points:
    """Collects readings; events must come in their order, a whole block of them at a time or one by one."""

    def __init__(self) -> None:
        self.readings: dict[str, Readings] = {}
        self._elapsed = Elapsed()

    def block(self, groups: Sequence[Group], others: Sequence[StoredEvent]) -> None:
        """Take in a block as ``event_blocks.read`` gives it."""
        if any(group.kind == "started" for group in groups) or any(event[2] == "started" for event in others) or any(
                event[2] == "metrics" for event in others):
            self._one_by_one(groups, others)   # the order of these counts
            return
        curves = [group for group in groups if group.kind == "metrics"]
        if len(curves) > 1 or not all(map(self._columns, curves)):
            self._one_by_one(groups, others)

    def _one_by_one(self, groups: Sequence[Group], others: Sequence[StoredEvent]) -> None:
        events = [event for event in others if event[2] in ("metrics", "started")]
        for group in groups:
            if group.kind in ("metrics", "started"):
                events += [(seq, 0.0, group.kind, group.payload(row)) for row, seq in enumerate(group.seqs)]
        for event in sorted(events, key=lambda event: event[0]):
            self.event(*event)

    def _columns(self, group: Group) -> bool:
        """Take in whole columns at once; False where the payloads are not what a trainer of ours says."""
        column = iter(group.columns)
        found = {path: (kind, next(column) if kind != "v" else literal)
                 for path, kind, literal in places(group.template)}
        step, epoch, seconds = (found.get(name, ("v", None)) for name in ("step", "epoch", "seconds"))
        values = {path.removeprefix("values\0"): item for path, item in found.items() if path.startswith("values\0")}
        if step[0] != "i" or seconds[0] != "f" or (epoch != ("v", None) and epoch[0] != "f") or not all(
                kind == "f" and name == codec.clean(name, 200) and "\0" not in name
                for name, (kind, _) in values.items()):
            return False
        if not all(map(math.isfinite, seconds[1])):
            return False
        count = len(group.seqs)
        at_work = self._elapsed.each(seconds[1])
        for name, (_, numbers) in values.items():
            readings = self.readings.setdefault(name, Readings())
            readings.seqs.extend(group.seqs)
            readings.steps.extend(step[1])
            readings.epochs.extend(epoch[1] if epoch[0] == "f" else array("d", [math.nan]) * count)
            readings.seconds.extend(at_work)
            readings.values.extend(numbers)
        return True

    def event(self, seq: int, _time: float, kind: str, payload: Any) -> None:
        """Take in one event."""
        if kind == "started":
            step = codec.whole(payload.get("resumed_from")) if isinstance(payload, Mapping) else None
            self._elapsed.begin(step)
            if step is None:  # started anew: every earlier reading is void
                self.readings = {}
            else:
                for readings in self.readings.values():
                    readings.drop_above(step)
        elif kind == "metrics":
            for point in points_of(seq, payload):
                self.readings.setdefault(point.metric, Readings()).add(
                    seq, point.step, math.nan if point.epoch is None else point.epoch,
                    self._elapsed.at(point.seconds), point.value)

    def in_order(self) -> list[MetricPoint]:
        """Return every reading as a point, in the order of the events."""
        return sorted(self._each(), key=lambda point: (point.seq, point.metric))

    def _each(self) -> Iterator[MetricPoint]:
        for metric, readings in self.readings.items():
            for seq, step, epoch, seconds, value in zip(*readings.columns, strict=True):
                yield MetricPoint(metric, step, None if math.isnan(epoch) else epoch, seconds, value, seq)


def points_of(seq: int, payload: Any) -> list[MetricPoint]:
    """Return the readings of one "metrics" event; what a runner says in another shape gives none.

    Their seconds are those since the attempt began.
    """
    values = payload.get("values") if isinstance(payload, Mapping) else None
    step = codec.whole(payload.get("step")) if isinstance(payload, Mapping) else None
    if not isinstance(values, Mapping) or step is None:
        return []
    epoch, seconds = codec.finite(payload.get("epoch")), codec.finite(payload.get("seconds")) or 0.0
    found: dict[str, MetricPoint] = {}
    for name, value in values.items():
        try:
            number = canonical.number(value)
        except (ValueError, OverflowError):
            continue
        metric = codec.clean(name, 200)
        found[metric] = MetricPoint(metric, step, epoch, seconds, number, seq)
    return list(found.values())
