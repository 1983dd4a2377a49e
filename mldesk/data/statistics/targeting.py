"""What a target looks like, how every other column lies beside it, and which of them gives it away.

Looks at a sample of long tables (``scan.SAMPLE`` rows); the counts of classes are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mldesk.data.statistics.power import Binned, binned, by_values, power, suspicion
from mldesk.data.statistics.scan import Coder, Codes, Numbers, batches, is_number, numbers, places_of, rows_of, sample
from mldesk.data.stopping import check_stopped
from mldesk.data.types import plain
from mldesk.wire.schema import Column, ColumnType

CLASSES = 300           # of a target that are told apart; the rest is left out
SHOWN_CLASSES = 10      # whose distributions are kept, the most frequent first
SHOWN_VALUES = 12       # of a category beside the target
BOXES = 10              # parts of a column of numbers beside a target of numbers
MOST = 500              # columns looked at
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def target_view(parts: Sequence[Path], columns: Sequence[Column], target: str, *, classes: bool) -> dict[str, Any]:
    """Return {"target", "classes": bool, "rows", "missing", "sampled", "balance", "imbalance", "columns"}.

    ``classes``: the target is read as classes, else as a number. ``balance`` is [[value, rows]], all over the table
    ([] for numbers), ``imbalance`` the most frequent class over the rarest. A column is {"name", "power", "measure",
    "suspicion", "missing_power", "absence", "distribution"}, the most telling first; see ``power`` and
    ``distribution``. "missing_power" is what only whether it is missing tells, "absence" how suspicious that is.
    """
    places = places_of(columns)
    column = columns[places[target]]
    others = [other for other in columns if other.name != target and other.distinct > 0][:MOST]
    balance = _balance(parts, places[target]) if classes else []
    drawn, _ = sample(parts, [places[target], *(places[other.name] for other in others)])
    y, labels = _target(drawn.column(0), column, balance, classes)
    usable = y >= 0 if classes else ~np.isnan(y)
    drawn, y = drawn.filter(pa.array(usable)), y[usable]
    found = []
    for place, other in enumerate(others, start=1):
        check_stopped()
        found.append(_beside(other, drawn.column(place), y, labels if classes else None))
    found.sort(key=lambda facts: -(facts["power"] or 0.0))
    counts = [count for _, count in balance]
    rows = rows_of(parts)
    return {"target": target, "classes": classes, "rows": rows, "missing": column.missing,
            "sampled": drawn.num_rows if rows > drawn.num_rows + column.missing else None, "balance": balance,
            "imbalance": counts[0] / counts[-1] if counts else None, "columns": found}


def _balance(parts: Sequence[Path], place: int) -> list[list[Any]]:
    coder, counts = Coder(), np.zeros(0, np.int64)
    for batch in batches(parts, [place]):
        codes = coder.codes(batch.column(0))
        counts = np.concatenate([counts, np.zeros(len(coder.values) - len(counts), np.int64)])
        counts += np.bincount(codes[codes >= 0], minlength=len(counts))
    order = sorted(range(len(counts)), key=lambda code: (-counts[code], str(coder.values[code])))
    return [[plain(coder.values[code]), int(counts[code])] for code in order[:CLASSES]]


def _target(values: pa.ChunkedArray, column: Column, balance: Sequence[Sequence[Any]],
            classes: bool) -> tuple[Any, list[Any]]:
    """Return (rows,) class codes by frequency (-1 for none) and the labels, or (rows,) numbers."""
    if not classes:
        return numbers(values, column.type), []
    coder = Coder()
    codes = coder.codes(values)
    labels = [value for value, _ in balance]
    place = {str(label): code for code, label in enumerate(labels)}
    known = np.array([place.get(str(plain(value)), -1) for value in coder.values] + [-1], dtype=np.int64)
    return known[codes], labels


def _beside(column: Column, values: pa.ChunkedArray, y: Any, labels: list[Any] | None) -> dict[str, Any]:
    classes = 0 if labels is None else len(labels)
    if is_number(column):
        x = numbers(values, column.type)
        bins = binned(x)
        there = ~np.isnan(x)
        picture = distribution_of_numbers(x, y, labels, column.type)
    else:
        coder = Coder()
        codes = coder.codes(values)
        bins = by_values(codes, len(coder.values))
        there = codes >= 0
        picture = distribution_of_values(codes, [plain(value) for value in coder.values], y, labels)
    strength = power(bins, y, classes)
    gone = None if there.all() or not there.any() else power(Binned(there.astype(np.int64), 2), y, classes)
    return {"name": column.name, "power": strength, "measure": "auc" if classes else "r2",
            "suspicion": suspicion(strength, classes), "missing_power": gone, "absence": suspicion(gone, classes),
            "distribution": picture}


def distribution_of_numbers(x: Numbers, y: Any, labels: list[Any] | None, kind: ColumnType) -> dict[str, Any] | None:
    """Return {"kind": "boxes", "of", "groups": [{"label", "n", "quantiles"}]}: of the column by class, or of a target
    of numbers by tenths of the column (whose labels are [from, to]).
    """
    del kind
    if labels is not None:
        groups = [_box(label, x[(y == code) & ~np.isnan(x)]) for code, label in enumerate(labels[:SHOWN_CLASSES])]
        return {"kind": "boxes", "of": "column", "groups": [group for group in groups if group["n"]]}
    known = ~np.isnan(x)
    if not known.any():
        return None
    edges = np.unique(np.quantile(x[known], np.linspace(0, 1, BOXES + 1)))
    if len(edges) < 2:
        return None
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    groups = [_box([float(edges[part]), float(edges[part + 1])], y[known & (place == part)])
              for part in range(len(edges) - 1)]
    return {"kind": "boxes", "of": "target", "groups": [group for group in groups if group["n"]]}


def distribution_of_values(codes: Codes, values: list[Any], y: Any, labels: list[Any] | None) -> dict[str, Any] | None:
    """Return for classes {"kind": "shares", "values", "groups": [{"label", "n", "counts"}]}, for a target of numbers
    its boxes by value; the most frequent values only.
    """
    known = codes >= 0
    if not known.any():
        return None
    counts = np.bincount(codes[known], minlength=len(values))
    top = sorted(np.argsort(-counts, kind="stable")[:SHOWN_VALUES].tolist(), key=lambda code: -counts[code])
    if labels is None:
        groups = [_box(values[code], y[codes == code]) for code in top]
        return {"kind": "boxes", "of": "target", "groups": [group for group in groups if group["n"]]}
    groups = []
    for code, label in enumerate(labels[:SHOWN_CLASSES]):
        some = np.bincount(codes[known & (y == code)], minlength=len(values))
        groups.append({"label": label, "n": int(some.sum()), "counts": [int(some[value]) for value in top]})
    return {"kind": "shares", "values": [values[code] for code in top], "groups": groups}


def _box(label: Any, values: Numbers) -> dict[str, Any]:
    return {"label": label, "n": len(values),
            "quantiles": [float(cut) for cut in np.quantile(values, QUANTILES)] if len(values) else []}
