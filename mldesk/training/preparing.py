"""Steps of a recipe that a model does by itself: learnt from its training rows, done again to whatever it predicts.

numpy and the standard library only, since bundles predict with it. A step that was learnt is plain JSON. What it
learns is what the step of the same name learns in a recipe. Here are those of one column each; ``preparing_spaces``,
``preparing_groups`` and ``preparing_rows`` have the others, ``preparing_kinds`` the list of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import Column, ColumnType

Columns = Mapping[str, ColumnData]
_N, _I, _T = ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.TEXT


class Learnt(Protocol):
    """One step that was learnt from training rows, for one column or several."""

    name: ClassVar[str]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it reads."""
        ...

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:
        """Return the columns it makes or changes, and their types; None for one that goes."""
        ...

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        """Return those columns for some rows, (N,) each. Every row by itself: no row changes what another becomes."""
        ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Fill:
    """What is missing in a column gets one value."""

    name: ClassVar[str] = "fill_missing"
    column: str
    value: float | str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:
        kind = types[self.column]
        whole = kind is not _I or float(self.value).is_integer()
        return {self.column: kind if whole else _N}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        data = columns[self.column]
        if not isinstance(data, TextColumn):
            return {self.column: np.where(np.isnan(data), self.value, data)}
        text = str(self.value)
        values = data.values if text in data.values else (*data.values, text)
        code = np.int32(values.index(text))
        return {self.column: TextColumn(np.where(data.codes < 0, code, data.codes).astype(np.int32), values)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "value": self.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        filled = value["value"]
        return cls(str(value["column"]), filled if isinstance(filled, str) else finite(filled))


@dataclass(frozen=True, slots=True)
class Scaled:
    """A column of numbers less its middle, by its width."""

    name: ClassVar[str] = "scale"
    column: str
    middle: float
    width: float   # never zero

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - a number, whatever it was
        return {self.column: _N}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        return {self.column: (numbers_in(columns, self.column) - self.middle) / self.width}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "middle": self.middle, "width": self.width}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        width = finite(value["width"])
        if not width:
            raise ValueError("a width of nothing")
        return cls(str(value["column"]), finite(value["middle"]), width)


@dataclass(frozen=True, slots=True)
class Clipped:
    """A column of numbers between two limits."""

    name: ClassVar[str] = "clip"
    column: str
    low: float | None
    high: float | None

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:
        return {self.column: types[self.column]}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        return {self.column: np.clip(numbers_in(columns, self.column), self.low, self.high)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        low, high = (None if value[end] is None else finite(value[end]) for end in ("low", "high"))
        if low is None and high is None:
            raise ValueError("no limit")
        return cls(str(value["column"]), low, high)


@dataclass(frozen=True, slots=True)
class Binned:
    """The range that a number lies in, as text or by its number from 1."""

    name: ClassVar[str] = "bin"
    column: str
    edges: tuple[float, ...]   # ascending
    give: str                  # "range" or "number"

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - whatever it was
        return {self.column: _T if self.give == "range" else _I}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        values = numbers_in(columns, self.column)
        known = ~np.isnan(values)
        place = np.searchsorted(self.edges, values, side="right")
        if self.give == "number":
            return {self.column: np.where(known, place + 1.0, np.nan)}
        return {self.column: TextColumn(np.where(known, place, -1).astype(np.int32), self.ranges)}

    @property
    def ranges(self) -> tuple[str, ...]:
        inner = [f"{low:.12g} to below {high:.12g}" for low, high in zip(self.edges, self.edges[1:], strict=False)]
        return (f"below {self.edges[0]:.12g}", *inner, f"{self.edges[-1]:.12g} or more")

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "edges": list(self.edges), "give": self.give}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        edges = tuple(finite(edge) for edge in value["edges"])
        if not edges or list(edges) != sorted(set(edges)) or value["give"] not in ("range", "number"):
            raise ValueError("no ranges")
        return cls(str(value["column"]), edges, str(value["give"]))


@dataclass(frozen=True, slots=True)
class Placed:
    """A category's place in the order of those known; others are missing."""

    name: ClassVar[str] = "ordinal"
    column: str
    values: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - whatever it was
        return {self.column: _I}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        table = {value: float(place) for place, value in enumerate(self.values)}
        return {self.column: _text(columns, self.column).map(table, np.nan, np.nan)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "values": list(self.values)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(str(value["column"]), tuple(map(str, value["values"])))


@dataclass(frozen=True, slots=True)
class Spread:
    """A column of 0 and 1 for each known category, perhaps one for all others; the column itself goes."""

    name: ClassVar[str] = "one_hot"
    column: str
    values: tuple[str, ...]
    outputs: tuple[str, ...]   # one per value, one more where others share one

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,)

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - whatever it was
        return {self.column: None, **dict.fromkeys(self.outputs, _I)}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        table = {value: float(place) for place, value in enumerate(self.values)}
        codes = _text(columns, self.column).map(table, float(len(self.values)), -1.0)
        return {output: (codes == place).astype(np.float64) for place, output in enumerate(self.outputs)}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "column": self.column, "values": list(self.values), "outputs": list(self.outputs)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        values, outputs = tuple(map(str, value["values"])), tuple(map(str, value["outputs"]))
        if not len(values) <= len(outputs) <= len(values) + 1:
            raise ValueError("categories and columns do not match")
        return cls(str(value["column"]), values, outputs)


def apply_all(steps: Sequence[Learnt], columns: Columns) -> dict[str, ColumnData]:
    """Do the steps one after another to some rows; columns that none of them reads stay as they are."""
    now = dict(columns)
    for step in steps:
        gone = [name for name, kind in step.made(dict.fromkeys(now, _T)).items() if kind is None]
        now |= step.apply(now)
        for name in gone:
            del now[name]
    return now


def after(schema: Sequence[Column], step: Learnt) -> list[Column]:
    """Return the columns after a step, changed ones in their place, new ones last."""
    made = step.made({column.name: column.type for column in schema})
    kept = [Column(column.name, made.get(column.name, column.type) or column.type, column.missing, column.distinct)
            for column in schema if made.get(column.name, column.type) is not None]
    there = {column.name for column in schema}
    return kept + [Column(name, kind) for name, kind in made.items() if kind is not None and name not in there]


def numbers_in(columns: Columns, name: str) -> Array:
    """Return a column of numbers. Raises BadInput for one of another kind."""
    data = columns[name]
    if isinstance(data, TextColumn) or data.dtype.kind == "M":
        raise BadInput(f"The column {name!r:.80} holds no numbers.", hint="The step needs a column of numbers.")
    return np.asarray(data, np.float64)


def _text(columns: Columns, name: str) -> TextColumn:
    data = columns[name]
    if not isinstance(data, TextColumn):
        raise BadInput(f"The column {name!r:.80} holds no text.", hint="The step needs a column of text.")
    return data


def finite(value: Any) -> float:
    """Return a stored number. Raises ValueError for what is none."""
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"not a number: {value!r:.40}")
    return number
