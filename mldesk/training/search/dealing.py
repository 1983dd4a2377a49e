"""Which rows trials are fitted on and judged by: folds where the time allows for them, else one validation part.

Pure in the order and the table, so that a search that goes on, and whoever helps it, deals the very same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import Part
from mldesk.training.job import Table
from mldesk.training.prepared import OneEncoder, fit_encoder
from mldesk.training.search.budget import affordable
from mldesk.training.search.trial import Rows
from mldesk.training.split import TRAIN, VALIDATION
from mldesk.training.values import ColumnData, take
from mldesk.wire.jobs import SearchRequest


def deal(request: SearchRequest, columns: Mapping[str, ColumnData],
         table: Table) -> tuple[dict[Style, OneEncoder], Rows]:
    """Encode every row but the test rows in every style, and deal them into folds."""
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
    folds = _folds(request, table, usable, y, encoders["trees"].width)
    return encoders, Rows(parts, categorical, classes, folds)


def _folds(request: SearchRequest, table: Table, usable: Any, y: Any, width: int) -> list[tuple[Any, Any]]:
    classes, seed = len(table.target.classes), request.train.seed
    part = table.membership[usable]
    one = [(np.flatnonzero(part == TRAIN), np.flatnonzero(part == VALIDATION))]
    wanted = request.folds or affordable(len(usable), width, request.seconds)
    if wanted == 1 or table.own_validation:
        return one
    least = int(np.bincount(y, minlength=classes).min()) if classes else len(y)
    count = min(wanted, len(y) // 2, max(least, 2))
    if classes and least >= count:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y))
    folds = list(KFold(count, shuffle=True, random_state=seed).split(y))
    lacking = classes and any(len(np.unique(y[fit_on])) < classes for fit_on, _ in folds)  # a class of one row
    return one if lacking else folds
