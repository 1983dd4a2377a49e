"""Categories of many values as what the target was in them, standardised: target encoding (``target_means``).

Everything is learnt from the rows that a model is fitted on alone. numpy and the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mldesk.training.roles import Role
from mldesk.training.target_means import target_means
from mldesk.training.values import Array, ColumnData, TextColumn, text_of

_PULL = 10.0      # rows of the mean of all that each value's rows are put together with
_PARTS = 5        # of the rows that are fitted on, each told by the others
MOST_CLASSES = 10


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """A column's values and the standardised mean of the target in each."""

    role: ClassVar[Role] = Role.CATEGORY
    values: tuple[str, ...]
    table: Array          # (values + 1, outputs) float32; the last row is for values that are new, or missing

    @property
    def outputs(self) -> int:
        return int(self.table.shape[1])

    def names(self, column: str, style: object) -> list[str]:
        del style
        return [f"{column}: mean of the target" + (f" ({number})" if self.outputs > 1 else "")
                for number in range(1, self.outputs + 1)]

    def transform(self, data: ColumnData, style: object) -> Array:
        """Return (N, outputs) float32."""
        del style
        text = text_of(data)
        places = {value: float(place) for place, value in enumerate(self.values)}
        found: Array = self.table[text.map(places, len(self.values), len(self.values)).astype(np.intp)]
        return found

    def to_json(self) -> dict[str, Any]:
        return {"means": {"values": list(self.values), "table": self.table.astype(float).round(6).tolist()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Means:
        """Raises KeyError, TypeError or ValueError for what ``to_json`` did not write."""
        given = value["means"]
        values, table = tuple(map(str, given["values"])), np.asarray(given["table"], np.float32)
        if table.ndim != 2 or len(table) != len(values) + 1 or not np.isfinite(table).all():
            raise ValueError("not means of a target")
        return cls(values, table)


def fit_transform(text: TextColumn, y: Array, classes: int, seed: int) -> tuple[Means, Array]:
    """Return the means of all these rows, and what these rows themselves are told: means of rows in other parts."""
    told = _told(y, classes)
    part = np.random.default_rng([seed, len(y)]).permutation(len(y)) % _PARTS
    found = target_means(text.codes, len(text.values), told, part, _PARTS, _PULL)
    spread = told.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    seen = np.unique(text.codes[text.codes >= 0])
    table, beside = (((means - found.all) / scale).astype(np.float32).round(6) for means in (
        np.vstack([found.group[seen], found.all]), found.beside))
    return Means(tuple(text.values[place] for place in seen), table), beside


def _told(y: Array, classes: int) -> Array:
    """Return what means are taken of, (N, outputs): numbers, or one for each class but one of two."""
    if not classes:
        return y.astype(np.float64)[:, None]
    one_hot = np.eye(classes)[y]
    told: Array = one_hot[:, 1:] if classes == 2 else one_hot
    return told
