"""Which files have their rows in a version already: told by the digests of what was imported and merged.

Of an archive that is its own digest, not those of the files in it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.errors import MldeskError
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.workbench.source_digests import list_digest

CLIPBOARD, STREAM = "the clipboard", "standard input"   # the sources of versions that came from there


@dataclass(frozen=True, slots=True)
class Held:
    """A file whose rows are in a version."""

    version: str         # label of the one that it came with
    rows: int | None     # None: one of several that were imported together
    checked: bool        # it was merged, so it kept a contract then


@dataclass(slots=True)
class HeldFiles:
    """The files whose rows are in a version, by digest, and what came from files that nobody can tell."""

    by_digest: dict[str, Held] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)   # sources

    def add_import(self, version: DatasetVersion, scratch: Path) -> None:
        """Add what a version was imported from."""
        reading = version.reading
        if reading is None:
            if version.parent is None and version.source not in (CLIPBOARD, STREAM):
                self.untold.append(version.source)
            return
        files = reading.get("files") or ()
        self.untold += _untold(version, {file["path"] for file in files})
        for file in files:
            each = _each(file, scratch) if "files" in file else [file["sha256"]]
            if each is None:
                self.untold.append(file["path"])
            alone = len(files) == 1 and "files" not in file
            for digest in each or ():
                self.by_digest.setdefault(digest, Held(version.label, version.rows if alone else None, checked=False))


def held_files(library: Library, line: Sequence[DatasetVersion], scratch: Path) -> HeldFiles:
    """Return the files whose rows are in the first version of a line: those that it and the others came of."""
    held, labels = HeldFiles(), {version.number: version.label for version in line}
    for file in library.contracts.accepted(line[0].dataset):
        if file.version in labels:
            held.by_digest[file.digest] = Held(labels[file.version], file.rows, checked=True)
    for version in line:
        held.add_import(version, scratch)
    return held


def _untold(version: DatasetVersion, told: Container[str]) -> list[str]:
    """Return the sources whose digests were not kept, of those that are files and were read."""
    from mldesk.data.sources.locations import is_database_url

    reading = version.reading or {}
    if version.outside is not None or reading["options"].get("skip_bad_files"):
        return []
    return [source for source in reading["sources"] if source not in told and not is_database_url(source)]


def _each(file: Any, scratch: Path) -> Sequence[str] | None:
    """Return the digests of a folder's files; None if they were not kept and the folder is not as it was."""
    if "each" in file:
        return list(file["each"])
    with suppress(MldeskError, OSError, ValueError):   # an import before they were kept
        said, each = list_digest(_digests_now(Path(file["path"]), scratch))
        return each if said == file["sha256"] else None
    return None


def _digests_now(folder: Path, scratch: Path) -> list[tuple[str, str]]:
    from mldesk.data import ImportOptions
    from mldesk.data.contracts.check import digest_of
    from mldesk.data.sources.gather import gather

    found: list[tuple[str, Path]] = []
    gather([folder], ImportOptions(skip_bad_files=True), scratch, lambda _url, path: path,
           seen=lambda _number, _path, files: found.extend(files))
    return [(name, digest_of(path)) for name, path in found]

