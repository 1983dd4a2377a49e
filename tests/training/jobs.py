"""Job folders for tests: a table put into an object store, and a trainer run on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core import canonical
from mldesk.core.ids import new_id
from mldesk.training.run import run_job
from mldesk.wire.jobs import JobSpec, Resources, SplitRequest, TrainRequest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_TYPES = {
    "int64": ColumnType.INTEGER, "double": ColumnType.NUMBER, "bool": ColumnType.BOOLEAN, "string": ColumnType.TEXT,
    "large_string": ColumnType.TEXT, "date32[day]": ColumnType.DATE, "timestamp[us]": ColumnType.DATETIME,
    "time64[us]": ColumnType.TIME,
}


@dataclass(frozen=True)
class Table:
    """A table in a store, as an import leaves it."""

    store: ObjectStore
    manifest: str
    columns: tuple[Column, ...]
    rows: int


def put_table(root: Path, table: pa.Table, parts: int = 1) -> Table:
    """Store ``table`` as Parquet parts."""
    store = ObjectStore(root / "objects")
    files = {}
    size = -(-table.num_rows // parts)
    for part in range(parts):
        path = root / f"{part:03d}.parquet"
        pq.write_table(table.slice(part * size, size), path)
        files[f"parts/{path.name}"] = path
    columns = tuple(
        Column(field.name, _TYPES[str(field.type)], table.column(index).null_count,
               len(table.column(index).drop_null().unique())) for index, field in enumerate(table.schema))
    return Table(store, store.put_manifest(files), columns, table.num_rows)


def make_job(root: Path, table: Table, target: str, *, threads: int = 2, **fields: Any) -> Path:
    """Write a job's folder; ``fields`` are those of TrainRequest."""
    split = fields.pop("split", {})
    request = TrainRequest(table.manifest, "test@1", tuple(column.to_json() for column in table.columns), target,
                           split=SplitRequest(**split), **fields)
    spec = JobSpec(new_id(), "train", "test", (table.manifest,), request.to_json(), Resources("cpu", threads))
    folder = root / "jobs" / spec.id
    folder.mkdir(parents=True)
    (folder / "spec.json").write_bytes(canonical.dumps(spec.to_json()))
    return folder


def run_here(folder: Path, table: Table, attempt: int = 1) -> list[dict[str, Any]]:
    """Run the job in this process; return its events."""
    assert run_job(folder, table.store.root, attempt) == 0
    return events(folder, attempt)


def events(folder: Path, attempt: int = 1) -> list[dict[str, Any]]:
    """Read the spool."""
    path = folder / f"spool.{attempt}"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


# The same program, with a checkpoint due a tenth of a second after the last: a quick fit would end before its first.
_HASTY = ("import sys; from mldesk.training import checkpoints; checkpoints._FIRST = checkpoints._LEAST = 0.1; "
          "from mldesk.training.run import main; sys.exit(main())")


def start(folder: Path, table: Table, attempt: int = 1, *extra: str, hasty: bool = False,
          alone: bool = False) -> subprocess.Popen[bytes]:
    """Start a trainer process on the job; ``alone``: as the head of a group, as a supervisor does."""
    program = ["-c", _HASTY] if hasty else ["-m", "mldesk.training.run"]
    with open(folder / "output.log", "ab") as log:
        return subprocess.Popen(
            [sys.executable, *program, str(folder), "--objects", str(table.store.root),
             "--attempt", str(attempt), *extra], stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "2"},
            start_new_session=alone)


# The same program, which leaves a checkpoint at every opportunity and is killed right behind one of them.
_MORTAL = """
import os, signal, sys
from mldesk.training import checkpoints
from mldesk.training.run import main
from mldesk.wire.report import Report

checkpoints._FIRST, checkpoints._LEAST, checkpoints._SHARE = 0.0, 0.0, float("inf")
say, left = Report.event, int(sys.argv.pop())


def event(self, kind, **payload):
    global left
    say(self, kind, **payload)
    left -= kind == "checkpoint"
    if kind == "checkpoint" and not left:
        os.kill(os.getpid(), signal.SIGKILL)


Report.event = event
sys.exit(main())
"""


def die_after(checkpoints: int, folder: Path, table: Table) -> None:
    """Run the job in a process that is killed once it has left so many checkpoints; return when it is dead."""
    with open(folder / "output.log", "ab") as log:
        done = subprocess.run([sys.executable, "-c", _MORTAL, str(folder), "--objects", str(table.store.root),
                               "--attempt", "1", str(checkpoints)], stdout=log, stderr=log, timeout=240)
    assert done.returncode == -signal.SIGKILL, (folder / "output.log").read_text()


class Died(BaseException):
    """Stands for the end of the process."""


def of(kind: str, all_events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events of one kind."""
    return [event for event in all_events if event["kind"] == kind]


def result(all_events: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return what the succeeded run says of itself."""
    assert all_events[-1]["kind"] == "succeeded", all_events[-1]
    found: Mapping[str, Any] = all_events[-1]["result"]
    return found
