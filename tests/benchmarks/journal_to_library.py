"""Events from a journal into the library, per second, and from a trainer's clock to what a curve reads.

The first against plain ``sqlite3`` writing the same rows with the same settings; the second with a real run: its time
is the wall clock when the metric point can be read from the library, less the event's own.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from pathlib import Path

from mldesk.app import open_workbench
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import JournalReader, JournalWriter
from mldesk.workbench.orders import TrainOrder
from tests.benchmarks._report import percentile, report
from tests.data_folder import SHARED

EVENTS, BATCH = 100_000, 1000


def _journal(path: Path) -> None:
    writer = JournalWriter.open(path)
    writer.append("queued", {"attempt": 1})
    writer.append("started", {"attempt": 1, "pid": 1, "host": "h", "device": "cpu", "resumed_from": None})
    for step in range(1, EVENTS - 1):
        writer.append("metrics", {"step": step, "epoch": step / 100, "seconds": step / 50,
                                  "values": {"train_loss": 1 / step}})
    writer.close()


def _into_library(folder: Path, journal: Path) -> float:
    with Library.open(Home(folder / "bulk")) as library:
        spec = JobSpec(new_id(), "train", "bulk", (), {"target": "y"})
        library.runs.add(spec, "local")
        started, cursor, reader = time.perf_counter(), 0, JournalReader(journal)
        while events := reader.read(BATCH):
            cursor = library.runs.apply(spec.id, events)
        taken = time.perf_counter() - started
        assert cursor == EVENTS
    return EVENTS / taken


def _into_sqlite(folder: Path, journal: Path) -> float:
    """The least there is to do: read lines, parse JSON, insert an event and a point, commit per batch."""
    with sqlite3.connect(folder / "plain.db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, time REAL, kind TEXT, payload TEXT)")
        connection.execute("CREATE TABLE points (seq INTEGER, metric TEXT, step INTEGER, value REAL)")
        started = time.perf_counter()
        with open(journal, encoding="utf-8") as file:
            rows: list[tuple[object, ...]] = []
            for number, line in enumerate(file, start=1):
                event = json.loads(line.partition(" ")[2])
                rows.append((number, event["time"], event["kind"], line))
                if number % BATCH == 0:
                    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
                    connection.executemany("INSERT INTO points VALUES (?, 'train_loss', ?, ?)",
                                           [(row[0], row[0], row[1]) for row in rows])
                    connection.commit()
                    rows.clear()
        taken = time.perf_counter() - started
    connection.close()
    return EVENTS / taken


def _latencies(folder: Path) -> list[float]:
    os.environ["MLDESK_HOME"] = str(folder / "home")
    late = []
    with open_workbench() as bench:
        bench.datasets.import_files([SHARED / "tabular" / "telco_churn.csv"], "telco")
        try:
            for _ in range(2):  # the first run warms the agent up
                late.clear()
                run = bench.runs.start(TrainOrder("telco", "Churn", estimator="mlp",
                                                  parameters={"epochs": 8, "patience": None}))
                seen, more = 0, True
                while more:
                    more = bench.runs.pump(run.id, 1.0)
                    points = bench.runs.metrics(run.id, seen)
                    now = time.time()
                    times = {event.seq: event.time for event in bench.runs.events(run.id, seen, limit=10_000)}
                    late += [now - times[point.seq] for point in points]
                    seen = max([seen, *(point.seq for point in points)])
        finally:
            bench.runners.stop("local")
    return late


def main() -> None:
    """Print rates, their ratio and the latency's percentiles."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _journal(folder / "journal")
        ours = _into_library(folder, folder / "journal")
        plain = _into_sqlite(folder, folder / "journal")
        late = _latencies(folder)
    report("journal_to_library", [
        ("journal to library", ours, "events/s"), ("plain sqlite3, the same rows", plain, "events/s"),
        ("library / plain", ours / plain, "×"), ("metric to curve, median", percentile(late, 0.5) * 1000, "ms"),
        ("metric to curve, p95", percentile(late, 0.95) * 1000, "ms"), ("points", len(late), "")],
        {"goal": "20,000 events/s, p95 below 200 ms"})


if __name__ == "__main__":
    main()
