"""Rows that were left out of a prediction, as one CSV file: number, column, reason, and then the row as it was read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors, replacing
from mldesk.data.engine import connect, free_name, identifier, literal, relation, sql_errors

_ROW = "_row"
_OURS = ("row", "line", "column", "reason", "raw")   # the last one stands last
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class AsRead:
    """A file as it was read."""

    parts: tuple[Path, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)    # as of ``Table``, and the next one, too
    line_of: Callable[[int], int | None] = lambda _: None


def write_rejects(read: AsRead, reasons: Sequence[Path], lines: Path | None, target: Path, scratch: Path) -> None:
    """Write the rows that ``reasons`` (Parquet: row from 1, column, reason) name to the CSV ``target``.

    ``row`` counts the rows that were read, from 1; ``line`` is where one stands in the file, where that means
    something. Lines that were no rows (``lines``, as an import writes them) come last, as they stand there in the
    column ``raw``. The file appears when it is whole. Raises DiskFull.
    """
    parts, beside = read.parts, read.beside
    names = [name for name in pq.read_schema(parts[0]).names if name not in set(beside.values())] if parts else []
    heads: list[str] = []
    for name in _OURS:
        heads.append(free_name(name, [*names, *heads]))
    counts = [pq.read_metadata(part).num_rows for part in parts]
    row = free_name(_ROW, [*names, *beside.values()])
    place = identifier(row)
    files = ", ".join(f"SELECT * FROM {relation([path])}" for path in reasons).replace(", SELECT", " UNION ALL SELECT")
    told = ('SELECT row, string_agg("column", \'; \') AS c, string_agg(reason, \'; \') AS r '
            f"FROM ({files}) GROUP BY row")
    with disk_errors("the rejects file"), sql_errors("The rejects file"), replacing(target) as out, \
            connect([*parts, *reasons], scratch, threads=1) as connection:
        text = io.TextIOWrapper(out, "utf-8", errors="replace", newline="")
        writer = csv.writer(text)
        writer.writerow([*heads[:-1], *names, heads[-1]])
        if reasons:
            source = relation(parts, row=row, counts=counts)
            cells = ", ".join(f"CAST(t.{identifier(beside.get(name, name))} AS VARCHAR)" for name in names)
            answer = connection.execute(f"SELECT told.row, '', told.c, told.r, {cells} FROM ({told}) AS told JOIN "
                                        f"{source} AS t ON t.{place} = told.row - 1 ORDER BY told.row")
            while rows := answer.fetchmany(_BATCH):
                writer.writerows((number, read.line_of(number - 1), *rest, "") for number, _, *rest in rows)
        if lines is not None and lines.exists():
            with open(lines, encoding="utf-8", newline="") as file:
                for lost in csv.DictReader(file):
                    writer.writerow(["", lost["line"], "", lost["reason"], *[""] * len(names), lost["raw"]])
        text.detach()


def keep_reasons(reasons: Sequence[tuple[int, str, str]], target: Path) -> None:
    """Write reasons (row from 1, column, why) as Parquet."""
    rows, columns, words = ([item[place] for item in reasons] for place in range(3))
    pq.write_table(pa.table({"row": pa.array(rows, pa.int64()), "column": pa.array(columns, pa.string()),
                             "reason": pa.array(words, pa.string())}), target)


def in_the_file(reasons: Path, places: Path, target: Path, scratch: Path) -> None:
    """Write reasons again by the rows of the file that others (``places``, see ``with_columns``) were made of."""
    with sql_errors("The rejects file"), connect([reasons, places], scratch, threads=1) as connection:
        connection.execute(
            f'COPY (SELECT p.place AS "row", r."column", r.reason FROM {relation([reasons])} AS r JOIN '
            f'{relation([places])} AS p ON p."row" = r."row" ORDER BY 1) TO {literal(str(target))} (FORMAT parquet)')


def with_columns(rows: Path, wanted: Collection[str], first: Path, also: Sequence[str], place: str, target: Path,
                 places: Path, scratch: Path) -> dict[str, str]:
    """Write the ``wanted`` columns of ``rows`` (Parquet, with a column ``place``), beside them ``also`` of ``first``.

    ``places`` gets for each of them (row, from 1) the row of the file that it was made of (place, from 1). Return what
    those of ``also`` are called that stand beside a column whose name differs in upper and lower case only.
    """
    names = [name for name in pq.read_schema(rows).names if name in {*wanted, *also}]
    own: dict[str, str] = {}
    for name in also:
        if name not in names:
            own[name] = free_name(name, [*names, *own.values(), *(other for other in also if other != name)])
    cells = ", ".join([*(f"r.{identifier(name)}" for name in names),
                       *(f"f.{identifier(name)} AS {identifier(called)}" for name, called in own.items())])
    at = identifier(place)
    with sql_errors("The recipe"), connect([rows, first], scratch, threads=1) as connection:
        joined = f"{relation([rows])} AS r JOIN {relation([first])} AS f ON f.{at} = r.{at}"
        number = f'row_number() OVER (ORDER BY r.{at}) AS "row", r.{at} + 1 AS place'
        for what, path in ((cells, target), (number, places)):
            connection.execute(f"COPY (SELECT {what} FROM {joined} ORDER BY r.{at}) TO {literal(str(path))} "
                               "(FORMAT parquet)")
    return {name: called for name, called in own.items() if name != called}


def count_lines(lines: Path) -> int:
    """Return how many lines of a file were no rows, see ``mldesk.data.readers.rejects``."""
    if not lines.exists():
        return 0
    with open(lines, encoding="utf-8", newline="") as file:
        return max(0, sum(1 for _ in csv.reader(file)) - 1)
