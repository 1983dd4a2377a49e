"""What the texts of one column tell of how they are to be read as another type, whatever column that is."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from mldesk.data.columns.decide import decide, markers
from mldesk.data.columns.guess import ColumnGuess
from mldesk.data.options import ImportOptions, Reading
from mldesk.data.records import Problems
from mldesk.wire.schema import ColumnType

_GROUPS = {ColumnType.INTEGER: "number", ColumnType.NUMBER: "number", ColumnType.DATE: "date",
           ColumnType.DATETIME: "date"}


def open_to_doubt(kind: ColumnType) -> bool:
    """Say whether texts of a type may mean two things."""
    return kind in _GROUPS


def reading_of(pieces: Iterable[pa.Array], name: str, kind: ColumnType, dates: str = "") -> tuple[Reading, list[str]]:
    """Return how a column of text is read as ``kind``, as an import does it, and sentences about what is in doubt.

    ``dates`` is what a person says: "dmy", "mdy", or "" for what the values tell.
    """
    options = ImportOptions(types=((name, kind.value),), dates=dates or None)
    guess, problems = ColumnGuess(markers(options), asked=_GROUPS.get(kind, "")), Problems("")
    for values in pieces:
        guess.observe(values)
    (decision,) = decide([guess], [name], options, problems, lambda *_: None)
    return decision.reading, [problem.message for problem in problems.all() if problem.kind == "guesses"]
