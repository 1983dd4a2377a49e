"""Steps that see rows as points of several standardised columns: the nearest of some centres, principal components.

numpy only, as ``preparing``; what they know was learnt in the trainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mldesk.training.preparing import Columns, finite, numbers_in
from mldesk.training.values import Array, ColumnData
from mldesk.wire.schema import ColumnType

LEARNT_FROM = 20_000   # rows, chosen by chance, that segments and components are learnt from, as in a recipe


@dataclass(frozen=True, slots=True)
class Segmented:
    """The nearest of some centres, by number from 1, of standardised columns; what is missing lies in the middle."""

    name: ClassVar[str] = "segment"
    columns: tuple[str, ...]
    middles: tuple[float, ...]
    widths: tuple[float, ...]                 # never zero
    centres: tuple[tuple[float, ...], ...]    # (K, columns)
    into: str

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - always the same
        return {self.into: ColumnType.INTEGER}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        points = standardised(columns, self.columns, self.middles, self.widths)
        away = np.stack([((points - np.array(centre)) ** 2).sum(1) for centre in self.centres], 1)
        return {self.into: away.argmin(1) + 1.0}

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "columns": list(self.columns), "middles": list(self.middles),
                "widths": list(self.widths), "centres": [list(centre) for centre in self.centres], "into": self.into}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        found = cls(tuple(map(str, value["columns"])), numbers_of(value["middles"]), numbers_of(value["widths"]),
                    tuple(numbers_of(centre) for centre in value["centres"]), str(value["into"]))
        if not found.columns or not found.centres or 0 in found.widths or {
                len(item) for item in (found.middles, found.widths, *found.centres)} != {len(found.columns)}:
            raise ValueError("no segments")
        return found


@dataclass(frozen=True, slots=True)
class Reduced:
    """Principal components of standardised columns (K. Pearson, 1901); what is missing lies in the middle."""

    name: ClassVar[str] = "reduce"
    columns: tuple[str, ...]
    middles: tuple[float, ...]
    widths: tuple[float, ...]              # never zero
    axes: tuple[tuple[float, ...], ...]    # (components, columns)
    outputs: tuple[str, ...]               # one per component
    columns_go: bool                       # the columns they are made of are taken out

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:  # noqa: ARG002 - always the same
        gone: dict[str, ColumnType | None] = dict.fromkeys(self.columns) if self.columns_go else {}
        return {**gone, **dict.fromkeys(self.outputs, ColumnType.NUMBER)}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        points = standardised(columns, self.columns, self.middles, self.widths)
        made: dict[str, ColumnData] = {}
        for name, axis in zip(self.outputs, self.axes, strict=True):
            total = np.zeros(len(points))
            for number, weight in enumerate(axis):   # a product of matrices would differ with how many rows there are
                total += points[:, number] * weight
            made[name] = total
        return made

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "columns": list(self.columns), "middles": list(self.middles),
                "widths": list(self.widths), "axes": [list(axis) for axis in self.axes],
                "outputs": list(self.outputs), "columns_go": self.columns_go}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        found = cls(tuple(map(str, value["columns"])), numbers_of(value["middles"]), numbers_of(value["widths"]),
                    tuple(numbers_of(axis) for axis in value["axes"]), tuple(map(str, value["outputs"])),
                    value["columns_go"] is True)
        if not found.columns or not found.axes or 0 in found.widths or len(found.axes) != len(set(found.outputs)) or {
                len(item) for item in (found.middles, found.widths, *found.axes)} != {len(found.columns)}:
            raise ValueError("no components")
        return found


def standardised(columns: Columns, names: Sequence[str], middles: Sequence[float], widths: Sequence[float]) -> Array:
    """Return (N, D) standardised values, 0 where they are missing or infinite."""
    scores = [(numbers_in(columns, name) - middle) / width
              for name, middle, width in zip(names, middles, widths, strict=True)]
    return np.nan_to_num(np.stack(scores, 1), nan=0.0, posinf=0.0, neginf=0.0)


def numbers_of(values: Any) -> tuple[float, ...]:
    """Return stored numbers. Raises ValueError, TypeError for what are none."""
    return tuple(finite(value) for value in values)
