"""Which file is this? One sentence for what cannot be one, a format for what can."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from mldesk.data.records import ImportOptions, ImportRefused
from mldesk.data.sources.archives import PACKED, SUFFIXES

_BY_SUFFIX = {
    ".csv": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv", ".psv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".fwf": "fixed", ".prn": "fixed", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".html": "html",
    ".htm": "html", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx", ".ods": "xlsx",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "arrow", ".arrow": "arrow", ".arrows": "arrow",
    ".ipc": "arrow", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb",
}
_BINARY = {"parquet": "a Parquet file", "xlsx": "an Excel file", "arrow": "an Arrow file",
           "sqlite": "an SQLite database", "duckdb": "a DuckDB database"}
_MAGIC = (
    (b"PAR1", "parquet"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"), (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"), (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a rar archive"),
    (b"%PDF", "a PDF document"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"SQLite format 3\0", "sqlite"), (b"\x7fELF", "a program"), (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"), (b"\x80\x04\x95", "a pickle"), (b"\x80\x05\x95", "a pickle"),
    (b"ORC", "an ORC file"), (b"Obj\x01", "an Avro file"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"),
    (b"FEA1", "a Feather file of the first version"), *((magic, suffix) for magic, suffix in PACKED.items()),
)
_HINT = "MLDesk reads CSV, TSV, fixed width, JSON, HTML, Excel, ODS, Parquet, Arrow, SQLite and DuckDB files."
_HEAD = 64 * 1024  # bytes that the format is judged by


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


def detect_format(shown: str, name: str, head: bytes, options: ImportOptions) -> str:
    """Return one of FORMATS by the first bytes, then the name. Raises ImportRefused for what is no table."""
    kind = "duckdb" if head[8:12] == b"DUCK" else next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    by_name = suffix_format(name)
    if kind == "arrow" and head.startswith(b"\xff") and by_name != "arrow" and options.format != "arrow":
        kind = None  # a stream begins with nothing but these four bytes, which other files may begin with
    if kind == "zip":
        return "xlsx"  # an archive would have been opened before
    if kind in _BINARY:
        return kind
    if kind is not None:
        what = f"packed twice ({kind})" if kind.startswith(".") else kind
        raise ImportRefused(f"{shown} is {what}, not a table.", hint=_HINT)
    wanted = options.format or by_name
    if wanted in _BINARY and not (wanted == "sqlite" and options.format is None):
        raise ImportRefused(f"{shown} is not {_BINARY[wanted]}: it does not begin like one.",
                            hint="It may be damaged, or have the wrong ending.")
    if wanted == "sqlite":  # .db says little
        wanted = None
    return wanted or _by_content(head)


def suffix_format(name: str) -> str | None:
    """Return the format that a file's name speaks of, the ending of a packed file taken off."""
    pure = PurePosixPath(name.lower())
    return _BY_SUFFIX.get((PurePosixPath(pure.stem) if pure.suffix in SUFFIXES else pure).suffix)


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(_HEAD)


def _by_content(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "jsonl" if b"}\n" in text or b"}\r\n" in text else "json"
    if text[:200].lower().startswith((b"<!doctype html", b"<html", b"<table")):
        return "html"
    return "csv"
