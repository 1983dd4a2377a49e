"""How strongly any two columns go together, whatever they hold: exact over the whole table, in one pass.

Two numbers: Pearson's r, and Spearman's rho beside it (Spearman, "The proof and measurement of association between two
things", Am. J. Psychol. 15, 1904), which a sample gives on long tables. Two categories: Cramér's V with Bergsma's
correction of its bias (Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat. Soc. 42, 2013).
A number and a category: the correlation ratio eta (Fisher, "Statistical Methods for Research Workers", 1925).
Rows where either is missing count for no pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mldesk.data.statistics.scan import (
    Coder,
    Codes,
    Numbers,
    batches,
    is_category,
    is_number,
    numbers,
    places_of,
    sample,
)
from mldesk.data.stopping import check_stopped
from mldesk.wire.schema import Column

MOST = 60            # columns looked at
SPEARMAN = 50_000    # rows that Spearman's rho is taken from at most
_NOTHING: Numbers = np.empty((0, 0))


def associations(parts: Sequence[Path], columns: Sequence[Column], *, first: Sequence[str] = ()) -> dict[str, Any]:
    """Return {"columns": [{"name", "kind"}], "left_out": [{"column", "why"}], "pairs": [...], "spearman_rows"}.

    A pair is {"a", "b", "measure", "value", "n"}, of numbers also "spearman"; None where it means nothing. ``first``
    names columns that are looked at before all others where there are more than MOST.
    """
    chosen, left_out = choose(columns, first)
    places = places_of(columns)
    nums = [column for column in chosen if is_number(column)]
    cats = [column for column in chosen if not is_number(column)]
    sums = _Sums(len(nums), [column.distinct for column in cats])
    coders = [Coder() for _ in cats]
    for batch in batches(parts, [places[column.name] for column in (*nums, *cats)]):
        x = _matrix(batch, nums)
        codes = [coder.codes(batch.column(len(nums) + place)) for place, coder in enumerate(coders)]
        sums.add(x, codes)
    drawn = _matrix(sample(parts, [places[column.name] for column in nums], SPEARMAN)[0], nums) if nums else _NOTHING
    pairs = [*_numbers(sums, nums, spearman(drawn)), *_categories(sums, cats), *_mixed(sums, nums, cats)]
    order = {column.name: place for place, column in enumerate(chosen)}
    for pair in pairs:
        if order[pair["a"]] > order[pair["b"]]:
            pair["a"], pair["b"] = pair["b"], pair["a"]
    pairs.sort(key=lambda pair: (order[pair["a"]], order[pair["b"]]))
    return {"columns": [{"name": column.name, "kind": "number" if is_number(column) else "category"}
                        for column in chosen],
            "left_out": left_out, "pairs": pairs, "spearman_rows": len(drawn)}


def choose(columns: Sequence[Column], first: Sequence[str] = ()) -> tuple[list[Column], list[dict[str, str]]]:
    """Return the columns that can be compared, in table order, and why each other one is left out."""
    usable, left_out = [], []
    for column in columns:
        if column.distinct == 0:
            left_out.append({"column": column.name, "why": "it is empty"})
        elif column.distinct == 1:
            left_out.append({"column": column.name, "why": "it holds one value only"})
        elif not is_number(column) and not is_category(column):
            left_out.append({"column": column.name, "why": f"it holds {column.distinct:,} different texts"})
        else:
            usable.append(column)
    wanted = {column.name for column in sorted(usable, key=lambda column: column.name not in first)[:MOST]}
    left_out += [{"column": column.name, "why": f"{MOST} columns are compared at most"}
                 for column in usable if column.name not in wanted]
    return [column for column in usable if column.name in wanted], left_out


def _matrix(batch: pa.RecordBatch | pa.Table, columns: Sequence[Column]) -> Numbers:
    """Return the first columns of a batch as numbers, (rows, len(columns))."""
    found = np.empty((batch.num_rows, len(columns)))
    for place, column in enumerate(columns):
        found[:, place] = numbers(batch.column(place), column.type)
    return found


class _Sums:
    """What one pass adds up. Numbers are moved and scaled by the first piece's mean and spread, so that sums of squares
    keep their digits; r and eta do not change by that.
    """

    def __init__(self, wide: int, kinds: Sequence[int]) -> None:
        self._shift: Numbers | None = None
        self._scale = np.ones(wide)
        self.n = np.zeros((wide, wide))    # rows where both are there
        self.x = np.zeros((wide, wide))    # [i, j]: sum of i over those rows
        self.xx = np.zeros((wide, wide))   # [i, j]: sum of i² over those rows
        self.xy = np.zeros((wide, wide))
        self.tables = {(a, b): np.zeros((kinds[a] + 1) * (kinds[b] + 1))
                       for a in range(len(kinds)) for b in range(a + 1, len(kinds))}
        self.groups = np.zeros((3, len(kinds), wide, max(kinds, default=0) + 1))  # n, sum, sum of squares
        self._kinds = list(kinds)

    def add(self, x: Numbers, codes: Sequence[Codes]) -> None:
        """Add a piece: numbers (rows, wide), and the codes of each category (rows,)."""
        known = ~np.isnan(x)
        if self._shift is None and len(x):
            with np.errstate(all="ignore"):
                count = np.maximum(known.sum(0), 1)
                self._shift = np.where(known, x, 0.0).sum(0) / count
                spread = np.sqrt((np.where(known, x - self._shift, 0.0) ** 2).sum(0) / count)
            self._shift = np.where(np.isfinite(self._shift), self._shift, 0.0)
            self._scale = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
        z = np.where(known, (x - self._shift) / self._scale, 0.0) if self._shift is not None else x
        there = known.astype(np.float64)
        self.n += there.T @ there
        self.x += z.T @ there
        self.xx += (z * z).T @ there
        self.xy += z.T @ z
        for (a, b), table in self.tables.items():
            width = self._kinds[b] + 1
            place = np.where(codes[a] < 0, self._kinds[a], codes[a]) * width
            place += np.where(codes[b] < 0, self._kinds[b], codes[b])
            table += np.bincount(place, minlength=len(table))
        for category, code in enumerate(codes):
            check_stopped()
            self._add_groups(category, code, z, known)

    def _add_groups(self, category: int, code: Codes, z: Numbers, known: Any) -> None:
        size = self.groups.shape[-1]
        for number in range(z.shape[1]):
            rows = known[:, number] & (code >= 0)
            some, value = code[rows], z[rows, number]
            self.groups[0, category, number] += np.bincount(some, minlength=size)
            self.groups[1, category, number] += np.bincount(some, value, minlength=size)
            self.groups[2, category, number] += np.bincount(some, value * value, minlength=size)

    def table(self, a: int, b: int) -> Numbers:
        """Return how often the categories of two columns meet, without the missing ones."""
        whole: Numbers = self.tables[a, b].reshape(self._kinds[a] + 1, self._kinds[b] + 1)[:-1, :-1]
        return whole


def _numbers(sums: _Sums, nums: Sequence[Column], rho: Numbers) -> list[dict[str, Any]]:
    with np.errstate(all="ignore"):
        spread_a = sums.n * sums.xx - sums.x ** 2
        r = (sums.n * sums.xy - sums.x * sums.x.T) / np.sqrt(spread_a * spread_a.T)
    # What is left of a constant after rounding is no spread.
    flat = (spread_a <= 1e-10 * np.maximum(sums.n * sums.xx, 1e-300)) | (sums.n < 2)
    r[flat | flat.T] = np.nan
    return [_pair(nums[i], nums[j], "pearson", float(r[i, j]), int(sums.n[i, j]), spearman=_plain(float(rho[i, j])))
            for i in range(len(nums)) for j in range(i + 1, len(nums))]


def _categories(sums: _Sums, cats: Sequence[Column]) -> list[dict[str, Any]]:
    found = []
    for a, b in sums.tables:
        table = sums.table(a, b)
        found.append(_pair(cats[a], cats[b], "cramers_v", cramers_v(table), int(table.sum())))
    return found


def _mixed(sums: _Sums, nums: Sequence[Column], cats: Sequence[Column]) -> list[dict[str, Any]]:
    found = []
    for c, category in enumerate(cats):
        for i, number in enumerate(nums):
            count, total, squares = sums.groups[:, c, i]
            found.append(_pair(category, number, "correlation_ratio", correlation_ratio(count, total, squares),
                               int(count.sum())))
    return found


def cramers_v(table: Numbers) -> float:
    """Return Cramér's V of a contingency table (R, C) with Bergsma's bias correction, 0 to 1; NaN where it has none."""
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    n = float(table.sum())
    rows, columns = table.shape
    if n < 2 or rows < 2 or columns < 2:
        return math.nan
    expected = np.outer(table.sum(1), table.sum(0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    rows_, columns_ = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    least = min(rows_, columns_) - 1
    return min(1.0, math.sqrt(phi2 / least)) if least > 0 else math.nan


def correlation_ratio(count: Numbers, total: Numbers, squares: Numbers) -> float:
    """Return eta, 0 to 1, of a number over groups: per group how many, their sum, their sum of squares."""
    there = np.flatnonzero(count > 0)
    n = float(count.sum())
    if n < 2 or len(there) < 2:
        return math.nan
    mean = float(total.sum()) / n
    whole = float(squares.sum()) - n * mean * mean
    if whole <= 1e-10 * max(float(squares.sum()), 1e-300):
        return math.nan
    between = float((total[there] ** 2 / count[there]).sum()) - n * mean * mean
    return math.sqrt(min(1.0, max(0.0, between / whole)))


def spearman(x: Numbers) -> Numbers:
    """Return Spearman's rho of every two columns of ``x`` (rows, k) as (k, k), of the rows where both are there."""
    wide = x.shape[1]
    known = ~np.isnan(x)
    whole = [bool(known[:, place].all()) for place in range(wide)]
    ranks = [_centred(ranked(x[:, place])) if whole[place] else None for place in range(wide)]
    rho = np.full((wide, wide), np.nan)
    for i in range(wide):
        check_stopped()
        for j in range(i + 1, wide):
            a, b = ranks[i], ranks[j]
            if a is None or b is None:
                both = known[:, i] & known[:, j]
                a, b = _centred(ranked(x[both, i])), _centred(ranked(x[both, j]))
            size = math.sqrt(float(a @ a) * float(b @ b))
            rho[i, j] = rho[j, i] = float(a @ b) / size if size else math.nan
    return rho


def ranked(values: Numbers) -> Numbers:
    """Return each value's rank from 1, equal ones all the mean of theirs."""
    if not len(values):
        return values
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(begins[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((begins + ends + 1) / 2, ends - begins)
    return ranks


def _centred(values: Numbers) -> Numbers:
    return values - values.mean() if len(values) else values


def _pair(a: Column, b: Column, measure: str, value: float, n: int, **more: Any) -> dict[str, Any]:
    return {"a": a.name, "b": b.name, "measure": measure, "value": _plain(value), "n": n, **more}


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(max(-1.0, min(1.0, value)), 12)
