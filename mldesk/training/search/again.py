"""What a script that repeats a search's blend does, from the table's file to the scores, without the application.

As ``training.again``, nothing here runs in the application but its tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.core.cores import usable_cores
from mldesk.training.again import Unwatched, read_table, truth
from mldesk.training.bent import Bent
from mldesk.training.estimators.base import Estimator, FitContext, Part
from mldesk.training.features import EncodedColumn, FeatureEncoder
from mldesk.training.fitting import fit
from mldesk.training.means import Means, fit_transform
from mldesk.training.metrics import score
from mldesk.training.search.plain_folds import plain_folds
from mldesk.training.search.variants import other_block
from mldesk.training.target import Label
from mldesk.training.values import Array, ColumnData, take, text_of
from mldesk.wire.schema import Column, ColumnType

Rows = Mapping[str, ColumnData]


def repeat_blend(path: str, settings: Mapping[str, Any], membership: Array,
                 estimators: Mapping[str, Estimator]) -> dict[str, float]:
    """Fit every model of the blend as the search did and return the blend's scores on the test rows.

    ``settings``: as for ``again.repeat``, with ``members`` [{"estimator", "parameters", "pipeline", "weight"}],
    ``folds`` (1: the validation rows judge), ``median`` (of a bent target), and the columns that are ``ranked`` and
    ``meant`` where a pipeline asks for it. ``estimators``: by name.
    """
    schema = [Column(name, ColumnType(kind)) for name, kind in settings["columns"]]
    target = Column(settings["target"][0], ColumnType(settings["target"][1]))
    columns = read_table(path, [*schema, target], len(membership))
    classes: Sequence[Label] = settings["classes"]
    y = truth(columns.pop(target.name), classes)
    kept, test = np.flatnonzero(membership <= 1), membership == 2
    given, tested = take(columns, kept), take(columns, test)
    folds = plain_folds(y[kept], len(classes), settings["folds"], settings["seed"]) if settings["folds"] > 1 else [
        (np.flatnonzero(membership[kept] == 0), np.flatnonzero(membership[kept] == 1))]
    whole: Any = 0.0
    for number, member in enumerate(settings["members"], start=1):
        print(f"Model {number} of {len(settings['members'])}: {member['estimator']}")  # noqa: T201 - a script says it
        estimator = estimators[member["estimator"]]
        base = FeatureEncoder.fit(given, schema, estimator.style, chosen=settings["chosen"])
        encoder = FeatureEncoder(estimator.style, [
            EncodedColumn(column.name, column.type, other_block(
                column.block, given[column.name], member["pipeline"], ranked=column.name in settings["ranked"]))
            for column in base.columns], {})
        one = _Member(settings, member, estimator, encoder, encoder.transform(given), encoder.transform(tested))
        for fold, (fit_on, judge_by) in enumerate(folds):
            whole = whole + member["weight"] / len(folds) * one.fold(fold, given, tested, y[kept], fit_on, judge_by)
    quantile = None if classes else settings["members"][0]["parameters"].get("quantile")
    return score(whole, y[test], len(classes), quantile, ordered=settings["ordered"])


class _Member:
    """One trial of the blend: a model per fold. ``x``, ``seen``: the rows to learn from, and the test rows."""

    def __init__(self, settings: Mapping[str, Any], member: Mapping[str, Any], estimator: Estimator,
                 encoder: FeatureEncoder, x: Array, seen: Array) -> None:
        self.settings, self.member, self.estimator, self.encoder = settings, member, estimator, encoder
        self.x, self.seen = x, seen

    def fold(self, fold: int, given: Rows, tested: Rows, y: Array, fit_on: Array, judge_by: Array) -> Array:
        """Return what the model of one fold says of the test rows."""
        settings, pipeline, seed = self.settings, self.member["pipeline"], self.settings["seed"] + fold
        classes = len(settings["classes"])
        parts = [self.x[fit_on], self.x[judge_by], self.seen]
        for name in settings["meant"] if pipeline.get("categories") == "means" else ():
            text = text_of(given[name])
            learned, told = fit_transform(text.take(fit_on), y[fit_on], classes, seed)
            more = [told, *(_means(learned, rows) for rows in (text.take(judge_by), tested[name]))]
            parts = [np.hstack(pair) for pair in zip(parts, more, strict=True)]
        bent = Bent.of(pipeline["target"], y[fit_on]) if "target" in pipeline else None
        fit_to, judged_by = (y[rows] if bent is None else bent.bend(y[rows]) for rows in (fit_on, judge_by))
        quiet: Any = Unwatched()
        fitted = fit(self.estimator, FitContext(
            classes=classes, parameters=self.member["parameters"], train=Part(parts[0], fit_to),
            validation=Part(parts[1], judged_by), report=quiet, control=quiet, checkpoints=quiet,
            categorical=tuple(self.encoder.categorical), seed=seed, threads=usable_cores(), device=settings["device"],
            most_nodes=settings["most_nodes"] or math.inf))
        said = self.estimator.predict(fitted.native, parts[2], classes)
        if bent is None:
            return said
        if not settings["median"]:
            bent = bent.corrected(np.asarray(fitted.validation, np.float64), y[judge_by])
        return bent.back(said)


def _means(learned: Means, rows: ColumnData) -> Array:
    return learned.transform(rows, None)
