"""The process of a job that makes a table of a file on its runner: ``python -m mldesk.data.imports.register``.

    python -m mldesk.data.imports.register JOBDIR --objects DIR [--attempt N]

It is run as a trainer is (see mldesk.training.run): reads ``spec.json``, writes ``spool.<attempt>`` and objects, and
listens to ``control`` and SIGTERM. A Parquet file that can be a table's part as it is becomes one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput, DiskFull
from mldesk.core.not_here import STEPS, only_elsewhere
from mldesk.wire import linked
from mldesk.wire.control import Control, Terminated
from mldesk.wire.failures import explain
from mldesk.wire.imports import ARTIFACT, KIND, ImportedTable, ImportRequest
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.states import Cause

if TYPE_CHECKING:  # they load duckdb and pyarrow
    from mldesk.data.options import ImportOptions

_BY_SIGTERM = 143   # as shells report it


class _Asked(Exception):
    """The user asked for the end, or the process has to go."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mldesk.data.imports.register",
                                     description="Make a table of a file here.")
    parser.add_argument("job", type=Path, help="the job's folder")
    parser.add_argument("--objects", type=Path, required=True, help="the object store")
    parser.add_argument("--attempt", type=int, default=int(os.environ.get("MLDESK_ATTEMPT", "1")))
    given = parser.parse_args(arguments)
    with only_elsewhere(STEPS):
        return run_job(given.job, given.objects, given.attempt)


def run_job(folder: Path, objects: Path, attempt: int, *, link_from: int = linked.LINK_FROM) -> int:
    """Run the job in ``folder`` and write its events, the terminal one last. Returns the exit code."""
    spool = Spool(folder / f"spool.{attempt}")
    report, asked = Report(spool), _Stop()
    control = Control(folder / "control", asked.cancel, lambda: os._exit(_BY_SIGTERM))
    scratch = folder / "scratch"
    try:
        control.start()
        report.event("started", attempt=attempt, pid=os.getpid(), host=socket.gethostname(), device="cpu",
                     resumed_from=None)
        shutil.rmtree(scratch, ignore_errors=True)  # of an attempt that was killed
        scratch.mkdir()
        work = _Work(ObjectStore(objects), report, control, asked, scratch, link_from)
        report.event("succeeded", result=work.run(ImportRequest.from_json(_spec(folder).payload)))
        return 0
    except Terminated:
        return _BY_SIGTERM
    except Exception as error:  # noqa: BLE001 - whatever it is, the user is told; the traceback goes to the log
        return _ended(spool, asked, error)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        control.close()
        spool.close()


class _Stop:
    """Whether the user wants the end. Set from the control thread; an import looks all the while."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class _Work:
    """One import."""

    def __init__(self, store: ObjectStore, report: Report, control: Control, stop: _Stop, scratch: Path,
                 link_from: int) -> None:
        self._store, self._report, self._control, self._stop = store, report, control, stop
        self._scratch, self._link_from = scratch, link_from

    def run(self, request: ImportRequest) -> Mapping[str, Any]:
        """Make the table, announce its description, return the job's result."""
        from mldesk.data.options import ImportOptions

        began = time.monotonic()
        path = _there(request.path)
        options = ImportOptions.from_json(request.options)
        self._report.stage(f"Reading {path.name}")
        table = (self._adopt(path) if request.link and set(options.to_json()) <= {"format"} else None) \
            or self._import(path, options)
        text = canonical.dumps(table.to_json())
        digest = self._store.put_bytes(text)
        self._report.event("artifact", name=ARTIFACT, digest=digest, size=len(text), type="json")
        return {"manifest": canonical.digest(table.manifest.to_json()), "table": digest, "row_count": table.rows,
                "column_count": len(table.columns), "size": table.manifest.size, "problems": len(table.problems),
                "kept": table.kept, "source": table.source, "seconds": round(time.monotonic() - began, 3)}

    def _adopt(self, path: Path) -> ImportedTable | None:
        """Take Parquet files as they are, if nothing in them would change."""
        folder = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for what is in a folder that may not be entered
        paths = sorted(path.glob("*.parquet")) if folder else [path]
        from mldesk.data.sources.partitions import pairs_of

        if not paths or not all(_is_parquet(item) for item in paths) or pairs_of(paths[0]) \
                or (folder and any(item not in paths for item in path.iterdir())):
            return None
        from mldesk.data.imports.adopting import adopt_parquet

        found = adopt_parquet(paths, self._store, self._scratch, self._progress, self._check,
                              link_from=self._link_from)
        if found is None:
            return None
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        return ImportedTable(found.manifest, found.rows, found.columns, (), f"{paths[0].name}{more}",
                             {"format": "parquet"}, found.way)

    def _import(self, path: Path, options: ImportOptions) -> ImportedTable:
        from mldesk.data.imports.importing import import_table

        table = import_table([path], self._store, self._scratch, options, progress=self._progress,
                             cancelled=lambda: self._stop.cancelled or self._control.terminate)
        return ImportedTable(self._store.manifest(table.manifest), table.rows, table.columns,
                             tuple(problem.to_json() for problem in table.problems), table.source,
                             dict(table.reading), "converted")

    def _progress(self, done: float, total: float) -> None:
        self._report.progress(done, total, "bytes")

    def _check(self) -> None:
        self._control.check()
        if self._stop.cancelled:
            raise _Asked


def _there(text: str) -> Path:
    """Return the path as this machine has it. Raises BadInput for one that cannot be meant."""
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise BadInput(f"{text!r:.100} names the home of a user who is not on the runner.") from error
    return path if path.is_absolute() else Path.home() / path


def _is_parquet(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return path.is_file() and file.read(4) == b"PAR1"
    except OSError:  # the import says what is wrong with it
        return False


def _spec(folder: Path) -> JobSpec:
    spec = JobSpec.read(folder)
    if spec.kind != KIND:
        raise BadInput("The job's spec.json does not ask for an import.")
    return spec


def _ended(spool: Spool, stop: _Stop, error: Exception) -> int:
    from mldesk.data.records import ImportCancelled

    if isinstance(error, (ImportCancelled, _Asked)):
        if not stop.cancelled:
            return _BY_SIGTERM
        kind, payload = "cancelled", {"cause": Cause.CANCELLED.value, "message": "The import was cancelled."}
    else:
        if not isinstance(error, BadInput):
            traceback.print_exc()
        kind, payload = "failed", explain(error)
    try:
        spool.write(kind, payload)
    except DiskFull:
        return 1  # no terminal event: the supervisor writes it
    return 0


if __name__ == "__main__":
    sys.exit(main())
