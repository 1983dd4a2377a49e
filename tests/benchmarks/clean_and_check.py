"""A recipe of five steps over a million rows against the same in pandas, and a contract check of 41 files.

Each measurement is a process of its own, all of them turn about; the fastest of the rounds counts, and of the ratios of
two measurements of one round the middle one. pandas is installed into a folder that is gone afterwards. Nobody's start
and imports are in the time; MLDesk runs as its command does, without pandas. Both read a Parquet file of the table,
write one of the result with zstd, and count its different values; MLDesk also hashes it and waits for the disk.
usage: python -m tests.benchmarks.clean_and_check [--rows N] [--files N] [--rounds N] [--json]
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks._report import median, report, without_pandas  # nothing third-party: rivals run this file too

ROWS, FILES, ROUNDS = 1_000_000, 41, 3
RIVALS = ("pandas==3.1.1", "pyarrow==26.0.1")
BUSY = 3.0   # load average above which figures say little
STEPS = [
    {"step": "fill_missing", "columns": ["n1"], "with": "median"},
    {"step": "filter", "where": "age >= 18"},
    {"step": "clean_text", "columns": ["note"], "case": "upper"},
    {"step": "derive", "name": "rate", "expression": "n1 / (age + 1)"},
    {"step": "deduplicate", "columns": ["code"]},
]


def main() -> None:
    rows, files, rounds = (int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
                           for name, default in (("--rows", ROWS), ("--files", FILES), ("--rounds", ROUNDS)))
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as place:
        folder = Path(place)
        rivals = _rivals(folder / "rivals")
        write_table(folder / "table.parquet", rows)
        write_batch(folder / "batch", files)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in WORK}
        for _ in range(rounds):
            for name in WORK:
                python = rivals if name.startswith("pandas") and rivals is not None else sys.executable
                measured = _measure(name, folder, python)
                if measured is not None:
                    found[name].append(measured)
    lines: list[tuple[str, float, str]] = []
    for name, some in found.items():
        if some:
            lines += [(f"{name}: time", min(seconds for seconds, _ in some), "s"),
                      (f"{name}: processor", min(cpu for _, cpu in some), "s")]
    ours, theirs = found["mldesk recipe"], found["pandas recipe"]
    if len(ours) == len(theirs) == rounds:
        for which, unit in enumerate(("time", "processor")):
            lines.append((f"recipe against pandas, {unit}",
                          median([one[which] / other[which] for one, other in zip(ours, theirs, strict=True)]), "×"))
    report("clean_and_check", lines, {"rows": rows, "files": files, "rounds": rounds, "load": os.getloadavg()[0],
                                      "worth publishing": os.getloadavg()[0] <= BUSY})


def write_table(path: Path, rows: int) -> None:
    """Write a table of numbers with gaps, words and a key that sometimes repeats."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(f"""COPY (SELECT range AS id, (random() * 100)::BIGINT AS age,
            (random() * {rows * 4})::BIGINT AS code, CASE WHEN random() >= 0.02 THEN random() * 1000 END AS n1,
            ' some words ' || (random() * 1e5)::INT || ' ' AS note, random() AS n2, random() AS n3
            FROM range({rows})) TO '{path}' (FORMAT parquet)""")


def write_batch(folder: Path, files: int) -> None:
    """Write files of 100 rows and 592 columns, as a supplier of wafers does."""
    import numpy as np

    folder.mkdir()
    chance = np.random.default_rng(7)
    for number in range(files):
        values = chance.normal(size=(100, 590)).round(4)
        with open(folder / f"wafer_{number:02d}.csv", "w", encoding="utf-8") as out:
            out.write(",".join(["Wafer", *(f"Sensor-{place}" for place in range(590)), "Good"]) + "\n")
            for row in range(100):
                cells = ",".join(map(str, values[row]))
                out.write(f"Wafer-{number}-{row},{cells},{1 if chance.random() < 0.9 else -1}\n")


def _rivals(folder: Path) -> str | None:
    """Return a Python that has pandas; None where it cannot be installed, and that of this one is taken."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    done = subprocess.run([python, "-m", "pip", "install", "-q", *RIVALS], capture_output=True)
    return python if done.returncode == 0 else None


def _measure(name: str, folder: Path, python: str) -> tuple[float, float] | None:
    """Return the seconds by the clock, and those of all processors."""
    done = subprocess.run([python, __file__, "work", name, str(folder)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.getcwd()})
    if done.returncode != 0:
        print(f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}", file=sys.stderr)
        return None
    seconds, cpu = json.loads(done.stdout.splitlines()[-1])
    return seconds, cpu


def _mldesk_recipe(folder: Path) -> Callable[[], object]:
    from mldesk.data.imports.importing import import_table
    from mldesk.data.recipes.applying import apply_recipe
    from mldesk.wire.objects import ObjectStore

    place = Path(tempfile.mkdtemp(dir=folder))
    store, scratch = ObjectStore(place / "objects"), place / "scratch"
    table = import_table([folder / "table.parquet"], store, scratch)
    return lambda: apply_recipe(store, scratch, table.manifest, table.columns, STEPS)


def _pandas_recipe(folder: Path) -> Callable[[], object]:
    import pandas as pd

    def work() -> None:
        frame = pd.read_parquet(folder / "table.parquet")
        made = frame.assign(n1=frame["n1"].fillna(frame["n1"].median()))
        made = made[made["age"] >= 18]
        note = made["note"].str.normalize("NFC").str.strip().str.upper()
        made = made.assign(note=note.mask(note == ""), rate=made["n1"] / (made["age"] + 1))
        made = made.drop_duplicates("code")
        made.to_parquet(folder / "pandas.parquet", compression="zstd")
        made.nunique()  # what MLDesk counts of every version it makes
    return work


def _mldesk_check(folder: Path) -> Callable[[], object]:
    from mldesk.app import open_workbench

    home = Path(tempfile.mkdtemp(dir=folder))
    files = sorted((folder / "batch").iterdir())

    def work() -> None:
        with open_workbench(home) as bench:
            if bench.contracts.check("wafers", files).rejected:
                raise SystemExit("a file was rejected")

    with open_workbench(home) as bench:
        bench.datasets.import_files(files, "wafers")
        bench.contracts.infer("wafers")
    return work


WORK = {"mldesk recipe": _mldesk_recipe, "pandas recipe": _pandas_recipe, "mldesk check": _mldesk_check}


def _work(name: str, folder: Path) -> None:
    with without_pandas(name):
        ready = WORK[name](folder)
        began, before = time.perf_counter(), time.process_time()
        ready()
        print(json.dumps([time.perf_counter() - began, time.process_time() - before]))


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "work":
        _work(sys.argv[2], Path(sys.argv[3]))
    else:
        with contextlib.suppress(KeyboardInterrupt):
            main()
