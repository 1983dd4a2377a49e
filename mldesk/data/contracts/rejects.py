"""Rows that were left out of a prediction, as one CSV file: number, column, reason, and then the row as it was read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors, replacing
from mldesk.data.engine import connect, free_name, identifier, relation, sql_errors

_ROW = "_row"
_FIRST = ("row", "line", "column", "reason")
_BATCH = 10_000


def write_rejects(parts: Sequence[Path], reasons: Sequence[Path], lines: Path | None, target: Path,
                  scratch: Path) -> None:
    """Write the rows of ``parts`` that ``reasons`` (Parquet: row from 1, column, reason) name to the CSV ``target``.

    ``row`` counts the rows that were read, from 1. Lines that were no rows (``lines``, as an import writes them) come
    last, by their ``line``. The file appears when it is whole. Raises DiskFull.
    """
    names = pq.read_schema(parts[0]).names
    heads: list[str] = []
    for name in _FIRST:
        heads.append(free_name(name, [*names, *heads]))
    counts = [pq.read_metadata(part).num_rows for part in parts]
    place = identifier(free_name(_ROW, names))
    files = ", ".join(f"SELECT * FROM {relation([path])}" for path in reasons).replace(", SELECT", " UNION ALL SELECT")
    told = ('SELECT row, string_agg("column", \'; \') AS c, string_agg(reason, \'; \') AS r '
            f"FROM ({files}) GROUP BY row")
    with disk_errors("the rejects file"), sql_errors("The rejects file"), replacing(target) as out, \
            connect([*parts, *reasons], scratch, threads=1) as connection:
        text = io.TextIOWrapper(out, "utf-8", errors="replace", newline="")
        writer = csv.writer(text)
        writer.writerow([*heads, *names])
        if reasons:
            source = relation(parts, row=free_name(_ROW, names), counts=counts)
            cells = ", ".join(f"CAST(t.{identifier(name)} AS VARCHAR)" for name in names)
            answer = connection.execute(f"SELECT told.row, '', told.c, told.r, {cells} FROM ({told}) AS told JOIN "
                                        f"{source} AS t ON t.{place} = told.row - 1 ORDER BY told.row")
            while rows := answer.fetchmany(_BATCH):
                writer.writerows(rows)
        if lines is not None and lines.exists():
            with open(lines, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    writer.writerow(["", row["line"], "", row["reason"], *[""] * len(names)])
        text.detach()


def count_lines(lines: Path) -> int:
    """Return how many lines of a file were no rows, see ``mldesk.data.readers.rejects``."""
    if not lines.exists():
        return 0
    with open(lines, encoding="utf-8", newline="") as file:
        return max(0, sum(1 for _ in csv.reader(file)) - 1)
