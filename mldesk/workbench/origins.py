"""What a version of a dataset came of: the files at its beginning, and every step on the way, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.library import Library
from mldesk.library.records import DatasetVersion


def files_of(library: Library, version: DatasetVersion) -> tuple[Mapping[str, Any], ...]:
    """Return the files whose rows came in with a version: those it was imported from, or was merged with."""
    read = ({key: value for key, value in file.items() if key != "each"}   # there may be 100,000 of those
            for file in (version.reading or {}).get("files") or ())
    merged = ({"path": file.name, "size": None, "sha256": file.digest}
              for file in library.contracts.accepted(version.dataset) if file.version == version.number)
    return (*read, *merged)


def line_of(library: Library, version: DatasetVersion) -> list[dict[str, Any]]:
    """Return the versions that a version came of and itself, from its import on, as plain JSON.

    Each is {"version", "manifest", "source", "rows", "recipe" (steps, None where there is none), "files"}; a file is
    {"path", "size" (bytes, None where nobody knows), "sha256"}, of a folder with "files", how many it has, see
    ``source_digests``. Files that came before MLDesk hashed them are left out.
    """
    known = {item.number: item for item in library.datasets.versions(version.dataset)}
    found: dict[int, dict[str, Any]] = {}
    number: int | None = version.number
    while number is not None and number in known and number not in found:
        item = known[number]
        found[number] = {"version": item.label, "manifest": item.manifest, "source": item.source, "rows": item.rows,
                         "recipe": None if item.recipe is None else [dict(step) for step in item.recipe],
                         "files": [dict(file) for file in files_of(library, item)]}
        number = item.parent
    return list(reversed(found.values()))
