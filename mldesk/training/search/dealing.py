"""Which rows trials are fitted on and judged by: folds where the time allows for them, else one validation part.

Groups that stay together in the split do so in the folds. What a column or a given split validates by is one part.
Where every test row is later than all that is learnt from, trials are judged on later rows, too: a model that knows
what came afterwards is better at the rows between than it will ever be at those to come (Cerqueira, Torgo and Mozetič:
Evaluating time series forecasting models, Machine Learning 109, 2020).

Pure in the order and the table, so that a search that goes on, and whoever helps it, deals the very same rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from mldesk.training.blocks import Style, Words
from mldesk.training.estimators.base import Part
from mldesk.training.features import FeatureEncoder
from mldesk.training.job import Table
from mldesk.training.prepared import OneEncoder, fit_encoder
from mldesk.training.roles import missing
from mldesk.training.search.budget import affordable, forward_parts
from mldesk.training.search.measures import find_aim
from mldesk.training.search.pipeline import offer
from mldesk.training.search.plain_folds import plain_folds
from mldesk.training.search.rows import Rows
from mldesk.training.search.variants import Variants
from mldesk.training.split import TEST, TRAIN, VALIDATION, group_codes
from mldesk.training.values import Array, ColumnData, TextColumn, take
from mldesk.training.windows import windows
from mldesk.wire.jobs import SearchRequest


def deal(request: SearchRequest, columns: Mapping[str, ColumnData], table: Table) -> Rows:
    """Encode every row but the test rows in every style, and deal them into folds; ``variants`` has the encoders."""
    classes = len(table.target.classes)
    usable = np.flatnonzero((table.membership == TRAIN) | (table.membership == VALIDATION))
    given, y = take(columns, usable), table.target.y[usable]
    encoders: dict[Style, OneEncoder] = {}
    parts: dict[Style, Part] = {}
    for style in ("trees", "dense", "embed"):
        encoders[style] = fit_encoder(given, table.candidates, style,
                                      chosen=request.train.features is not None, steps=request.train.prepare)
        parts[style] = Part(encoders[style].transform(given), y)
    categorical = {style: tuple(encoder.categorical) for style, encoder in encoders.items()}
    variants = _variants(request, encoders, parts, given, classes)
    order = _order(request, columns, table)
    if order is not None and (folds := _forward(request, table, usable, y, order[usable], encoders["trees"].width)):
        return Rows(parts, categorical, classes, folds, forward=True, variants=variants)
    return Rows(parts, categorical, classes, _folds(request, table, usable, y, encoders["trees"].width),
                variants=variants)


def _variants(request: SearchRequest, encoders: Mapping[Style, OneEncoder], parts: Mapping[Style, Part],
              columns: Mapping[str, ColumnData], classes: int) -> Variants:
    """Keep what other pipelines are made of. Who prepares the columns by steps of a recipe is left to it."""
    base, y = encoders["dense"], parts["dense"].y
    if not isinstance(base, FeatureEncoder):
        return Variants(encoders, parts, {})
    aim = find_aim(request.metric, classes, request.quantile)
    offered = offer(base, columns, y, classes, aim, base.width)
    raw = {column.name: columns[column.name] for column in base.columns
           if column.name in (*offered.ranked, *offered.meant) or (isinstance(column.block, Words) and offered.text)}
    return Variants(encoders, parts, raw, offered)


def _order(request: SearchRequest, columns: Mapping[str, ColumnData], table: Table) -> Array | None:
    """Return the moment of each row, (rows,), where every test row is later than all that is learnt from.

    The column that a split by time goes by, else the rows' own order where a split was given, else a column of dates;
    None: there is none, or groups stay together.
    """
    part = table.membership
    test, learnt = part == TEST, (part == TRAIN) | (part == VALIDATION)
    if request.train.split.method == "group":
        return None
    named = table.by if request.train.split.method == "time" else None
    dates = [values for values in columns.values() if not isinstance(values, TextColumn) and values.dtype.kind == "M"]
    places = [np.arange(len(part))] if request.train.split.method == "given" else []
    for values in [*([] if named is None else [named]), *places, *dates]:
        if isinstance(values, TextColumn) or missing(values)[test | learnt].any():
            continue
        if values[test].min() >= values[learnt].max():
            return values
    return None


def _forward(request: SearchRequest, table: Table, usable: Array, y: Array, order: Array,
             width: int) -> list[tuple[Array, Array]]:
    """Deal the last rows into parts that are judged by models of the rows before each; [] where there are too few.

    The last part is the validation part where that is the last, else as long as one is.
    """
    held = table.membership[usable] == VALIDATION
    count = forward_parts(len(usable), width, request.seconds, int(held.sum()), request.folds)
    part = windows(order, count, int(held.sum())) if count else None
    if part is None or (table.own_validation and ((part == 0) != held).any()):
        return []
    folds = [(np.flatnonzero(part > back), np.flatnonzero(part == back)) for back in range(count)][::-1]
    classes = len(table.target.classes)
    lacking = classes and any(len(np.unique(y[fit_on])) < classes for fit_on, _ in folds)
    return [] if lacking else folds


def _folds(request: SearchRequest, table: Table, usable: Array, y: Array, width: int) -> list[tuple[Array, Array]]:
    classes, seed = len(table.target.classes), request.train.seed
    part = table.membership[usable]
    one = [(np.flatnonzero(part == TRAIN), np.flatnonzero(part == VALIDATION))]
    wanted = request.folds or affordable(len(usable), width, request.seconds)
    if wanted == 1 or table.own_validation:
        return one
    least = int(np.bincount(y, minlength=classes).min()) if classes else len(y)
    count = min(wanted, len(y) // 2, max(least, 2))
    groups = group_codes(table.by, usable) if request.train.split.method == "group" else None
    if groups is not None:
        count = min(count, int(groups.max()) + 1)
        if count < 2:
            return one
        folds = list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(y, y, groups)
                     if classes and least >= count else GroupKFold(count).split(y, groups=groups))
    else:
        folds = plain_folds(y, classes, count, seed)
    lacking = classes and any(len(np.unique(y[fit_on])) < classes for fit_on, _ in folds)  # a class of one row or group
    return one if lacking or not all(len(judge_by) for _, judge_by in folds) else folds
