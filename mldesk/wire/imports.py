"""Jobs of the kind "import": a table is made on the runner from a file that lies there. The data do not travel.

The job announces one artifact, "table": a JSON object that describes the table and holds its manifest, so that whoever
follows the job knows everything about the table but its rows. Its result is {"manifest": digest, "table": digest of
the description, "row_count", "column_count", "size" in bytes, "problems": how many, "kept", "source", "seconds"}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.wire.manifest import Manifest
from mldesk.wire.schema import Column, columns_from_json

KIND = "import"
ARTIFACT = "table"
WAYS = ("cloned", "linked", "copied", "converted")
_PATH = 4096               # characters
_TEXT = 2000
_MOST_PROBLEMS = 10_000
_MOST_COLUMNS = 200_000
_HUGE = 1 << 53
_UNSOUND = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")   # in a column's name: no import leaves them there


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The payload of an "import" job."""

    path: str                       # on the runner: a file, a folder of files or an archive; "~" is its user's home
    name: str                       # of the dataset it becomes a version of
    options: Mapping[str, Any] = field(default_factory=dict)  # data.ImportOptions as JSON
    link: bool = True               # a Parquet file that can be used as it is need not be copied

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "name": self.name, "options": dict(self.options), "link": self.link}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ImportRequest:
        """Read a payload. Raises BadInput for any other shape."""
        try:
            found = cls(value["path"], value["name"], dict(value["options"]), value["link"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not an import request: {error!r:.200}.") from error
        texts = isinstance(found.path, str) and isinstance(found.name, str) and isinstance(found.link, bool)
        if not texts or set(value) != {"path", "name", "options", "link"}:
            raise BadInput("This is not an import request.", hint="Upgrade the older of the two.")
        if not found.path.strip() or len(found.path) > _PATH or "\0" in found.path or "://" in found.path:
            raise BadInput(f"{found.path!r:.100} is no path of a file on the runner.",
                           hint="Give the path as it is on that machine, like /data/sales.parquet.")
        return found


@dataclass(frozen=True, slots=True)
class ImportedTable:
    """What an import made, as its description says."""

    manifest: Manifest
    rows: int
    columns: tuple[Column, ...]
    problems: tuple[Mapping[str, Any], ...]   # {"file", "line", "column", "message"}
    source: str                               # where it came from, in words
    reading: Mapping[str, Any]                # how it was read
    kept: str                                 # one of WAYS

    def to_json(self) -> dict[str, Any]:
        return {"manifest": self.manifest.to_json(), "rows": self.rows,
                "columns": [column.to_json() for column in self.columns],
                "problems": [dict(problem) for problem in self.problems], "source": self.source,
                "reading": dict(self.reading), "kept": self.kept}

    @classmethod
    def from_json(cls, value: Any) -> ImportedTable:
        """Read a description that a runner wrote, which may be damaged or hostile. Raises BadInput."""
        try:
            manifest = Manifest.from_json(value["manifest"])
            rows, problems, columns = value["rows"], value["problems"], value["columns"]
            if type(rows) is not int or not 0 <= rows < _HUGE or value["kept"] not in WAYS:
                raise ValueError("numbers")
            if len(columns) > _MOST_COLUMNS or not all(_sound(item) for item in columns):
                raise ValueError("columns")
            found = columns_from_json(columns)
            if not found or len({column.name for column in found}) < len(found):
                raise ValueError("columns")
            return cls(manifest, rows, found, tuple(_problem(item) for item in problems[:_MOST_PROBLEMS]),
                       _plain(value["source"]), dict(value["reading"]), str(value["kept"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput("The runner's description of the table makes no sense.",
                           hint="Upgrade the older of the two.") from error


def _sound(item: Mapping[str, Any]) -> bool:
    name, counts = item["name"], (item["missing"], item["distinct"])
    return (isinstance(name, str) and 0 < len(name) <= _TEXT and _UNSOUND.search(name) is None
            and all(type(count) is int and 0 <= count < _HUGE for count in counts))


def _problem(item: Mapping[str, Any]) -> dict[str, Any]:
    line, column = item["line"], item["column"]
    return {"file": _plain(item["file"]), "line": line if type(line) is int and 0 <= line < _HUGE else None,
            "column": None if column is None else _plain(column), "message": _plain(item["message"])}


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return "".join(letter for letter in value[:_TEXT] if letter.isprintable())
