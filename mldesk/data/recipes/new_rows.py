"""Recipes that are done again to new rows: what of them makes sense there, and one that came with a model.

Light: no table is touched here; ``replaying`` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps import Step, active, check_steps
from mldesk.wire.schema import Column

PASSED = {"deduplicate": "it chose among all rows", "sample": "it chose among all rows",
           "rebalance": "it chose among all rows", "edit": "it changed single rows by hand"}
_OTHER_ROWS = "it makes other rows of many"
_REFUSED = {"group": _OTHER_ROWS, "pivot": _OTHER_ROWS, "unpivot": _OTHER_ROWS, "union": "it adds rows",
            "join": "it brings in another dataset", "python": "nobody knows what its code does to single rows",
            "encode_target": "it looks at the target, which new rows do not have"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made a table of another."""

    label: str                     # of the version that it made
    manifest: str                  # of the version that it was done to, "" where that is not at hand
    columns: tuple[Column, ...]    # of that one
    steps: tuple[Step, ...]
    answers: Sequence[Any] | None = None   # what its steps found out there, where that version is not at hand


def why_not(steps: Sequence[Step]) -> str:
    """Say which step cannot be done to new rows and why, "" if all can."""
    for number, step in active(check_steps(steps)):
        kind = str(step["step"])
        why = _REFUSED.get(kind, "")
        if kind == "fill_missing" and step["with"] in ("forward", "backward", "knn"):
            why = "it looks at the rows around"
        elif kind == "fill_missing" and step["with"] != "constant" and step.get("by"):
            why = "it learnt a value for each group, which it does not keep"
        if why:
            return f"step {number} ({kind}) cannot be done to new rows: {why}"
    return ""


def check_carried(recipe: Recipe) -> Recipe:
    """Return a recipe that came from elsewhere, its steps as declared. Raises BadInput."""
    for _, step in active(recipe.steps):
        if step.get("step") not in PASSED and (why := why_not([step])):
            raise BadInput(f"The recipe of {recipe.label}: its {why.partition(' ')[2]}.")
    return replace(recipe, steps=tuple(
        {"step": str(step.get("step")), "disabled": True} if step.get("disabled") else
        {"step": step["step"]} if step.get("step") in PASSED else check_steps([step])[0] for step in recipe.steps))
