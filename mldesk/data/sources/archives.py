"""Packed files: gzip, bzip2, xz and zstd unpacked into a scratch file, and what lies in a zip archive.

Nothing is ever unpacked under a name from an archive, and never more than a limit: an archive may claim anything.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

from mldesk.core.durable import disk_errors
from mldesk.data.records import ImportRefused

PACKED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
SUFFIXES = frozenset(PACKED.values())
_FREE = 1024**3              # bytes that anything may unpack to
_RATIO = 250                 # how many times larger than packed anything else may be
_MOST = 64 * 1024**3         # bytes after unpacking
_MEMBERS = 100_000           # of a zip archive
_PIECE = 4 * 1024 * 1024
_DAMAGE = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException, NotImplementedError)


def packing(head: bytes) -> str | None:
    """Return the suffix of the way in which a file that begins so is packed, None if it is not."""
    return next((suffix for magic, suffix in PACKED.items() if head.startswith(magic)), None)


def unpack(path: Path, target: Path, suffix: str, shown: str, step: Callable[[int], None]) -> None:
    """Unpack ``path`` into ``target``; ``step`` hears the packed bytes read so far and may raise.

    Raises ImportRefused for a damaged, truncated or monstrous file, DiskFull. ``shown`` is what the user calls it.
    """
    with unpacking(shown), open(path, "rb") as packed, _opened(packed, suffix) as unpacked:
        copy(unpacked, target, shown, path.stat().st_size, lambda _: step(packed.tell()))


@contextmanager
def opened_inside(path: Path) -> Iterator[Any]:
    """Give the one file that is packed in another as a stream; None where it is not packed, or holds several.

    Raises what damaged archives raise.
    """
    with open(path, "rb") as packed:
        head = packed.read(8)
        packed.seek(0)
        suffix = packing(head)
        if suffix is not None:
            with _opened(packed, suffix) as inside:
                yield inside
            return
        good = members(path, path.name)[0] if head.startswith(b"PK\x03\x04") else []
        if len(good) != 1:
            yield None
            return
        with zipfile.ZipFile(packed) as archive, archive.open(good[0]) as member:
            yield member


def copy(source: Any, target: Path, shown: str, packed: int, step: Callable[[int], None]) -> int:
    """Write what ``source`` gives to ``target``, up to what ``packed`` bytes may become. Returns the bytes written."""
    written = 0
    with disk_errors("unpacking " + shown), open(target, "wb") as out:
        for piece in pieces(source, shown, packed):
            written += len(piece)
            out.write(piece)
            step(written)
    if not written:
        raise ImportRefused(f"{shown} is empty once unpacked: it has no header and no rows.")
    return written


def pieces(source: Any, shown: str, packed: int) -> Iterator[bytes]:
    """Give what ``source`` holds, up to what ``packed`` bytes may become. Raises ImportRefused for more."""
    most, given = min(_MOST, max(_FREE, _RATIO * packed)), 0
    while piece := source.read(_PIECE):
        given += len(piece)
        if given > most:
            raise ImportRefused(f"{shown} unpacks to more than {most:,} bytes; that is too much for a file of "
                                f"{packed:,} bytes.", hint="If that is right, unpack it yourself and import that.")
        yield piece


@contextmanager
def unpacking(shown: str) -> Iterator[None]:
    """Turn what the readers of packed files raise for damaged ones into a sentence."""
    try:
        yield
    except EOFError as error:
        raise _cut(shown) from error
    except _DAMAGE as error:
        if "runcated" in str(error):
            raise _cut(shown) from error
        raise _damaged(shown, error) from error
    except RuntimeError as error:  # what zipfile raises for a password
        if "password" not in str(error) and "encrypted" not in str(error):
            raise
        raise ImportRefused(f"{shown} is protected by a password.", hint="Unpack it yourself and import that."
                            ) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # a place before the file's beginning, as a damaged one names it
            raise
        raise (_cut(shown) if "runcated" in str(error) else _damaged(shown, error)) from error


def _cut(shown: str) -> ImportRefused:
    return ImportRefused(f"{shown} ends in the middle of its packed data: it was not copied whole.",
                         hint="Copy or download it again.")


def _damaged(shown: str, error: Exception) -> ImportRefused:
    reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return ImportRefused(f"{shown} is damaged: its packed data cannot be read ({reason}).")


@contextmanager
def _opened(packed: IO[bytes], suffix: str) -> Iterator[Any]:
    file: Any
    if suffix == ".zst":
        with pa.PythonFile(packed, "r") as raw, pa.CompressedInputStream(raw, "zstd") as file:
            yield file
        return
    readers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    with readers[suffix](packed, "rb") as file:
        yield file


def is_book(path: Path) -> bool:
    """Say whether a zip archive is a workbook, by what lies in it. False for a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {item.filename for item in archive.infolist()[:_MEMBERS]}
            if "content.xml" in names and "mimetype" in names:
                with archive.open("mimetype") as file:
                    return b"spreadsheet" in file.read(200)
            return any(name.startswith(("xl/workbook", "xl/_rels")) for name in names)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error, EOFError):
        return False


def members(path: Path, shown: str) -> tuple[list[zipfile.ZipInfo], list[str]]:
    """Return what may be read in a zip archive, in the order of names, and the names of what may not.

    Folders, hidden files and what a system puts beside them are passed over. Raises ImportRefused if it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ImportRefused(f"{shown} is a damaged zip archive: {str(error)[:120] or type(error).__name__}.",
                            hint="Copy or download it again.") from error
    if len(listed) > _MEMBERS:
        raise ImportRefused(f"{shown} holds more than {_MEMBERS:,} files; that is too many for one table.")
    good: list[zipfile.ZipInfo] = []
    bad: list[zipfile.ZipInfo] = []
    links = {item.filename.rstrip("/") for item in listed if _is_link(item)}
    for item in sorted(listed, key=lambda item: item.filename):
        parts = PurePosixPath(item.filename).parts
        if item.is_dir() or any(hidden(part) and part != ".." for part in parts):
            continue
        (good if _safe(item) and not links.intersection(map(str, PurePosixPath(item.filename).parents)) else
         bad).append(item)
    return good, [item.filename for item in bad]


def hidden(name: str) -> bool:
    """Say whether a file or folder is one that a system keeps for itself."""
    return name.startswith((".", "__MACOSX")) or name.lower() in ("thumbs.db", "desktop.ini")


def _safe(item: zipfile.ZipInfo) -> bool:
    """Say whether a member is a plain file whose name stays inside the archive."""
    name = item.filename
    inside = not name.startswith("/") and "\\" not in name and ":" not in name[:2] and ".." not in name.split("/")
    return inside and not _is_link(item)


def _is_link(item: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(item.external_attr >> 16)
