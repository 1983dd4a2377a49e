"""Column names that every part of MLDesk can tell apart, made from whatever a file has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from mldesk.data.records import Fix, Problems

_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")
LONGEST = 300  # characters


def clean_names(raw: Sequence[str | None], problems: Problems, *, line: int | None = None) -> list[str]:
    """Return one name per column, unique also where upper and lower case are the same (as in SQL).

    Names are trimmed and composed (NFC); an empty one becomes ``column_4``, a repeated one ``amount_2``. Every change
    but trimming is a problem.
    """
    wanted = [_tidy(name) for name in raw]
    taken = {_fold(name) for name in wanted if name}
    seen: set[str] = set()
    names: list[str] = []
    for number, name in enumerate(wanted, start=1):
        given = name
        if not name:
            name = _free(f"column_{number}", taken | seen)
            problems.add("columns renamed", f"Column {number} has no name; it is called {name!r}.", line=line,
                         column=name, fix=_leave_out(name))
        elif _fold(name) in seen:
            name = _free(name, taken | seen)
            problems.add("columns renamed", f"The name {given!r} occurs more than once; column {number} is called "
                         f"{name!r}.", line=line, column=name, fix=_leave_out(name))
        seen.add(_fold(name))
        names.append(name)
    return names


def _leave_out(name: str) -> Fix:
    return Fix(f"Leave the column {name!r} out", {"without": [name]})


def _tidy(name: str | None) -> str:
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", name or "")).strip()
    return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST].rstrip()


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _free(name: str, taken: set[str]) -> str:
    if _fold(name) not in taken:
        return name
    number = 2
    while _fold(f"{name}_{number}") in taken:
        number += 1
    return f"{name}_{number}"
