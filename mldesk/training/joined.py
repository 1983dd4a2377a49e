"""Several encoders side by side, for a model that blends others: each member finds its own numbers in the row.

numpy and the standard library only, as ``features``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.features import EncodedColumn
from mldesk.training.prepared import OneEncoder, read_one
from mldesk.training.values import Array, ColumnData, TextColumn

FORMAT = 1
_STYLE = "joined"
_MOST_PARTS = 1024   # of a bundle: each model of a fold may have columns or means of its own


class Encoder(Protocol):
    """What turns columns of a table into a matrix, whether one or several side by side."""

    columns: tuple[EncodedColumn, ...]
    left_out: dict[str, str]

    @property
    def width(self) -> int: ...

    @property
    def feature_names(self) -> list[str]: ...

    def transform(self, columns: Mapping[str, ColumnData]) -> Array: ...

    def outputs(self, index: int) -> Array | slice: ...

    def read(self, values: Mapping[str, Sequence[object] | Array | TextColumn]) -> dict[str, ColumnData]: ...

    def to_json(self) -> dict[str, Any]: ...


class JoinedEncoder:
    """The outputs of ``parts``, one after another."""

    def __init__(self, parts: Sequence[OneEncoder]) -> None:
        self.parts = tuple(parts)
        by_name = {column.name: column for part in reversed(self.parts) for column in part.columns}
        self.columns = tuple(by_name.values())
        self.left_out = {name: why for part in self.parts for name, why in part.left_out.items() if name not in by_name}
        self.starts = [0, *np.cumsum([part.width for part in self.parts]).tolist()]

    @property
    def width(self) -> int:
        """How many numbers a row becomes."""
        return int(self.starts[-1])

    @property
    def feature_names(self) -> list[str]:
        """Names of the outputs, (F,)."""
        return [f"{part.style}: {name}" for part in self.parts for name in part.feature_names]

    def transform(self, columns: Mapping[str, ColumnData]) -> Array:
        """Return (N, F) float32. Raises BadInput naming columns that are missing."""
        matrix: Array = np.concatenate([part.transform(columns) for part in self.parts], 1)
        return matrix

    def outputs(self, index: int) -> Array:
        """Return which outputs feature column number ``index`` fills, of every part."""
        name, found = self.columns[index].name, [np.zeros(0, int)]
        for part, start in zip(self.parts, self.starts, strict=False):
            for place, column in enumerate(part.columns):
                if column.name == name:
                    found.append(start + np.arange(part.width)[part.outputs(place)])
        return np.concatenate(found)

    def read(self, values: Mapping[str, Sequence[object] | Array | TextColumn]) -> dict[str, ColumnData]:
        """Read plain values of the feature columns. Raises BadInput naming column and row."""
        read: dict[str, ColumnData] = {}
        for part in self.parts:
            read |= part.read({name: value for name, value in values.items() if name not in read})
        return read

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "style": _STYLE, "parts": [part.to_json() for part in self.parts]}


def read_encoder(value: Mapping[str, Any]) -> OneEncoder | JoinedEncoder:
    """Read a stored encoder of either kind. Raises BadInput for anything else."""
    if value.get("style") != _STYLE:
        return read_one(value)
    parts = value.get("parts")
    if value.get("format") != FORMAT or not isinstance(parts, list) or not 0 < len(parts) <= _MOST_PARTS or not all(
            isinstance(part, Mapping) for part in parts):
        raise BadInput("This is not a feature encoder that this MLDesk knows.", hint="Upgrade MLDesk to read it.")
    return JoinedEncoder([read_one(part) for part in parts])
