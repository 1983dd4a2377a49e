"""Whether a fit that is under way is worth its end: its validation loss so far beside that of fits before it.

The rule is Optuna's percentile pruner, the median stopping rule (Golovin et al.: Google Vizier, KDD 2017, 3.2.2) with
a quarter in place of the half: small trees and small steps start slowly and end well. Fits are compared where they have
come equally far, which for boosting is rounds times the learning rate: a small step's hundredth round is no place to
judge it by.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search.portfolio import Configuration

Curve = Sequence[tuple[float, float]]   # (how far, validation loss)

RIVALS = 4             # curves there must be to be compared with
_WORST = 75.0          # of a hundred fits those that go on
_GROWTH = 1.3          # from one place where fits are compared to the next
_BEGIN = 0.1           # rounds times learning rate, of the first place
_WARM = 3.0            # ... before which nobody is judged
_WARM_EPOCHS = 4.0     # the same of networks, in epochs
_LAST = 60             # places


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
        first = min(curve[0][0] for curve in rivals)
        self._rate, self._begin = rate, _BEGIN if boosting else first
        self._warm = _WARM if boosting else _WARM_EPOCHS * first
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.PercentilePruner(
                _WORST, n_startup_trials=0, n_warmup_steps=self._place(self._warm) + 1, n_min_trials=RIVALS)
            study = optuna.create_study(pruner=pruner)
        for curve in rivals:
            study.add_trial(optuna.trial.create_trial(
                value=min(loss for _, loss in curve), intermediate_values=self._places(curve)))
        self._trial = study.ask()
        self._best, self._at = math.inf, -1

    def hopeless(self, step: int, loss: float) -> bool:
        """Hear of a reading; say whether a quarter of the fits before had a worse one where this one is."""
        self._best = min(self._best, loss)
        place = self._place(step * self._rate)
        if place <= self._at:
            return False
        self._at = place
        self._trial.report(self._best, place)
        return self._trial.should_prune()

    def _places(self, curve: Curve) -> dict[int, float]:
        """Return the best loss up to the first reading of every place, also of those after the curve's end."""
        found: dict[int, float] = {}
        best = math.inf
        for far, loss in curve:
            best = min(best, loss)
            found.setdefault(self._place(far), best)
        held = math.inf
        for place in range(min(found), _LAST):
            held = found[place] = min(held, found.get(place, held if place <= max(found) else best))
        return found

    def _place(self, far: float) -> int:
        return max(0, min(_LAST - 1, int(math.log(max(far / self._begin, 1.0), _GROWTH))))
