"""Import of a CSV of a million rows and 19 mixed columns, and its profile, against DuckDB, pandas and polars.

Each measurement is a process of its own, all of them turn about; the fastest of the rounds counts, with the peak of its
resident memory. A ratio is that of two measurements of one round, and the middle one of all rounds counts. Nobody's
start and imports are in the time. MLDesk runs as its command does, without pandas, which pyarrow would load otherwise.
Rivals write Parquet as they do by themselves (DuckDB and pandas with snappy), and with zstd, as MLDesk does. They count
no different values, hash nothing and do not wait for the disk, and pandas leaves dates as text; MLDesk does all of it.
pandas and polars are installed into a folder that is gone afterwards.
usage: python -m tests.benchmarks.import_csv [--rows N] [--rounds N] [--json]
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from tests.benchmarks._report import median, report, without_pandas  # nothing third-party: rivals run this file too

ROWS, ROUNDS = 1_000_000, 3
RIVALS = ("pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1", "duckdb==2.0.0")
BUSY = 3.0   # load average above which figures say little


def main() -> None:
    rows, rounds = (int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
                    for name, default in (("--rows", ROWS), ("--rounds", ROUNDS)))
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as folder:
        path, rivals = Path(folder) / "table.csv", _rivals(Path(folder) / "rivals")
        write_table(path, rows)
        found: dict[str, list[Measured]] = {name: [] for name in WORK}
        for _ in range(rounds):
            for name in WORK:
                own = name.startswith("mldesk")
                measured = _measure(name, path, sys.executable if own or rivals is None else rivals)
                if measured is not None:
                    found[name].append(measured)
    lines: list[tuple[str, float, str]] = []
    for name, some in found.items():
        if some:
            lines += [(f"{name}: time", min(item.seconds for item in some), "s"),
                      (f"{name}: processor", min(item.cpu for item in some), "s"),
                      (f"{name}: peak memory", min(item.peak for item in some), "MiB")]
    for name in WORK:
        ours = "mldesk profile" if name.endswith("profile") else "mldesk import"
        if name != ours and len(found[name]) == len(found[ours]) == rounds:
            pairs = list(zip(found[ours], found[name], strict=True))
            lines += [(f"{ours} against {name}, time", median([one.seconds / other.seconds for one, other in pairs]),
                       "×"),
                      (f"{ours} against {name}, processor", median([one.cpu / other.cpu for one, other in pairs]),
                       "×")]
    report("import_csv", lines, {"rows": rows, "rounds": rounds, "load": os.getloadavg()[0],
                                 "worth publishing": os.getloadavg()[0] <= BUSY})


def write_table(path: Path, rows: int) -> None:
    """Write the table: whole numbers, numbers, dates, moments, categories, words, truth values, ids and gaps."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        numbers = ", ".join(f"CASE WHEN random() >= 0.02 THEN round(random() * {10 ** k}, {4 - k % 4}) END AS n{k}"
                            for k in range(1, 7))
        categories = ", ".join(f"'level ' || (random() * {size})::INT AS c{size}" for size in (3, 12, 400))
        connection.execute(f"""COPY (SELECT range AS id, (random() * 100)::INT AS age, (random() * 1e9)::BIGINT AS code,
            {numbers}, {categories}, DATE '2015-01-01' + (random() * 3000)::INT AS day,
            TIMESTAMP '2020-01-01' + to_seconds((random() * 1e8)::BIGINT) AS moment, random() < 0.3 AS flag,
            md5(range::VARCHAR)[:12] AS key, 'some words, ' || (random() * 1e5)::INT AS note,
            CASE WHEN random() < 0.5 THEN NULL ELSE 'rare' END AS gap, (random() * 5)::INT AS target
            FROM range({rows})) TO '{path}' (HEADER)""")


def _rivals(folder: Path) -> str | None:
    """Return a Python that has the rivals; None where they cannot be installed, and those of this one are taken."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    done = subprocess.run([python, "-m", "pip", "install", "-q", *RIVALS], capture_output=True)
    return python if done.returncode == 0 else None


class Measured(NamedTuple):
    """What one piece of work took."""

    seconds: float   # by the clock
    cpu: float       # seconds of all processors
    peak: float      # MiB


def _measure(name: str, path: Path, python: str) -> Measured | None:
    done = subprocess.run([python, __file__, "work", name, str(path)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.getcwd()})
    if done.returncode != 0:
        print(f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}", file=sys.stderr)
        return None
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def _mldesk_import(path: Path) -> Callable[[], object]:
    from mldesk.data.imports.importing import import_table
    from mldesk.wire.objects import ObjectStore

    return lambda: import_table([path], ObjectStore(path.parent / "objects"), path.parent / "scratch")


def _mldesk_profile(path: Path) -> Callable[[], object]:
    from mldesk.data.imports.importing import import_table
    from mldesk.data.statistics.profiling import profile
    from mldesk.wire.objects import ObjectStore

    store = ObjectStore(path.parent / "objects")
    table = import_table([path], store, path.parent / "scratch")
    return lambda: profile(store, table.manifest, table.columns)


def _duckdb_import(path: Path, options: str = "FORMAT parquet") -> Callable[[], object]:
    import duckdb

    target = path.with_suffix(".duckdb.parquet")
    sql = f"COPY (SELECT * FROM read_csv('{path}')) TO '{target}' ({options})"
    return lambda: duckdb.execute(sql).fetchall()


def _pandas_import(path: Path, compression: Literal["snappy", "zstd"] = "snappy") -> Callable[[], object]:
    import pandas as pd

    return lambda: pd.read_csv(path).to_parquet(path.with_suffix(".pandas.parquet"), compression=compression)


def _pandas_profile(path: Path) -> Callable[[], object]:
    import pandas as pd

    frame = pd.read_csv(path, parse_dates=["day", "moment"])
    return lambda: (frame.describe(include="all"), [frame[name].value_counts().head(10) for name in frame])


def _polars_import(path: Path) -> Callable[[], object]:
    import polars as pl

    return lambda: pl.read_csv(path, try_parse_dates=True).write_parquet(path.with_suffix(".polars.parquet"))


WORK: dict[str, Callable[[Path], Callable[[], object]]] = {
    "mldesk import": _mldesk_import, "duckdb import": _duckdb_import, "pandas import": _pandas_import,
    "duckdb import, zstd": partial(_duckdb_import, options="COMPRESSION zstd"),
    "pandas import, zstd": partial(_pandas_import, compression="zstd"),
    "polars import": _polars_import, "mldesk profile": _mldesk_profile, "pandas profile": _pandas_profile,
}


def _work(name: str, path: Path) -> None:
    with without_pandas(name):
        ready = WORK[name](path)
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        ready()
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                      after.ru_maxrss / 1024]))


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "work":
        _work(sys.argv[2], Path(sys.argv[3]))
    else:
        with contextlib.suppress(KeyboardInterrupt):
            main()
