"""What a check of files against a contract found. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 5  # offending cells that are shown of a finding
NAMED = 1_000_000  # offending cells that a check names in all, where a file with a line for each is wanted


@dataclass(slots=True)
class Room:
    """How many offending cells may still be named, of all files that are checked; all are, or a few of each rule."""

    left: int = NAMED


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a file breaks."""

    rule: str                  # "type", "range", "values", "missing", "unique", "columns", "rows", "name", "reading", …
    severity: str              # "error", "row" or "warning"
    column: str                # "" where it is about the file
    message: str               # one sentence without the file's name
    count: int = 0             # cells that are concerned
    cells: tuple[tuple[int, str], ...] = ()  # (row from 1, as the file's rows were read; value) of the first ones,
    #                                          or of all where they were asked for, see Room
    line: int | None = None    # of the file, from 1, where it is about one

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "severity": self.severity, "column": self.column, "message": self.message,
                "count": self.count, "line": self.line,
                "cells": [{"row": row, "value": value} for row, value in self.cells[:SHOWN]]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one file."""

    file: str                  # its path as it was given
    digest: str                # SHA-256 of its bytes
    status: str                # "accepted", "rejected", or "unchanged": it is in the dataset already
    rows: int = 0              # of one that is unchanged 0 where nobody knows
    bad_rows: int = 0          # rows with cells that break a rule; an accepted file is taken without them
    findings: tuple[Finding, ...] = ()
    suggestions: Mapping[str, str] = field(default_factory=dict)  # column of the file: what the contract calls it
    name_parts: Mapping[str, str] = field(default_factory=dict)   # named groups of the file's name
    held: str = ""             # label of the version that brought its rows into the dataset: it is not merged again

    @property
    def accepted(self) -> bool:
        return self.status == "accepted"

    @property
    def there(self) -> bool:
        """Whether its rows are in the dataset already, or in a file before it: it is not merged."""
        return bool(self.held) or self.status == "unchanged"

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "digest": self.digest, "status": self.status,
                "rows": self.rows if self.rows or not self.held else None,
                "bad_rows": self.bad_rows, "findings": [finding.to_json() for finding in self.findings],
                "suggestions": dict(self.suggestions), "name_parts": dict(self.name_parts), "held": self.held or None}
