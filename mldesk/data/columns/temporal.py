"""Dates, times and both, as people and programs write them, into microseconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.temporal_format import pattern_of

_CLOCK = (r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
          r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?")
_TAIL = rf"(?:(?:[Tt]|\s+|,\s*){_CLOCK}\s*(?P<z>[Zz]|UTC|GMT|[+-]\d{{2}}(?::?\d{{2}})?)?)?"
_NAMES = (r"(?P<N>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
          r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
_DAY_NAME = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = 86_400_000_000  # microseconds
NOT_A_TIME = np.iinfo(np.int64).min

PATTERNS: dict[str, str] = {
    "ymd": rf"^(?P<y>\d{{4}})(?:-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}})|/(?P<m2>\d{{1,2}})/(?P<d2>\d{{1,2}})|"
           rf"\.\s?(?P<m3>\d{{1,2}})\.\s?(?P<d3>\d{{1,2}})\.?){_TAIL}$",
    "dmy": rf"^(?P<d>\d{{1,2}})(?:[-/.](?P<m>\d{{1,2}})[-/.](?P<y>\d{{4}})|/(?P<m2>\d{{1,2}})/(?P<y2>\d{{2}})){_TAIL}$",
    "mdy": rf"^(?P<m>\d{{1,2}})(?:[-/.](?P<d>\d{{1,2}})[-/.](?P<y>\d{{4}})|/(?P<d2>\d{{1,2}})/(?P<y2>\d{{2}})){_TAIL}$",
    "d month y": rf"(?i)^{_DAY_NAME}(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s\-/]*{_NAMES}\.?,?[\s\-/]*"
                 rf"(?P<y>\d{{4}}){_TAIL}$",
    "month d y": rf"(?i)^{_DAY_NAME}{_NAMES}\.?\s*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}}){_TAIL}$",
    "time": rf"^{_CLOCK}$",
}


def pattern(form: str) -> str:
    """Return how the texts of a form look: one of PATTERNS, or as a format with % signs says."""
    return pattern_of(form) if "%" in form else PATTERNS[form]


@dataclass(frozen=True, slots=True)
class Moments:
    """What texts mean as moments."""

    microseconds: npt.NDArray[np.int64]  # since 1970-01-01 (of the day, for a time); NOT_A_TIME where it is none
    timed: bool                          # some of them say a time of day

    @property
    def whole(self) -> bool:
        """Say whether every text was one."""
        return not bool((self.microseconds == NOT_A_TIME).any())


def read_moments(values: pa.Array, form: str) -> Moments:
    """Read texts, none of them null, as one of PATTERNS says. UTC where a zone is written."""
    fields = pc.extract_regex(values, pattern(form))
    matched = np.asarray(pc.is_valid(fields))
    if not matched.any():
        return Moments(np.full(len(values), NOT_A_TIME, np.int64), timed=False)
    parts = {fields.type.field(i).name: pc.struct_field(fields, [i]) for i in range(fields.type.num_fields)}
    good = matched.copy()
    day_start = np.zeros(len(values), np.int64)
    if form != "time":
        day_start, dated = _days(parts)
        good &= dated
    clock, clocked, timed = _clock(parts)
    total = day_start * _DAY + clock
    return Moments(np.where(good & clocked, total, NOT_A_TIME), timed)


def both_orders(values: pa.Array) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which texts are moments with the day before the month, and which with the month before the day."""
    fields = pc.extract_regex(values, PATTERNS["dmy"])
    parts = {fields.type.field(i).name: pc.struct_field(fields, [i]) for i in range(fields.type.num_fields)}
    swapped = {"d": _first(parts, "m", "m2"), "m": parts["d"], "y": parts["y"], "y2": parts["y2"]}
    clocked = _clock(parts)[1] & np.asarray(pc.is_valid(fields))
    return _days(parts)[1] & clocked, _days(swapped)[1] & clocked


def _days(parts: dict[str, pa.Array]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return days since 1970 and which of them are in the calendar."""
    year = _number(_first(parts, "y", "y2"))
    if "y2" in parts:
        short = np.asarray(pc.fill_null(pc.equal(pc.binary_length(_first(parts, "y", "y2")), 2), False))
        year = np.where(short, np.where(year < 70, year + 2000, year + 1900), year)
    if "N" in parts:
        name = pc.utf8_slice_codeunits(pc.utf8_lower(parts["N"]), 0, 3)
        month = np.asarray(pc.fill_null(pc.index_in(name, pa.array(_MONTHS)), -1), dtype=np.int64) + 1
    else:
        month = _number(_first(parts, "m", "m2", "m3"))
    day = _number(_first(parts, "d", "d2", "d3"))
    sane = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1)
    months = np.where(sane, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    sane &= days.astype("datetime64[M]") == months  # no 31st of April
    return days.astype(np.int64), sane


def _clock(parts: dict[str, pa.Array]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], bool]:
    """Return microseconds of the day (minus the zone), which are on the clock, and whether any time is written."""
    size = len(parts["H"])
    if not pc.any(pc.greater(pc.binary_length(parts["H"]), 0)).as_py():
        return np.zeros(size, np.int64), np.ones(size, np.bool_), False
    hour, minute, second = (_number(parts[key]) for key in "HMS")
    fraction = _number(pc.utf8_slice_codeunits(pc.utf8_rpad(pc.fill_null(parts["f"], ""), 6, "0"), 0, 6))
    half = pc.fill_null(pc.utf8_lower(pc.utf8_slice_codeunits(parts["p"], 0, 1)), "")
    pm, am = np.asarray(pc.equal(half, "p")), np.asarray(pc.equal(half, "a"))
    fine = (minute <= 59) & (second <= 59) & np.where(pm | am, (hour >= 1) & (hour <= 12), hour <= 23)
    hour = np.where(pm & (hour < 12), hour + 12, np.where(am & (hour == 12), 0, hour))
    result = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    if "z" in parts:
        result = result - _zone(parts["z"])
    return result, fine, True


def _zone(zone: pa.Array) -> npt.NDArray[np.int64]:
    """Return the microseconds that zones are ahead of UTC."""
    digits = pc.replace_substring(pc.fill_null(zone, ""), ":", "")
    numeric = pc.match_substring_regex(digits, r"^[+-]\d{2}")
    padded = pc.utf8_rpad(pc.if_else(numeric, digits, "+0000"), 5, "0")
    hours = _number(pc.utf8_slice_codeunits(padded, 1, 3))
    minutes = _number(pc.utf8_slice_codeunits(padded, 3, 5))
    sign = np.where(np.asarray(pc.starts_with(padded, "-")), -1, 1)
    return np.asarray(sign * (hours * 60 + minutes) * 60_000_000, dtype=np.int64)


def _first(parts: dict[str, pa.Array], *names: str) -> pa.Array:
    """Return the first of the groups that matched, row by row."""
    found = None
    for name in names:
        if name in parts:
            found = parts[name] if found is None else pc.if_else(pc.equal(found, ""), parts[name], found)
    return found


def _number(values: pa.Array) -> Any:
    filled = pc.fill_null(values, "0")
    return np.asarray(pc.cast(pc.if_else(pc.equal(filled, ""), "0", filled), pa.int64()))
