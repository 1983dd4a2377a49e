"""Journal to library against bare sqlite3, listing 10,000 runs, and the object store against a hashed copy.

Each pair does the same in one process, in turn; the ratio is what MLDesk adds.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.database import Database
from mldesk.wire.jobs import JobSpec, TrainRequest
from mldesk.wire.journal import JournalReader, JournalWriter
from mldesk.wire.objects import ObjectStore

EVENTS, BATCH, TURNS = 20_000, 1_000, 5
RUNS = 10_000
OBJECT = 256 * 1024 * 1024  # bytes
COLUMNS = tuple({"name": f"column {number}", "type": "number", "missing": 0, "distinct": 9} for number in range(20))

_ANOTHER = """
INSERT INTO runs (id, name, folded, kind, state, message, hint, runner, dataset, target, estimator, model_name,
                  last_seq, created, stage, parameters, spec)
SELECT ?, ?, ?, kind, 'succeeded', '', '', runner, dataset, target, estimator, model_name,
       0, created, '', parameters, spec
FROM runs LIMIT 1
"""


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _spec(number: int) -> JobSpec:
    request = TrainRequest("0" * 64, "table@1", COLUMNS, "column 1", parameters={"rate": 0.1, "depth": 4})
    return JobSpec(new_id(), "train", f"run {number}", ("0" * 64,), request.to_json())


def _journal(path: Path) -> None:
    with JournalWriter.open(path) as journal:
        journal.append("started", {"attempt": 1, "pid": 1, "host": "h", "device": "cpu", "resumed_from": None})
        for step in range(1, EVENTS):
            journal.append("metrics", {"step": step, "epoch": None, "seconds": step / 50,
                                       "values": {"train_loss": 1 / step, "validation_loss": 2 / step}})


def _bare(path: Path, rows: Path) -> None:
    """The least that keeps the same: read the lines, one row each, one commit per batch."""
    lines = rows.read_text("utf-8").splitlines()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS events (run INTEGER, seq INTEGER, line, PRIMARY KEY (run, seq))")
    run = connection.execute("SELECT count(DISTINCT run) FROM events").fetchone()[0]
    for start in range(0, len(lines), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?)",
                               [(run, start + offset, line) for offset, line in enumerate(lines[start:start + BATCH])])
        connection.execute("COMMIT")
    connection.close()


def _follow(library: Library, run: str, journal: Path) -> None:
    reader = JournalReader(journal)
    while batch := reader.read(BATCH):
        library.runs.apply(run, batch)


def events(folder: Path) -> None:
    """Events per second from the journal's file into the library."""
    journal = folder / "journal"
    _journal(journal)
    bare, ours = [], []
    with Library.open(Home(folder / "home")) as library:
        for turn in range(TURNS):
            run = library.runs.add(_spec(turn), "local").id
            bare.append(_seconds(lambda: _bare(folder / "bare.db", journal)))
            ours.append(_seconds(lambda run=run: _follow(library, run, journal)))  # type: ignore[misc]
    print(f"bare sqlite3, a row per line      {EVENTS / statistics.median(bare):>9,.0f} events/s")
    print(f"journal to library, batches of 1k {EVENTS / statistics.median(ours):>9,.0f} events/s")
    print(f"ratio of times                    {statistics.median(ours) / statistics.median(bare):>9.2f}")


def listing(folder: Path) -> None:
    """The first page of many runs."""
    home = Home(folder / "many")
    Library.open(home).close()
    with Library.open(home) as library:
        for number in range(3):
            library.runs.add(_spec(number), "local")
        database = Database(home.database)
        with database.write() as connection:  # one transaction instead of 10,000: this is not what is measured
            for number in range(3, RUNS):
                spec = _spec(number)
                connection.exec_driver_sql(_ANOTHER, (spec.id, spec.name, spec.name))
        database.close()
        page = statistics.median(_seconds(lambda: library.runs.list(limit=100)) for _ in range(9))
        everything = statistics.median(_seconds(library.runs.list) for _ in range(3))
        start = _seconds(lambda: library.runs.get("run 5000"))
    print(f"first 100 of {RUNS:,} runs          {page * 1000:>9.1f} ms")
    print(f"all {RUNS:,} runs                   {everything * 1000:>9.1f} ms")
    print(f"one of them by name               {start * 1000:>9.1f} ms")


def objects(folder: Path) -> None:
    """A large file into the store, against copying and hashing it."""
    source = folder / "large"
    source.write_bytes(os.urandom(1024 * 1024) * (OBJECT // (1024 * 1024)))

    def plain(target: Path) -> None:
        digest = hashlib.sha256()
        with open(source, "rb") as file, open(target, "xb") as copy:
            while piece := file.read(4 * 1024 * 1024):
                digest.update(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())

    bare, ours = [], []
    for turn in range(3):
        bare.append(_seconds(lambda turn=turn: plain(folder / f"copy {turn}")))  # type: ignore[misc]
        store = ObjectStore(folder / f"objects {turn}")
        ours.append(_seconds(lambda store=store: store.put_file(source)))  # type: ignore[misc]
    print(f"copy with one sha256, fsync        {OBJECT / statistics.median(bare) / 1e6:>9,.0f} MB/s")
    print(f"put_file (hashes 4 MiB chunks too) {OBJECT / statistics.median(ours) / 1e6:>9,.0f} MB/s")
    print(f"ratio of times                    {statistics.median(ours) / statistics.median(bare):>9.2f}")


def main() -> None:
    """Print all three tables."""
    for part in (events, listing, objects):
        with tempfile.TemporaryDirectory() as folder:
            part(Path(folder))


if __name__ == "__main__":
    main()
