"""What is seen of a column's dates: how many are written in which way, and what each way tells of day and month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.temporal import NOT_A_TIME, PATTERNS, both_orders, pattern, read_moments
from mldesk.data.options import MARKS

PLAIN_FORMS = ("ymd", "d month y", "month d y")   # that leave nothing open


@dataclass(slots=True)
class Spelling:
    """How many dates with one mark can be read in which order only, or in both; an example of either."""

    day: int = 0      # such as 26/1/2020
    month: int = 0    # such as 1/26/2020
    open: int = 0     # such as 3/4/2020
    day_example: str = ""
    month_example: str = ""

    def readable(self, order: str) -> int:
        """Return how many are dates in an order, "dmy" or "mdy"."""
        return self.open + (self.day if order == "dmy" else self.month)


@dataclass(slots=True)
class DatesSeen:
    """The dates of a column, counted by their spelling."""

    told: str | None = None    # the format with % signs that the user gave; day and month are not asked about then
    plain: int = 0             # dates that leave nothing open
    forms: list[str] = field(default_factory=list)   # of those
    marks: dict[str, Spelling] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The values that are dates, in whatever order."""
        return self.plain + sum(one.day + one.month + one.open for one in self.marks.values())

    def readable(self, orders: Iterable[tuple[str, str]]) -> int:
        """Return how many are dates if those with a mark are read in its order."""
        return self.plain + sum(self.marks[mark].readable(order) for mark, order in orders if mark in self.marks)

    def note(self, form: str, count: int) -> None:
        """Count values all of which are of one form that leaves nothing open."""
        self.plain += count
        if form not in self.forms and count:
            self.forms.append(form)

    def observe(self, values: pa.Array, counts: pa.Array) -> None:
        """Count the dates among different texts, trimmed and without nulls."""
        for form in PLAIN_FORMS if self.told is None else (self.told, *PLAIN_FORMS):
            fits = _matching(values, pattern(form))
            if fits.any():
                found = read_moments(values.filter(pa.array(fits)), form).microseconds != NOT_A_TIME
                self.note(form, _sum(counts.filter(pa.array(fits)), found))
                values, counts = values.filter(pa.array(~fits)), counts.filter(pa.array(~fits))
        if self.told is None and len(values):
            self.observe_orders(values, counts)

    def observe_orders(self, values: pa.Array, counts: pa.Array) -> None:
        """Count the dates in numbers whose year comes last."""
        fits = pa.array(_matching(values, PATTERNS["dmy"]))
        values, counts = values.filter(fits), counts.filter(fits)
        if not len(values):
            return
        day, month = both_orders(values)
        for mark in MARKS:
            here = _matching(values, mark_pattern(mark))
            if not (here & (day | month)).any():
                continue
            seen = self.marks.setdefault(mark, Spelling())
            seen.day += _sum(counts, here & day & ~month)
            seen.month += _sum(counts, here & month & ~day)
            seen.open += _sum(counts, here & day & month)
            seen.day_example = seen.day_example or _first(values, here & day & ~month)
            seen.month_example = seen.month_example or _first(values, here & month & ~day)


def mark_pattern(mark: str) -> str:
    """Return how dates begin that have a mark after the first number."""
    return rf"^[0-9]{{1,2}}[{mark}][0-9]{{1,2}}[-/.]"


def _matching(values: pa.Array, regex: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(values, regex), dtype=np.bool_)


def _sum(counts: pa.Array, where: npt.NDArray[np.bool_]) -> int:
    return int(pc.sum(counts.filter(pa.array(where))).as_py() or 0)


def _first(values: pa.Array, where: npt.NDArray[np.bool_]) -> str:
    places = np.flatnonzero(where)
    return str(values[int(places[0])].as_py())[:60] if len(places) else ""
