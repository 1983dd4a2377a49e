"""What speaks against a score: few test rows, or rows far worse than those that the model was chosen by; and of one too
good to be true, a column that says the target by itself, or test rows learned by heart.

These last two are looked for where the test rows say nearly everything is right, so that ordinary runs pay nothing
for it. `data guard` looks at more, and before a run; this asks whoever did not.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import numpy as np

from mldesk.training.blend import KIND
from mldesk.training.job import Model, Scores, Table, Workplace
from mldesk.training.joined import Encoder
from mldesk.training.metric_words import SMALL_TEST, title, within
from mldesk.training.split import TEST, TRAIN
from mldesk.training.table import read_columns
from mldesk.training.values import Array, ColumnData, TextColumn, take
from mldesk.wire.jobs import TrainRequest

_TOO_GOOD = {"roc_auc": 0.97, "r2": 0.97}   # test scores from which on it is looked
_ALONE = {True: 0.98, False: 0.95}          # of classes, of numbers: a column that reaches it by itself is asked about
_WORSE = 1.25                               # times the error of the rows that chose, from which on it is asked
_COPIES = 0.05                              # share of test rows
_LOOKED = 4                                 # columns, the most important first
_MOST_ROWS = 20_000                         # to learn one column from, and to judge it by
_MOST_CELLS = 100_000_000                   # of a table that is read a second time
_LEAVES, _FEWEST = 50, 5                    # of a tree of one column, and rows of a leaf
_ODD = np.uint64(0x9E3779B97F4A7C15)        # 2 to the 64th over the golden ratio: spreads a cell over all bits


def doubts(request: TrainRequest, model: Model, table: Table, scores: Scores, work: Workplace) -> list[str]:
    """Warn of what speaks against the scores, note it in the evaluation, and return the warnings; [] for none."""
    told = [*_few(table), *_far_worse(model, table, scores),
            *_too_good(request, model.encoder, table, scores, work)]
    for text, hint in told:
        work.report.event("warning", text=text, hint=hint, in_result=True)
    found = [f"{text} {hint}".rstrip() for text, hint in told]
    if found:
        scores.payload["doubts"] = found
    return found


def _few(table: Table) -> list[tuple[str, str]]:
    test = int((table.membership == TEST).sum())
    return [(f"The scores come from only {test:,} test row{'' if test == 1 else 's'} and may be far off by luck alone.",
             "")] if test < SMALL_TEST else []


def _far_worse(model: Model, table: Table, scores: Scores) -> list[tuple[str, str]]:
    """Return what to say where the test rows' errors are far larger than those that the model was chosen by, and not
    by the luck of either rows; [] else.
    """
    from mldesk.training.intervals import intervals  # loads scikit-learn, which the networks do without until here

    name = "log_loss" if table.target.classes else "root_mean_squared_error"
    test, judged = scores.metrics.get(name), scores.validation_metrics.get(name)
    if test is None or judged is None or test <= _WORSE * judged or len(model.judged.y) < SMALL_TEST:
        return []
    before = intervals(model.validation, model.judged.y, len(table.target.classes)).get(name)
    now = scores.payload["parts"]["test"]["intervals"].get(name)
    if before is None or now is None or now[0] <= before[1]:
        return []
    text = (f"The {within(title(name))} of the test rows is {test:.4g}, far worse than the {judged:.4g} of the rows "
            "that it was judged by in training: they are unlike one another, as where data change over time.")
    compare = "" if model.estimator != KIND else ", and compare with a plain training (`mldesk train`)"
    return [(text, f"Expect the test rows' score of rows to come{compare}, and train anew as newer rows come in.")]


def _too_good(request: TrainRequest, encoder: Encoder, table: Table, scores: Scores, work: Workplace) -> list[
        tuple[str, str]]:
    """Return what speaks against a very good score, with what shows it; [] for an ordinary one."""
    if not any(scores.metrics.get(name, 0.0) >= least for name, least in _TOO_GOOD.items()) or \
            len(table.candidates) * len(table.membership) > _MOST_CELLS:
        return []
    work.report.stage("Asking whether that is too good")
    data = read_columns(work.store, request.dataset, table.candidates)
    dataset = shlex.quote(request.dataset_name.rpartition("@")[0] or request.dataset_name)
    shown = f"`mldesk data guard {dataset} --target {shlex.quote(request.target)}` shows the rows."
    metric = title("roc_auc" if table.target.classes else "r2")
    found = [f"{name[:60]} alone gives {score:.3f} of {metric}: is it known beforehand?"
             for name, score in telling(encoder, data, table, scores).items()]
    copies, test = copied(data, table), int((table.membership == TEST).sum())
    if copies >= max(2, _COPIES * test):
        found.append(f"{copies:,} of {test:,} test rows are copies of training rows, target and all: did the model "
                     "learn them by heart?")
    return [(text, shown) for text in found]


def telling(encoder: Encoder, data: Mapping[str, ColumnData], table: Table, scores: Scores) -> dict[str, float]:
    """Return the score on test rows of a small tree of each important column alone, where that is nearly perfect."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    classes = len(table.target.classes)
    learned, judged = (_some(np.flatnonzero(table.membership == part)) for part in (TRAIN, TEST))
    x, y = encoder.transform(take({item.name: data[item.name] for item in encoder.columns}, learned)), table.target.y
    place = {item.name: index for index, item in enumerate(encoder.columns)}
    test = scores.x[np.searchsorted(np.flatnonzero(table.membership == TEST), judged)]
    found = {}
    for item in scores.payload["importance"][:_LOOKED]:
        outputs = encoder.outputs(place[item["feature"]])
        if not x[:, outputs].shape[1]:   # what a step made of it goes by another column's name
            continue
        tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(
            max_leaf_nodes=_LEAVES, min_samples_leaf=_FEWEST, random_state=0).fit(x[:, outputs], y[learned])
        score = _area(tree, test[:, outputs], y[judged]) if classes else float(tree.score(test[:, outputs], y[judged]))
        if score >= _ALONE[classes > 0]:
            found[item["feature"]] = score
    return found


