"""Searching in parallel: the same trials one after another on one core, two at once, and at two runners.

Two runners are two agents of this machine with a core each, which have a trainer ready as agents do that are not asked
for the first time. The trials are the portfolio's own, one per configuration, so that every side fits the very same
models; time counts from the search's first moment to its last trial.
usage: python -m tests.benchmarks.search_parallel [--rows N] [--json]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from mldesk.core.paths import Home
from mldesk.training.search.portfolio import portfolio
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
READY = 120.0  # seconds that a trainer may take to be ready


def main() -> None:
    """Print the seconds of each side and what share of two cores they used."""
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    with tempfile.TemporaryDirectory() as folder, two_runners(Path(folder)) as bench:
        source = (SHARED / "tabular" / "adult.csv").read_bytes().splitlines(keepends=True)[:rows + 1]
        table = Path(folder, "adult.csv")
        table.write_bytes(b"".join(source))
        bench.datasets.import_files([table], "adult")
        chosen = tuple({"estimator": item.estimator, "parameters": dict(item.parameters)}
                       for item in portfolio("tabular_classification", MODELS, rows, 0))
        homes = (bench.home, Home(Path(folder, "away")))
        alone = _seconds(bench, homes[:1], SearchOrder(_train(1), configurations=chosen))
        at_once = _seconds(bench, homes[:1], SearchOrder(_train(2), configurations=chosen, parallel=2))
        spread = _seconds(bench, homes, SearchOrder(_train(1), configurations=chosen, helpers=(OTHER,)))
    lines = [("one core, one after another", alone, "s"), ("two processes", at_once, "s"),
             ("two processes: efficiency", alone / (2 * at_once), "×"), ("two runners", spread, "s"),
             ("two runners: efficiency", alone / (2 * spread), "×")]
    report("search_parallel", lines, {"rows": rows, "trials": len(chosen)})


def _train(threads: int) -> TrainOrder:
    return TrainOrder("adult", "income", resources=Resources("cpu", threads))


def _seconds(bench: Workbench, homes: Sequence[Home], order: SearchOrder) -> float:
    for name, home in zip(("local", OTHER), homes, strict=False):
        bench.runners.check(name)
        _wait_for_trainer(home)
    run = bench.searches.start(order)
    for _ in bench.runs.follow(run.id):
        pass
    jobs = [run.id, *(run.spec["payload"].get("helpers") or ())]
    for helper in jobs[1:]:
        for _ in bench.runs.follow(helper):
            pass
    assert len(jobs) == len(homes)
    found = [list(bench.library.runs.events(job)) for job in jobs]
    tried = [event.payload for events in found for event in events
             if event.kind == "trial" and not event.payload.get("runner")]
    assert [trial["state"] for trial in tried] == ["complete"] * len(order.configurations)
    spans = [_span(events) for events in found]
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


def _wait_for_trainer(home: Home) -> None:
    """Wait until an agent has a trainer that has loaded all and waits for a job."""
    until = time.monotonic() + READY
    while not any(path.read_bytes().startswith(b"ready") for path in (home.runner / "warm").glob("*.log")):
        assert time.monotonic() < until, "no trainer became ready"
        time.sleep(0.2)


def _span(events: Iterable[Event]) -> tuple[float, float]:
    """Return when a job began to search and when its own last trial had ended."""
    found = list(events)
    began = next(event.time for event in found if event.kind == "stage" and event.payload["name"] == "Searching")
    return began, max(event.time for event in found if event.kind == "trial" and not event.payload.get("runner"))


if __name__ == "__main__":
    main()
