"""How much work a regular expression makes per letter. RE2 never runs away, but counted repetition is written out:
``((a{0,30}){0,30}){0,1}`` forty times over is 36,000 states, each of which may be visited at every letter of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_STATES = 2000
MOST_TOGETHER = 20_000  # states of all the patterns that a row is held against
LONGEST_CELL = 10_000   # letters; no pattern is tried on a longer text, which does not match
LONG_WORDS = f"longer than {LONGEST_CELL:,} letters, on which no pattern is tried"

_TOKEN = re.compile(r"""
    \\Q.*?(?:\\E|$) | \\[pP]\{[^}]*\} | \\x\{[^}]*\} | \\.      # what is escaped
  | \[\^?\]?(?:\\.|\[:[^]]*:\]|[^\]\\])*\]                       # a set
  | \{(?P<least>\d{1,9})(?P<comma>,(?P<most>\d{0,9}))?\}         # how often
  | .""", re.VERBOSE | re.DOTALL)


def states(pattern: str) -> int:
    """Estimate how many states a pattern compiles to, one for each letter or set, repeated as often as it says."""
    groups, last = [0], 0   # the states of each open group, and of what a count would repeat
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if text == "(":
            groups.append(0)
            last = 0
        elif text == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif token["least"] is not None:
            often = max(1, int(token["most"] or int(token["least"]) + bool(token["comma"])))
            groups[-1] += last * (often - 1)
            last *= often
        elif text not in "*+?":
            last = 1
            groups[-1] += 1
    return sum(groups)


def too_large(pattern: str) -> str:
    """Say why a pattern is too large to be tried on every cell, as a part of a sentence; "" where it is not."""
    return "" if states(pattern) <= MOST_STATES else \
        f"it repeats what repeats, or too much: written out it has over {MOST_STATES:,} parts"


def too_large_together(patterns: Iterable[str]) -> str:
    """Say why patterns, each tried on a cell of every row, are too large together; "" where they are not."""
    return "" if sum(map(states, patterns)) <= MOST_TOGETHER else \
        f"its patterns are too large together: written out they have over {MOST_TOGETHER:,} parts"
