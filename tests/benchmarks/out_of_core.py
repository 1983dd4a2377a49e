"""Ten million rows of 20 columns: imported, profiled, cleaned in five steps and compared, and the memory it takes.

Each is a command, as a user types it, which must stay below two gibibytes, whatever processes it has.
usage: python -m tests.benchmarks.out_of_core [--rows N] [--json]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks._report import report

ROWS, MOST = 10_000_000, 2048.0   # MiB
STEPS: list[dict[str, Any]] = [
    {"step": "fill_missing", "columns": ["n1"], "with": "mean"},
    {"step": "filter", "where": "age >= 10"},
    {"step": "clean_text", "columns": ["note"], "case": "upper"},
    {"step": "derive", "name": "rate", "expression": "n1 / (age + 1)"},
    {"step": "deduplicate", "columns": ["code"]},
]
_LOOK = 0.5   # seconds between two looks at memory


def main() -> None:
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    lines: list[tuple[str, float, str]] = []
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as place:
        folder = Path(place)
        write_csv(folder / "table.csv", rows)
        (folder / "recipe.json").write_text(json.dumps({"steps": STEPS}))
        for name, words in WORK.items():
            seconds, cpu, peak = _command(folder, words)
            lines += [(f"{name}: time", seconds, "s"), (f"{name}: processor", cpu, "s"),
                      (f"{name}: peak memory", peak, "MiB")]
    report("out_of_core", lines, {"rows": rows, "load": os.getloadavg()[0], "within": all(
        value <= MOST for _, value, unit in lines if unit == "MiB")})


def _command(folder: Path, words: list[str]) -> tuple[float, float, float]:
    """Return the seconds by the clock and of all processors, and the most memory its processes held at once, MiB."""
    began = time.perf_counter()
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen([sys.executable, "-m", "mldesk", "data", *words], cwd=folder, stdout=said,
                                   env={**os.environ, "MLDESK_HOME": str(folder / "home"),
                                        "PYTHONPATH": str(Path(__file__).parents[2])})
        ended, peaks = threading.Event(), [0]
        watch = threading.Thread(target=_watch, args=(process.pid, ended, peaks))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watch.join()
    if process.returncode:
        raise SystemExit(f"mldesk data {words[0]} ended with {process.returncode}")
    largest = usage.ru_maxrss / 1024   # of one process, also between two looks
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, max(largest, peaks[0] / (1 << 20))


def _watch(root: int, ended: threading.Event, peaks: list[int]) -> None:
    """Note the most bytes that a process and its descendants hold together."""
    while not ended.wait(_LOOK):
        held = 0
        try:
            first = psutil.Process(root)
            for process in (first, *first.children(recursive=True)):
                held += process.memory_info().rss
        except psutil.Error:   # one has just ended
            continue
        peaks[0] = max(peaks[0], held)


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


WORK = {
    "import": ["import", "table.csv", "--name", "table"],
    "profile": ["profile", "table"],
    "clean": ["clean", "table", "--recipe", "recipe.json"],
    "compare": ["diff", "table", "1", "2"],
}


if __name__ == "__main__":
    main()
