"""Changes of a recipe: steps moved, skipped, taken out. None changes in place, so undo keeps the one before."""

from __future__ import annotations

from collections.abc import Sequence

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps import Step


def change(steps: Sequence[Step], *, disable: Sequence[int] = (), enable: Sequence[int] = (), drop: Sequence[int] = (),
           moves: Sequence[tuple[int, int]] = ()) -> tuple[Step, ...]:
    """Return the steps changed. Numbers count from 1 in ``steps``; a move puts a step where another one is.

    Raises BadInput for a step that is not there.
    """
    for number in (*disable, *enable, *drop, *(number for pair in moves for number in pair)):
        if not 1 <= number <= len(steps):
            raise BadInput(f"There is no step {number}: the recipe has {len(steps)}.")
    made = {number: _switched(step, number in disable, number in enable) for number, step in enumerate(steps, start=1)}
    order = list(made)
    for number, place in moves:
        where = order.index(place)
        order.remove(number)
        order.insert(where, number)
    return tuple(made[number] for number in order if number not in drop)


def _switched(step: Step, off: bool, on: bool) -> Step:
    rest = {name: value for name, value in step.items() if name != "disabled"}
    return {**rest, "disabled": True} if off or (step.get("disabled") and not on) else rest
