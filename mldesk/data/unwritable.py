"""What a query may answer and a Parquet file, or a dataset, cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.engine import identifier

_NOT_IN_PARQUET = ("interval", "union", "bit")


def refuse_unwritable(names: Sequence[str], types: Sequence[Any]) -> None:
    """Raise BadInput that names the first column, of DuckDB's types, that Parquet has nothing for."""
    for name, kind in zip(names, types, strict=True):
        if _holds(kind):
            raise unwritable(name, str(kind), "which a Parquet file or a dataset cannot hold", "VARCHAR")


def unwritable(name: str, kind: str, why: str, cast: str) -> BadInput:
    """Return what is said of a column that cannot be written as it is."""
    return BadInput(f"The query's column {name!r:.80} is of type {kind:.60}, {why}.",
                    hint=f"Write CAST({identifier(name):.80} AS {cast}) in its place, or leave it out.")


def _holds(kind: Any) -> bool:
    if kind.id in _NOT_IN_PARQUET:
        return True
    if kind.id not in ("list", "struct", "map", "array"):
        return False
    return any(_holds(child) for _, child in kind.children if hasattr(child, "id"))
