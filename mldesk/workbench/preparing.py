"""Steps that learn, taken out of a recipe and into the models that are trained on its table.

In a recipe such a step learns from all rows, also from those that test a model later. In a model it is learnt from the
training rows alone, and done again whenever the model predicts (``mldesk.training.preparing``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.training.preparing_check import why_not

Step = Mapping[str, Any]


def leave_to_model(steps: Sequence[Step]) -> tuple[tuple[Step, ...], list[tuple[int, Step, str]]]:
    """Return the steps with those disabled that a model can do, and these: (number, step, how a model does it).

    Every model fills, scales and encodes in its own way; a step that it only does when it is told to, like segments,
    stays if a later step uses the column that it makes.
    """
    from mldesk.data.recipes.steps import active
    from mldesk.data.recipes.steps_leak import by_model, learns

    left, kept = list[tuple[int, Step, str]](), list[Step]()
    for number, step in reversed(active(steps)):
        own = by_model(step)
        if learns(step) and (own or (not why_not(step) and not _used(step, kept))):
            left.insert(0, (number, step, own or "a model does it if it is told to"))
        else:
            kept.append(step)
    numbers = {number for number, _, _ in left}
    return tuple({**step, "disabled": True} if number in numbers else step
                 for number, step in enumerate(steps, start=1)), left


def left_in(steps: Sequence[Step], label: str) -> tuple[Step, ...]:
    """Return the steps that ``leave_to_model`` disabled in a version's recipe and that a model can do as they are.

    Raises BadInput where there is none.
    """
    from mldesk.data.recipes.steps import check_steps
    from mldesk.data.recipes.steps_leak import learns

    found = tuple({key: value for key, value in step.items() if key != "disabled"} for step in check_steps(steps)
                  if step.get("disabled") and learns(step) and not why_not(step))
    if not found:
        raise BadInput(f"{label} left no step to its models.",
                       hint="Clean with --leave-to-model, or give a file with the steps.")
    return found


def on_offer(line: Sequence[tuple[str, Sequence[Step]]],
             others: Sequence[tuple[str, Sequence[Step]]]) -> list[tuple[str, tuple[Step, ...]]]:
    """Return which recipes have steps that a model can learn: (a version's label, these steps).

    ``line`` are (label, recipe) of the version to be learned from and those it came of: what was done there is in the
    rows already, so only steps that were left out count. Of ``others`` all do.
    """
    from mldesk.data.recipes.steps_leak import learns

    found = list[tuple[str, tuple[Step, ...]]]()
    for recipes, done in ((line, True), (others, False)):
        for label, steps in recipes:
            able = tuple({key: value for key, value in step.items() if key != "disabled"} for step in steps
                         if (step.get("disabled") or not done) and learns(step) and not why_not(step))
            if able:
                found.append((label, able))
    return found


def learnable(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return those steps that are not disabled and that a model can do by itself."""
    from mldesk.data.recipes.steps import active
    from mldesk.data.recipes.steps_leak import learns

    return tuple(step for _, step in active(steps) if learns(step) and not why_not(step))


def _used(step: Step, later: Sequence[Step]) -> bool:
    """Say whether a later step names a column that this one makes or changes."""
    made = [str(step["into"])] if step["step"] == "segment" else [str(name) for name in step.get("columns") or ()]
    return any(name in text for other in later for text in _texts(other) for name in made)


def _texts(value: Any) -> list[str]:
    """Return every text in a step: names of columns, and expressions that hold them."""
    if isinstance(value, Mapping):
        return [text for item in value.items() for one in item for text in _texts(one)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
