"""How grave a line of a log is, as far as its words tell."""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """A higher one is graver."""

    INFO = 0
    WARNING = 1
    ERROR = 2


_WORD = re.compile(r"\b(?:(?P<error>traceback|error|critical|fatal|failed|exception|(?-i:\w*[a-z](?:Error|Exception)))"
                   r"|(?P<warning>warn|warning|(?-i:\w*[a-z]Warning)))\b", re.IGNORECASE)
_NONE = re.compile(r"\b(?:0|no) (?:errors?|warnings?|failed)\b", re.IGNORECASE)


def level_of(line: str, before: Level = Level.INFO) -> Level:
    """Return the level of a line; one that is indented goes on with the line ``before``, as a traceback does."""
    if line[:1].isspace() and before is not Level.INFO:
        return before
    found = {match.lastgroup for match in _WORD.finditer(_NONE.sub("", line[:2000]))}
    return Level.ERROR if "error" in found else Level.WARNING if "warning" in found else Level.INFO
