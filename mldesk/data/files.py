"""Which file is this? One sentence for what cannot be one, a format for what can, and gzip taken off."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path

from mldesk.core.durable import disk_errors
from mldesk.data.records import ImportOptions, ImportRefused

_BY_SUFFIX = {
    ".csv": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv", ".tsv": "tsv", ".tab": "tsv", ".json": "json",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx",
    ".ods": "xlsx", ".parquet": "parquet", ".pq": "parquet",
}
_MAGIC = (
    (b"PAR1", "parquet"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"), (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"), (b"\x1f\x8b", "gzip"), (b"BZh", "a bzip2 archive"), (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a rar archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"%PDF", "a PDF document"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"SQLite format 3\0", "a database"), (b"\x7fELF", "a program"), (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"), (b"\x80\x04\x95", "a pickle"), (b"\x80\x05\x95", "a pickle"),
    (b"ORC", "an ORC file"), (b"Obj\x01", "an Avro file"), (b"ARROW1", "an Arrow file"),
)
_HINT = "MLDesk reads CSV, TSV, JSON, JSON lines, Excel and Parquet files."
_GZIP_LIMIT = 64 * 1024**3   # bytes after unpacking
_PIECE = 4 * 1024 * 1024


def check_file(path: Path) -> int:
    """Return the size in bytes of a file that can be read. Raises ImportRefused for anything else."""
    shown = path.name or str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImportRefused(f"{shown} is a folder, not a file.", hint="Give the files in it by name.")
        if not stat.S_ISREG(status.st_mode):
            raise ImportRefused(f"{shown} is not a regular file but a device, pipe or socket.",
                                hint="Save what it gives as a file and import that.")
        if status.st_size == 0:
            raise ImportRefused(f"{shown} is empty: it has no header and no rows.")
        with open(path, "rb"):
            return status.st_size
    except FileNotFoundError as error:
        raise ImportRefused(f"There is no file {shown}.", hint=f"Looked at {path}.") from error
    except PermissionError as error:
        raise ImportRefused(f"{shown} may not be read by this user.", hint="Change its permissions.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ImportRefused(f"{shown[:100]!r} cannot be read: {reason}.") from error


def detect_format(path: Path, head: bytes, options: ImportOptions) -> str:
    """Return one of FORMATS by the first bytes, then the name. Raises ImportRefused for what is no table."""
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    by_name = suffix_format(path)
    if kind == "zip":
        if by_name == "xlsx" or options.format == "xlsx":
            return "xlsx"
        raise ImportRefused(f"{path.name} is a zip archive, not a table; nothing in it was unpacked.",
                            hint="Unpack it yourself and import the table files in it.")
    if kind in ("parquet", "xlsx"):
        return kind
    if kind is not None:
        raise ImportRefused(f"{path.name} is {kind}, not a table.", hint=_HINT)
    wanted = options.format or by_name
    if wanted in ("parquet", "xlsx"):
        raise ImportRefused(f"{path.name} is not {'a Parquet' if wanted == 'parquet' else 'an Excel'} file: "
                            "it does not begin like one.", hint="It may be damaged, or have the wrong ending.")
    return wanted or _by_content(head)


def suffix_format(path: Path) -> str | None:
    """Return the format that a file's name speaks of, ``.gz`` taken off."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return _BY_SUFFIX.get(name.suffix.lower())


def _by_content(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "jsonl" if b"}\n" in text or b"}\r\n" in text else "json"
    return "csv"


def gunzip(path: Path, target: Path, step: Callable[[int], None]) -> None:
    """Unpack ``path`` into ``target``; ``step`` hears the packed bytes read so far and may raise.

    Raises ImportRefused for a damaged, truncated or monstrous archive, DiskFull.
    """
    written = 0
    try:
        with disk_errors("unpacking " + path.name), open(path, "rb") as packed, \
                gzip.GzipFile(fileobj=packed) as unpacked, open(target, "wb") as out:
            while piece := unpacked.read(_PIECE):
                written += len(piece)
                if written > _GZIP_LIMIT:
                    raise ImportRefused(f"{path.name} unpacks to more than {_GZIP_LIMIT:,} bytes; that is too much.")
                out.write(piece)
                step(packed.tell())
    except EOFError as error:
        raise ImportRefused(f"{path.name} ends in the middle of its packed data: it was not copied whole.",
                            hint="Copy or download it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ImportRefused(f"{path.name} is damaged: its packed data cannot be read ({error}).") from error
    if not written:
        raise ImportRefused(f"{path.name} is empty once unpacked: it has no header and no rows.")
