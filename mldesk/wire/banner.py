"""The first line of a program of ours at the far end of an SSH channel, before the real talk begins.

A login shell may print anything first (a message of the day, what an rc file echoes, the very command it was given),
so the line begins with a mark that holds a random word the caller chose, in a form in which no command line holds it:

    newline "mldesk-begin " word " " one JSON object newline

It comes before rpyc does, since rpyc's major versions do not understand one another, and tells what is at that end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput

MAX_NOISE = 1024 * 1024   # bytes before the mark
MAX_BANNER = 64 * 1024    # bytes of the JSON
_MARK = "mldesk-begin"


def new_word() -> str:
    """Return a word for one banner."""
    return secrets.token_hex(16)


def check_word(word: str) -> str:
    """Return ``word`` if it is one of ``new_word``. Raises ValueError."""
    if len(word) != 32 or set(word) - set("0123456789abcdef"):
        raise ValueError("a word of 32 hex digits is expected")
    return word


def banner(word: str, facts: Mapping[str, Any]) -> bytes:
    """Return the line that says ``facts``."""
    return b"\n" + _mark(word) + canonical.dumps(facts) + b"\n"


def read_banner(word: str, read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes, bytes]:
    """Read up to and past the banner; return its facts, the bytes already read after it, and the noise before it.

    ``read`` returns at most so many bytes, and none at the end. Raises BadInput when the stream ends without a banner,
    is too noisy, or says something unreadable; its ``message`` holds the last of the noise.
    """
    mark, seen = b"\n" + _mark(word), bytearray(b"\n")
    while (at := seen.find(mark)) < 0:
        seen += _more(read, seen, MAX_NOISE)
    while (end := seen.find(b"\n", at + len(mark))) < 0:
        seen += _more(read, seen, at + len(mark) + MAX_BANNER)
    try:
        facts = canonical.loads(bytes(seen[at + len(mark):end]))
    except ValueError as error:
        raise BadInput("The far end's first line cannot be read.") from error
    if not isinstance(facts, dict):
        raise BadInput("The far end's first line is no JSON object.")
    return facts, bytes(seen[end + 1:]), bytes(seen[1:at])


def _mark(word: str) -> bytes:
    return f"{_MARK} {check_word(word)} ".encode()


def _more(read: Callable[[int], bytes], seen: bytearray, most: int) -> bytes:
    data = read(65536) if len(seen) < most else b""
    if not data:
        last = "".join(letter for letter in seen[-2000:].decode("utf-8", "replace").strip()
                       if letter.isprintable() or letter == "\n")
        raise BadInput(last[-500:])
    return data
