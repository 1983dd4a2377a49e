"""What a script that repeats a search's blend does, from the table's file to the scores, without the application.

As ``training.again``, nothing here runs in the application but its tests.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from mldesk.training.again import Unwatched, read_table, truth
from mldesk.training.bent import Bent
from mldesk.training.blend import second_inputs
from mldesk.training.blocks import Style
from mldesk.training.estimators.base import Estimator, FitContext, Part
from mldesk.training.features import EncodedColumn, FeatureEncoder
from mldesk.training.fitting import fit
from mldesk.training.means import Means, fit_transform
from mldesk.training.metrics import score
from mldesk.training.preparing_target import Truth
from mldesk.training.resources import usable_threads
from mldesk.training.search.rows import NOBODY
from mldesk.training.search.second_fit import fit_second
from mldesk.training.search.variants import other_block
from mldesk.training.target import Label
from mldesk.training.topics import AS_USUAL
from mldesk.training.values import Array, ColumnData, take, text_of
from mldesk.wire.schema import Column, ColumnType

Rows = Mapping[str, ColumnData]


class Given(NamedTuple):
    """The rows of the table, and how they were dealt."""

    schema: Sequence[Column]
    classes: Sequence[Label]
    target: str
    learnt: Rows                             # every row but the test rows
    tested: Rows
    y: Array                                 # of the rows that are learnt from
    truth: Array                             # of the test rows
    folds: Sequence[tuple[Array, Array]]     # (rows to fit on, rows to judge by), places in ``learnt``


def repeat_blend(path: str, settings: Mapping[str, Any], membership: Array, estimators: Mapping[str, Estimator],
                 fit_rows: Callable[..., Any]) -> dict[str, float]:
    """Fit every model of the blend as the search did and return the blend's scores on the test rows.

    ``settings``: as for ``again.repeat``, with ``members`` [{"estimator", "parameters" of the model of each fold,
    "pipeline", "weight", "cuts" (as ``Outcome`` has them); "refit": the parameters of the one model of all rows, and
    "refit_cut" of it}], ``forward`` (each fold is later than
    the one before), ``most_nodes`` (that a forest may have; None: any number), ``median`` (of a bent target), the
    columns that are ``ranked`` and ``meant`` where a pipeline asks for it, and "second", where a model learns from the
    answers of the members. ``membership``: (2, rows) uint8, the part of each row and the fold that judges by it.
    ``estimators``: by name. ``fit_rows``: as for ``again.repeat``.
    """
    given = _given(path, settings, membership)
    members = [_Member(settings, member, estimators[member["estimator"]], given, fit_rows)
               for member in settings["members"]]
    second = settings.get("second")
    judged: list[Array] = []
    answers: list[Array] = []
    for number, member in enumerate(members, start=1):
        print(f"Model {number} of {len(members)}: {member.words}", end="", flush=True)  # noqa: T201 - a script says it
        began = time.monotonic()
        said, answer = member.answer(out_of_fold=second is not None)
        print(f"  {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201
        judged.append(said)
        answers.append(answer)
    whole: Array = sum((member.weight * answer for member, answer in zip(members[1:], answers[1:], strict=True)),
                       start=members[0].weight * answers[0])
    if second is not None:
        whole = _above(settings, given, estimators[second["estimator"]], judged, answers)
    quantile = None if given.classes else settings["members"][0]["parameters"][0].get("quantile")
    return score(whole, given.truth, len(given.classes), quantile, ordered=settings["ordered"])


def _given(path: str, settings: Mapping[str, Any], membership: Array) -> Given:
    schema = [Column(name, ColumnType(kind)) for name, kind in settings["columns"]]
    target = Column(settings["target"][0], ColumnType(settings["target"][1]))
    columns = read_table(path, [*schema, target], membership.shape[1])
    y = truth(columns.pop(target.name), settings["classes"])
    learnt, tested = np.flatnonzero(membership[0] <= 1), membership[0] == 2
    return Given(schema, settings["classes"], target.name, take(columns, learnt), take(columns, tested), y[learnt],
                 y[tested], list(_folds(membership[1, learnt], forward=settings["forward"])))


def _folds(judged_by: Array, *, forward: bool) -> Iterator[tuple[Array, Array]]:
    """Yield (rows to fit on, rows to judge by) of each fold."""
    for fold in range(int(judged_by[judged_by != NOBODY].max()) + 1):
        others = (judged_by == NOBODY) | (judged_by < fold) if forward else judged_by != fold
        yield np.flatnonzero(others), np.flatnonzero(judged_by == fold)


def _above(settings: Mapping[str, Any], given: Given, estimator: Estimator, judged: Sequence[Array],
           answers: Sequence[Array]) -> Array:
    """Fit the second level to what the members said of rows that they had not seen; return what it says of the test
    rows.
    """
    rows = np.concatenate([judge_by for _, judge_by in given.folds])
    y, classes, second, quiet = given.y[rows], len(given.classes), settings["second"], Unwatched()
    shift, scale = (0.0, 1.0) if classes else (float(y.mean()), float(y.std()) or 1.0)
    known, asked = (second_inputs(said, classes, shift, scale) for said in (judged, answers))
    if second["columns"]:
        encoder = _encoder(given, "dense", settings)
        known = np.hstack([known, encoder.transform(given.learnt)[rows]])
        asked = np.hstack([asked, encoder.transform(given.tested)])
    native = fit_second(estimator, second["parameters"], known, y, np.arange(len(y)), classes, seed=settings["seed"],
                        threads=usable_threads(settings["threads"]), report=quiet, control=quiet, checkpoints=quiet)
    return estimator.predict(native, asked, classes)


def _encoder(given: Given, style: Style, settings: Mapping[str, Any]) -> FeatureEncoder:
    """Learn how rows become numbers: of all that are learnt from, or in order of time of those before the last fold."""
    rows = take(given.learnt, given.folds[-1][0]) if settings["forward"] else given.learnt
    return FeatureEncoder.fit(rows, given.schema, style, chosen=settings["chosen"])


class _Encoded(NamedTuple):
    """The rows of one fold as numbers."""

    train: Part
    judged: Array
    seen: Array    # the test rows
    categorical: tuple[tuple[int, int], ...]


class _Member:
    """One trial of the blend: a model per fold, or one of all rows."""

    def __init__(self, settings: Mapping[str, Any], member: Mapping[str, Any], estimator: Estimator, given: Given,
                 fit_rows: Callable[..., Any]) -> None:
        self._settings, self._member, self._estimator, self._given = settings, member, estimator, given
        self._fit_rows, self._pipeline = fit_rows, member["pipeline"]
        self.name, self.weight = member["estimator"], member["weight"]
        self._whole: tuple[FeatureEncoder, Array, Array] | None = None
        threads = usable_threads(settings["threads"])
        # As in the search: trees are fitted on several folds at once.
        self._at_once = min(threads, len(given.folds)) if estimator.style == "trees" else 1
        self._threads = threads

    @property
    def words(self) -> str:
        models = 1 if "refit" in self._member or self._settings["forward"] else len(self._given.folds)
        return f"{self.name}, weight {self.weight:.3g}" + (f", a model for each of {models} folds" * (models > 1))

    def answer(self, *, out_of_fold: bool) -> tuple[Array, Array]:
        """Return what the models say of the rows that they had not seen, if asked for, and of the test rows."""
        parameters, again = self._member["parameters"], self._member.get("refit")
        folds: Sequence[int] = range(len(parameters))
        if not out_of_fold:
            folds = () if again is not None else folds[-1:] if self._settings["forward"] else folds
        if not self._settings.get("prepare"):
            self._encode()
        cuts = [*self._member["cuts"], *[0] * len(parameters)]
        made = []
        for wave in (folds[start:start + self._at_once] for start in range(0, len(folds), self._at_once)):
            threads = max(1, self._threads // len(wave))
            with ThreadPoolExecutor(len(wave)) as pool:
                made += list(pool.map(lambda fold, threads=threads: self._fold(
                    fold, parameters[fold], cuts[fold], threads), wave))
        if again is not None:
            tested = [self._fold(0, again, self._member.get("refit_cut", 0), self._threads)[1]]
        else:
            tested = [said for _, said in (made[-1:] if self._settings["forward"] else made)]
        return (np.concatenate([said for said, _ in made]) if made else np.zeros(0),
                sum(tested[1:], start=tested[0]) / len(tested))

    def _fold(self, fold: int, parameters: Mapping[str, Any], cut: int, threads: int) -> tuple[Array, Array]:
        """Return what the model of one fold says of the rows that it is judged by, and of the test rows."""
        given, settings, pipeline = self._given, self._settings, self._pipeline
        (fit_on, judge_by), classes = given.folds[fold], len(given.classes)
        seed = settings["seed"] + (len(given.folds) - 1 - fold if settings["forward"] else fold)
        rows = self._prepared(fit_on, judge_by) if settings.get("prepare") else self._encoded(fit_on, judge_by)
        train, parts = rows.train, [rows.train.x, rows.judged, rows.seen]
        for name in settings["meant"] if pipeline.get("categories") == "means" else ():
            text = text_of(given.learnt[name])
            learned, told = fit_transform(text.take(fit_on), train.y, classes, seed)
            more = [told, *(_means(learned, each) for each in (text.take(judge_by), given.tested[name]))]
            parts = [np.hstack(pair) for pair in zip(parts, more, strict=True)]
        bent = Bent.of(pipeline["target"], train.y) if "target" in pipeline else None
        fit_to, judged_by = (y if bent is None else bent.bend(y) for y in (train.y, given.y[judge_by]))
        quiet: Any = Unwatched(cut)
        fitted = fit(self._estimator, FitContext(
            classes=classes, parameters=parameters, train=Part(parts[0], fit_to), validation=Part(parts[1], judged_by),
            report=quiet, control=quiet, checkpoints=quiet, categorical=rows.categorical, seed=seed,
            threads=threads, device=settings["device"], most_nodes=settings["most_nodes"] or math.inf))
        judged = np.asarray(fitted.validation, np.float32 if classes else np.float64)
        said = np.asarray(self._estimator.predict(fitted.native, parts[2], classes), np.float64)
        if bent is None:
            return judged, said
        bent = bent if settings["median"] else bent.corrected(judged, given.y[judge_by])
        return bent.back(judged), bent.back(said)

    def _encode(self) -> None:
        """Encode the rows as the pipeline does, which all folds share."""
        given, style = self._given, self._estimator.style
        base = _encoder(given, style, self._settings)
        encoder = FeatureEncoder(style, [
            EncodedColumn(column.name, column.type, other_block(
                column.block, given.learnt[column.name], self._pipeline,
                ranked=column.name in self._settings["ranked"])) for column in base.columns], {})
        self._whole = encoder, encoder.transform(given.learnt), encoder.transform(given.tested)

    def _encoded(self, fit_on: Array, judge_by: Array) -> _Encoded:
        assert self._whole is not None  # noqa: S101 - for mypy: ``answer`` sees to it
        encoder, x, seen = self._whole
        return _Encoded(Part(x[fit_on], self._given.y[fit_on]), x[judge_by], seen, tuple(encoder.categorical))

    def _prepared(self, fit_on: Array, judge_by: Array) -> _Encoded:
        """Prepare and encode the rows as the rows of the fold say that are fitted on."""
        given = self._given
        known = Truth(given.target, given.y[fit_on], given.classes)
        encoder, x, kept = self._fit_rows(take(given.learnt, fit_on), given.schema, self._estimator.style, known,
                                          chosen=self._settings["chosen"], text=AS_USUAL)
        return _Encoded(Part(x, known.y[kept]), encoder.transform(take(given.learnt, judge_by)),
                        encoder.transform(given.tested), tuple(encoder.categorical))


def _means(learned: Means, rows: ColumnData) -> Array:
    return learned.transform(rows, None)
