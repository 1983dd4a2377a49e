"""Steps that go by groups of rows: what is missing filled by group, categories encoded by what they lead to.

numpy only, as ``preparing``; what they know was learnt in the trainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.preparing import Columns, finite
from mldesk.training.preparing_spaces import numbers_of
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import ColumnType

MOST_PLACES = 2**62   # combinations of keys that can be told apart


def plain(data: Array) -> Array:
    """Return numbers as they are, moments as microseconds; (N,) float64, NaN where missing."""
    if data.dtype.kind != "M":
        return np.asarray(data, np.float64)
    return np.where(np.isnat(data), np.nan, data.astype("datetime64[us]").astype(np.int64).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Known:
    """The values of a column that training rows had: texts or, ascending, plain numbers; each once."""

    column: str
    values: tuple[str, ...] | tuple[float, ...]

    @classmethod
    def of(cls, column: str, data: ColumnData) -> Self:
        """Return those of some rows."""
        if isinstance(data, TextColumn):
            return cls(column, tuple(sorted(value for value, count in zip(data.values, data.counts(), strict=True)
                                            if count)))
        values = plain(data)
        return cls(column, tuple(np.unique(values[np.isfinite(values)]).tolist()))

    def places(self, columns: Columns) -> Array:
        """Return each row's place among the values, (N,) int64: after the last where missing, -1 where never seen.

        Raises BadInput where the column holds another kind of values.
        """
        data, many = columns[self.column], len(self.values)
        if many and isinstance(data, TextColumn) != isinstance(self.values[0], str):
            raise BadInput(f"The column {self.column!r:.80} holds other values than those it was learnt from.")
        if isinstance(data, TextColumn):
            table = {str(value): float(place) for place, value in enumerate(self.values)}
            return data.map(table, -1.0, float(many)).astype(np.int64)
        values, known = plain(data), np.array(self.values, np.float64)
        place = np.searchsorted(known, values)
        seen = np.append(known, np.nan)[place] == values
        return np.where(np.isnan(values), many, np.where(seen, place, -1))

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "values": list(self.values)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        given = value["values"]
        values = tuple(given) if all(isinstance(item, str) for item in given) else numbers_of(given)
        if list(values) != sorted(set(values)):
            raise ValueError("values are no list of different ones")
        return cls(str(value["column"]), values)


def combined(keys: Sequence[Known], columns: Columns) -> Array:
    """Return one number for each row's combination of key values, (N,) int64; -1 where one was never seen."""
    total: Array | None = None
    for key in keys:
        places = key.places(columns)
        total = places if total is None else np.where((total < 0) | (places < 0), -1,
                                                      total * (len(key.values) + 1) + places)
    assert total is not None  # noqa: S101 - for mypy: there is a key
    return total


@dataclass(frozen=True, slots=True)
class GroupFilled:
    """What is missing in a column gets the value of the row's group; in a group without one it stays missing."""

    name: ClassVar[str] = "fill_by_group"
    column: str
    keys: tuple[Known, ...]
    groups: tuple[int, ...]                            # see ``combined``, ascending
    values: tuple[str, ...] | tuple[float, ...]        # a group each

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column, *(key.column for key in self.keys))

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:
        kind = types[self.column]
        whole = kind is not ColumnType.INTEGER or all(float(value).is_integer() for value in self.values)
        return {self.column: kind if whole else ColumnType.NUMBER}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        data, group = columns[self.column], combined(self.keys, columns)
        place = np.searchsorted(self.groups, group)
        there = np.append(np.array(self.groups, np.int64), -2)[place] == group
        if not isinstance(data, TextColumn):
            fill = np.append(np.array(self.values, np.float64), np.nan)[np.where(there, place, -1)]
            return {self.column: np.where(np.isnan(data), fill, data)}
        values = tuple(dict.fromkeys([*data.values, *map(str, self.values)]))
        codes = {value: code for code, value in enumerate(values)}
        fill = np.array([*(codes[str(value)] for value in self.values), -1], np.int32)[np.where(there, place, -1)]
        return {self.column: TextColumn(np.where(data.codes < 0, fill, data.codes).astype(np.int32), values)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "keys": [key.to_json() for key in self.keys],
                "groups": list(self.groups), "values": list(self.values)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        groups, given = tuple(map(int, value["groups"])), value["values"]
        values = tuple(given) if all(isinstance(item, str) for item in given) else numbers_of(given)
        keys = tuple(Known.from_json(key) for key in value["keys"])
        if not keys or len(groups) != len(values) or list(groups) != sorted(set(groups)):
            raise ValueError("no groups")
        return cls(str(value["column"]), keys, groups, values)


@dataclass(frozen=True, slots=True)
class Aimed:
    """Categories as the mean of the target among their training rows, drawn towards that of all of them.

    D. Micci-Barreca (2001), as ``mldesk.data.recipes.learning.encode_target``. A value never seen gets the mean of all.
    """

    name: ClassVar[str] = "encode_target"
    key: Known
    means: tuple[tuple[float, ...], ...]    # (values + 1, outputs); the last is that of rows without a value
    overall: tuple[float, ...]              # (outputs,)
    outputs: tuple[str, ...]                # the column itself, or one per class of the target

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.key.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - always the same
        gone: dict[str, ColumnType | None] = {self.key.column: None}
        return {**gone, **dict.fromkeys(self.outputs, ColumnType.NUMBER)}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        table = np.array([*self.means, self.overall], np.float64)
        found = table[self.key.places(columns)]   # -1, never seen, is the last one
        return {name: found[:, number] for number, name in enumerate(self.outputs)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "key": self.key.to_json(), "means": [list(one) for one in self.means],
                "overall": list(self.overall), "outputs": list(self.outputs)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        found = cls(Known.from_json(value["key"]), tuple(numbers_of(one) for one in value["means"]),
                    numbers_of(value["overall"]), tuple(map(str, value["outputs"])))
        if len(found.means) != len(found.key.values) + 1 or not found.outputs or {
                len(one) for one in (found.overall, *found.means)} != {len(set(found.outputs))}:
            raise ValueError("no means")
        return found


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """Training rows were chosen so that every value of a column had as many. Rows to be predicted stay as they are."""

    name: ClassVar[str] = "rebalance"
    column: str
    how: str       # "fewer" or "more"
    rows: float    # of each value

    @property
    def sources(self) -> tuple[str, ...]:
        return ()

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - none
        return {}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:  # noqa: ARG002 - whatever they are
        return {}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "how": self.how, "rows": self.rows}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(str(value["column"]), str(value["how"]), finite(value["rows"]))
