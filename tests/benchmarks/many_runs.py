"""10,000 runs and 50 million metric points in one library: its size, the runs page, 100 runs compared.

The library is made of 20 different journals that are kept as any run's, then copied to the other runs inside SQLite,
since fetching 50 million events is not what is measured. Times of the page and of the chart are from an offscreen
window of this process: until the list is there and painted, and per picture of 100 curves of 10,000 points each
while the view is zoomed, smoothed or a curve is pointed at.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.core.run_filter import RunFilter
from mldesk.library import Library
from mldesk.library.database import Database
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec, TrainRequest
from tests.benchmarks._report import median, report

if TYPE_CHECKING:
    from mldesk.desktop.widgets import Chart

RUNS, STEPS, METRICS, MODELS = 10_000, 2_500, 2, 20
COMPARED, POINTS = 100, 10_000
COLUMNS = tuple({"name": f"column {number}", "type": "number", "missing": 0, "distinct": 9} for number in range(20))

_COPY_RUN = """
INSERT INTO runs (id, name, folded, kind, state, message, hint, runner, dataset, task, target, estimator, model_name,
                  last_seq, created, started, finished, stage, parameters, result, note, collection, tags, spec)
SELECT ?, ?, ?, kind, state, '', '', runner, dataset, task, target, estimator, model_name, last_seq, created + ?,
       started, finished, stage, parameters, result, '', '', ?, spec
