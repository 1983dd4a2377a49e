"""CSV files that tests write and read back, cell by cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a head and rows; return the path. A row may be longer or shorter than the head."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return every row's cells by the names of the head."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
