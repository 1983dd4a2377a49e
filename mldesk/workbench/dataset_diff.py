"""What differs between two versions of a dataset: columns, types, missing cells and whole rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.library.records import DatasetVersion
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column


def diff_versions(store: ObjectStore, first: DatasetVersion, second: DatasetVersion) -> Mapping[str, Any]:
    """Return {"from", "to", "rows", "columns", "missing", "recipe"}.

    ``rows`` counts those only in one version, compared over the columns that both have with one type (None where
    there is no such column); a changed row counts once on each side.
    """
    old, new = ({column.name: column for column in version.columns} for version in (first, second))
    shared = [name for name, column in old.items() if name in new and new[name].type is column.type]
    gone, come = _row_differences(store, first, second, shared) if shared else (None, None)
    return {
        "dataset": first.dataset, "from": first.number, "to": second.number,
        "rows": {"from": first.rows, "to": second.rows, "removed": gone, "added": come, "compared_columns": shared},
        "columns": {"added": [name for name in new if name not in old],
                    "removed": [name for name in old if name not in new],
                    "retyped": [_retyped(old[name], new[name]) for name in old
                                if name in new and new[name].type is not old[name].type]},
        "missing": [{"column": name, "from": old[name].missing, "to": new[name].missing} for name in old
                    if name in new and old[name].missing != new[name].missing],
        "recipe": [dict(step) for step in second.recipe or ()] if second.parent == first.number else None,
    }


def _retyped(old: Column, new: Column) -> dict[str, str]:
    return {"column": old.name, "from": old.type.value, "to": new.type.value}


def _row_differences(store: ObjectStore, first: DatasetVersion, second: DatasetVersion,
                     shared: list[str]) -> tuple[int, int]:
    if first.manifest == second.manifest:
        return 0, 0
    import duckdb  # slow to load; only this needs two tables at once

    old, new = ([str(store.path(entry.sha256)) for entry in store.manifest(version.manifest).entries]
                for version in (first, second))
    chosen = ", ".join('"' + name.replace('"', '""') + '"' for name in shared)
    sql = (f"SELECT count(*) FROM (SELECT {chosen} FROM read_parquet($left) "  # noqa: S608 - quoted names, no values
           f"EXCEPT ALL SELECT {chosen} FROM read_parquet($right))")
    with duckdb.connect() as connection:
        (gone,), = connection.execute(sql, {"left": old, "right": new}).fetchall()
        (come,), = connection.execute(sql, {"left": new, "right": old}).fetchall()
    return int(gone), int(come)