FROM runs WHERE key = ?
"""
_COPY_BLOCKS = """
INSERT INTO event_blocks (run, first, last, data) SELECT ?, first, last, data FROM event_blocks WHERE run = ?
"""
_COPY_EVENTS = """
INSERT INTO events (run, seq, time, kind, payload) SELECT ?, seq, time, kind, payload FROM events WHERE run = ?
"""


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _journal(number: int, steps: int) -> list[Event]:
    draw = np.random.default_rng(number)
    clock = 1.7e9 + np.cumsum(draw.gamma(2.0, 0.02, steps))
    losses = 1 / np.sqrt(np.arange(1, steps + 1)) * np.exp(0.1 * draw.normal(size=(METRICS, steps)))
    events = [Event(1, 1.7e9, "started", {"attempt": 1, "pid": 1, "host": "h", "device": "cpu", "resumed_from": None})]
    events += [Event(step + 2, float(clock[step]), "metrics", {
        "step": step + 1, "epoch": step / 100, "seconds": round(float(clock[step]) - 1.7e9, 4), "values": {
            "train_loss": float(losses[0, step]), "validation_loss": float(losses[1, step])}}) for step in range(steps)]
    events.append(Event(steps + 2, float(clock[-1]), "succeeded", {"result": {
        "task": "tabular_classification", "estimator": "mlp", "metrics": {"accuracy": 0.8, "roc_auc": 0.85},
        "parameters": {"epochs": 40, "width": 128}, "rows": {"train": 1, "validation": 1, "test": 1}}}))
    return events


def _make(home: Home) -> None:
    request = TrainRequest("0" * 64, "table@1", COLUMNS, "column 1", parameters={"rate": 0.1, "depth": 4})
    with Library.open(home) as library:
        for number in range(MODELS):
            spec = JobSpec(new_id(), "train", f"model {number}", ("0" * 64,), request.to_json())
            library.runs.add(spec, "local", "table@1", 1.7e9)
            events = _journal(number, STEPS)
            for start in range(0, len(events), 1000):
                library.runs.apply(spec.id, events[start:start + 1000])
    database = Database(home.database)
    with database.write() as connection:
        keys = [key for (key,) in connection.exec_driver_sql("SELECT key FROM runs ORDER BY key")]
        for number in range(MODELS, RUNS):
            name = f"run {number}"
            connection.exec_driver_sql(_COPY_RUN, (new_id(), name, name, number, '["even"]' if number % 2 else "[]",
                                                   keys[number % MODELS]))
            key = connection.exec_driver_sql("SELECT max(key) FROM runs").scalar_one()
            connection.exec_driver_sql(_COPY_BLOCKS, (key, keys[number % MODELS]))
            connection.exec_driver_sql(_COPY_EVENTS, (key, keys[number % MODELS]))
    database.close()


def _library(home: Home) -> list[tuple[str, float, str]]:
    with Library.open(home) as library:
        ids = [run.id for run in library.runs.list(limit=COMPARED)]
        rows = [
            ("library file", home.database.stat().st_size / 1e9, "GB"),
            ("the newest 500 runs", 1000 * median([_seconds(lambda: library.runs.list(limit=501)) for _ in range(5)]),
             "ms"),
            ("found among all by words", 1000 * median([_seconds(lambda: library.runs.list(
                limit=501, wanted=RunFilter(text="run 77 even"))) for _ in range(5)]), "ms"),
            (f"curves of {COMPARED} runs", _seconds(lambda: [library.runs.curves(run) for run in ids]), "s")]
        count = library.runs.count()
    assert count == RUNS
    return rows


def _page(home: Home) -> float:
    """Seconds from going to the runs until they are painted, in a window that is open; the median of seven times."""
    from mldesk.desktop.pages.runs.runs import RunsPage
    from tests.desktop.scripted_user import User, play

    async def script(user: User) -> list[float]:
        took = []
        for _ in range(7):
            user.window.go("home")
            await user.pause(0.5)
            for page in user.window.findChildren(RunsPage):   # as if it had never been looked at
                page.state.runs.value = None
                page.table.set_records([])
                page.refresh_soon()
            started = time.perf_counter()
            user.window.go("runs")
            while not any(page.isVisible() and page.table.records.records
                          for page in user.window.findChildren(RunsPage)):
                await asyncio.sleep(0.002)
                assert time.perf_counter() < started + 30, "the page stays empty"
            user.window.repaint()
            took.append(time.perf_counter() - started)
        return took

    return median(play(home.root, script, size=(1280, 800), meet_machine=False))


def _pictures() -> dict[str, float]:
    """Seconds per picture of 100 curves of 10,000 points."""
    from PySide6.QtCore import QPointF
    from PySide6.QtWidgets import QApplication

    from mldesk.desktop import theme
    from mldesk.desktop.widgets import Chart

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app, "light", scale=1.0)
    chart = Chart("", "step", "", with_smoothing=True, with_pointing=True)
    chart.resize(1000, 420)
    chart.show()
    draw = np.random.default_rng(0)
    steps = np.arange(1, POINTS + 1, dtype=float)
    for number in range(COMPARED):
        chart.set_series(f"run {number}", steps, 1 / np.sqrt(steps) * np.exp(0.1 * draw.normal(size=POINTS)))
    app.processEvents()

    def grow(turn: int) -> None:
        for number in range(COMPARED):
            chart.append(f"run {number}", [POINTS + turn + 1.0], [0.01])

    def hover(turn: int) -> None:
        area = chart.area()
        chart._on_move(QPointF(area.left() + (turn + 1) / 15 * area.width(), area.bottom() - 20 - 5 * turn))

    found = {"a point more in each": _picture(chart, grow),
             "zooming": _picture(chart, lambda turn: chart.set_zoom((1000.0 + 50 * turn, 6000.0 - 50 * turn))),
             "the pointer moving": _picture(chart, hover)}
    chart.set_zoom(None)
    found["smoothing dragged, with ghosts"] = _picture(chart, lambda turn: chart.set_smoothing(0.9 + turn / 150))
    found["the pointer moving, smoothed"] = _picture(chart, hover)
    chart.close()
    return found


def _picture(chart: Chart, change: Callable[[int], None]) -> float:
    from PySide6.QtWidgets import QApplication

    def once(turn: int) -> float:
        started = time.perf_counter()
        change(turn)
        chart.redraw_now()
        chart.view.viewport().update()
        QApplication.processEvents()   # paints it
        return time.perf_counter() - started

    return median([once(turn) for turn in range(15)])


def main() -> None:
    """Print sizes, times and pictures a second."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    kept = os.environ.get("MLDESK_BENCH_LIBRARY")
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(kept or folder) / "home")
        if not home.database.exists():
            _make(home)
        rows = _library(home)
        rows.append(("runs page until it is painted", 1000 * _page(home), "ms"))
    rows += [(f"pictures a second, {what}", 1 / seconds, "") for what, seconds in _pictures().items()]
    report("many_runs", rows, {"goal": "page < 300 ms, ≥ 30 pictures a second, file < 3 GB"})


if __name__ == "__main__":
    main()
