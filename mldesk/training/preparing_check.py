"""Which steps of a recipe a model can do by itself, and to which columns. Knows no rows, loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.wire.schema import Column, ColumnType

Step = Mapping[str, Any]
Types = Mapping[str, ColumnType]
MOST_COLUMNS = 200  # of a segment
STEPS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {  # the field that says how, and which ways a model can do
    "fill_missing": ("with", "median", ("mean", "median", "mode")),
    "scale": ("how", "standard", ("standard", "minmax", "robust")), "clip": ("by", "values", ("shares",)),
    "bin": ("by", "width", ("width", "rows")), "encode": ("how", "one_hot", ("one_hot", "ordinal")),
    "segment": ("", "", ("",))}


def why_not(step: Step) -> str:
    """Say why a model cannot do a step by itself, "" if it can."""
    kind = str(step["step"])
    if kind not in STEPS:
        return "a model cannot do it by itself"
    field, usual, ways = STEPS[kind]
    way = str(step.get(field) or usual)
    if way not in ways:
        return f"a model does it with {field} {' or '.join(ways)}, not {way}"
    if kind == "fill_missing" and step.get("by"):
        return "a model fills with one value, not by group"
    if kind == "segment" and not step.get("segments"):
        return "how many segments there are is not said"
    return ""


def check_steps(steps: Sequence[Step], schema: Sequence[Column], target: str) -> None:
    """Raise BadInput that names the first step which a model cannot do to these columns, its features."""
    types = {column.name: column.type for column in schema}
    for number, step in enumerate(steps, start=1):
        where = f"Step {number} ({step['step']})"
        if why := why_not(step):
            raise BadInput(f"{where} cannot be prepared in the model: {why}.",
                           hint=f"A model can do {', '.join(STEPS)}; do other steps with `mldesk data clean`.")
        if target in named(step, types):
            raise BadInput(f"{where} would change the target {target!r:.80}.", hint="Take it out of that step.")
        refuse_unfit(where, step, types)
        types = _later(step, types)


def named(step: Step, types: Types) -> list[str]:
    """Return the columns that a step is about: for segments, those of numbers where none is named."""
    names = [str(name) for name in step.get("columns") or ()]
    if not names and step["step"] == "segment":
        names = [name for name, kind in types.items() if kind.numeric]
    return names


def refuse_unfit(where: str, step: Step, types: Types) -> None:
    """Raise BadInput for a column that is not there or of another type."""
    names, kind = named(step, types), str(step["step"])
    for name in names:
        if name not in types:
            raise BadInput(f"{where}: there is no column {name!r:.80} to learn from.",
                           hint="Columns left out of the features, or made by later steps, cannot be prepared.")
        mode = kind == "fill_missing" and step.get("with") == "mode"
        if (mode and types[name].temporal) or (kind == "encode" and types[name] is not ColumnType.TEXT) or (
                not mode and kind != "encode" and not types[name].numeric):
            raise BadInput(f"{where}: {name!r:.80} is {types[name].value}, for which a model cannot do this.",
                           hint="Choose columns of text for encode, columns of numbers for the others.")
    if kind == "segment":
        if not 1 <= len(names) <= MOST_COLUMNS:
            raise BadInput(f"{where}: it takes 1 to {MOST_COLUMNS} columns of numbers, not {len(names)}.")
        if str(step["into"]) in types:
            raise BadInput(f"{where}: there is a column {step['into']!r:.80} already.", hint='Choose another "into".')


def _later(step: Step, types: Types) -> dict[str, ColumnType]:
    """Return the types after a step as far as they are known without the rows."""
    after_it, kind = dict(types), str(step["step"])
    for name in named(step, types):
        if kind == "scale":
            after_it[name] = ColumnType.NUMBER
        elif kind == "bin":
            after_it[name] = ColumnType.TEXT if step.get("give") == "range" else ColumnType.INTEGER
        elif kind == "encode" and step.get("how") == "ordinal":
            after_it[name] = ColumnType.INTEGER
        elif kind == "encode":  # its columns are known once it was learnt
            del after_it[name]
    if kind == "segment":
        after_it[str(step["into"])] = ColumnType.INTEGER
    return after_it
