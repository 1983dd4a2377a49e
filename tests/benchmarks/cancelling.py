"""How soon work on a table of a million rows ends once somebody wants out: an import, a recipe, a profile.

Each is begun anew and cancelled after a share of the time that it takes in whole. "heard" is how long it is until the
work knows, "ended" until nothing of it goes on; what lies in the store or in scratch afterwards that was not there
before is counted.
usage: python -m tests.benchmarks.cancelling [--rows N] [--json]
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks._report import report
from tests.benchmarks.import_csv import write_table

ROWS = 1_000_000
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
STEPS: list[dict[str, Any]] = [
    {"step": "fill_missing", "columns": ["n1"], "with": "median"},
    {"step": "filter", "where": "age >= 18"},
    {"step": "clean_text", "columns": ["note"], "case": "upper"},
    {"step": "derive", "name": "rate", "expression": "n1 / (age + 1)"},
    {"step": "deduplicate", "columns": ["code"]},
]
Work = Callable[[Callable[[], bool]], object]


def main() -> None:
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    lines: list[tuple[str, float, str]] = []
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as place:
        folder = Path(place)
        write_table(folder / "table.csv", rows)
        for name, work in _works(folder):
            began = time.perf_counter()
            work(lambda: False)
            whole = time.perf_counter() - began
            heard, ended, left = zip(*(_cancelled(folder, work, share * whole) for share in SHARES), strict=True)
            lines += [(f"{name}: in whole", whole, "s"), (f"{name}: heard, slowest", max(heard), "s"),
                      (f"{name}: ended, slowest", max(ended), "s"), (f"{name}: left over", float(sum(left)), "files")]
    report("cancelling", lines, {"rows": rows, "load": os.getloadavg()[0]})


def _works(folder: Path) -> list[tuple[str, Work]]:
    from mldesk.data import apply_recipe, import_table, profile
    from mldesk.wire.objects import ObjectStore

    other, scratch = ObjectStore(folder / "other"), folder / "scratch"
    table = import_table([folder / "table.csv"], other, scratch)
    store = ObjectStore(folder / "objects")
    return [
        ("import", lambda stop: import_table([folder / "table.csv"], store, scratch, cancelled=stop)),
        ("recipe", lambda stop: apply_recipe(other, scratch, table.manifest, table.columns, STEPS, cancelled=stop)),
        ("profile", lambda stop: profile(other, table.manifest, table.columns, scratch=scratch, cancelled=stop)),
    ]


def _cancelled(folder: Path, work: Work, after: float) -> tuple[float, float, int]:
    """Return the seconds until it heard and until it had ended, and the files that were not there before.

    Work that was done before somebody wanted out gives noughts.
    """
    from mldesk.data.records import ImportCancelled

    before, wanted, heard = _files(folder), threading.Event(), list[float]()

    def asked() -> bool:
        if wanted.is_set():
            heard.append(time.perf_counter())
        return wanted.is_set()

    begins: list[float] = []

    def want() -> None:
        begins.append(time.perf_counter())
        wanted.set()

    timer = threading.Timer(after, want)
    timer.start()
    try:
        work(asked)
    except ImportCancelled:
        return heard[0] - begins[0], time.perf_counter() - begins[0], len(_files(folder) - before)
    finally:
        timer.cancel()
        timer.join()
    return 0.0, 0.0, 0


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


if __name__ == "__main__":
    main()
