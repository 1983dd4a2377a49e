"""What type is a column of text? Judged by every value of the file, never by a sample.

``ColumnGuess`` sees a column batch by batch and keeps which forms all its values fit. ``mldesk.data.columns.decide``
draws the conclusions.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns import forms
from mldesk.data.columns.forms import FORMS, Form
from mldesk.data.columns.missing import EXPECTED, IN_TYPED, MARKERS
from mldesk.data.columns.money import MONEY, NumbersSeen, are_numbers, regrouped
from mldesk.data.columns.plain import Cells, cells_of, has_values, surely_texts, whole_numbers
from mldesk.data.columns.spellings import PLAIN_FORMS, DatesSeen
from mldesk.data.columns.temporal import NOT_A_TIME, read_moments

_SAMPLE = 64     # values by which "nearly numbers" is given up
_HOPE = 0.4      # share of values that must fit a group for "nearly" to stay in question
_DATES = ("ymd", "dmy", "mdy", "d month y", "month d y")


class ColumnGuess:
    """Everything that was seen of one column."""

    def __init__(self, missing: frozenset[str] = MARKERS, told: Form | None = None, *,
                 asked: str = "", grouping: str = "") -> None:
        """``told`` is how the user says that dates are written; ``asked`` the group of the type that the user chose
        for this column: "number", "date" or none; ``grouping`` a mark between thousands that the user told."""
        self._always, self._sometimes = marker_array(missing), marker_array(IN_TYPED - missing)
        self._all_markers = missing | IN_TYPED
        self._marked_values = has_values(missing)
        self.alive: list[Form] = list(FORMS) if told is None else [told, *FORMS]
        self._dates = _DATES if told is None else (told.name, *_DATES)
        self.real = 0                      # values that are no marker of any kind
        self.odd: Counter[str] = Counter()  # unexpected markers and how often they stood for missing
        self.typed_markers: Counter[str] = Counter()  # markers that count only in typed columns
        self.markers: set[str] = set()     # texts that stood for missing values, of whatever type the column is
        self.near = {"number": 0, "date": 0}  # values that fit a group
        self.dates = DatesSeen(None if told is None else told.name)
        self.numbers = NumbersSeen()
        self._asked, self._grouping = asked, grouping
        self._hopeful = {"number": True, "date": True}
        self.wide = False                  # whole numbers beyond 64 bits
        self.fractional = False            # numbers that are not written as whole ones
        self.sure_point = self.sure_comma = False
        self.dotted = True                 # all of them like 1.234
        self.grouped_whole = True          # no decimals in numbers with groups
        self.timed = False                 # dates with a time of day
        self.slashed = False               # dates with slashes

    def observe(self, values: pa.Array, cells: Cells | None = None) -> None:
        """Look at the next values, text with nulls for missing; ``cells`` are theirs, if somebody has them already."""
        cells = cells_of(values) if cells is None else cells
        if cells is None or not self._observe_plain(cells):
            self._observe_any(values)

    def _observe_plain(self, cells: Cells) -> bool:
        """Look at values by their bytes; say whether that sufficed: nothing was noted if not. Must note what
        ``_observe_any`` notes."""
        names = {form.name for form in self.alive}
        if len(cells):
            if not names and not any(self._hopeful.values()):
                if not surely_texts(cells, self._all_markers):
                    return False
            elif self._marked_values or any("%" in name for name in names) or not (
                    self._plain_numbers(cells, names) or self._plain_dates(cells, names)
                    or self._plain_truths(cells, names)):
                return False
            self.real += len(cells)
        if cells.empty:
            self.markers.add("")
        return True

    def _plain_numbers(self, cells: Cells, names: set[str]) -> bool:
        whole = whole_numbers(cells) if "number" in names else None
        if whole is None or ("comma" in names and not (whole and "integer" in names)
                             and (whole or _may_have_commas_point(cells))):
            return False
        self.fractional = self.fractional or not whole
        self._leave("number", ("integer", "number", "point", "comma") if whole else ("number", "point"), len(cells))
        return True

    def _plain_dates(self, cells: Cells, names: set[str]) -> bool:
        found = cells.moments if "ymd" in names else None
        if found is None:
            return False
        self.timed = self.timed or found[1]
        self.dates.note("ymd", len(cells))
        self._leave("date", ("ymd",), len(cells))
        return True

    def _plain_truths(self, cells: Cells, names: set[str]) -> bool:
        if "boolean" not in names or cells.truths is None:
            return False
        self._leave("other", ("boolean",), len(cells))
        return True

    def _leave(self, group: str, names: tuple[str, ...], count: int) -> None:
        """Keep only some forms, of one group; the values are near no other group."""
        self.alive = [form for form in self.alive if form.name in names]
        for other in self.near:
            if other == group:
                self.near[group] += count
                self.numbers.usual += count if group == "number" else 0
            else:
                self._hopeful[other] = other == self._asked

    def _observe_any(self, values: pa.Array) -> None:
        counted = pc.value_counts(values)
        uniques, counts = counted.field(0), counted.field(1)
        if uniques.null_count:
            there = pc.is_valid(uniques)
            uniques, counts = uniques.filter(there), counts.filter(there)
        trimmed = pc.utf8_trim_whitespace(uniques)
        absent = pc.is_in(trimmed, self._always)
        if pc.any(absent).as_py():
            self._count_odd(uniques.filter(absent), trimmed.filter(absent), counts.filter(absent))
            there = pc.invert(absent)
            trimmed, counts = trimmed.filter(there), counts.filter(there)
        if not len(trimmed):
            return
        doubtful = pc.is_in(trimmed, self._sometimes)
        if pc.any(doubtful).as_py():
            for text, count in zip(trimmed.filter(doubtful).to_pylist(), counts.filter(doubtful).to_pylist(),
                                   strict=True):
                self.typed_markers[text] += count
            there = pc.invert(doubtful)
            trimmed, counts = trimmed.filter(there), counts.filter(there)
        if len(trimmed):
            self._try_forms(regrouped(trimmed, self._grouping), counts)

    def stood_for_missing(self, *, typed: bool) -> set[str]:
        """Return the texts that stood for missing values; more of them in a column that is not text."""
        return self.markers | (set(self.typed_markers) if typed else set())

    def counted(self, group: str) -> bool:
        """Say whether every value that fits a group was counted: not if there was no hope for a while."""
        return self._hopeful[group]

    def has(self, name: str) -> bool:
        """Say whether every value so far fits the form."""
        return any(form.name == name for form in self.alive)

    def _count_odd(self, uniques: pa.Array, trimmed: pa.Array, counts: pa.Array) -> None:
        for given, text, count in zip(uniques.to_pylist(), trimmed.to_pylist(), counts.to_pylist(), strict=True):
            self.markers.add(text)
            if text not in EXPECTED and given:
                self.odd[text] += count

    def _try_forms(self, values: pa.Array, counts: pa.Array) -> None:
        self.real += int(pc.sum(counts).as_py())
        kept = []
        for form in self.alive:
            if form.fits(values):
                kept.append(form)
            elif form.name == "integer" and not self.wide:
                self.wide = forms.all_match(values, forms.INTEGER)
        self.alive = kept
        self._look_closer(values)
        self._count_near(values, counts)

    def _look_closer(self, values: pa.Array) -> None:
        names = {form.name for form in self.alive}
        if "number" in names and "integer" not in names:
            self.fractional = self.fractional or not forms.all_match(values, forms.INTEGER)
        if "comma" in names and "integer" not in names:
            self.sure_comma = self.sure_comma or forms.surely_comma(values)
            self.dotted = self.dotted and forms.all_dotted(values)
            self.grouped_whole = self.grouped_whole and not forms.any_match(values, ",")
        if "point" in names and "number" not in names:
            self.sure_point = self.sure_point or forms.surely_point(values)
            self.grouped_whole = self.grouped_whole and not forms.any_match(values, r"\.")
        dates = [name for name in self._dates if name in names]
        if dates:
            self.timed = self.timed or read_moments(values, dates[0]).timed
            self.slashed = self.slashed or forms.any_match(values, "/")

    def _count_near(self, values: pa.Array, counts: pa.Array) -> None:
        """Count values that fit a group although not all do, as long as that could matter."""
        for group in ("number", "date"):
            alive = [form.name for form in self.alive if form.group == group]
            if not alive and self._hopeful[group] and group != self._asked:
                sample = fits_group(values.slice(0, _SAMPLE), group)
                self._hopeful[group] = (pc.sum(sample).as_py() or 0) / len(sample) >= _HOPE
            if not alive and not self._hopeful[group]:
                continue
            if group == "date":
                self._count_dates(alive, values, counts)
            else:
                self._count_numbers(alive, values, counts)

    def _count_numbers(self, alive: list[str], values: pa.Array, counts: pa.Array) -> None:
        """Count numbers by how they are written; ``alive`` are the forms that all values have."""
        if "number" in alive or "integer" in alive:
            self.numbers.usual += int(pc.sum(counts).as_py())
        else:
            self.numbers.observe(values, counts)
        self.near["number"] = self.numbers.total

    def _count_dates(self, alive: list[str], values: pa.Array, counts: pa.Array) -> None:
        """Count dates by their spelling; ``alive`` are the forms that all values have."""
        plain = [name for name in alive if name in PLAIN_FORMS or name == self.dates.told]
        if plain:
            self.dates.note(plain[0], int(pc.sum(counts).as_py()))
        elif alive and self.dates.told is None:
            self.dates.observe_orders(values, counts)
        else:
            self.dates.observe(values, counts)
        self.near["date"] = self.dates.total


def _may_have_commas_point(cells: Cells) -> bool:
    """Say whether plain numbers may be such as 1.234, whose point may stand between thousands; True if unsure."""
    return forms.all_match(cells.values.slice(0, _SAMPLE).drop_null(), forms.COMMA)


@cache
def marker_array(markers: frozenset[str]) -> pa.Array:
    """Return markers as Arrow wants them; the same for ten thousand columns."""
    return pa.array(sorted(markers), pa.string())


def fits_group(values: pa.Array, group: str) -> pa.Array:
    """Return for each text whether it could be a number, or a date; for "money", whether it is without a sign."""
    if group == "money":
        return pc.invert(forms.matches(values, MONEY))
    if group == "number":
        return are_numbers(values)
    there = pc.fill_null(values, "")
    found = np.zeros(len(values), np.bool_)
    for name in _DATES:
        some = forms.matches(there, forms.date_pattern(name))
        if pc.any(some).as_py():   # those that are in the calendar
            found |= read_moments(there, name).microseconds != NOT_A_TIME
    return pa.array(found, mask=np.asarray(pc.is_null(values)))
