"""Column types of tables, as they are stored, shown, sent to runners and written into bundles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class ColumnType(str, Enum):
    """What a column holds. Each has one Arrow type (see ``mldesk.data.types``)."""

    INTEGER = "integer"    # int64
    NUMBER = "number"      # float64
    BOOLEAN = "boolean"
    TEXT = "text"          # category or free text: which of the two is decided when a model is fitted
    DATE = "date"          # date32
    DATETIME = "datetime"  # timestamp, microseconds, without zone (UTC where the source had one)
    TIME = "time"          # time of day, microseconds

    @property
    def numeric(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.NUMBER)

    @property
    def temporal(self) -> bool:
        return self in (ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME)

    @property
    def family(self) -> str:
        """Return "text", "time" or "number": what a model that learned from the one can read of the other."""
        return "text" if self is ColumnType.TEXT else "time" if self.temporal else "number"


Order = tuple[tuple[str, bool], ...]   # of rows: columns, each with whether its greatest comes first


@dataclass(frozen=True, slots=True)
class Column:
    """One column and how full it is. ``missing`` and ``distinct`` count rows and values of this version."""

    name: str
    type: ColumnType
    missing: int = 0
    distinct: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type.value, "missing": self.missing, "distinct": self.distinct}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Column:
        return cls(str(value["name"]), ColumnType(value["type"]), int(value["missing"]), int(value["distinct"]))


def columns_from_json(value: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Read a stored schema. Raises KeyError or ValueError for what ``Column.to_json`` did not write."""
    return tuple(Column.from_json(item) for item in value)
