"""The last ten minutes of a runner's load, ready to be drawn. No I/O."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from mldesk.core.observable import Signal

if TYPE_CHECKING:
    from mldesk.wire.runner_view import GpuSample, Sample

KEPT = 600       # samples, one a second
GAP = 3.0        # seconds between two samples from which the line is broken
NAN = math.nan


class Telemetry:
    """Samples in the order of their time. Signals: ``advanced`` when some came."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.advanced: Signal[None] = Signal()

    @property
    def after(self) -> int:
        """The number of the newest sample, 0 before the first: what to ask the runner for next."""
        return self.samples[-1].seq if self.samples else 0

    @property
    def last(self) -> Sample | None:
        return self.samples[-1] if self.samples else None

    def add(self, samples: Iterable[Sample]) -> bool:
        """Take in new samples; True if there were any. Numbers that begin anew are a new life of the agent."""
        new = list(samples)
        last = self.last
        if new and last is not None and new[0].seq <= last.seq:
            new = [sample for sample in new if sample.time > last.time]
        self.samples.extend(new)
        if new:
            self.advanced.emit(None)
        return bool(new)

    def forget(self) -> None:
        """Begin anew."""
        self.samples.clear()
        self.advanced.emit(None)

    def ages(self) -> list[float]:
        """Return the seconds from the newest sample back to each one; the newest is 0."""
        end = self.samples[-1].time if self.samples else 0.0
        return [max(0.0, end - sample.time) for sample in self.samples]

    def series(self, read: Callable[[Sample], float | None]) -> list[float]:
        """Return one reading of every sample; what is not known is nan."""
        return [NAN if (value := read(sample)) is None else float(value) for sample in self.samples]

    def cards(self) -> list[GpuSample]:
        """Return the graphics cards that there are, as the newest sample knows them."""
        return list(self.samples[-1].gpus) if self.samples else []

    def of_card(self, index: int, read: Callable[[GpuSample], float | None]) -> list[float]:
        """Return one reading of one card over all samples; nan where the card was not there."""
        def value(sample: Sample) -> float | None:
            card = next((card for card in sample.gpus if card.index == index), None)
            return None if card is None else read(card)

        return self.series(value)


def cpu(sample: Sample) -> float:
    """Return the share of all cores that is at work, 0 to 1."""
    return sample.cpu


def memory(sample: Sample) -> float | None:
    """Return the share of the memory that is taken, 0 to 1."""
    return sample.memory_used / sample.memory_total if sample.memory_total else None


def gpu(sample: Sample) -> float | None:
    """Return the mean utilisation of the cards, 0 to 1; None where there is none that says."""
    known: Sequence[float] = [card.utilization for card in sample.gpus if card.utilization is not None]
    return sum(known) / len(known) if known else None
