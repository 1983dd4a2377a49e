"""The files that are offered to a dataset: by their paths, out of folders, and one by one out of zip archives.

A file in an archive is called by the archive's path and its name in there. It is never unpacked under that name; an
import reads it where it lies, and who copies it says where to.
"""

from __future__ import annotations

import glob
import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, NotFound
from mldesk.data.sources.locations import readable

if TYPE_CHECKING:  # pyarrow loads with it
    from mldesk.data.records import ImportOptions


_PIECE = 1 << 20   # bytes


@dataclass(frozen=True, slots=True)
class Offered:
    """One file: at ``path``, or the ``member`` of the archive there."""

    path: Path
    member: str = ""

    @property
    def said(self) -> Path:
        """What it is called."""
        return self.path / readable(self.member) if self.member else self.path

    @property
    def name(self) -> str:
        return readable(PurePosixPath(self.member).name) if self.member else self.path.name

    def digest(self) -> str:
        """Return the SHA-256 of its bytes. Raises ImportRefused for a damaged archive, OSError."""
        found = hashlib.sha256()
        for piece in self._pieces():
            found.update(piece)
        return found.hexdigest()

    def options(self, options: ImportOptions) -> ImportOptions:
        """Return how it is to be read at ``path``."""
        return replace(options, member=glob.escape(self.member)) if self.member else options

    def copy_to(self, target: Path) -> None:
        """Write its bytes to a file. Raises ImportRefused for a damaged archive, OSError."""
        with open(target, "wb") as out:
            out.writelines(self._pieces())

    def into_archive(self, archive: zipfile.ZipFile, name: str) -> None:
        """Write its bytes to another archive under a name. Raises as ``copy_to``."""
        if not self.member:
            archive.write(self.path, name)
            return
        with archive.open(name, "w", force_zip64=True) as out:
            out.writelines(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        if not self.member:
            with open(self.path, "rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
            return
        from mldesk.data.sources.archives import pieces, unpacking

        with unpacking(str(self.said)), zipfile.ZipFile(self.path) as archive, archive.open(self.member) as packed:
            yield from pieces(packed, str(self.said), max(1, archive.getinfo(self.member).compress_size))


def offered(paths: Sequence[Path], options: ImportOptions) -> list[Offered]:
    """Return the files that are meant, those of folders and of archives by name. Raises NotFound, BadInput for none.

    An archive that cannot be looked into, or holds no table, is a file of its own, of which the check says so.
    """
    found: list[Offered] = []
    for path in paths:
        if path.is_dir():
            found += [one for file in _in_folder(path) for one in _of_file(file, options)]
        elif path.is_file():
            found += _of_file(path, options)
        elif (member := at(path)) is not None:
            found.append(member)
        else:
            raise NotFound(f"There is no file {str(path)!r:.300}.")
    if not found:
        raise BadInput("There is no file to check.")
    return found


def at(said: Path) -> Offered | None:
    """Return the file that is called so, None where it is not there any more."""
    if said.is_file():
        return Offered(said)
    archive = next((parent for parent in said.parents if parent.is_file()), None)
    if archive is None:
        return None
    with suppress(OSError, ValueError, zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if archive / readable(name) == said and not name.endswith("/"):
                return Offered(archive, name)
    return None


def _in_folder(folder: Path) -> Iterator[Path]:
    """Give the files of a folder, then of those in it, by name; neither hidden ones nor what links to folders hold."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in sorted(files) if not name.startswith(".") and (path := Path(root, name)).is_file())


def _of_file(path: Path, options: ImportOptions) -> list[Offered]:
    from mldesk.data.records import ImportRefused
    from mldesk.data.sources.gather import gather

    with suppress(ImportRefused, OSError, ValueError):
        items = gather([path], options, path.parent, lambda _url, target: target)
        members = [Offered(path, item.member.filename) for item in items if item.member is not None]
        if members and len(members) == len(items):
            return members
    return [Offered(path)]
