"""Which cells are missing together: patterns of whole rows, and pairs of columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.data.engine import identifier
from mldesk.data.statistics.scan import batches, places_of
from mldesk.wire.schema import Column

MOST = 200       # columns with missing cells that are compared, those with most first
PATTERNS = 25    # patterns that are named
PAIRS = 50       # pairs that are named


def gaps(parts: Sequence[Path], columns: Sequence[Column]) -> dict[str, Any]:
    """Return {"columns": [{"name", "missing"}], "complete", "patterns": [...], "pattern_count", "together": [...]}.

    A pattern is {"columns", "rows", "where"}: the columns that are missing in the same rows, of those that miss any.
    ``together`` holds pairs {"a", "b", "both", "correlation"}: phi of being missing (Pearson's r of the two
    indicators; Yule, "On the methods of measuring association", JRSS 75, 1912), the strongest first.
    """
    some = sorted((column for column in columns if column.missing), key=lambda column: -column.missing)[:MOST]
    places = places_of(columns)
    counted: Counter[bytes] = Counter()
    both = np.zeros((len(some), len(some)))
    rows = 0
    for batch in batches(parts, [places[column.name] for column in some]) if some else ():
        there = np.column_stack([np.asarray(column.is_null(nan_is_null=True)) for column in batch.columns])
        rows += len(there)
        holes = there.astype(np.float64)
        both += holes.T @ holes
        packed, counts = np.unique(np.packbits(there, axis=1), axis=0, return_counts=True)
        counted.update({line.tobytes(): int(count) for line, count in zip(packed, counts, strict=True)})
    patterns = [(_names(key, some), count) for key, count in counted.most_common()]
    named = [(names, count) for names, count in patterns if names]
    return {"columns": [{"name": column.name, "missing": column.missing} for column in some],
            "complete": sum(count for names, count in patterns if not names) if some else None,
            "pattern_count": len(named),
            "patterns": [{"columns": names, "rows": count, "where": _where(names, some)}
                         for names, count in named[:PATTERNS]],
            "together": _together(both, some, rows)}


def _names(key: bytes, some: Sequence[Column]) -> list[str]:
    bits = np.unpackbits(np.frombuffer(key, np.uint8), count=len(some))
    return [some[place].name for place in np.flatnonzero(bits).tolist()]


def _where(names: Sequence[str], some: Sequence[Column]) -> str:
    """Return the condition of exactly these columns being missing."""
    return " AND ".join(f"{identifier(column.name)} IS {'' if column.name in names else 'NOT '}NULL"
                        for column in some)


def _together(both: Any, some: Sequence[Column], rows: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for i, a in enumerate(some):
        for j in range(i + 1, len(some)):
            m, n = both[i, i], both[j, j]
            size = math.sqrt(m * (rows - m) * n * (rows - n))
            if size and both[i, j]:
                phi = (rows * both[i, j] - m * n) / size
                found.append({"a": a.name, "b": some[j].name, "both": int(both[i, j]),
                              "correlation": round(float(phi), 12)})
    return sorted(found, key=lambda pair: -abs(pair["correlation"]))[:PAIRS]
