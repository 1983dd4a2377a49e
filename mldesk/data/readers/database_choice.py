"""Which table of a database is meant, and which queries are let through."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mldesk.data.near import did_you_mean
from mldesk.data.readers.raw import Context
from mldesk.data.records import Fix, ImportRefused

_SELECT = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(select|with|values|from|table)\b", re.IGNORECASE | re.DOTALL)


def choose_table(context: Context, tables: Iterable[tuple[str, int]], wanted: str | None) -> str:
    """Return the table asked for, else the one with most rows; ``tables`` are (name, rows). Raises ImportRefused."""
    there = dict(tables)
    names = sorted(there)
    context.choices = tuple(names)
    if not there:
        raise ImportRefused(f"{context.name} is a database without tables that can be read.")
    if wanted is not None:
        if wanted in there:
            return wanted
        folded = [name for name in names if name.casefold() == wanted.casefold()]
        if len(folded) == 1:
            return folded[0]
        raise ImportRefused(f"{context.name} has no table {wanted!r:.80}.", hint=did_you_mean(wanted, names)
                            or f"Its tables: {', '.join(names[:20])}.",
                            fixes=[Fix(f"Read the table {name!r}", {"table": name}) for name in names[:5]])
    chosen = max(names, key=lambda name: there[name])
    if len(names) > 1:
        others = [name for name in names if name != chosen]
        context.problems.add("guesses", f"The table is {chosen!r}, the one with the most rows; left out: "
                             f"{', '.join(map(repr, others))[:200]}.",
                             fix=Fix(f"Read {others[0]!r}", {"table": others[0]}))
    return chosen


def refuse_query(context: Context, query: str) -> None:
    """Raise ImportRefused for what is plainly no question. The database itself is locked for all else."""
    if not _SELECT.match(query):
        raise ImportRefused(f"{context.name}: a query may read the database only.", hint="A query is one SELECT.")
