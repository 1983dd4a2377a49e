"""Searching in parallel: the same trials one after another on one core, two at once, and at two runners.

Two runners are two agents of this machine with a core each. The trials are the portfolio's own, one per configuration,
so that every side fits the very same models; time counts from the search's first moment to its last trial.
usage: python -m tests.benchmarks.search_parallel [--rows N] [--json]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mldesk.wire.events import Event
from mldesk.wire.jobs import Resources
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.searching import SearchOrder
from tests.benchmarks._report import report
from tests.data_folder import SHARED
from tests.workbench.two_runners import OTHER, two_runners

ROWS = 12_000
MODELS = ("lightgbm", "extra_trees", "random_forest", "hist_gradient_boosting", "linear")
TRIALS = 9     # of the portfolio, with these models


def main() -> None:
    """Print the seconds of each side and what share of two cores they used."""
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    with tempfile.TemporaryDirectory() as folder, two_runners(Path(folder)) as bench:
        source = (SHARED / "tabular" / "adult.csv").read_bytes().splitlines(keepends=True)[:rows + 1]
        table = Path(folder, "adult.csv")
        table.write_bytes(b"".join(source))
        bench.datasets.import_files([table], "adult")
        alone = _seconds(bench, 1, SearchOrder(_train(1), trials=TRIALS, estimators=MODELS))
        at_once = _seconds(bench, 1, SearchOrder(_train(2), trials=TRIALS, estimators=MODELS, parallel=2))
        # Each runner has its half of the portfolio: every second configuration.
        spread = _seconds(bench, 2, SearchOrder(_train(1), trials=TRIALS // 2 + 1, estimators=MODELS, helpers=(OTHER,)))
    lines = [("one core, one after another", alone, "s"), ("two processes", at_once, "s"),
             ("two processes: efficiency", alone / (2 * at_once), "×"), ("two runners", spread, "s"),
             ("two runners: efficiency", alone / (2 * spread), "×")]
    report("search_parallel", lines, {"rows": rows, "trials": TRIALS})


def _train(threads: int) -> TrainOrder:
    return TrainOrder("adult", "income", resources=Resources("cpu", threads))


def _seconds(bench: Workbench, runners: int, order: SearchOrder) -> float:
    run = bench.searches.start(order)
    for _ in bench.runs.follow(run.id):
        pass
    jobs = [run.id, *(run.spec["payload"].get("helpers") or ())]
    for helper in jobs[1:]:
        for _ in bench.runs.follow(helper):
            pass
    assert len(jobs) == runners
    spans = [_span(bench.library.runs.events(job)) for job in jobs]
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


def _span(events: Iterable[Event]) -> tuple[float, float]:
    """Return when a job began to search and when its own last trial had ended."""
    found = list(events)
    began = next(event.time for event in found if event.kind == "stage" and event.payload["name"] == "Searching")
    return began, max(event.time for event in found if event.kind == "trial" and not event.payload.get("runner"))


if __name__ == "__main__":
    main()
