"""Regular expressions over file names, matched by RE2 (in DuckDB), which never takes longer than the name is long.

Python's own matcher can be kept busy for ever by a pattern like ``(x+x+)+y``, and a contract may come from anywhere. It
only reads the pattern: RE2's ``\\w`` and ``\\d`` are those of ASCII, so they are written out for all letters and digits
(but not a ``\\W`` among others in brackets).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from mldesk.data.pattern_size import too_large

if TYPE_CHECKING:  # slow to load
    import duckdb

_OPEN = {"w": r"[\p{L}\p{N}_]", "W": r"[^\p{L}\p{N}_]", "d": r"\p{Nd}", "D": r"\P{Nd}", "Z": r"\z"}
_IN_SET = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}", "D": r"\P{Nd}"}


def compiled(pattern: str) -> tuple[str, ...]:
    """Return the named groups of a pattern. Raises ValueError with the reason for one that cannot be used."""
    if why := too_large(pattern):
        raise ValueError(why)
    try:
        groups = tuple(re.compile(pattern).groupindex)
        match(pattern, "", False)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return groups


def match(pattern: str, name: str, ignore_case: bool) -> dict[str, str] | None:
    """Return the named groups of a name that the whole pattern matches, None where it does not.

    Raises ValueError for a pattern with what RE2 lacks: looking ahead or behind, references to groups.
    """
    import duckdb  # slow to load

    whole, options = f"^(?:{_for_re2(pattern)})$", "i" if ignore_case else "c"
    groups = re.compile(pattern).groupindex
    columns = "".join(f", regexp_extract($1, $2, {int(number)}, $3)" for number in groups.values())
    with _engine().cursor() as connection:
        try:
            row = connection.execute(f"SELECT regexp_matches($1, $2, $3){columns}",
                                     [name, whole, options]).fetchone()
        except duckdb.Error as error:
            raise ValueError(str(error).partition(": ")[2].splitlines()[0] or str(error)) from error
    if row is None or not row[0]:
        return None
    return dict(zip(groups, row[1:], strict=True))


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return an engine for names alone: making one takes thirty times as long as a match. Threads take cursors."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def _for_re2(pattern: str) -> str:
    found, position, inside = [], 0, False
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and position + 1 < len(pattern):
            letter = pattern[position + 1]
            found.append((_IN_SET if inside else _OPEN).get(letter, char + letter))
            position += 2
            continue
        if char == "[" and not inside:
            inside = True
            start = next(start for start in ("[^]", "[^", "[]", "[") if pattern.startswith(start, position))
            found.append(start.replace("]", r"\]"))
            position += len(start)
            continue
        inside = inside and char != "]"
        found.append(char)
        position += 1
    return "".join(found)
