"""A text that is looked for in all columns of a table, as SQL; columns in whose type it cannot be are passed over."""

from __future__ import annotations

from collections.abc import Sequence

from mldesk.data.engine import identifier, literal
from mldesk.wire.schema import Column, ColumnType

_MOMENTS = frozenset("0123456789-:. +()bcinfty")   # also those before Christ, and without end
_LETTERS = {ColumnType.INTEGER: frozenset("0123456789-"), ColumnType.NUMBER: frozenset("0123456789-+.einfatyn"),
            ColumnType.DATE: _MOMENTS, ColumnType.DATETIME: _MOMENTS, ColumnType.TIME: _MOMENTS}


def search_sql(columns: Sequence[Column], text: str) -> str:
    """Return a condition that rows meet of which any column contains the text, upper and lower case alike."""
    wanted = literal(text.lower())
    tests = [f"contains(lower({_as_text(column)}), {wanted})" for column in columns
             if _may_hold(column.type, text.lower())]
    return "(" + " OR ".join(tests) + ")" if tests else "false" if columns else "true"


def _may_hold(kind: ColumnType, text: str) -> bool:
    """Say whether a cell of a type may contain a text in small letters; to make text of ten million numbers is slow."""
    if kind is ColumnType.BOOLEAN:
        return text in "true" or text in "false"
    return kind not in _LETTERS or set(text) <= _LETTERS[kind]


def _as_text(column: Column) -> str:
    quoted = identifier(column.name)
    return quoted if column.type is ColumnType.TEXT else f"CAST({quoted} AS VARCHAR)"
