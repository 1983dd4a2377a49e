"""Pages anywhere in ten million rows, and the first page of them sorted by a column.

usage: python -m tests.benchmarks.paging [--rows N] [--pages N] [--json]
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks._report import percentile, report
from tests.benchmarks.out_of_core import write_parquet

ROWS, PAGES, LIMIT = 10_000_000, 400, 100


def main() -> None:
    from mldesk.data.imports.importing import import_table
    from mldesk.data.view import TableView
    from mldesk.wire.objects import ObjectStore

    rows, pages = (int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
                   for name, default in (("--rows", ROWS), ("--pages", PAGES)))
    with tempfile.TemporaryDirectory(prefix="mldesk-bench-") as folder:
        path, store = Path(folder) / "table.parquet", ObjectStore(Path(folder) / "objects")
        write_parquet(path, rows)
        table = import_table([path], store, Path(folder) / "scratch")
        path.unlink()
        lines: list[tuple[str, float, str]] = []
        with TableView(store, table.manifest, table.columns, scratch=Path(folder)) as view:
            chance = random.Random(5)
            jumps = [_time(lambda: view.rows(chance.randrange(rows), LIMIT)) for _ in range(pages)]
            scrolled = [_time(lambda at=at: view.rows(rows // 2 + at * LIMIT, LIMIT)) for at in range(pages)]
            for name, times in (("a page anywhere", jumps), ("the next page", scrolled)):
                lines += [(f"{name}: p50", percentile(times, 0.5) * 1e3, "ms"),
                          (f"{name}: p99", percentile(times, 0.99) * 1e3, "ms")]
            for column in ("n4", "moment", "c400", "key"):
                lines.append((f"sorted by {column}, first page",
                              _time(lambda column=column: view.rows(0, LIMIT, order_by=((column, False),))), "s"))
            lines.append(("sorted by n4, a page in the middle",
                          _time(lambda: view.rows(rows // 2, LIMIT, order_by=(("n4", True),))), "s"))
        report("paging", lines, {"rows": rows, "load": os.getloadavg()[0]})


def _time(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
