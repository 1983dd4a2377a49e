"""The list of records inside one JSON object: found in one that is in memory, or on the way through a large one.

A list is named by the keys that lead to it, full stops between: ``data.rows``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

_PIECE = 1024 * 1024          # characters read at once
DEEPEST = 6                   # objects within one another that are looked through
_STOPS = re.compile(r'["\[\]{}]')
_STRING_END = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_KEY = 100_000                # characters of a key at most


def lists_in(whole: Mapping[str, Any], path: str = "", depth: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """Give the lists of records in an object, each with its path."""
    for key, value in whole.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value[:100]):
            yield where, value
        elif isinstance(value, Mapping) and depth < DEEPEST:
            yield from lists_in(value, where, depth + 1)


class Rest:
    """What is left of a file after some of it was read: the rest of the buffer, then the file."""

    def __init__(self, buffer: str, file: TextIO) -> None:
        self._buffer, self._file = buffer, file

    def read(self, size: int) -> str:
        if self._buffer:
            some, self._buffer = self._buffer[:size], self._buffer[size:]
            return some
        return self._file.read(size)


class Walk:
    """A way through an object of any size to its first list of records, with no more in memory than a piece of it."""

    def __init__(self, file: TextIO, check: Callable[[int], None]) -> None:
        """``check`` hears how many characters were read and may raise to stop."""
        self._file, self._check = file, check
        self._buffer, self._at, self._read = "", 0, 0
        self.line = 1

    def to_list(self, wanted: str | None) -> tuple[str, Rest] | None:
        """Return the path of the first list of records (or of the one ``wanted``), and the text from its bracket on.

        None where there is none before the end. Raises ValueError for what is no JSON.
        """
        keys: list[str] = []
        self._expect("{")
        while True:
            letter = self._next()
            if letter == ",":
                self._take()
                continue
            if letter == "}":
                self._take()
                if not keys:
                    return None
                keys.pop()
                continue
            if letter != '"':
                if not letter:
                    return None
                raise ValueError(f"there is {letter!r} where a key should be")
            key = self._string()
            self._expect(":")
            path, letter = ".".join([*keys, key]), self._next()
            if letter == "{" and len(keys) + 1 < DEEPEST:
                self._take()
                keys.append(key)
                continue
            if letter == "[" and wanted in (None, path) and self._begins_records():
                return path, Rest(self._buffer[self._at:], self._file)
            self._skip()

    # --- letters

    def _more(self) -> bool:
        piece = self._file.read(_PIECE)
        self.line += self._buffer.count("\n", 0, self._at)
        self._buffer, self._at = self._buffer[self._at:] + piece, 0
        self._read += len(piece)
        self._check(self._read)
        return bool(piece)

    def _next(self) -> str:
        """Return the next letter that is no space, without taking it; "" at the end."""
        while True:
            while self._at < len(self._buffer):
                if not self._buffer[self._at].isspace():
                    return self._buffer[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _take(self) -> None:
        self._at += 1

    def _expect(self, letter: str) -> None:
        found = self._next()
        if found != letter:
            raise ValueError(f"there is {found!r} where {letter!r} should be")
        self._take()

    def _string(self) -> str:
        while (found := _STRING_END.match(self._buffer, self._at + 1)) is None:
            if len(self._buffer) - self._at > _KEY + _PIECE or not self._more():
                raise ValueError("a key does not end")
        text, self._at = self._buffer[self._at:found.end()], found.end()
        return str(json.loads(text, strict=False))

    def _begins_records(self) -> bool:
        """Say whether the list that comes next begins with a record."""
        place = self._at + 1
        while True:
            while place < len(self._buffer) and self._buffer[place].isspace():
                place += 1
            if place < len(self._buffer):
                return self._buffer[place] == "{"
            place -= self._at
            if not self._more():
                return False

    def _skip(self) -> None:
        """Pass over one value."""
        depth, text = 0, False
        if self._next() not in ("{", "[", '"'):
            while self._next() not in (",", "}", "]", ""):
                self._take()
            return
        while True:
            if text:
                found = _STRING_END.match(self._buffer, self._at)
                if found is None:
                    # What is passed over need not stay; a backslash at the end may belong to what comes.
                    self._at = max(self._at, len(self._buffer.rstrip("\\")))
                    if not self._more():
                        return
                    continue
                self._at, text = found.end(), False
            else:
                stop = _STOPS.search(self._buffer, self._at)
                if stop is None:
                    self._at = len(self._buffer)
                    if not self._more():
                        return
                    continue
                self._at = stop.end()
                text = stop[0] == '"'
                depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(stop[0], 0)
            if depth <= 0 and not text:
                return
