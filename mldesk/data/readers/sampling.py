"""The beginning of a large text file, for a preview: never the whole of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from mldesk.core.durable import disk_errors
from mldesk.data.readers.raw import Context

SAMPLE = 8 * 1024 * 1024   # bytes of text that a preview looks at
_CUT = ("csv", "tsv", "fixed", "jsonl", "json")


def beginning(context: Context, source: Path, kind: str) -> Path:
    """Return the first bytes of a text file as a file of its own, cut at a line end; ``source`` if it is short.

    ``context.sampled`` says afterwards whether anything is missing.
    """
    if kind not in _CUT or source.stat().st_size <= SAMPLE:
        context.sampled = False
        return source
    target = context.scratch / f"{context.number}.beginning"
    with disk_errors("the preview"):
        with open(source, "rb") as whole, open(target, "wb") as out:
            head = whole.read(SAMPLE)
            out.write(head[:_last_end(head, whole.read(8))])
        shutil.copystat(source, target)
    context.size, context.whole_size = target.stat().st_size, source.stat().st_size
    return target


def _last_end(head: bytes, more: bytes) -> int:
    """Return where the last whole line ends: of UTF-16, where an even number of bytes lies before."""
    place = head.rfind(b"\n")
    if place < 0:
        return len(head) - len(head) % 4
    wide = b"\0" in head[:64]
    if not wide:
        return place + 1
    step = 4 if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") else 2
    end = place + (step if head[place + 1:place + 2] == b"\0" or (place + 1 == len(head) and more[:1] == b"\0") else 1)
    return min(len(head), end - end % step)
