"""Asks a process of its own, which may take so much memory and no more, for what a user's query or expression makes.

The engine's own limit does not count texts, of which one function can make gigabytes; the system's limit of a process
does. One line of JSON goes in, one document of JSON comes out. The other side is ``answering``.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mldesk.core.errors import BadInput, Conflict, DiskFull, LibraryDamaged, MldeskError, NotFound, WorkFailed
from mldesk.data.helper import GIB, guard, helper, last_of
from mldesk.wire.objects import ObjectMissing

MEMORY = 2 * GIB            # bytes that such a process may take beyond what it begins with
_KINDS: dict[str, type[MldeskError]] = {
    kind.code: kind for kind in (BadInput, Conflict, DiskFull, LibraryDamaged, NotFound, WorkFailed)}


def ask(module: str, folder: Path, order: dict[str, Any], what: str, *,
        started: Callable[[subprocess.Popen[bytes]], object] = lambda _: None) -> dict[str, Any]:
    """Return what ``python -m module`` answers, which works in ``folder``; it is gone afterwards.

    ``what`` begins sentences about it: "The query". ``started`` is given the process, so that another thread may end
    it; the work's being stopped does, too. Raises what the process says; WorkFailed for what needs too much memory or
    was ended.
    """
    order = {**order, "memory": MEMORY, "what": what}
    with helper(module, folder.absolute()) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101
        started(process)
        stderr, why = process.stderr, []
        threads = [threading.Thread(target=lambda: last_of(stderr), name="asked-noise"),
                   threading.Thread(target=lambda: why.append(guard(process, MEMORY + GIB)), name="asked-guard")]
        for thread in threads:
            thread.start()
        try:
            with suppress(OSError):   # it has ended already; stdin stays open, as it ends with us
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.flush()
            said = process.stdout.read()
            process.wait()
        finally:
            if process.poll() is None:
                process.kill()
            for thread in threads:
                thread.join()
        return _understood(said, process.returncode, "".join(why), what)


def _understood(said: bytes, status: int, why: str, what: str) -> dict[str, Any]:
    """Return what the process answered; raise what it says, or why it said nothing."""
    with suppress(ValueError):
        found = json.loads(said)
        if isinstance(found, dict):
            if "error" not in found:
                return found
            error = found["error"]
            if error["code"] == ObjectMissing.code:
                raise ObjectMissing("", error["message"], hint=error["hint"])
            raise _KINDS.get(error["code"], LibraryDamaged)(error["message"], hint=error["hint"])
    if why or status != -9:   # what runs out of memory far below ends as it likes
        raise too_much(what)
    raise WorkFailed(f"{what}'s process was ended from outside; perhaps this machine's memory ran out.",
                     hint="Ask again, or for fewer rows or columns.")


def too_much(what: str) -> WorkFailed:
    """Return what is said of work that needs more memory than it may have."""
    return WorkFailed(f"{what} needs more memory than it may have: {MEMORY / GIB:g} GB.",
                      hint="Ask for fewer rows or columns, or for shorter texts.")
