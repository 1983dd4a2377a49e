"""Parquet files of this machine that become a table where they lie: nothing is copied, the version refers to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors
from mldesk.core.scratch import working_folder
from mldesk.data import ImportRefused, Table
from mldesk.data.arrow_memory import choose_memory
from mldesk.data.imports.adopting import NotAsItIs, take_as_they_are
from mldesk.data.records import ImportCancelled, Problem
from mldesk.data.sources.archives import hidden
from mldesk.data.sources.files import check_file
from mldesk.data.sources.partitions import pairs_of
from mldesk.wire import referenced
from mldesk.wire.linked import FileChanged, Way
from mldesk.wire.manifest import Entry, read_entry
from mldesk.wire.objects import ObjectStore

KEPT = "registered"   # what the reading of such a version says of its rows


def registered_table(path: Path, store: ObjectStore, scratch: Path, progress: Callable[[float, float], None] | None,
                     cancelled: Callable[[], bool] | None) -> tuple[Table, list[dict[str, Any]]]:
    """Return the table of a Parquet file, or of all those in a folder, by name, and what is known of each.

    Every byte is read twice, none written. A file is {"path", "size" (bytes), "sha256"}.

    Raises ImportRefused with the reason where an import would change anything in them, ImportCancelled, DiskFull. Who
    uses a file that changed or went away since is told so (SourceChanged, SourceGone).
    """
    def check() -> None:
        if cancelled is not None and cancelled():
            raise ImportCancelled

    def refer(file: Path, name: str) -> tuple[Entry, Way]:
        before = referenced.facts_of(file)
        check()
        with open(file, "rb") as reading:
            entry = read_entry(reading, name)
        if referenced.facts_of(file) != before:
            raise FileChanged(f"{file.name[:100]!r} was written to while it was read.",
                              hint="Wait until it is finished, then register it again.")
        store.refer(file, entry.sha256, before)
        return entry, "referenced"

    files = _files(path)
    choose_memory()
    try:
        with disk_errors("registering"), working_folder(scratch) as folder:
            found = take_as_they_are(files, store, folder, progress or (lambda _done, _total: None), check, refer)
    except NotAsItIs as error:
        raise ImportRefused(f"{path.name} cannot stay where it is: {error}.",
                            hint="Import it instead, without --register: that makes a copy.") from error
    more = f" and {len(files) - 1} more" if files[1:] else ""
    known = [{"path": str(file.absolute()), "size": entry.size, "sha256": entry.sha256}
             for file, entry in zip(files, found.manifest.entries, strict=True)]
    return Table(found.digest, found.rows, found.columns, found.manifest.size, _said_by_folders(path, files),
                 f"{files[0].name}{more}", {"format": "parquet", "kept": KEPT}), known


def _said_by_folders(path: Path, files: Sequence[Path]) -> tuple[Problem, ...]:
    """Return that names of folders say something that files left where they are cannot have as a column."""
    pairs = [pairs_of(path, file.relative_to(path).as_posix()) if file != path else pairs_of(path) for file in files]
    names = list(dict.fromkeys(name for own in pairs for name in own))
    if not names:
        return ()
    shown = ", ".join(map(repr, names[:5])) + (" and others" if names[5:] else "")
    return (Problem(path.name, None, names[0], f"The names of the folders say {shown}; a registered table has no such "
                    "column. Import a copy (without --register) to have them.", "columns left out",
                    unfixed="What stays where it is can have no other columns than its files."),)


def _files(path: Path) -> list[Path]:
    """Return the Parquet files that a path means. Raises ImportRefused if there are none, or others among them."""
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for what is in a folder that may not be entered
        check_file(path)
        return [path]
    found = [Path(root) / name for root, _, names in os.walk(path) for name in names]
    files = sorted(file for file in found if not hidden(file.name) and not file.name.startswith("_"))
    other = next((file for file in files if file.suffix.lower() not in (".parquet", ".pq")), None)
    if not files or other is not None:
        raise ImportRefused(f"{path.name or path} holds no Parquet files." if other is None else
                            f"{other.name} in {path.name or path} is no Parquet file.",
                            hint="Only a folder of Parquet files, all with the same columns, can stay where it is.")
    for file in files:
        check_file(file)
    return files
