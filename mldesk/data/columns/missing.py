"""Which texts stand for a missing value.

Everywhere: nothing, blanks, and the spellings of "not available" that programs write (``MARKERS``). Only in columns of
numbers, dates or truth values: ``IN_TYPED``, since a category may well be called "None" or "-".
"""

from __future__ import annotations

MARKERS: frozenset[str] = frozenset({
    "", "NA", "N/A", "n/a", "na", "N/a", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "null", "NULL", "Null", "NaT",
    "\\N", "?", "#N/A", "#N/A N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!",
})
IN_TYPED: frozenset[str] = frozenset({
    "-", "--", "---", "–", "—", ".", "..", "None", "none", "NONE", "nil", "n.a.", "N.A.", "n.d.", "N.D.", "missing",
    "*",
})
EXPECTED: frozenset[str] = frozenset({  # markers that need no remark: every program reads them so
    "NA", "N/A", "n/a", "na", "N/a", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "null", "NULL", "Null", "NaT",
    "\\N", "#N/A", "#NA",
})
