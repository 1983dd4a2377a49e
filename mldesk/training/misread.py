"""Columns of text most of whose values are numbers or dates: some are written otherwise, so all were kept as text.

A hint for people, told by how texts look; the import reads them exactly.
"""

from __future__ import annotations

import re

import numpy as np

from mldesk.training.values import TextColumn

_SIGN = r"(?:[€$£¥]|CHF|EUR|USD)"
_NUMBER = re.compile(rf"[+-]?(?:{_SIGN}\s?)?[+-]?(?:0|[1-9][0-9]{{0,17}}|[1-9][0-9]{{0,2}}(?:[,.'’\s][0-9]{{3}})+)"
                     rf"(?:[.,][0-9]+)?(?:e[+-]?[0-9]+)?(?:\s?{_SIGN})?", re.IGNORECASE)
_DATE = re.compile(r"(?:[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|"
                   r"[0-9]{1,2}\.?\s[a-z]{3,9}\.?,?\s[0-9]{4}|[a-z]{3,9}\.?\s[0-9]{1,2},?\s[0-9]{4})(?:[T ,].*)?",
                   re.IGNORECASE)
_SAMPLE = 2000   # values looked at
_MOST = 0.5      # share of them above which a column is called so


def misread_as(text: TextColumn) -> str:
    """Return the type as which most of the different values of a column read, "number" or "date"; "" for none."""
    values = [text.values[index].strip() for index in np.flatnonzero(text.counts())[:_SAMPLE]]
    for kind, looks in (("date", _DATE), ("number", _NUMBER)):
        if sum(looks.fullmatch(value) is not None for value in values) > _MOST * len(values):
            return kind
    return ""