def copied(data: Mapping[str, ColumnData], table: Table) -> int:
    """Return how many test rows are the same as a training row in every column that might be learned from, and in
    the target.
    """
    whole = _bits(table.target.y)
    with np.errstate(over="ignore"):
        for values in data.values():
            whole = (whole ^ (whole >> np.uint64(29))) * _ODD + _bits(values)
        whole = (whole ^ (whole >> np.uint64(32))) * _ODD
    return int(np.isin(whole[table.membership == TEST], whole[table.membership == TRAIN]).sum())


def _area(tree: object, x: Array, y: Array) -> float:
    """Return the mean over the classes of the area under the ROC curve, as the scores of a run have it."""
    from mldesk.training.metrics import areas  # loads scikit-learn, which the networks do without until here

    chances = tree.predict_proba(x)  # type: ignore[attr-defined]
    found = [areas(y == code, chances[:, place])[0] for place, code in enumerate(
        tree.classes_) if 0 < (y == code).sum() < len(y)]  # type: ignore[attr-defined]
    return float(np.mean(found)) if found else 0.0


def _bits(values: ColumnData) -> Array:
    """Return a number for each cell, (N,) uint64; the missing ones are alike."""
    if isinstance(values, TextColumn):
        return values.codes.astype(np.int64).view(np.uint64)
    if values.dtype.kind == "f":
        tidy = np.where(np.isnan(values), np.nan, values + 0.0).astype(np.float64)  # one NaN, and no minus nought
        return tidy.view(np.uint64)
    return np.ascontiguousarray(values).astype(np.int64).view(np.uint64)


def _some(rows: Array) -> Array:
    """Return at most so many of the rows, evenly."""
    if len(rows) <= _MOST_ROWS:
        return rows
    some: Array = rows[np.linspace(0, len(rows) - 1, _MOST_ROWS).round().astype(int)]
    return some
