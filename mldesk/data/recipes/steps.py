"""The steps a recipe is made of, declared once: forms, validation and help all come from ``STEPS``.

A recipe is data: ``{"steps": [{"step": "drop", "columns": ["id"]}, …]}``. This module reads and checks its shape and
imports nothing heavy; whether it fits a table is checked by ``mldesk.data.recipes.applying``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.data.near import did_you_mean
from mldesk.data.pattern_size import too_large_together
from mldesk.data.recipes.steps_code import CODE_STEPS
from mldesk.data.recipes.steps_columns import COLUMN_STEPS
from mldesk.data.recipes.steps_kinds import Field, FieldKind, Step, StepKind, read_field
from mldesk.data.recipes.steps_learning import LEARNING_STEPS
from mldesk.data.recipes.steps_rows import ROW_STEPS
from mldesk.data.recipes.steps_used import with_the_way_it_means

__all__ = ["BY_NAME", "MAX_STEPS", "STEPS", "Field", "FieldKind", "Step", "StepKind", "active", "check_steps",
           "datasets_of", "parse_recipe"]

MAX_STEPS = 1000
_EXAMPLE = 'Write {"steps": [{"step": "drop", "columns": ["id"]}]}.'
STEPS: tuple[StepKind, ...] = (*COLUMN_STEPS, *LEARNING_STEPS, *ROW_STEPS, *CODE_STEPS)
BY_NAME: Mapping[str, StepKind] = {kind.name: kind for kind in STEPS}


def active(steps: Sequence[Step]) -> list[tuple[int, Step]]:
    """Return the steps that are not disabled, with their numbers from 1."""
    return [(number, step) for number, step in enumerate(steps, start=1) if not step.get("disabled")]


def datasets_of(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that bring in another dataset."""
    return [step for _, step in active(steps) if step["step"] in ("join", "union")]


def parse_recipe(text: str) -> tuple[Step, ...]:
    """Read a recipe: JSON, either {"steps": [...]} or the list itself. Raises BadInput that names the step.

    A field that the step's way does not use is refused, or tells the way where none is written.
    """
    try:
        value = canonical.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise BadInput(f"The recipe is not JSON: line {error.lineno}, {error.msg}.",
                       hint=_EXAMPLE) from error
    except ValueError as error:
        raise BadInput(f"The recipe is not JSON: {error}.") from error
    if isinstance(value, Mapping):
        if "steps" not in value:
            raise BadInput("The recipe has no list of steps.", hint=_EXAMPLE)
        value = value["steps"]
    if not isinstance(value, list):
        raise BadInput("The steps of a recipe are a list.", hint=_EXAMPLE)
    return check_steps(value, written=True)


def check_steps(steps: Sequence[Any], *, written: bool = False) -> tuple[Step, ...]:
    """Return the steps with every field as declared. Raises BadInput that names the step by its number.

    With ``written`` somebody wrote them now, and no field may count for nothing; kept ones are taken as they are.
    """
    if len(steps) > MAX_STEPS:
        raise BadInput(f"The recipe has {len(steps):,} steps; {MAX_STEPS:,} is the limit.")
    checked = tuple(_check_step(number, step, written) for number, step in enumerate(steps, start=1))
    if why := too_large_together(pattern for _, step in active(checked) for pattern in _patterns(step)):
        raise BadInput(f"The recipe cannot be used: {why}.", hint="Write shorter ones, or make two recipes of it.")
    return checked


def _patterns(step: Step) -> list[str]:
    """Return the regular expressions of a step, once for each column that it looks at."""
    if step["step"] == "split":
        return [str(step["separator"])] if step.get("is") == "pattern" else []
    return [str(step["pattern"])] * len(step.get("columns") or (1,)) if step.get("pattern") else []


def _check_step(number: int, step: Any, new: bool) -> Step:
    if not isinstance(step, Mapping):
        raise BadInput(f"Step {number} is not a record of the kind {{\"step\": …}}.")
    name = step.get("step")
    kind = BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        said = f"there is no step {name!r:.60}" if name is not None else 'its kind is missing ("step": …)'
        raise BadInput(f"Step {number}: {said}.", hint=did_you_mean(str(name), list(BY_NAME))
                       or f"The steps are: {', '.join(BY_NAME)}.")
    step, written = _declared_names(kind, step)
    disabled = step.get("disabled", False)
    if not isinstance(disabled, bool):
        raise BadInput(f"Step {number} ({kind.name}): 'disabled' is true or false.")
    unknown = [key for key in step if key not in ("step", "disabled") and kind.field(str(key)) is None]
    if unknown:
        raise BadInput(f"Step {number} ({kind.name}) has no field {unknown[0]!r:.60}.",
                       hint=f"It has: {', '.join(field.name for field in kind.fields)}.")
    if new:
        step = with_the_way_it_means(f"Step {number} ({kind.name})", kind, step)
    result: dict[str, Any] = {"step": kind.name} | ({"disabled": True} if disabled else {})
    for field in kind.fields:
        if field.name in step:
            result[field.name] = _check_field(f"Step {number} ({kind.name})", field, step[field.name],
                                              written.get(field.name, field.name))
        elif field.required:
            raise BadInput(f"Step {number} ({kind.name}) lacks {field.name!r}.", hint=field.help)
        elif field.default is not None:
            result[field.name] = field.default
    return result


def _declared_names(kind: StepKind, step: Step) -> tuple[Step, Mapping[str, str]]:
    """Return the step with the other names of its fields replaced, where the declared one is not there as well.

    Also return which of the fields were written by another name, and by which.
    """
    others = {name: field.name for field in kind.fields for name in field.also if kind.field(name) is None}
    written: dict[str, str] = {}
    result: dict[str, Any] = {}
    for key, value in step.items():
        name = others.get(key, key)
        if name == key or name in step or name in written:
            result[key] = value
        else:
            result[name], written[name] = value, key
    return result, written


def _check_field(where: str, field: Field, value: Any, written: str) -> Any:
    read, problem = read_field(field, value)
    if problem:
        raise BadInput(f"{where}: {written!r} {problem}.", hint=field.help)
    return read
