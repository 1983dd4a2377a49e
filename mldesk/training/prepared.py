"""An encoder before which a model prepares its columns by steps of a recipe, see ``preparing``.

numpy and the standard library only, as ``features``. To the outside its columns are those of the table: what a model
needs to predict, what importance shuffles. A column made of several, a segment, goes with the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Category, Numeric, Scale, Style
from mldesk.training.features import EncodedColumn, FeatureEncoder, read_values, refuse_absent
from mldesk.training.preparing import Learnt, Placed, Spread, apply_all
from mldesk.training.preparing_groups import Aimed, Rebalanced
from mldesk.training.preparing_kinds import NEWER, OF_TARGET, READERS
from mldesk.training.topics import AS_USUAL, TextWish
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import Column, ColumnType

if TYPE_CHECKING:
    from mldesk.training.preparing_target import Truth

FORMAT = 2       # what version 1 can read is still written as that
_FORMATS = (1, 2)
STYLE = "prepared"
_MOST_STEPS = 100_000   # of a bundle; a recipe has far fewer


class PreparedEncoder:
    """Steps that were learnt, then an encoder of what they make."""

    def __init__(self, steps: Sequence[Learnt], inner: FeatureEncoder, inputs: Sequence[Column]) -> None:
        self.steps, self.inner, self.inputs = tuple(steps), inner, tuple(inputs)
        owners = {column.name: column.name for column in inputs}
        needed: dict[str, tuple[str, ...]] = {column.name: (column.name,) for column in inputs}
        for step in self.steps:
            sources = tuple(dict.fromkeys(name for source in step.sources for name in needed[source]))
            for name in step.made(dict.fromkeys(needed, ColumnType.TEXT)):
                owners.setdefault(name, owners[step.sources[0]])
                needed[name] = sources
        self._owners = [owners[column.name] for column in inner.columns]
        used = {name for column in inner.columns for name in needed[column.name]}
        self.columns = tuple(self._outside(column) for column in inputs if column.name in used)
        self.left_out = {name: why for name, why in inner.left_out.items()
                         if name not in used and name in {column.name for column in inputs}}

    @property
    def style(self) -> Style:
        return self.inner.style

    @property
    def width(self) -> int:
        """How many numbers a row becomes."""
        return self.inner.width

    @property
    def feature_names(self) -> list[str]:
        """Names of the outputs, (F,)."""
        return self.inner.feature_names

    @property
    def categorical(self) -> list[tuple[int, int]]:
        """As that of ``FeatureEncoder``."""
        return self.inner.categorical

    def transform(self, columns: Mapping[str, ColumnData]) -> Array:
        """Return (N, F) float32. Raises BadInput naming columns that are missing."""
        refuse_absent(self.columns, columns)
        unused = {column.name: columns[column.name] for column in self.inputs if column.name in columns}
        return self.inner.transform(apply_all(self._possible(unused), unused))

    def outputs(self, index: int) -> Array:
        """Return which outputs come of column number ``index``; each belongs to one column."""
        name, places = self.columns[index].name, np.arange(self.width)
        return np.concatenate([np.zeros(0, int), *(places[self.inner.outputs(place)]
                                                   for place, owner in enumerate(self._owners) if owner == name)])

    def read(self, values: Mapping[str, Sequence[object] | Array | TextColumn]) -> dict[str, ColumnData]:
        """Read plain values of the columns. Raises BadInput naming column and row."""
        return {column.name: read_values(values[column.name], column) for column in self.columns
                if column.name in values}

    def words(self) -> list[str]:
        """Return what each step does, in a few words."""
        return [f"{step.name.replace('_', ' ')}: " + (
            f"{step.column}, the training rows only" if isinstance(step, Rebalanced) else ", ".join(step.sources))
            for step in self.steps]

    @property
    def of_target(self) -> bool:
        """Whether training rows became something else than what ``transform`` makes of them."""
        return any(isinstance(step, OF_TARGET) for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        newer = any(isinstance(step, NEWER) for step in self.steps)
        return {"format": FORMAT if newer else 1, "style": STYLE, "steps": [step.to_json() for step in self.steps],
                "inputs": [[column.name, column.type.value] for column in self.inputs], "encoder": self.inner.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PreparedEncoder:
        """Read a stored encoder. Raises BadInput for a newer format or anything ``to_json`` did not write."""
        try:
            if value["format"] not in _FORMATS:
                raise BadInput(f"This preparation is written in format {value['format']!r:.20}; formats up to {FORMAT} "
                               "are known.", hint="Upgrade MLDesk to read it.")
            if len(value["steps"]) > _MOST_STEPS:
                raise ValueError("too many steps")
            steps = [READERS[str(item["step"])](item) for item in value["steps"]]
            inputs = [Column(str(name), ColumnType(kind)) for name, kind in value["inputs"]]
            return cls(steps, FeatureEncoder.from_json(value["encoder"]), inputs)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BadInput(f"This is not a preparation of columns: {error!r:.200}.") from error

    def _possible(self, columns: Mapping[str, ColumnData]) -> list[Learnt]:
        """Return the steps for which there are columns: those of columns that no feature is made of need not be."""
        there, found = set(columns), []
        for step in self.steps:
            if all(source in there for source in step.sources):
                found.append(step)
                there |= set(step.made(dict.fromkeys(there, ColumnType.TEXT)))
        return found

    def _outside(self, column: Column) -> EncodedColumn:
        """Return a column of the table as bundles and reports see it."""
        for step in self.steps:  # whose categories are known, so that others can be told
            if column.type is ColumnType.TEXT and step.sources[:1] == (column.name,) and (
                    isinstance(step, (Placed, Spread, Aimed))):
                values = step.key.values if isinstance(step, Aimed) else step.values
                return EncodedColumn(column.name, column.type, Category(tuple(map(str, values)), True))
        same = (item for item in self.inner.columns if item.name == column.name and item.type is column.type)
        return next(same, None) or EncodedColumn(column.name, column.type, Numeric(Scale(0.0, 0.0, 1.0), False))


OneEncoder: TypeAlias = FeatureEncoder | PreparedEncoder


class Fitted(NamedTuple):
    """An encoder, and the training rows as a fit is to see them."""

    encoder: OneEncoder
    x: Array       # (N, F) float32; by steps that go by the target not what ``encoder.transform`` gives
    rows: Array    # (N,) places among the training rows; some left out or repeated where they were rebalanced


def fit_rows(columns: Mapping[str, ColumnData], schema: Sequence[Column], style: Style, truth: Truth, *,
             chosen: bool = False, text: TextWish = AS_USUAL, steps: Sequence[Mapping[str, Any]] = ()) -> Fitted:
    """Learn from training rows how to prepare and encode the columns of ``schema``, and do so to these rows.

    ``truth`` is the target of these rows. See ``FeatureEncoder.fit``.
    """
    if not steps:
        encoder = FeatureEncoder.fit(columns, schema, style, chosen=chosen, text=text)
        return Fitted(encoder, encoder.transform(columns), np.arange(len(truth.y)))
    return fit_styles(columns, schema, (style,), truth, chosen=chosen, text=text, steps=steps)[style]


def fit_styles(columns: Mapping[str, ColumnData], schema: Sequence[Column], styles: Sequence[Style], truth: Truth, *,
               chosen: bool, text: TextWish = AS_USUAL, steps: Sequence[Mapping[str, Any]]) -> dict[Style, Fitted]:
    """Do the same in several styles; the steps are learnt once."""
    from mldesk.training.preparing_fit import fit_steps

    made = fit_steps(steps, columns, schema, truth)
    found: dict[Style, Fitted] = {}
    for style in styles:
        inner = FeatureEncoder.fit(made.columns, made.schema, style, chosen=chosen, text=text)
        found[style] = Fitted(PreparedEncoder(made.steps, inner, schema), inner.transform(made.columns), made.rows)
    return found


def read_one(value: Mapping[str, Any]) -> OneEncoder:
    """Read a stored encoder, prepared or not. Raises BadInput for anything else."""
    return PreparedEncoder.from_json(value) if value.get("style") == STYLE else FeatureEncoder.from_json(value)
