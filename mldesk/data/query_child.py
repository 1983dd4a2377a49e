"""The process that answers one query: ``python -m mldesk.data.query_child``.

One line of JSON comes in, one document of JSON goes out: {"columns", "rows", "more"}, {"rows"} where a file was
written, or {"error": {"code", "message", "hint"}}. It ends when its standard input does, so that it outlives nobody.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from mldesk.core.errors import MldeskError, WorkFailed
from mldesk.data.helper import limit_memory, lower
from mldesk.data.query_process import too_much
from mldesk.data.view import TableView
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import columns_from_json

MOST = 128 * 1024 * 1024    # bytes of text that an answer which is shown may have
_SPARE = 256 * 1024 * 1024  # bytes of the disk that no answer takes


def main() -> None:
    """Answer and end."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = _answer(order)
    except MldeskError as error:
        _end(_refusal(error))
    except MemoryError:
        _end(_refusal(too_much()))
    _end(answer)


def _answer(order: dict[str, Any]) -> bytes:
    with TableView(ObjectStore(Path(order["store"])), order["manifest"], columns_from_json(order["columns"]),
                   name=order["name"], label=order["label"], scratch=Path.cwd()) as view:
        limit_memory(order["memory"])
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


def _refusal(error: MldeskError) -> bytes:
    said = {"code": error.code, "message": error.message, "hint": error.hint}
    return json.dumps({"error": said}).encode()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _end(said: bytes) -> NoReturn:
    with open(1, "wb", closefd=False) as sink:
        sink.write(said)
    os._exit(0)


if __name__ == "__main__":
    main()
