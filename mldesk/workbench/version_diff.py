"""What differs between two versions of a dataset, with what the library knows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mldesk.data import diff
from mldesk.library.records import DatasetVersion
from mldesk.wire.objects import ObjectStore
from mldesk.workbench.row_keys import keys_of


def version_diff(store: ObjectStore, scratch: Path, old: DatasetVersion, new: DatasetVersion,
                 keys: Sequence[str] | None, cancelled: Callable[[], bool] | None) -> dict[str, Any]:
    """Return what ``data.diff`` finds, and {"dataset", "from", "to", "missing", "recipe"}; see ``DatasetService.diff``.
    """
    guessed = keys is None
    keys = keys_of(old, new)[:1] if keys is None else keys
    found = diff(store, old.manifest, old.columns, new.manifest, new.columns, scratch=scratch, keys=keys,
                 cancelled=cancelled)
    found["rows"]["key_guessed"] = bool(guessed and found["rows"].get("keys"))
    steps = new.recipe if new.parent == old.number and new.recipe is not None else None
    missing = [{"column": item["column"], "from": item["missing"][0], "to": item["missing"][1]}
               for item in found["changed"] if item["missing"][0] != item["missing"][1]]
    return {"dataset": old.dataset, "from": old.number, "to": new.number, **found, "missing": missing,
            "recipe": None if steps is None else [dict(step) for step in steps]}
