"""The process that works out one recipe: ``python -m mldesk.data.recipes.recipe_child``, see ``asking``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mldesk.core.errors import WorkFailed
from mldesk.data.answering import serve
from mldesk.data.recipes.apart import columns_json, hold
from mldesk.data.recipes.applying import make_parts, preview_recipe, recipe_script
from mldesk.data.recipes.new_rows import Recipe
from mldesk.data.recipes.replaying import carried, replay
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import columns_from_json

_MOST = 128 * 1024 * 1024   # bytes of an answer


def main() -> None:
    """Answer and end."""
    hold()
    serve(_answer)


def _answer(order: dict[str, Any]) -> bytes:
    said = json.dumps(_CALLS[order["call"]](ObjectStore(Path(order["store"])), order)).encode()
    if len(said) > _MOST:
        raise WorkFailed(f"{order['what']} makes more than {_MOST >> 20} MB of text to show, which is too much.",
                         hint="Make shorter texts.")
    return said


def _apply(store: ObjectStore, order: dict[str, Any]) -> dict[str, Any]:
    made = make_parts(store, Path.cwd(), order["manifest"], columns_from_json(order["columns"]), order["steps"],
                      order["trusted"])
    return {"entries": [asdict(entry) for entry in made.entries], "paths": [str(path) for path in made.paths],
            "rows": made.rows, "columns": columns_json(made.columns),
            "notices": [notice.to_json() for notice in made.notices]}


def _preview(store: ObjectStore, order: dict[str, Any]) -> dict[str, Any]:
    found = preview_recipe(store, Path.cwd(), order["manifest"], columns_from_json(order["columns"]), order["steps"],
                           rows=order["rows"], sample=order["sample"], trusted=order["trusted"])
    return {"columns": columns_json(found.columns), "rows": found.rows, "sampled": found.sampled,
            "reports": [[item.rows_before, item.rows_after, item.cells_changed] for item in found.steps],
            "notices": [notice.to_json() for notice in found.notices]}


def _script(store: ObjectStore, order: dict[str, Any]) -> dict[str, Any]:
    return {"script": recipe_script(store, Path.cwd(), order["manifest"], columns_from_json(order["columns"]),
                                    order["steps"], order["name"], trusted=order["trusted"])}


def _carried(store: ObjectStore, order: dict[str, Any]) -> dict[str, Any]:
    found = carried(store, Path.cwd(), _recipe(order))
    return {"answers": found.answers, "steps": found.steps}


def _replay(store: ObjectStore, order: dict[str, Any]) -> dict[str, Any]:
    gone, notes = replay(store, Path.cwd(), _recipe(order), Path(order["rows"]), order["target"], Path(order["out"]),
                         wanted=order["wanted"], strict=order["strict"])
    return {"gone": [[item.place, item.column, item.reason] for item in gone], "notes": notes}


def _recipe(order: dict[str, Any]) -> Recipe:
    return Recipe(order["label"], order["manifest"], columns_from_json(order["columns"]), tuple(order["steps"]),
                  order["answers"])


_CALLS: Mapping[str, Callable[[ObjectStore, dict[str, Any]], dict[str, Any]]] = {
    "apply": _apply, "preview": _preview, "script": _script, "carried": _carried, "replay": _replay}


if __name__ == "__main__":
    main()
