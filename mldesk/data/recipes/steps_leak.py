"""Which steps of a recipe learn from all rows, and which of them a model does by itself, from its training rows only.

Standard library only. Training encodes every table by itself (``mldesk.training.features``): it fills missing values
with the median and marks them, standardises numbers, encodes categories, takes dates apart, and leaves out columns
that say nothing; trees take missing values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mldesk.data.recipes.steps import BY_NAME, Step, active

_FILLS = "training fills missing values and marks where they were"
_ENCODES = "training encodes categories"
_BY_MODEL: Mapping[str, str] = {
    "fill_missing": _FILLS, "scale": "training brings numbers to one scale where a model needs it", "encode": _ENCODES,
    "encode_target": _ENCODES,
}


def learns(step: Step) -> bool:
    """Say whether a step, filled in like this, takes something from all rows."""
    kind = str(step["step"])
    if kind == "fill_missing":
        return step.get("with") in ("mean", "median", "mode", "knn")
    if kind in ("clip", "bin"):
        return step.get("by", "values") not in ("values", "edges")
    if kind == "encode":
        return not (step.get("how") == "ordinal" and step.get("order"))
    if kind in ("drop_poor", "pivot", "python"):  # these choose columns, or nobody knows
        return False
    return BY_NAME[kind].learns


def by_model(step: Step) -> str:
    """Say what training does instead of such a step, "" where it does nothing like it."""
    return _BY_MODEL.get(str(step["step"]), "") if learns(step) else ""


def left_to_model(steps: Sequence[Step]) -> tuple[tuple[Step, ...], list[tuple[int, Step, str]]]:
    """Return the steps with those disabled that a model does by itself, and these: (number, step, what it does)."""
    left = [(number, step, by_model(step)) for number, step in active(steps) if by_model(step)]
    numbers = {number for number, _, _ in left}
    return tuple({**step, "disabled": True} if number in numbers else step
                 for number, step in enumerate(steps, start=1)), left
