"""Delimiters of several characters ("::", "||"): written as one that no text holds, and put back into quoted cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.durable import disk_errors
from mldesk.data.readers.spool import Spool

SHORT = "\x1e"             # the record separator of ASCII; what a text holds of them becomes the delimiter as well
_PIECE = 4 * 1024 * 1024   # characters


def shorten_delimiter(path: Path, target: Path, delimiter: str) -> Path:
    """Write the UTF-8 text at ``path`` to ``target`` with SHORT for ``delimiter``. Raises DiskFull."""
    keep = len(delimiter) - 1
    with disk_errors("reading the file"), open(path, encoding="utf-8-sig", errors="replace", newline="") as text, \
            open(target, "w", encoding="utf-8", errors="replace", newline="") as out:
        rest = ""
        while piece := text.read(_PIECE):
            whole = (rest + piece).replace(delimiter, SHORT)
            cut = max(0, len(whole) - keep)  # a delimiter may begin in the last characters
            out.write(whole[:cut])
            rest = whole[cut:]
        out.write(rest)
    return target


class RestoringSpool(Spool):
    """A spool whose texts hold the delimiter as it was written."""

    def __init__(self, folder: Path, name: str, delimiter: str) -> None:
        super().__init__(folder, name)
        self._delimiter = delimiter

    def add(self, columns: Sequence[pa.Array], rows: int) -> None:
        super().add([pc.replace_substring(column, SHORT, self._delimiter) for column in columns], rows)
