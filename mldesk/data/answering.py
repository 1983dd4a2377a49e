"""The process at the other end of ``asking``: it reads its order, answers, and ends when its standard input does."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from mldesk.core.errors import MldeskError
from mldesk.data.asking import too_much
from mldesk.data.helper import limit_memory


def serve(answer: Callable[[dict[str, Any]], bytes], *, at_once: bool = True) -> NoReturn:
    """Answer one order and end; a refusal is {"error": {"code", "message", "hint"}}.

    The limit of memory holds from the beginning, unless ``answer`` sets it by itself.
    """
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if at_once:
            limit_memory(order["memory"], for_children=False)
        said = answer(order)
    except MldeskError as error:
        said = _refusal(error)
    except MemoryError:
        said = _refusal(too_much(order["what"]))
    with open(1, "wb", closefd=False) as sink:
        sink.write(said)
    os._exit(0)


def _refusal(error: MldeskError) -> bytes:
    said = {"code": error.code, "message": error.message, "hint": error.hint}
    return json.dumps({"error": said}).encode()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
