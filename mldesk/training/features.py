"""The encoder: columns of a table in, a float32 matrix out, the same at training and at prediction.

numpy and the standard library only, since bundles predict with it where nothing else is installed. Everything it
knows comes from the training rows and is plain JSON (``preprocessing.json``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Block, Category, Numeric, Ranks, Style, Tokens, Words, fit_block, read_block
from mldesk.training.means import Means
from mldesk.training.pieces import longest_of
from mldesk.training.roles import Role, decide
from mldesk.training.topics import AS_USUAL, TextWish
from mldesk.training.values import Array, ColumnData, TextColumn, as_column, length, text_of
from mldesk.wire.schema import Column, ColumnType

__all__ = ["EncodedColumn", "FeatureEncoder", "Style"]

FORMAT = 3       # what an older version can read is still written as that: 1 without topics, 2 without ranks and means
_FORMATS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """One feature column and how it becomes numbers."""

    name: str
    type: ColumnType
    block: Block

    @property
    def role(self) -> Role:
        return self.block.role


class FeatureEncoder:
    """Fitted on training rows; never changes afterwards."""

    def __init__(self, style: Style, columns: Sequence[EncodedColumn], left_out: Mapping[str, str]) -> None:
        self.style: Style = style
        self.columns = tuple(columns)
        self.left_out = dict(left_out)  # column: why it is no feature
        self._names = [column.block.names(column.name, style) for column in self.columns]
        self._starts = np.cumsum([0, *map(len, self._names)])

    @classmethod
    def fit(cls, columns: Mapping[str, ColumnData], schema: Sequence[Column], style: Style, *,
            chosen: bool = False, text: TextWish = AS_USUAL) -> FeatureEncoder:
        """Learn from training rows how to encode the columns of ``schema``.

        Args:
            columns: the training rows, (N,) each, as ``training.values`` describes
            schema: the candidate features, in table order, without the target
            style: for which family of estimators
            chosen: the user named these columns, so an odd one is kept if it can carry anything at all
            text: what columns of text become

        Raises BadInput when no column is left to learn from.
        """
        roles = decide(columns, schema, chosen)
        if text.pieces is not None:   # no longer than the texts are
            long = [text_of(columns[name]) for name, role in roles.features.items() if role is Role.WORDS]
            text = replace(text, pieces=longest_of(text.pieces, long))
        left_out = dict(roles.left_out)
        kept = []
        for column in schema:
            if column.name not in roles.features:
                continue
            block = fit_block(roles.features[column.name], columns[column.name], style, text)
            if block.names(column.name, style):
                kept.append(EncodedColumn(column.name, column.type, block))
            else:
                left_out[column.name] = "nothing in it repeats"
        if not kept:
            raise BadInput("There is no column to learn from: every column but the target is empty, constant or an "
                           "identifier.", hint="Add columns that say something about the target.")
        return cls(style, kept, left_out)

    @property
    def width(self) -> int:
        """How many numbers a row becomes."""
        return int(self._starts[-1])

    @property
    def feature_names(self) -> list[str]:
        """Names of the outputs, (F,)."""
        return [name for names in self._names for name in names]

    @property
    def origins(self) -> list[str]:
        """For each output the table's column it comes from, (F,)."""
        return [column.name for column, names in zip(self.columns, self._names, strict=True) for _ in names]

    @property
    def categorical(self) -> list[tuple[int, int]]:
        """Return (output, how many codes it can take) of every category that is one output; none in ``dense``."""
        if self.style == "dense":
            return []
        return [(int(start), column.block.cardinality)
                for column, start in zip(self.columns, self._starts[:-1], strict=True)
                if isinstance(column.block, Category)]

    def transform(self, columns: Mapping[str, ColumnData]) -> Array:
        """Return (N, F) float32. Columns that are no feature are ignored. Raises BadInput naming those missing."""
        refuse_absent(self.columns, columns)
        matrix = np.empty((length(columns), self.width), np.float32)
        for index, column in enumerate(self.columns):
            matrix[:, self._starts[index]:self._starts[index + 1]] = self.encode(index, columns[column.name])
        return matrix

    def encode(self, index: int, data: ColumnData) -> Array:
        """Return what feature column number ``index`` becomes, (N, its outputs) float32."""
        return self.columns[index].block.transform(data, self.style)

    def outputs(self, index: int) -> slice:
        """Return which outputs feature column number ``index`` fills."""
        return slice(int(self._starts[index]), int(self._starts[index + 1]))

    def read(self, values: Mapping[str, Sequence[object] | Array | TextColumn]) -> dict[str, ColumnData]:
        """Read plain values (strings, numbers, None) of the feature columns. Raises BadInput naming column and row."""
        return {column.name: read_values(values[column.name], column) for column in self.columns
                if column.name in values}

    def to_json(self) -> dict[str, Any]:
        since = max((_since(column.block) for column in self.columns), default=1)
        return {"format": since, "style": self.style, "left_out": self.left_out, "columns": [
            {"name": column.name, "type": column.type.value, "role": column.role.value, **column.block.to_json()}
            for column in self.columns]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeatureEncoder:
        """Read a stored encoder. Raises BadInput for a newer format or anything ``to_json`` did not write."""
        try:
            if value["format"] not in _FORMATS:
                raise BadInput(f"This preprocessing is written in format {value['format']!r:.20}; formats up to "
                               f"{FORMAT} are known.", hint="Upgrade MLDesk to read it.")
            style = value["style"]
            if style not in get_args(Style):
                raise ValueError(style)
            columns = [EncodedColumn(str(item["name"]), ColumnType(item["type"]), read_block(Role(item["role"]), item))
                       for item in value["columns"]]
            left_out = {str(name): str(why) for name, why in value["left_out"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"This is not a feature encoder: {error!r:.200}.") from error
        return cls(style, columns, left_out)


def _since(block: Block) -> int:
    """Return the format that a block came with."""
    if isinstance(block, Means) or (isinstance(block, Numeric) and isinstance(block.scale, Ranks)):
        return 3
    return 2 if isinstance(block, Tokens) or (isinstance(block, Words) and block.topics is not None) else 1


def refuse_absent(needed: Sequence[EncodedColumn], columns: Mapping[str, ColumnData]) -> None:
    """Raise BadInput that names the columns which are needed and not there."""
    absent = [column.name for column in needed if column.name not in columns]
    if absent:
        more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        raise BadInput(f"The input has no column {', '.join(map(repr, absent[:5]))}{more}, which the model needs.",
                       hint="Add the missing columns; their values may be empty.")


def read_values(values: Sequence[object] | Array | TextColumn, column: EncodedColumn) -> ColumnData:
    """Return plain values of one column as the encoder takes them. Raises BadInput naming column and row."""
    return values if isinstance(values, TextColumn) else as_column(values, Column(column.name, column.type))
