"""How the table that a model learned from was cleaned, for rows that are as they were before.

In a bundle it is ``recipe.json``: ``{"format": 2, "recipes": [{"label": "sales@2", "columns": [{"name", "type"}],
"steps": [{"step", …}], "answers": […]}]}``, the oldest recipe first. ``columns`` are those before cleaning; ``answers``
what the steps found out from the rows of that table, in the order in which they ask. The steps are a stranger's words:
each is checked as those of a recipe's file are, and what they compile to reaches nothing but the rows that are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.bundles.documents import parse_object
from mldesk.bundles.names import RECIPE
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput
from mldesk.data.recipes.new_rows import Recipe, check_carried
from mldesk.wire.schema import Column, ColumnType

FORMAT = 2         # since casts find out from their rows how texts are read; 1 where there is none
_MOST = 100        # recipes between an import and a model


def to_bytes(recipes: Sequence[Recipe]) -> bytes:
    """Write recipes that need their tables no more (``replaying.carried``)."""
    casts = any(step["step"] == "cast" for recipe in recipes for step in recipe.steps)
    return canonical.dumps({"format": FORMAT if casts else 1, "recipes": [
        {"label": recipe.label, "steps": [dict(step) for step in recipe.steps], "answers": list(recipe.answers or ()),
         "columns": [{"name": column.name, "type": column.type.value} for column in recipe.columns]}
        for recipe in recipes]})


def from_bytes(data: bytes) -> tuple[Recipe, ...]:
    """Read ``recipe.json``, a stranger's words. Raises BadBundle with the reason."""
    facts = parse_object(data, RECIPE)
    written = facts.get("format")
    if written not in (1, FORMAT):
        raise BadBundle(f"This bundle's recipe is written in format {written!r:.20}; formats 1 and {FORMAT} are "
                        "known.", hint="Upgrade MLDesk to use it.")
    listed = facts.get("recipes")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        raise BadBundle("This bundle's recipe has no proper list of recipes.")
    try:
        return tuple(_recipe(item, asks=written == FORMAT) for item in listed)
    except BadInput as error:
        raise BadBundle(f"This bundle's recipe cannot be used: {error.message}") from error


def _recipe(item: Any, *, asks: bool) -> Recipe:
    """Read one; without ``asks`` its casts were made when these found nothing out from their rows."""
    if not isinstance(item, Mapping):
        raise BadInput("one of them is no record.")
    label, columns, steps, answers = (item.get(key) for key in ("label", "columns", "steps", "answers"))
    if not isinstance(label, str) or not 0 < len(label) <= 300 or not label.isprintable():
        raise BadInput("it does not say what it made.")
    if not isinstance(columns, list) or not isinstance(answers, list) or not isinstance(steps, list) or \
            not all(isinstance(step, Mapping) for step in steps):
        raise BadInput(f"that of {label:.80} lacks its columns, steps or answers.")
    if not asks:
        steps = [{**step, "dates": "ymd"} if step.get("step") == "cast" else step for step in steps]
    return check_carried(Recipe(label, "", tuple(map(_column, columns)), tuple(steps), tuple(answers)))


def _column(item: Any) -> Column:
    try:
        return Column(str(item["name"]), ColumnType(item["type"]))
    except (TypeError, KeyError, ValueError) as error:
        raise BadInput("one of its columns has no name or type.") from error
