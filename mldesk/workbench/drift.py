"""How far new values of a column are from those a model learned from: numbers only, nothing is read here.

PSI: the population stability index over tenths of the training values, or over categories (Siddiqi, Credit Risk
Scorecards, 2006): below 0.1 little has changed, above 0.25 much has. Beside it a test, since on few rows the index is
large by chance: Kolmogorov and Smirnov's for numbers, chi-square for categories and missing cells, Fisher's exact one
where counts are small.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.training.values import ColumnData, TextColumn
from mldesk.workbench.drift_tests import kolmogorov_smirnov, table_test

LITTLE, MUCH = 0.1, 0.25
DOUBT = 0.01             # how likely chance alone may be, over all columns, for a shift to be called one
FEWEST = 30              # rows: of fewer even a third that moved is within what chance does (Kolmogorov, Smirnov)
_PIECES = 10
_CATEGORIES = 30         # the commonest; the others count as one
_FLOOR = 1e-4            # share of an empty piece, without which the index would be infinite
_NAMED = 5
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """What changed in one column."""

    name: str
    psi: float
    test: str                    # "ks" or "missing" of numbers, "chi-square" or "exact" of categories
    statistic: float
    p: float                     # of so large a statistic by chance
    missing: tuple[float, float]  # share of missing cells, in training and now
    unseen: tuple[str, ...] = ()  # categories that training never saw, the commonest first
    verdict: str = "stable"      # "stable", "shifted", "much shifted", "too few rows" to tell

    def to_json(self) -> dict[str, Any]:
        return {"column": self.name, "psi": self.psi, "test": self.test, "statistic": self.statistic, "p": self.p,
                "missing": list(self.missing), "unseen": list(self.unseen), "verdict": self.verdict}


def rule(columns: int) -> dict[str, Any]:
    """Return by what a column's verdict is given where so many are looked at together, as plain JSON."""
    return {"shifted_from_psi": LITTLE, "much_shifted_from_psi": MUCH, "p_below": DOUBT / max(1, columns),
            "p_over_all_columns": DOUBT, "too_few_rows_below": FEWEST, "correction": "Bonferroni",
            "tests": {"numbers": "ks", "categories": "chi-square", "missing": "chi-square", "few": "exact"}}


def rule_words(columns: int) -> str:
    """Write the rule in a sentence or two."""
    return (f"A column has shifted where its PSI is {LITTLE:g} or more (much: {MUCH:g} or more) and chance alone would "
            f"hardly make it so: p below {DOUBT / max(1, columns):.2g}, which is {DOUBT:g} shared among the columns. "
            "The test is Kolmogorov and Smirnov's for numbers, chi-square for categories and for how many cells are "
            f"missing, Fisher's exact one where counts are small. Where chance alone may make so large a PSI, "
            f"or on fewer than {FEWEST} rows, a column that has not shifted for sure is not called stable.")


def compare(name: str, before: ColumnData, now: ColumnData, columns: int = 1) -> ColumnDrift:
    """Compare the values of one column, as a table's columns are read. ``columns``: how many are looked at together."""
    if isinstance(before, TextColumn) and isinstance(now, TextColumn):
        return categories(name, _counted(before), _counted(now), columns)
    return numbers(name, _numbers(before), _numbers(now), columns)


def numbers(name: str, before: Array, now: Array, columns: int = 1) -> ColumnDrift:
    """Compare numbers, (N,) and (M,) float64 with NaN for missing. ``columns``: how many are looked at together."""
    old, new = np.sort(before[~np.isnan(before)]), np.sort(now[~np.isnan(now)])
    edges = np.unique(np.quantile(old, np.linspace(0, 1, _PIECES + 1)[1:-1])) if len(old) else np.array([])
    counts = [np.append(np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1),
                        len(whole) - len(values)) for values, whole in ((old, before), (new, now))]
    test, statistic, p = _test_of_numbers(old, new, len(before) - len(old), len(now) - len(new))
    return _judged(ColumnDrift(name, _psi(*counts), test, statistic, p, (_share(before), _share(now))), columns,
                   min(len(before), len(now)))


def _test_of_numbers(old: Array, new: Array, gone: int, gone_now: int) -> tuple[str, float, float]:
    """Return the test that says most against chance, its statistic and p: of the values, or of how many are missing.

    Where there is something to ask of both, p is doubled (Bonferroni).
    """
    distance, p = kolmogorov_smirnov(old, new)
    if not gone and not gone_now:
        return "ks", distance, p
    _, statistic, of_gaps = table_test(np.array([[len(old), gone], [len(new), gone_now]]))
    found = ("ks", distance, p) if p <= of_gaps else ("missing", statistic, of_gaps)
    return found if not len(old) or not len(new) else (*found[:2], min(1.0, 2 * found[2]))


def categories(name: str, before: Counter[str | None], now: Counter[str | None], columns: int = 1) -> ColumnDrift:
    """Compare categories by how often each occurs; None counts missing cells."""
    kept = [value for value, _ in before.most_common(_CATEGORIES + 1) if value is not None][:_CATEGORIES]
    table = np.array([[*(counts.get(value, 0) for value in kept), counts.get(None, 0), 0] for counts in (before, now)])
    totals = np.array([counts.total() for counts in (before, now)])
    table[:, -1] = totals - table.sum(1)
    test, statistic, p = table_test(table)
    unseen = tuple(str(value)[:60] for value, _ in now.most_common() if value is not None and value not in before)
    gaps = (before.get(None, 0) / max(1, totals[0]), now.get(None, 0) / max(1, totals[1]))
    return _judged(ColumnDrift(name, _psi(*table), test, statistic, p, gaps, unseen[:_NAMED]), columns,
                   int(totals.min()))


def _counted(values: TextColumn) -> Counter[str | None]:
    counts = np.bincount(values.codes + 1, minlength=len(values.values) + 1)
    found: Counter[str | None] = Counter()
    for value, count in zip((None, *values.values), counts, strict=False):
        if count:
            found[value] += int(count)
    return found


def _numbers(values: Any) -> Any:
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[us]").astype(np.int64).astype(np.float64))
    found = values.astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _judged(found: ColumnDrift, columns: int, rows: int) -> ColumnDrift:
    """``rows``: of the side that has fewer."""
    if found.p >= DOUBT / max(1, columns) or found.psi < LITTLE:   # Bonferroni
        # An index that is large and may be so by chance says that the rows are too few for it, not that nothing moved.
        told = rows >= FEWEST and found.psi < LITTLE
        return replace(found, verdict="stable" if told else "too few rows")
    return replace(found, verdict="shifted" if found.psi < MUCH else "much shifted")


def _share(values: Array) -> float:
    return float(np.isnan(values).mean()) if len(values) else 0.0


def _psi(before: Array, now: Array) -> float:
    old, new = (np.maximum(counts / max(1, counts.sum()), _FLOOR) for counts in (before, now))
    used = (before > 0) | (now > 0)
    return float(((new - old) * np.log(new / old))[used].sum())
