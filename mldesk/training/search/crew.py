"""Who makes the trials: this process, one after another (``Alone``), or several processes (``workers.Workers``)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mldesk.core.durable import disk_errors
from mldesk.core.errors import DiskFull
from mldesk.training.job import Workplace
from mldesk.training.search.measures import Aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.quiet import Quiet
from mldesk.training.search.records import Records
from mldesk.training.search.rows import Rows
from mldesk.training.search.sharing import Sharing
from mldesk.training.search.trial import Bounds, Fits, LimitedControl, Outcome, Pruned, TimeUp, Weak, run_trial
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.failures import explain
from mldesk.wire.report import Report


@dataclass(frozen=True, slots=True)
class Done:
    """How a trial ended. ``outcome`` is None for "weak", "pruned", "late" (its time was up) and "failed"."""

    number: int
    configuration: Configuration
    state: str
    outcome: Outcome | None = None
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)   # see ``Task.run``


class Crew(Protocol):
    """Makes trials. ``free`` says whether another may be begun now."""

    @property
    def free(self) -> bool: ...

    @property
    def busy(self) -> bool: ...

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        """Begin a trial; raises MemoryError, DiskFull, Terminated where that ends the search."""
        ...

    def ended(self, wait: float) -> list[Done]:
        """Return the trials that have ended since, waiting up to ``wait`` seconds for the first."""
        ...

    def share(self) -> None:
        """Let whoever has nothing to do help with what is under way; nothing else is to be begun now."""
        ...

    def has_models(self, number: int) -> bool:
        """Say whether the models of a trial can be had without fitting them again."""
        ...

    def fetch(self, numbers: Iterable[int]) -> None:
        """Begin to bring what ``models`` will be asked for."""
        ...

    def write_models(self, outcome: Outcome) -> None:
        """Write the models of a trial beside it, for whoever is to have both."""
        ...

    def models(self, outcome: Outcome) -> Sequence[Any]:
        """Return the models of a trial that has none with it, one per fold; () where they cannot be had."""
        ...

    def drop(self, number: int) -> None:
        """Let go of the models of a trial that will not be blended."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Task:
    """What every trial of a search shares."""

    rows: Rows
    aim: Aim
    seed: int
    threads: int
    device: str
    nodes: float = math.inf   # of trees, that there will be time to write of each model

    def run(self, number: int, configuration: Configuration, bounds: Bounds, control: Control, report: Report,
            sharing: Sharing | None = None) -> Done:
        """Make a trial. ``sharing``: as ``run_trial`` has it. Raises MemoryError, DiskFull, Terminated."""
        began = time.monotonic()
        try:
            outcome = run_trial(number, configuration, self.rows, self.aim, report, control, seed=self.seed,
                                threads=self.threads, device=self.device, bounds=bounds, nodes=self.nodes,
                                sharing=sharing)
            return Done(number, configuration, "complete", outcome, outcome.seconds)
        except (DiskFull, MemoryError):
            raise
        except Weak as weak:
            state, facts = "weak", dict[str, Any](loss=weak.loss, folds=weak.folds, curve=weak.curve)
        except Pruned as pruned:
            state, facts = "pruned", dict[str, Any](curve=pruned.curve)
        except TimeUp:
            state, facts = "late", {}
        except Exception as error:  # noqa: BLE001 - one configuration that does not work is no reason to end the search
            state, facts = "failed", {"message": str(explain(error)["message"])}
        return Done(number, configuration, state, None, time.monotonic() - began, facts)

    def fit_wave(self, wave: int, configuration: Configuration, control: Control, report: Report,
                 until: float) -> tuple[list[Array], list[int], dict[int, Any]]:
        """Fit a wave of a trial (as ``Fits.make``) that is made elsewhere; return predictions, where the fits were
        cut, and models by place.

        Raises what the estimator raises.
        """
        fits = Fits(configuration, self.rows, self.aim, seed=self.seed, threads=self.threads, device=self.device,
                    nodes=self.nodes)
        made = fits.make(wave, Quiet(report), control, until)
        first = len(self.rows.folds) - self.rows.models    # fold whose model counts
        return [prediction for prediction, _, _ in made], [facts["cut"] for _, _, facts in made], {
            fold - first: native for fold, (_, native, _) in zip(fits.waves[wave], made, strict=True) if fold >= first}


def unspoilt(done: Done, *, asked: bool) -> Done:
    """Return how a trial ended; as "late" where somebody ``asked`` to finish in the midst of it, there being others.

    Some of its folds were then cut after little, and its score would say nothing of its configuration.
    """
    if not asked or done.outcome is None or not any(done.outcome.cuts):
        return done
    return Done(done.number, done.configuration, "late", None, done.seconds)


class Alone:
    """One trial after another, here."""

    def __init__(self, task: Task, work: Workplace, records: Records) -> None:
        self._task, self._work, self._records = task, work, records
        self._done: list[Done] = []

    free, busy = True, False

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        done = unspoilt(self._task.run(number, configuration, bounds, LimitedControl(self._work.control, deadline),
                                       self._work.report), asked=self._work.control.finish and not bounds.needed)
        if done.outcome is not None:
            self._records.keep(done.outcome)
        self._done.append(done)

    def ended(self, wait: float) -> list[Done]:  # noqa: ARG002 - what has begun has ended
        done, self._done = self._done, []
        return done

    def share(self) -> None:
        """Nobody else is there."""

    def has_models(self, number: int) -> bool:
        return self._records.has_models(number, self._task.rows.models)

    def fetch(self, numbers: Iterable[int]) -> None:
        """All are here."""

    def write_models(self, outcome: Outcome) -> None:
        with disk_errors("keeping a trial"):
            self._records.keep_models(outcome.number, outcome.configuration.estimator,
                                      dict(enumerate(outcome.natives)))

    def models(self, outcome: Outcome) -> Sequence[Any]:
        return self._records.models(outcome, self._task.rows.models)

    def drop(self, number: int) -> None:
        self._records.drop_models(number)

    def close(self) -> None:
        """Nothing is left to end."""
