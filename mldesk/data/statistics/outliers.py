"""Numbers that lie far from the rest of their column, and the rows they are in.

Two rules: Tukey's fences, 1.5 interquartile ranges beyond the quartiles ("Exploratory Data Analysis", 1977), and the
modified z-score 0.6745 (x - median) / MAD beyond 3.5 (Iglewicz & Hoaglin, "How to Detect and Handle Outliers", 1993).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.data.engine import identifier, literal
from mldesk.data.statistics.scan import Numbers, places_of, rows_of, whole_columns
from mldesk.data.stopping import check_stopped
from mldesk.wire.schema import Column

FENCE, ROBUST = 1.5, 3.5
EXTREMES = 10            # rows that are named per column
MOST = 500               # columns looked at
LONGEST = 50_000_000     # rows beyond which one column is too much to hold


def outliers(parts: Sequence[Path], columns: Sequence[Column]) -> dict[str, Any]:
    """Return {"columns": [...]}, for every column of numbers with outliers, those with the largest share first.

    Each: name, low, high (the fences), below, above (rows beyond them), share, median, mad, robust (rows beyond the
    z-score; None where half of all values are the same), where (the SQL condition of being beyond a fence), extremes
    [[row from 0, value]]. Columns of less than three values have none, nor have those whose quartiles are the same:
    there every other value would lie beyond.
    """
    if rows_of(parts) > LONGEST:
        return {"columns": []}
    places = places_of(columns)
    found = []
    chosen = [column for column in columns if column.type.numeric and column.distinct > 2][:MOST]
    for column, values in zip(chosen, whole_columns(parts, [(places[column.name], column.type) for column in chosen]),
                              strict=True):
        check_stopped()
        facts = of_column(values)
        if facts["below"] or facts["above"]:
            found.append({"name": column.name, **facts, "where": _where(column.name, facts)})
    return {"columns": sorted(found, key=lambda facts: -facts["share"])}


def of_column(values: Numbers) -> dict[str, Any]:
    """Return a column's facts as above; ``values`` (rows,) with NaN where they are missing."""
    known = values[~np.isnan(values)]
    if not len(known):
        return {"low": None, "high": None, "below": 0, "above": 0, "share": 0.0, "median": None, "mad": None,
                "robust": None, "extremes": []}
    lower, middle, upper = (float(value) for value in np.quantile(known, [0.25, 0.5, 0.75]))
    low, high = lower - FENCE * (upper - lower), upper + FENCE * (upper - lower)
    below, above = (int((known < low).sum()), int((known > high).sum())) if upper > lower else (0, 0)
    distance = np.abs(known - middle)
    mad = float(np.median(distance))
    robust = int((0.6745 * distance > ROBUST * mad).sum()) if mad > 0 else None
    return {"low": low, "high": high, "below": below, "above": above, "share": (below + above) / len(known),
            "median": middle, "mad": mad, "robust": robust, "extremes": _extremes(values, middle, low, high)}


def _extremes(values: Numbers, middle: float, low: float, high: float) -> list[list[Any]]:
    beyond = np.flatnonzero((values < low) | (values > high)) if high > low else np.empty(0, np.int64)
    far = np.abs(values[beyond] - middle)
    if len(beyond) > 4 * EXTREMES:
        some = np.argpartition(-far, EXTREMES)[:EXTREMES]
        beyond, far = beyond[some], far[some]
    order = np.lexsort((beyond, -far))[:EXTREMES]
    return [[int(row), float(values[row])] for row in beyond[order]]


def _where(name: str, facts: Mapping[str, Any]) -> str:
    return f"{identifier(name)} < {literal(facts['low'])} OR {identifier(name)} > {literal(facts['high'])}"
