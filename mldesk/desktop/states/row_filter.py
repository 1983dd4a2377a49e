"""Conditions on one column that a person chooses: what a table is narrowed to, in SQL and in words."""

from __future__ import annotations

from collections.abc import Sequence

from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.words import tr
from mldesk.wire.schema import Column, ColumnType

_NAMED = 4   # values that are said in words


def containing(column: Column, text: str) -> Picked:
    """Return the rows whose cell holds a text, in capitals or not."""
    from mldesk.data.engine import literal

    return Picked(tr("{column} contains “{text:.40}”").format(column=column.name, text=text),
                  f"contains(lower({_text(column)}), lower({literal(text)}))")


def other_than(column: Column, text: str) -> Picked | None:
    """Return the rows whose cell is anything else, also missing; None where ``text`` is no value of the column."""
    from mldesk.data.columns.casts import value_sql
    from mldesk.data.engine import identifier

    try:
        value = value_sql(text, column.type)
    except (ValueError, OverflowError):
        return None
    return Picked(tr("{column} is not {text:.40}").format(column=column.name, text=text),
                  f"{identifier(column.name)} IS DISTINCT FROM {value}")


def one_of(column: Column, values: Sequence[str | None]) -> Picked:
    """Return the rows whose cell is one of some values, given as text; None: missing."""
    from mldesk.data.engine import identifier, literal

    there = [value for value in values if value is not None]
    conditions = [f"{_text(column)} IN ({', '.join(map(literal, there))})"] if there else []
    if None in values:
        conditions.append(f"{identifier(column.name)} IS NULL")
    words = [*(value[:40] for value in there[:_NAMED]), *((tr("missing"),) if None in values else ())]
    more = tr(" and {count} more").format(count=len(there) - _NAMED) if there[_NAMED:] else ""
    return Picked(tr("{column} is {values}").format(column=column.name, values=", ".join(words) + more),
                  " OR ".join(conditions))


def frequent(column: Column, most: int) -> str:
    """Return the query for a column's most frequent values as text, and how many rows have each."""
    return (f"SELECT {_text(column)} AS value, count(*) AS n FROM data GROUP BY 1 "  # noqa: S608 - a quoted name
            f"ORDER BY n DESC, value NULLS LAST LIMIT {most}")


def fits(column: Column, text: str) -> bool:
    """Say whether a text may be a value of a column."""
    return column.type is ColumnType.TEXT or other_than(column, text) is not None


def _text(column: Column) -> str:
    from mldesk.data.engine import identifier

    return f"{identifier(column.name)}::VARCHAR"
