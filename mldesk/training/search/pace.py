"""Whether a fit that is under way is worth its end: what it may still come to, beside what fits before it came to.

The rule is the median pruner of Optuna (the median stopping rule; Golovin et al.: Google Vizier, KDD 2017), told not
of the loss so far but of the least that the fit may still reach. Comparing losses at the same place would end small
trees and small steps, which start slowly and end well: of 24 such fits it ended 14, three of them among the best. What
may still come is what came over the last doubling, going on to shrink as it did from the doubling before (the power
law that learning curves follow; Domhan, Springenberg and Hutter, IJCAI 2015, fit such laws).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search.portfolio import Configuration

Curve = Sequence[tuple[float, float]]   # (how far, validation loss)

RIVALS = 4             # fits there must be to be compared with
_GROWTH = 1.3          # how much farther a fit must have come before it is looked at again
_WARM = 1.0            # rounds times learning rate before which nobody is judged
_WARM_EPOCHS = 6.0     # the same of networks, in epochs
_SHRINKS = 0.8         # at most, from one doubling to the next: what may still come is four times the last gain


def kind_of(configuration: Configuration) -> str:
    """Return what fits have in common whose losses can be compared; "" for one that is not iterative."""
    known = {item.name for item in ESTIMATORS[configuration.estimator].parameters}
    if not known & {"rounds", "epochs"}:
        return ""
    parts = {part: configuration.pipeline[part] for part in ("target", "balance") if part in configuration.pipeline}
    return f"{configuration.estimator} {parts}"


def rate_of(configuration: Configuration) -> float:
    """Return how far one step brings a fit: the learning rate for boosting, one for a network."""
    entry = ESTIMATORS[configuration.estimator]
    if "rounds" not in {item.name for item in entry.parameters}:
        return 1.0
    given: Any = configuration.parameters.get("learning_rate", entry.default_of("learning_rate"))
    return float(given)


def along(configuration: Configuration, curve: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """Return a trial's curve by how far it had come."""
    return [(step * rate_of(configuration), loss) for step, loss in curve]


class Pace:
    """Watches one fit. ``rivals``: the curves of fits before it; ``rate``: how far a step of this one goes."""

    def __init__(self, rivals: Sequence[Curve], rate: float, *, boosting: bool) -> None:
        import optuna  # slow; only a search that has come so far waits for it

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._rate = rate
        self._next = _WARM if boosting else _WARM_EPOCHS * min(curve[0][0] for curve in rivals)
        self._study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=0, n_min_trials=RIVALS))
        for curve in rivals:
            end = min(loss for _, loss in curve)
            self._study.add_trial(optuna.trial.create_trial(value=end, intermediate_values={0: end}))
        self._seen: list[tuple[float, float]] = []     # how far, and the least loss by then

    def hopeless(self, step: int, loss: float) -> bool:
        """Hear of a reading; say whether half of the fits before ended better than this one may."""
        far, best = step * self._rate, min(loss, self._seen[-1][1] if self._seen else math.inf)
        self._seen.append((far, best))
        may_come_to = self._may_come_to()
        if far < self._next or may_come_to is None:
            return False
        self._next = far * _GROWTH
        trial = self._study.ask()     # anew each time: a pruner goes by the best that was ever reported
        trial.report(may_come_to, 0)
        return trial.should_prune()

    def _may_come_to(self) -> float | None:
        """Return the least loss that may still be reached; None while a doubling gains as much as the one before."""
        far, now = self._seen[-1]
        half, fourth = self._by(far / 2), self._by(far / 4)
        last, before = half - now, fourth - half
        if last >= before > 0:
            return None
        shrinks = min(_SHRINKS, last / before) if before > 0 else _SHRINKS
        return now - last * shrinks / (1 - shrinks)

    def _by(self, far: float) -> float:
        """Return the least loss by then."""
        return next((best for place, best in reversed(self._seen) if place <= far), self._seen[0][1])
