"""The step that fills what is missing from the training rows that are most alike; the model keeps those rows.

Alike by J. C. Gower's coefficient (1971), the k nearest rows as O. Troyanskaya et al. (2001), as the step of a recipe
does it (``mldesk.data.recipes.neighbours``). numpy only, as ``preparing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.preparing import Columns
from mldesk.training.preparing_groups import plain
from mldesk.training.roles import missing
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import ColumnType

MOST_ROWS = 2_000          # training rows that a model keeps
_CHUNK = 2_000_000         # distances held at once
_AMOUNTS = (ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME)


@dataclass(frozen=True, slots=True, eq=False)
class Neighboured:
    """What is missing gets the mean (of numbers) or the commonest (of all else) of the k nearest rows that have it."""

    name: ClassVar[str] = "fill_by_neighbours"
    columns: tuple[str, ...]
    using: tuple[str, ...]
    neighbours: int
    kinds: Mapping[str, ColumnType]    # of both
    rows: Mapping[str, ColumnData]     # training rows, (R,) of each: texts, or plain numbers with NaN

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.columns, *self.using]))

    def made(self, types: Mapping[str, ColumnType]) -> dict[str, ColumnType | None]:
        return {name: ColumnType.NUMBER if types[name] is ColumnType.INTEGER else types[name] for name in self.columns}

    def apply(self, columns: Columns) -> dict[str, ColumnData]:
        features = {name: self._feature(name, columns[name]) for name in self.using}
        made: dict[str, ColumnData] = {}
        for name in self.columns:
            lacking = np.flatnonzero(missing(columns[name]))
            there = np.flatnonzero(~missing(self.rows[name]))
            others = [feature for other, feature in features.items() if other != name]
            nearest = self._nearest(others, lacking, there)
            made[name] = self._filled(name, columns[name], lacking, nearest)
        return made

    def _feature(self, name: str, data: ColumnData) -> tuple[Array, Array, float]:
        """Return a column of the rows to fill and of those kept, (N,) and (R,), and its range; 0 for categories."""
        kept = self.rows[name]
        if isinstance(kept, TextColumn):
            table = {value: float(code) for code, value in enumerate(kept.values)}
            mine = data.map(table, -2.0, np.nan) if isinstance(data, TextColumn) else np.full(len(data), np.nan)
            return mine, kept.map(table, -1.0, np.nan), 0.0
        mine = np.full(len(data), np.nan) if isinstance(data, TextColumn) else plain(data)
        mine = np.where(np.isfinite(mine), mine, np.nan)
        known = kept[np.isfinite(kept)]
        width = float(known.max() - known.min()) if len(known) else 0.0
        return mine, kept, (width or 1.0) if self.kinds[name] in _AMOUNTS else 0.0

    def _nearest(self, features: list[tuple[Array, Array, float]], lacking: Array, there: Array) -> Array:
        """Return for each lacking row the kept rows nearest to it, (L, k), nearest first; -1 where there is none.

        Each distance is summed up by itself, so that it is the same whatever other rows there are.
        """
        found = np.full((len(lacking), min(self.neighbours, len(there))), -1)
        step = max(1, _CHUNK // max(1, len(there)))
        for first in range(0, len(lacking) if len(there) else 0, step):
            rows = lacking[first:first + step]
            total, common = np.zeros((len(rows), len(there))), np.zeros((len(rows), len(there)))
            for mine, kept, width in features:
                apart = np.abs(mine[rows][:, None] - kept[there][None, :])
                both = ~np.isnan(apart)
                # Beyond the range of the training rows all is as far as can be.
                apart = np.minimum(apart / width, 1.0) if width else (apart != 0).astype(np.float64)
                total += np.where(both, apart, 0.0)
                common += both
            distance = np.round(np.where(common > 0, total / np.maximum(common, 1), np.inf), 9)
            order = np.argsort(distance, axis=1, kind="stable")[:, :self.neighbours]
            near = np.isfinite(np.take_along_axis(distance, order, 1))
            found[first:first + step] = np.where(near, there[order], -1)
        return found

    def _filled(self, name: str, data: ColumnData, lacking: Array, nearest: Array) -> ColumnData:
        kept = self.rows[name]
        if isinstance(data, TextColumn) and isinstance(kept, TextColumn):
            values = tuple(dict.fromkeys([*data.values, *kept.values]))
            place = {value: code for code, value in enumerate(values)}
            codes = data.codes.copy()
            for row, near in zip(lacking, nearest, strict=True):
                if said := [kept.values[kept.codes[one]] for one in near if one >= 0]:
                    codes[row] = place[_commonest(said)]
            return TextColumn(codes, values)
        if isinstance(data, TextColumn) or isinstance(kept, TextColumn):
            raise BadInput(f"The column {name!r:.80} holds other values than those it was learnt from.")
        filled = np.array(data, np.float64)
        numbers = np.append(np.asarray(kept, np.float64), np.nan)[nearest]   # (L, k); -1 is the last one
        if self.kinds[name] is ColumnType.BOOLEAN:
            for row, near in zip(lacking, numbers, strict=True):
                if len(known := near[~np.isnan(near)]):
                    filled[row] = _commonest(known.tolist())
            return filled
        total, many = np.zeros(len(lacking)), np.zeros(len(lacking))
        for place_ in range(numbers.shape[1]):
            said_ = ~np.isnan(numbers[:, place_])
            total += np.where(said_, numbers[:, place_], 0.0)
            many += said_
        filled[lacking] = np.where(many > 0, total / np.maximum(many, 1), np.nan)
        return filled

    def to_json(self) -> dict[str, Any]:
        return {"step": self.name, "columns": list(self.columns), "using": list(self.using),
                "neighbours": self.neighbours, "kinds": {name: kind.value for name, kind in self.kinds.items()},
                "rows": {name: _written(data) for name, data in self.rows.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        rows = {str(name): _read(data) for name, data in value["rows"].items()}
        found = cls(tuple(map(str, value["columns"])), tuple(map(str, value["using"])), int(value["neighbours"]),
                    {str(name): ColumnType(kind) for name, kind in value["kinds"].items()}, rows)
        if not found.columns or found.neighbours < 1 or set(rows) != set(found.sources) or len(
                {len(data) for data in rows.values()}) != 1 or set(found.kinds) != set(rows):
            raise ValueError("no rows to ask")
        return found


def _commonest(values: list[Any]) -> Any:
    return max(dict.fromkeys(values), key=values.count)   # max keeps the first of equals, the nearest


def _written(data: ColumnData) -> Any:
    if isinstance(data, TextColumn):
        return {"codes": data.codes.tolist(), "values": list(data.values)}
    return [None if np.isnan(value) else value for value in data.tolist()]


def _read(value: Any) -> ColumnData:
    if isinstance(value, Mapping):
        values = tuple(map(str, value["values"]))
        codes = np.array([int(code) for code in value["codes"]], np.int32)
        if len(codes) and not -1 <= codes.min() <= codes.max() < max(len(values), 1):
            raise ValueError("a code of no value")
        return TextColumn(codes, values)
    numbers = np.array([np.nan if item is None else float(item) for item in value], np.float64)
    if np.isinf(numbers).any():
        raise ValueError("no finite number")
    return numbers
