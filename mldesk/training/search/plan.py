"""What a search tries next, what it has tried, and when it has tried enough. No I/O: what has come of it is told."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.catalogue import ESTIMATORS, ORDINAL, default_estimator
from mldesk.training.search.ensemble import FEW, OF_A_KIND
from mldesk.training.search.measures import Aim
from mldesk.training.search.pace import Curve, along, kind_of
from mldesk.training.search.pipeline import NOTHING
from mldesk.training.search.portfolio import PATIENT, Configuration, has_time, may_use, otherwise, portfolio
from mldesk.training.search.rows import Rows
from mldesk.training.search.space import Space
from mldesk.training.search.trial import Bounds, Outcome, best_of_kinds
from mldesk.wire.jobs import SearchRequest

KEPT = 12              # trials whose models are held on to: the best, and on few rows the best of every kind
_SLOWER = 1.3          # a trial is not begun if one like it took more of the time that is left, by this factor
_UNTRIED = 0.2         # of the middle trial's time, that a kind of model is taken to need before it was tried
_SHARE = 0.2           # of the search's time that one trial may take
_FIRST_SHARE = 0.35    # ... and the first one, without which there is nothing
_CUT, _EPOCHS = 0.9, 15   # of its share of the time that a network took, and the fewest epochs that are of use
_FAILURES = 25         # in a row, after which something else is wrong
_JUDGED = 6            # trials there must be before another one is called weak
_RIVALS = 30           # curves that a new trial's first fit is compared with, at most


@dataclass(slots=True)
class Trials:
    """The trials so far."""

    done: list[Outcome] = field(default_factory=list)
    failed: int = 0          # in all
    weak: int = 0            # given up after their first folds, or on the way through the first
    in_a_row: int = 0        # that failed
    few: bool = False        # the rows: the blend is then made of the best of every kind

    @property
    def best(self) -> Outcome:
        return min(self.done, key=lambda outcome: outcome.loss)

    @property
    def ranked(self) -> list[Outcome]:
        """Return them from the best to the worst."""
        return sorted(self.done, key=lambda outcome: outcome.loss)

    @property
    def count(self) -> int:
        return len(self.done) + self.failed + self.weak

    def seconds_of(self, configuration: Configuration) -> float:
        """Return how long trials of the same kind took, the longest; of one that was not tried a part of what others
        did, so that none is begun only to be cut at once; 0 while there was none.
        """
        own = max((item.seconds for item in self.done
                   if item.configuration.estimator == configuration.estimator), default=0.0)
        return own or (_UNTRIED * median(item.seconds for item in self.done) if self.done else 0.0)

    def add(self, outcome: Outcome) -> list[int]:
        """Keep it, and the models of the best only; return the numbers of those whose models are not needed."""
        self.in_a_row = 0
        self.done.append(outcome)
        ranked = self.ranked
        held = {item.number for item in ranked[:KEPT] + (best_of_kinds(ranked, OF_A_KIND) if self.few else [])
                + [item for item in ranked if self.few and item.configuration.plain][:1]}
        self.done = [item if item.number in held or not item.natives else replace(item, natives=())
                     for item in self.done]
        return [item.number for item in self.done if item.number not in held]


class Plan:
    """Decides. ``deadline``: of time.monotonic, when trying ends; infinity without a limit of time.

    ``most``: trials in all, ``seconds``: that the trials share; 0 is no limit.
    """

    def __init__(self, request: SearchRequest, task: str, rows: Rows, aim: Aim, deadline: float) -> None:
        self.trials = Trials(few=len(rows.y) <= FEW or rows.forward)
        self.aim, self.deadline = aim, deadline
        self.most, self.goal = request.trials, request.target_score
        self.seconds = request.seconds
        fit_rows, width = len(rows.folds[-1][0]), rows.parts["dense"].x.shape[1]
        work = fit_rows * (1 + width / 20)
        usable = [name for name in ESTIMATORS if may_use(name, task, request.estimators, fit_rows, width, rows.classes)
                  and (request.estimators or has_time(name, work, request.seconds))]
        offered = NOTHING if rows.variants is None else rows.variants.offered
        waiting = portfolio(task, request.estimators, fit_rows, width, request.seconds, rows.classes)
        waiting += [Configuration(name, {}, "portfolio") for name in usable
                    if request.estimators and name not in {item.estimator for item in waiting}]
        waiting += otherwise(waiting, offered)
        if rows.forward and default_estimator(task) in usable and not request.estimators:   # the mark to beat
            plain = Configuration(default_estimator(task), {}, "portfolio")
            waiting = [*waiting[:1], plain, *(item for item in waiting[1:] if _key(item) != _key(plain))]
        if request.train.order and not request.estimators:
            usable.append(ORDINAL)
            waiting.insert(1, Configuration(ORDINAL, {}, "portfolio"))
        if request.configurations:
            usable = []
            waiting = [Configuration(str(item["estimator"]), item["parameters"], "portfolio", item.get("pipeline", {}))
                       for item in request.configurations
                       if str(item["estimator"]) in ESTIMATORS and task in ESTIMATORS[str(item["estimator"])].tasks]
        self._always = {} if aim.quantile is None else {"quantile": aim.quantile}
        if self._always:
            usable = [name for name in usable if _predicts_quantiles(name)]
            waiting = [self._asked(item) for item in waiting if _predicts_quantiles(item.estimator)]
        if not waiting:
            raise BadInput("None of the models that were asked for can do this task.",
                           hint="Leave the choice to the search.")
        index, count = request.share
        self._waiting = waiting[index::count]
        self._space = Space(usable, request.train.seed + 1000 * index, offered)
        self._running: dict[int, Configuration] = {}
        self._tried: dict[str, float] = {}    # loss by configuration
        one = request.configurations[0] if len(request.configurations) == 1 else {}
        self._number = max(0, int(one.get("trial") or 0) - 1)   # a trial that is kept keeps its number

    def recall(self, outcomes: Sequence[Outcome]) -> None:
        """Take up trials that were made before."""
        for outcome in outcomes:
            self._number = max(self._number, outcome.number)
            self.add(outcome)

    @property
    def next_number(self) -> int:
        return self._number + 1

    def take_numbers(self, count: int) -> None:
        """Leave the next numbers to trials that come from elsewhere."""
        self._number += count

    def add(self, outcome: Outcome) -> list[int]:
        """Hear of a trial that was made; return the numbers of those whose models are not needed any more."""
        self._running.pop(outcome.number, None)
        given = outcome.configuration
        self._waiting = [item for item in self._waiting if _key(item) != _key(given)]
        self._space.tell(outcome.number, given, outcome.loss)
        self._tried[_key(given)] = outcome.loss
        return self.trials.add(outcome)

    def give_up(self, number: int, configuration: Configuration, loss: float | None = None, *,
                failed: bool = False, curve: Sequence[tuple[int, float]] = ()) -> None:
        """Hear of a trial that came to nothing: weak with a ``loss``, pruned with a ``curve`` alone, failed, or
        without the time it needs.
        """
        self._running.pop(number, None)
        self._number = max(self._number, number)
        self._space.tell(number, configuration, loss, curve)
        if loss is not None or curve:
            self._tried[_key(configuration)] = math.inf if loss is None else loss
        self._waiting = [item for item in self._waiting if _key(item) != _key(configuration)]
        self.trials.failed += failed
        self.trials.in_a_row += failed
        self.trials.weak += loss is not None or bool(curve)

    def over(self, *, finish: bool, terminate: bool = False) -> bool:
        """Say whether nothing more is begun. A search ends with something, so the first trials may be late."""
        trials = self.trials
        if self.enough:
            return True
        if not trials.done and not terminate and not self._running:
            return False
        if finish or time.monotonic() >= self.deadline:
            return True
        return bool(self.most) and trials.count + len(self._running) >= self.most

    @property
    def enough(self) -> bool:
        """Say whether more time or trials would change nothing: the score is reached, or there is nothing to try."""
        trials = self.trials
        if trials.in_a_row >= _FAILURES or (not self._waiting and self._space.empty):
            return True
        return self.goal is not None and bool(trials.done) and trials.best.loss <= (
            -self.goal if self.aim.larger else self.goal)

    def following(self) -> tuple[int, Configuration] | None:
        """Return a configuration that there is time for, with its number; None where there is none now."""
        left = self.deadline - time.monotonic()
        for _ in range(len(self._waiting) + 20):   # the sampler may go on proposing what is too slow
            if not self._waiting and self._space.empty:
                return None
            self._number += 1
            chosen = self._waiting.pop(0) if self._waiting else self._asked(
                self._space.propose(self._number))
            if (loss := self._tried.get(_key(chosen))) is not None:   # of so small a space that it comes again
                self._space.tell(self._number, chosen, loss)
                self._number -= 1
                continue
            if self.trials.done and (self.trials.seconds_of(chosen) > _SLOWER * left or self._in_vain(chosen)):
                self._space.tell(self._number, chosen, None)
                self._number -= 1
                continue
            self._running[self._number] = chosen
            return self._number, chosen
        return None

    def _asked(self, chosen: Configuration) -> Configuration:
        """Return it with what every trial is asked for."""
        return replace(chosen, parameters={**chosen.parameters, **self._always})

    def _in_vain(self, chosen: Configuration) -> bool:
        """Say whether a slow network would get nowhere, since the plain one was cut after few epochs."""
        shown = [item for item in self.trials.done if item.configuration.estimator == "mlp"]
        return bool(chosen.estimator in PATIENT and self.seconds and shown) and (
            shown[0].seconds > _CUT * _SHARE * self.seconds and len(shown[0].curve) < _EPOCHS)

    def bounds(self, configuration: Configuration) -> Bounds:
        """Return what a trial that begins now may take."""
        first = not self.trials.done
        left = self.deadline - time.monotonic()
        share = (_FIRST_SHARE if first else _SHARE) * self.seconds if self.seconds else math.inf
        searched = configuration.origin == "tpe"
        return Bounds(max(1.0, min(share, left)), first, self._thresholds() if searched else (),
                      self._rivals(configuration) if searched else ())

    def _rivals(self, configuration: Configuration) -> Sequence[Curve]:
        """Return the curves of trials whose first fits can be compared with that of a new one."""
        kind = kind_of(configuration)
        return [along(item.configuration, item.curve) for item in self.trials.done
                if kind and item.curve and kind_of(item.configuration) == kind][-_RIVALS:]

    def _thresholds(self) -> Sequence[float]:
        """Return the median over the finished trials of the mean loss of their first 1, 2, ... folds."""
        known = [item.fold_losses for item in self.trials.done if item.fold_losses]
        if len(known) < _JUDGED or len(known[0]) < 2:
            return ()
        means = np.cumsum(np.array(known), axis=1) / np.arange(1, len(known[0]) + 1)
        middle: list[float] = np.median(means, axis=0).tolist()
        return middle[:-1]


def _predicts_quantiles(name: str) -> bool:
    return any(item.name == "quantile" for item in ESTIMATORS[name].parameters)


def _key(given: Configuration) -> str:
    """Return a configuration as text, with the defaults that it leaves out."""
    whole = {item.name: item.default for item in ESTIMATORS[given.estimator].parameters} | dict(given.parameters)
    return f"{given.estimator} {json.dumps(whole, sort_keys=True)} {json.dumps(dict(given.pipeline), sort_keys=True)}"
