"""The process that answers one query or condition: ``python -m mldesk.data.query_child``, see ``asking``.

It answers {"columns", "rows", "more"}, or {"rows"} where a file was written.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from mldesk.core.errors import WorkFailed
from mldesk.data.answering import serve
from mldesk.data.helper import limit_memory, lower
from mldesk.data.view import TableView
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import columns_from_json

MOST = 128 * 1024 * 1024    # bytes of text that an answer which is shown may have
_SPARE = 256 * 1024 * 1024  # bytes of the disk that no answer takes


def main() -> None:
    """Answer and end."""
    serve(_answer, at_once=False)


def _answer(order: dict[str, Any]) -> bytes:
    with TableView(ObjectStore(Path(order["store"])), order["manifest"], columns_from_json(order["columns"]),
                   name=order["name"], label=order["label"], scratch=Path.cwd(), held=True) as view:
        limit_memory(order["memory"])
        if "where" in order:
            places = view.all_places(order["where"])
            places.tofile(order["path"])
            return json.dumps({"rows": len(places)}).encode()
        if order["path"] is None:
            return _page(*view.answer(order["sql"], order["limit"]))
        path = Path(order["path"])
        _limit_files(path.parent)
        rows = view.write_answer(order["sql"], path) if order["raw"] else view.export_answer(order["sql"], path)
        return json.dumps({"rows": rows}).encode()


def _page(columns: list[str], rows: list[list[Any]], more: bool) -> bytes:
    """Return the answer as text. Raises WorkFailed for more of it than anybody wants to see."""
    text = io.BytesIO()
    text.write(b'{"columns": %s, "more": %s, "rows": [' % (json.dumps(columns).encode(), json.dumps(more).encode()))
    for number, row in enumerate(rows):
        text.write(b", " * bool(number) + json.dumps(row).encode())
        if text.tell() > MOST:
            raise WorkFailed(f"The query's answer holds more than {MOST >> 20} MB of text, which is too much to show.",
                             hint="Ask for fewer rows or shorter texts (or write them to a file with -o FILE).")
    text.write(b"]}")
    return text.getvalue()


def _limit_files(folder: Path) -> None:
    """Let no file fill the disk. Its end is an error like that of a full one."""
    if sys.platform != "win32":
        import resource  # not on Windows

        lower(resource.RLIMIT_FSIZE, max(shutil.disk_usage(folder).free - _SPARE, 0))


if __name__ == "__main__":
    main()
