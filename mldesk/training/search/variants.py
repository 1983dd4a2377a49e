"""The rows of a search in every form that a pipeline may ask for, each made once it is asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mldesk.training.blocks import Block, Numeric, Style, Words
from mldesk.training.estimators.base import Part
from mldesk.training.features import EncodedColumn, FeatureEncoder
from mldesk.training.means import Means
from mldesk.training.prepared import OneEncoder
from mldesk.training.search.pipeline import NOTHING, TEXT, Offer
from mldesk.training.topics import TextWish
from mldesk.training.values import ColumnData
from mldesk.wire.schema import ColumnType

_KEPT = 2   # matrices that are not the usual ones, at once


class Variants:
    """Encoders and matrices by style and pipeline. Not for several threads at once."""

    def __init__(self, encoders: Mapping[Style, OneEncoder], parts: Mapping[Style, Part],
                 raw: Mapping[str, ColumnData], offered: Offer = NOTHING) -> None:
        """``raw``: the columns that are encoded differently at times, (N,) each, of the rows of ``parts``."""
        self.encoders, self.parts, self.raw, self.offered = encoders, parts, raw, offered
        self._made: dict[tuple[str, ...], OneEncoder] = {}
        self._matrices: OrderedDict[tuple[str, ...], Part] = OrderedDict()

    def encoder(self, style: Style, pipeline: Mapping[str, Any]) -> OneEncoder:
        """Return what turns a table into the matrix, but for the means of the target, which each fit learns."""
        key, base = _key(style, pipeline), self.encoders[style]
        if len(key) == 1 or not isinstance(base, FeatureEncoder):
            return base
        if key not in self._made:
            self._made[key] = FeatureEncoder(
                style, [replace(column, block=self._block(column, pipeline)) for column in base.columns],
                base.left_out)
        return self._made[key]

    def part(self, style: Style, pipeline: Mapping[str, Any]) -> Part:
        """Return the rows so encoded."""
        key, base, usual = _key(style, pipeline), self.encoders[style], self.parts[style]
        made = self.encoder(style, pipeline)
        if made is base or not isinstance(base, FeatureEncoder) or not isinstance(made, FeatureEncoder):
            return usual
        if key not in self._matrices:
            self._matrices[key] = Part(self._matrix(base, made, usual), usual.y)
        self._matrices.move_to_end(key)
        while len(self._matrices) > _KEPT:
            self._matrices.popitem(last=False)
        return self._matrices[key]

    def means_encoder(self, means: Mapping[str, Means]) -> FeatureEncoder:
        """Return what adds the means of one fit to a table's matrix."""
        return FeatureEncoder("trees", [EncodedColumn(name, ColumnType.TEXT, block) for name, block in means.items()],
                              {})

    def _matrix(self, base: FeatureEncoder, made: FeatureEncoder, usual: Part) -> Any:
        import numpy as np

        matrix = np.empty((len(usual), made.width), np.float32)
        for place, (before, column) in enumerate(zip(base.columns, made.columns, strict=True)):
            matrix[:, made.outputs(place)] = (usual.x[:, base.outputs(place)] if column.block is before.block
                                              else made.encode(place, self.raw[column.name]))
        return matrix

    def _block(self, column: EncodedColumn, pipeline: Mapping[str, Any]) -> Block:
        if column.name not in self.raw:
            return column.block
        return other_block(column.block, self.raw[column.name], pipeline, ranked=column.name in self.offered.ranked)


def other_block(block: Block, data: ColumnData, pipeline: Mapping[str, Any], *, ranked: bool) -> Block:
    """Return what a pipeline makes of a column: the block itself, or another. ``ranked``: "ranks" is for it."""
    if isinstance(block, Words) and pipeline.get("text") in TEXT:
        words, topics = TEXT[pipeline["text"]]
        return Words.fit(data, TextWish(words, topics))
    if isinstance(block, Numeric) and ranked and pipeline.get("scaling") == "ranks":
        return Numeric.fit(data, ranks=True)
    return block


def _key(style: Style, pipeline: Mapping[str, Any]) -> tuple[str, ...]:
    told = [f"{part}={pipeline[part]}" for part in ("text", "scaling") if part in pipeline
            and not (part == "scaling" and style == "trees")]
    return (style, *told)
