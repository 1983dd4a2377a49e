"""Columns of text most of whose values are numbers: some are written otherwise, so all were kept as text.

A hint for people, told by how texts look; the import reads them exactly.
"""

from __future__ import annotations

import re

import numpy as np

from mldesk.training.values import TextColumn

_SIGN = r"(?:[€$£¥]|CHF|EUR|USD)"
_NUMBER = re.compile(rf"[+-]?(?:{_SIGN}\s?)?[+-]?(?:0|[1-9][0-9]{{0,17}}|[1-9][0-9]{{0,2}}(?:[,.'’\s][0-9]{{3}})+)"
                     rf"(?:[.,][0-9]+)?(?:e[+-]?[0-9]+)?(?:\s?{_SIGN})?", re.IGNORECASE)
_SAMPLE = 2000   # values looked at
_MOST = 0.5      # share of them above which a column is called so


def mostly_numbers(text: TextColumn) -> bool:
    """Say whether most of the different values of a column look like numbers, with a currency sign or without."""
    values = [text.values[index].strip() for index in np.flatnonzero(text.counts())[:_SAMPLE]]
    return sum(_NUMBER.fullmatch(value) is not None for value in values) > _MOST * len(values)
