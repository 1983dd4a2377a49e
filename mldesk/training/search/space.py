"""The search space: what the catalogue's parameters may become, as Optuna asks for it.

TPE (Bergstra, Bardenet, Bengio and Kegl, NeurIPS 2011) over the estimator and its parameters, multivariate, told of
every trial there was, those of the portfolio too.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import optuna

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.parameters import Parameter
from mldesk.training.search.pipeline import NOTHING, Offer
from mldesk.training.search.portfolio import Configuration

USUAL = "usual"   # the value of a part of a pipeline where nothing is chosen
_WIDE = 20.0   # a range whose ends differ by more than this factor is searched on a log scale


class Space:
    """Proposes configurations, the better the more outcomes it was told."""

    def __init__(self, estimators: Sequence[str], seed: int, offered: Offer = NOTHING) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._estimators = [name for name in estimators if _searched(name) or offered.of(name)]
        self._offered = offered
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # two settings of the sampler
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=8)
        self._study = optuna.create_study(sampler=sampler)
        self._asked: dict[int, optuna.trial.Trial] = {}

    @property
    def empty(self) -> bool:
        """There is nothing to vary."""
        return not self._estimators

    def propose(self, number: int) -> Configuration:
        """Return what trial ``number`` should try."""
        trial = self._study.ask()
        self._asked[number] = trial
        name = str(trial.suggest_categorical("estimator", self._estimators))
        parameters = {item.name: _suggest(trial, f"{name}.{item.name}", item) for item in _searched(name)}
        chosen = {part: trial.suggest_categorical(f"{name} {part}", [USUAL, *values])
                  for part, values in self._offered.of(name).items()}
        return Configuration(name, parameters, "tpe", {part: value for part, value in chosen.items() if value != USUAL})

    def tell(self, number: int, configuration: Configuration, loss: float | None,
             curve: Sequence[tuple[int, float]] = ()) -> None:
        """Hear how a trial went: its loss (of its first folds alone if it was weak), or None for one that failed, or
        was ended on the way, which then has a ``curve``.
        """
        trial = self._asked.pop(number, None)
        if trial is not None:
            if curve and loss is None:
                trial.report(curve[-1][1], int(curve[-1][0]))
                self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            elif loss is None:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial, loss)
        elif loss is not None and configuration.estimator in self._estimators:
            self._study.add_trial(_as_trial(configuration, loss, self._estimators, self._offered))


def _searched(name: str) -> list[Parameter]:
    return [item for item in ESTIMATORS[name].parameters if item.search]


def _suggest(trial: optuna.trial.Trial, key: str, item: Parameter) -> Any:
    if item.kind == "choice":
        return trial.suggest_categorical(key, list(item.search))
    low, high = item.search
    log = low > 0 and high / low > _WIDE
    if item.kind == "integer":
        return trial.suggest_int(key, int(low), int(high), log=log)
    return trial.suggest_float(key, float(low), float(high), log=log)


def _as_trial(configuration: Configuration, loss: float, estimators: Sequence[str], offered: Offer) -> Any:
    """Return a finished trial that was not asked for, as far as its values lie within the space."""
    values: dict[str, Any] = {"estimator": configuration.estimator}
    spaces: dict[str, Any] = {"estimator": optuna.distributions.CategoricalDistribution(list(estimators))}
    for key, value, space in _within(configuration.estimator, configuration.parameters):
        values[key], spaces[key] = value, space
    for part, possible in offered.of(configuration.estimator).items():
        value = configuration.pipeline.get(part, USUAL)
        if value in (USUAL, *possible):
            key = f"{configuration.estimator} {part}"
            values[key], spaces[key] = value, optuna.distributions.CategoricalDistribution([USUAL, *possible])
    return optuna.trial.create_trial(params=values, distributions=spaces, value=loss)


def _within(name: str, given: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    for item in _searched(name):
        value = given.get(item.name, item.default)
        if item.kind == "choice":
            yield f"{name}.{item.name}", value, optuna.distributions.CategoricalDistribution(list(item.search))
            continue
        low, high = item.search
        if value is None or not low <= value <= high:
            continue
        log = low > 0 and high / low > _WIDE
        whole = item.kind == "integer"
        yield f"{name}.{item.name}", value, (
            optuna.distributions.IntDistribution(int(low), int(high), log=log) if whole else
            optuna.distributions.FloatDistribution(low, high, log=log))
