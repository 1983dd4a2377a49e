"""The text of a script's files, to be changed before it runs."""

from __future__ import annotations

import ast
from pathlib import Path

from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import BadInput, Conflict, NotFound

_KINDS = (".py", ".toml", ".txt", ".md", ".yaml", ".yml", ".json", ".cfg", ".ini")
_LARGEST = 1_000_000   # bytes of a file that is edited here
_MOST = 200


def source_files(folder: Path, entry: str) -> list[str]:
    """Return the text files of a script's folder that can be changed, the program first."""
    found = [path.relative_to(folder).as_posix() for kind in _KINDS for path in sorted(folder.glob(f"*{kind}"))
             if path.is_file() and not path.name.startswith(".") and path.stat().st_size <= _LARGEST][:_MOST]
    return list(dict.fromkeys([entry, *found]))


def read_source(path: Path) -> str:
    """Return the text of a file. Raises NotFound, BadInput for one that is no text or too long."""
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path.name!r:.120} is too long to be changed here.", hint="Use an editor of your own.")
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path.name!r:.120} any more.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name!r:.120} is no text in UTF-8.", hint="Use an editor of your own.") from error


def save_source(path: Path, before: str, text: str) -> str:
    """Write a text over the one that was read; return what is wrong with a Python program, "" for nothing.

    Lines end as they did. Raises Conflict where somebody else changed the file meanwhile, NotFound, DiskFull.
    """
    if read_source(path) != before:
        raise Conflict(f"{path.name!r:.120} was changed by another program meanwhile.",
                       hint="Open it again; copy what you wrote first.")
    ending = "\r\n" if "\r\n" in before else "\n"
    whole = text.replace("\r\n", "\n").replace("\n", ending)
    mode = path.stat().st_mode
    with disk_errors(f"writing {path.name}"):
        write_atomic(path, whole.encode())
        path.chmod(mode & 0o7777)
    return _fault(path, text)


def _fault(path: Path, text: str) -> str:
    if path.suffix != ".py":
        return ""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        return f"Line {line}: {getattr(error, 'msg', error)}." if line else f"{error}."
    return ""
