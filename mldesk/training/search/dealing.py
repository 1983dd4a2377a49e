"""Which rows trials are fitted on and judged by: folds where the time allows for them, else one validation part.

Groups that stay together in the split do so in the folds. What a column or a given split validates by is one part.
Where every test row is later than all that is learnt from, trials are judged on later rows, too: a model that knows
what came afterwards is better at the rows between than it will ever be at those to come (Cerqueira, Torgo and Mozetič:
Evaluating time series forecasting models, Machine Learning 109, 2020).

Pure in the order and the table, so that a search that goes on, and whoever helps it, deals the very same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from mldesk.training.blocks import Style, Words
from mldesk.training.estimators.base import Part
from mldesk.training.features import FeatureEncoder
from mldesk.training.job import Table
from mldesk.training.prepared import OneEncoder, fit_styles
from mldesk.training.preparing_target import Truth
from mldesk.training.roles import missing
from mldesk.training.search.budget import affordable, forward_parts
from mldesk.training.search.measures import find_aim
from mldesk.training.search.pipeline import offer
from mldesk.training.search.plain_folds import plain_folds
from mldesk.training.search.rows import OwnRows, Rows
from mldesk.training.search.variants import Variants
from mldesk.training.split import TEST, TRAIN, VALIDATION, group_codes
from mldesk.training.target import Label
from mldesk.training.values import Array, ColumnData, TextColumn, take
from mldesk.training.windows import windows
from mldesk.wire.jobs import SearchRequest, TrainRequest

STYLES: tuple[Style, ...] = ("trees", "dense", "embed")


def deal(request: SearchRequest, columns: Mapping[str, ColumnData], table: Table) -> Rows:
    """Encode every row but the test rows in every style, and deal them into folds; ``variants`` has the encoders.

    Where steps of a recipe prepare the columns, all is learnt of each fold by itself, from its rows that are fitted on;
    of the rows as they are there is the dense style alone, for what learns from the answers of others.
    """
    classes, prepare = len(table.target.classes), request.train.prepare
    usable = np.flatnonzero((table.membership == TRAIN) | (table.membership == VALIDATION))
    given, y = take(columns, usable), table.target.y[usable]
    styles: tuple[Style, ...] = ("dense",) if prepare else STYLES
    encoders = _encoders(request, table, given, styles)
    order, width = _order(request, columns, table), encoders["dense" if prepare else "trees"].width
    forward = [] if order is None else _forward(request, table, usable, y, order[usable], width)
    if forward:   # nothing is learnt of the rows that judge, as in a training: not even which categories there are
        encoders = _encoders(request, table, take(given, forward[-1][0]), styles)
    parts = {style: Part(encoder.transform(given), y) for style, encoder in encoders.items()}
    categorical = {style: tuple(encoder.categorical) for style, encoder in encoders.items()}
    variants = Variants(encoders, parts, {}) if prepare else _variants(
        request, encoders, parts, given, table.target.classes)
    folds = forward or _folds(request, table, usable, y, width)
    own = own_rows(request.train, given, y, folds, table) if prepare else {}
    return Rows(parts, categorical, classes, folds, forward=bool(forward), variants=variants, own=own)


def _encoders(request: SearchRequest, table: Table, rows: Mapping[str, ColumnData],
              styles: Sequence[Style]) -> dict[Style, OneEncoder]:
    chosen = request.train.features is not None
    return {style: FeatureEncoder.fit(rows, table.candidates, style, chosen=chosen) for style in styles}


def own_rows(request: TrainRequest, given: Mapping[str, ColumnData], y: Array, folds: Sequence[tuple[Array, Array]],
             table: Table) -> dict[Style, list[OwnRows]]:
    """Prepare the rows of each fold by the request's steps, learnt from the rows that are fitted on and no others."""
    found: dict[Style, list[OwnRows]] = {style: [] for style in STYLES}
    for fit_on, judge_by in folds:
        truth, judged = Truth(table.target.name, y[fit_on], table.target.classes), take(given, judge_by)
        made = fit_styles(take(given, fit_on), table.candidates, STYLES, truth, chosen=request.features is not None,
                          steps=request.prepare)
        for style, (encoder, x, rows) in made.items():
            found[style].append(OwnRows(Part(x, truth.y[rows]), Part(encoder.transform(judged), y[judge_by]),
                                        tuple(encoder.categorical), encoder))
    return found


def _variants(request: SearchRequest, encoders: Mapping[Style, OneEncoder], parts: Mapping[Style, Part],
              columns: Mapping[str, ColumnData], labels: Sequence[Label]) -> Variants:
    """Keep what other pipelines are made of."""
    base, y, classes = encoders["dense"], parts["dense"].y, len(labels)
    assert isinstance(base, FeatureEncoder)  # noqa: S101 - for mypy
    aim = find_aim(request.metric, classes, request.quantile, labels)
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
