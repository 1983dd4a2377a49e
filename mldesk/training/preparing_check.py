"""Which steps of a recipe a model can do by itself, and to which columns. Knows no rows, loads nothing heavy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mldesk.core.canonical import writable
from mldesk.core.errors import BadInput
from mldesk.wire.schema import Column, ColumnType

Step = Mapping[str, Any]
Types = Mapping[str, ColumnType]
MOST_COLUMNS = 200  # of a segment
LONGEST = 300       # characters of a name, as everywhere
MOST = 1e300        # of a number
STEPS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {  # the field that says how, and which ways a model can do
    "fill_missing": ("with", "median", ("mean", "median", "mode", "knn")),
    "scale": ("how", "standard", ("standard", "minmax", "robust")), "clip": ("by", "values", ("shares",)),
    "bin": ("by", "width", ("width", "rows")), "encode": ("how", "one_hot", ("one_hot", "ordinal")),
    "segment": ("", "", ("",)), "reduce": ("", "", ("",)), "encode_target": ("", "", ("",)),
    "rebalance": ("how", "fewer", ("fewer", "more"))}
OF_TARGET = ("encode_target", "rebalance")   # what they make of training rows is not what they make of other rows
_FREE = ("segment", "reduce", "rebalance")   # no columns need be named
# What a step's other fields are where they are not said, as recipes declare them.
_USUAL: Mapping[str, Mapping[str, Any]] = {
    "bin": {"bins": 5, "give": "range"}, "encode": {"most": 50}, "segment": {"into": "segment", "seed": 1},
    "fill_missing": {"neighbours": 5}, "reduce": {"share": 0.95, "into": "pc", "columns_go": "yes", "seed": 1},
    "encode_target": {"smoothing": 20, "folds": 5, "seed": 1}, "rebalance": {"seed": 1}}
_WHOLE = {"bins": (2, 1000), "most": (1, 1000), "segments": (1, 100), "seed": (0, 2**31), "components": (1, 200),
          "folds": (2, 100), "neighbours": (1, 100), "rows": (1, 10**9)}
_BETWEEN = {"share": (0.01, 1), "smoothing": (0, 1e9)}
_LISTS = {"columns": tuple(STEPS), "order": ("encode",), "by": ("fill_missing",), "using": ("fill_missing",)}
_TEXTS = {"with": ("fill_missing",), "how": ("scale", "encode", "rebalance"), "by": ("clip", "bin"), "give": ("bin",),
          "into": ("segment", "reduce"), "target": ("encode_target",), "column": ("rebalance",)}
_CHOICES = {("bin", "give"): ("range", "number"), ("reduce", "columns_go"): ("yes", "no")}
_NEEDED = {"encode_target": "target", "rebalance": "column"}


def filled(step: Any, number: int) -> Step:
    """Return a step with all its fields. Raises BadInput that names it by its number from 1, and what it lacks.

    A recipe's own checks do the same; but an order may be written by hand, or by a program.
    """
    kind = step.get("step") if isinstance(step, Mapping) else None
    if not isinstance(kind, str):
        raise BadInput(f"Step {number}, to be prepared in the model, is no record of the kind {{\"step\": …}}.")
    if kind not in STEPS:
        return dict(step)  # why_not says so
    field, usual, _ = STEPS[kind]
    made = {**_USUAL.get(kind, {}), **({field: usual} if field else {}),
            **{key: value for key, value in step.items() if value is not None}}
    for key, value in made.items():
        if wanted := _wanted(kind, key, value):
            raise BadInput(f"Step {number} ({kind}): {key!r} is {wanted}.")
    lacks = "columns" if kind not in _FREE and not made.get("columns") else _NEEDED.get(kind, "")
    if lacks and not made.get(lacks):
        raise BadInput(f"Step {number} ({kind}) lacks {lacks!r}.", hint="Name the columns that it is about.")
    return made


def _wanted(kind: str, key: str, value: Any) -> str:
    """Say what a field has to be, "" where it is that."""
    if kind in _LISTS.get(key, ()) and not (isinstance(value, (list, tuple)) and all(map(_is_name, value))):
        return "a list of texts"
    if kind in _TEXTS.get(key, ()) and not _is_name(value):
        return f"a text of at most {LONGEST} characters"
    choices = _CHOICES.get((kind, key), ())
    if choices and value not in choices:
        return " or ".join(choices)
    low, high = _WHOLE.get(key, (0, 0))
    if high and not (_is_number(value) and low <= value <= high and value == int(value)):
        return f"a whole number from {low} to {high:,}"
    least, most = _BETWEEN.get(key, (0.0, 0.0))
    if most and not (_is_number(value) and least <= value <= most):
        return f"a number from {least:g} to {most:g}"
    if kind == "encode_target" and key == "value" and not (_is_name(value) or isinstance(value, bool)
                                                           or _is_number(value)):
        return "one plain value"
    return "a number" if key in ("low", "high") and not _is_number(value) else ""


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and writable(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST


def why_not(step: Step) -> str:
    """Say why a model cannot do a step by itself, "" if it can."""
    kind = str(step["step"])
    if kind not in STEPS:
        return "a model cannot do it by itself"
    field, usual, ways = STEPS[kind]
    way = str(step.get(field) or usual)
    if way not in ways:
        return f"a model does it with {field} {' or '.join(ways)}, not {way}"
    if kind == "fill_missing" and step.get("by") and way == "knn":
        return "a model asks all rows which are alike, not those of a group"
    if kind == "segment" and not step.get("segments"):
        return "how many segments there are is not said"
    return ""


def check_steps(steps: Sequence[Step], schema: Sequence[Column], target: str) -> None:
    """Raise BadInput that names the first step which a model cannot do to these columns, its features."""
    types = {column.name: column.type for column in schema}
    for number, given in enumerate(steps, start=1):
        step = filled(given, number)
        where = f"Step {number} ({step['step']!s:.60})"
        if why := why_not(step):
            raise BadInput(f"{where} cannot be prepared in the model: {why}.",
                           hint=f"A model can do {', '.join(STEPS)}; do other steps with `mldesk data clean`.")
        refuse_target(where, step, types, target)
        refuse_balance(where, step, {target, *(column.name for column in schema)})
        refuse_unfit(where, step, types)
        types = _later(step, types)


def refuse_target(where: str, step: Step, types: Types, target: str) -> None:
    """Raise BadInput for a step that would change the target, or goes by another one."""
    changed = target in named(step, types)
    if changed or target in beside(step):
        raise BadInput(f"{where} would {'change' if changed else 'look at'} the target {target!r:.80}.",
                       hint="Take it out of that step.")
    if step["step"] == "encode_target" and step["target"] != target:
        raise BadInput(f"{where} encodes by {step['target']!r:.80}, and the model predicts {target!r:.80}.",
                       hint="Write the model's own target there.")


def named(step: Step, types: Types) -> list[str]:
    """Return the columns that a step is about: for points, those of numbers where none is named."""
    names = [str(name) for name in step.get("columns") or ()]
    if not names and step["step"] in ("segment", "reduce"):
        names = [name for name, kind in types.items() if kind.numeric]
    return names


def beside(step: Step) -> list[str]:
    """Return the columns that a step looks at beside those that it is about."""
    if step["step"] != "fill_missing":
        return []
    looked = step.get("using" if step.get("with") == "knn" else "by")
    return [str(name) for name in looked or ()]


def refuse_balance(where: str, step: Step, names: Collection[str]) -> None:
    """Raise BadInput for a step that would rebalance by a column which the table does not have."""
    if step["step"] == "rebalance" and step["column"] not in names:
        raise BadInput(f"{where}: there is no column {step['column']!r:.80} to go by.",
                       hint="A model rebalances by its target, or by a feature as the table has it.")


def refuse_unfit(where: str, step: Step, types: Types) -> None:
    """Raise BadInput for a column that is not there or of another type."""
    names, kind = named(step, types), str(step["step"])
    for name in [*names, *beside(step)]:
        if name not in types:
            raise BadInput(f"{where}: there is no column {name!r:.80} to learn from.",
                           hint="Columns left out of the features, or made by later steps, cannot be prepared.")
    for name in names:
        if not _fits(step, types[name]):
            raise BadInput(f"{where}: {name!r:.80} is {types[name].value}, for which a model cannot do this.",
                           hint="Choose columns of text for encode, columns of numbers for the others.")
    if kind in ("segment", "reduce") and not 1 <= len(names) <= MOST_COLUMNS:
        raise BadInput(f"{where}: it takes 1 to {MOST_COLUMNS} columns of numbers, not {len(names)}.")
    if kind == "reduce" and int(step.get("components") or 0) > len(names):
        raise BadInput(f"{where}: {step['components']} components cannot be made of {len(names)} columns.")
    if kind == "segment" and str(step["into"]) in types:
        raise BadInput(f"{where}: there is a column {step['into']!r:.80} already.", hint='Choose another "into".')


def _fits(step: Step, kind: ColumnType) -> bool:
    """Say whether a step can be done to a column of a kind."""
    if step["step"] == "fill_missing" and step.get("with") in ("mode", "knn"):
        return not kind.temporal
    if step["step"] == "encode_target":
        return kind in (ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.INTEGER)
    return kind is ColumnType.TEXT if step["step"] == "encode" else kind.numeric


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
        elif kind == "encode" or (kind == "reduce" and step.get("columns_go") != "no"):
            del after_it[name]   # the columns it makes are known once it was learnt
        elif kind == "encode_target":   # of several classes it makes several columns, and nothing may name them
            after_it[name] = ColumnType.NUMBER
    if kind == "reduce":
        after_it |= {f"{step['into']}{number}": ColumnType.NUMBER
                     for number in range(1, int(step.get("components") or 0) + 1)}
    if kind == "segment":
        after_it[str(step["into"])] = ColumnType.INTEGER
    return after_it
