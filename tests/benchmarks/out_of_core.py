"""Ten million rows of 20 columns: imported, profiled, cleaned in five steps and compared, and the memory it takes.

Each is a process of its own, which must stay below two gibibytes.
usage: python -m tests.benchmarks.out_of_core [--rows N] [--json]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks._report import report

ROWS, MOST = 10_000_000, 2048.0   # MiB
STEPS: list[dict[str, Any]] = [
    {"step": "fill_missing", "columns": ["n1"], "with": "mean"},
    {"step": "filter", "where": "age >= 10"},
    {"step": "clean_text", "columns": ["note"], "case": "upper"},
    {"step": "derive", "name": "rate", "expression": "n1 / (age + 1)"},
    {"step": "deduplicate", "columns": ["code"]},
]


def main() -> None:
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    lines: list[tuple[str, float, str]] = []
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as folder:
        write_csv(Path(folder) / "table.csv", rows)
        for name in WORK:
            done = subprocess.run([sys.executable, "-m", __spec__.name, "work", name, folder], capture_output=True,
                                  text=True)
            if done.returncode != 0:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            seconds, peak = json.loads(done.stdout.splitlines()[-1])
            lines += [(f"{name}: time", seconds, "s"), (f"{name}: peak memory", peak, "MiB")]
    report("out_of_core", lines, {"rows": rows, "load": os.getloadavg()[0], "within": all(
        value <= MOST for _, value, unit in lines if unit == "MiB")})


def write_csv(path: Path, rows: int) -> None:
    """Write the table as CSV."""
    _write(path, rows, "HEADER")


def write_parquet(path: Path, rows: int) -> None:
    """Write the table as Parquet."""
    _write(path, rows, "FORMAT parquet")


def _write(path: Path, rows: int, how: str) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute("SET memory_limit = '1GiB'")
        numbers = ", ".join(f"CASE WHEN random() >= 0.02 THEN round(random() * {10 ** k}, {4 - k % 4}) END AS n{k}"
                            for k in range(1, 8))
        categories = ", ".join(f"'level ' || (random() * {size})::INT AS c{size}" for size in (3, 12, 400))
        connection.execute(f"""COPY (SELECT range AS id, (random() * 100)::INT AS age, (random() * 1e9)::BIGINT AS code,
            {numbers}, {categories}, DATE '2015-01-01' + (random() * 3000)::INT AS day,
            TIMESTAMP '2020-01-01' + to_seconds((random() * 1e8)::BIGINT) AS moment, random() < 0.3 AS flag,
            md5(range::VARCHAR)[:12] AS key, 'some words, ' || (random() * 1e5)::INT AS note,
            CASE WHEN random() < 0.5 THEN NULL ELSE 'rare' END AS gap, (random() * 5)::INT AS target
            FROM range({rows})) TO '{path}' ({how})""")


def _store(folder: Path) -> Any:
    from mldesk.wire.objects import ObjectStore

    return ObjectStore(folder / "objects")


def _import(folder: Path) -> object:
    from mldesk.data.imports.importing import import_table

    return _note(folder, "table", import_table([folder / "table.csv"], _store(folder), folder / "scratch"))


def _profile(folder: Path) -> object:
    from mldesk.data.statistics.profiling import profile

    return profile(_store(folder), *_noted(folder, "table"), scratch=folder)


def _clean(folder: Path) -> object:
    from mldesk.data.recipes.applying import apply_recipe

    return _note(folder, "clean", apply_recipe(_store(folder), folder / "scratch", *_noted(folder, "table"), STEPS))


def _compare(folder: Path) -> object:
    from mldesk.data.statistics.differences import diff

    return diff(_store(folder), *_noted(folder, "table"), *_noted(folder, "clean"), scratch=folder)


def _note(folder: Path, name: str, table: Any) -> object:
    facts = [[column.name, column.type.value, column.missing, column.distinct] for column in table.columns]
    return (folder / name).write_text(json.dumps([table.manifest, facts]))


def _noted(folder: Path, name: str) -> tuple[str, list[Any]]:
    from mldesk.wire.schema import Column, ColumnType

    manifest, facts = json.loads((folder / name).read_text())
    return manifest, [Column(column, ColumnType(kind), missing, distinct) for column, kind, missing, distinct in facts]


WORK: dict[str, Callable[[Path], object]] = {"import": _import, "profile": _profile, "clean": _clean,
                                             "compare": _compare}


def _work(name: str, folder: Path) -> None:
    began = time.perf_counter()
    WORK[name](folder)
    print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "work":
        _work(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
