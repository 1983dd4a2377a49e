"""Which files have their rows in a version already: told by the digests of what was imported and merged.

A file that is packed, one by itself, is the one in it, too; of other archives it is their own digest.
"""

from __future__ import annotations

import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.errors import MldeskError
from mldesk.data.sources.locations import readable
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.workbench.source_digests import list_digest

PACKED = (".gz", ".bz2", ".zst", ".zip")
_PIECE, _MOST = 1 << 20, 64 << 30   # bytes
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
    by_place: dict[str, Held] = field(default_factory=dict)   # by path, or the name of a merged file: as it was then

    def of(self, path: Path, digest: str) -> Held | None:
        """Return the file with these bytes, packed or not; None where there is none. Reads what is packed."""
        there = self.by_digest.get(digest)
        if there is None and (inside := digest_inside(path)) is not None:
            there = self.by_digest.get(inside)
        return there

    def earlier(self, path: Path) -> Held | None:
        """Return the file that was at this place, or had this name, and had other bytes."""
        return self.by_place.get(str(path.absolute())) or self.by_place.get(readable(path.name))

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
            made = Held(version.label, version.rows if alone else None, checked=False)
            for digest in each or ():
                self.by_digest.setdefault(digest, made)
            if "files" not in file:
                self.by_place.setdefault(file["path"], made)
                self._add_inside(Path(file["path"]), file["sha256"], made)

    def _add_inside(self, path: Path, digest: str, made: Held) -> None:
        """Add the one file that was packed in a source, if that is still what it was."""
        from mldesk.data.contracts.check import digest_of

        with suppress(OSError, ValueError):
            if path.suffix.lower() in PACKED and path.is_file() and digest_of(path) == digest \
                    and (inside := digest_inside(path)) is not None:
                self.by_digest.setdefault(inside, made)


def held_files(library: Library, line: Sequence[DatasetVersion], scratch: Path) -> HeldFiles:
    """Return the files whose rows are in the first version of a line: those that it and the others came of."""
    held, labels = HeldFiles(), {version.number: version.label for version in line}
    for file in library.contracts.accepted(line[0].dataset):
        if file.version in labels:
            made = held.by_digest[file.digest] = Held(labels[file.version], file.rows, checked=True)
            held.by_place[file.name] = made
    for version in line:
        held.add_import(version, scratch)
    return held


def digest_inside(path: Path) -> str | None:
    """Return the SHA-256 of the one file in a packed file; None where it is not packed, damaged or holds several."""
    from mldesk.data.sources.archives import opened_inside

    digest = hashlib.sha256()
    try:
        with opened_inside(path) as file:
            if file is None:
                return None
            size = 0
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > _MOST:
                    return None
                digest.update(piece)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, MldeskError):
        return None   # whoever reads it says what is wrong
    return digest.hexdigest()


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

