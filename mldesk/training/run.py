"""The trainer: one process, one job.

    python -m mldesk.training.run JOBDIR --objects DIR [--attempt N]
    python -m mldesk.training.run --warm      imports everything slow, prints "ready", reads its job as JSON from stdin

Reads ``spec.json``; writes ``spool.<attempt>``, ``checkpoints/`` and objects; listens to ``control`` and SIGTERM. Ends
with code 0 once a terminal event is written, and with 143 after SIGTERM: then the supervisor says what became of it.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mldesk.core.errors import BadInput, DiskFull, MldeskError
from mldesk.training.catalogue import NETWORKS
from mldesk.training.checkpoints import CheckpointDamaged, Checkpoints
from mldesk.training.resources import ResourceWatch, gpu_name, usable_threads
from mldesk.training.search.hands import Hand, split_off
from mldesk.training.steering import Steering
from mldesk.wire.control import Control, Terminated
from mldesk.wire.failures import explain
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import JobSpec, SearchRequest, TrainRequest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.states import Cause

_BY_SIGTERM = 143   # as shells report it
# Jobs that are no training, by kind.
_PROGRAMS = {"import": "mldesk.data.imports.register", "script": "mldesk.training.script"}
# What a trainer needs sooner or later. torch imports torch._dynamo, 800 modules, when the first optimizer is made.
SLOW = ("torch", "torch._dynamo", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "lightgbm",
         "pyarrow.parquet", "onnxruntime", "onnx", "skops.io", "safetensors.torch", "threadpoolctl",
         "mldesk.training.train", "mldesk.training.evaluation", "mldesk.training.importance",
         "mldesk.training.predictions", "mldesk.training.export.graph", "mldesk.training.export.network",
         "mldesk.training.estimators.torch_nets", "mldesk.training.estimators.lightgbm",
         "mldesk.training.search.search", "mldesk.training.search.worker")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job as the command line says; return the exit code."""
    _share_the_cores()
    parser = argparse.ArgumentParser(prog="python -m mldesk.training.run", description="Run one training job.")
    parser.add_argument("job", nargs="?", type=Path, help="the job's folder")
    parser.add_argument("--objects", type=Path, help="the object store")
    parser.add_argument("--attempt", type=int, default=int(os.environ.get("MLDESK_ATTEMPT", "1")))
    parser.add_argument("--warm", action="store_true", help="import everything first, then read the job from stdin")
    given = parser.parse_args(arguments)
    # Threads that wait for one another by spinning stop dead, twenty times slower, as soon as another program wants a
    # core. Read by OpenMP when it is loaded, so before the first slow import.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if given.warm:
        return _warm()
    if given.job is None or given.objects is None:
        parser.error("a job's folder and --objects are needed")
    return run_job(given.job, given.objects, given.attempt)


def _share_the_cores() -> None:
    """Let OpenMP's threads sleep while they wait for one another.

    By default they spin, and where something else wants a core too (a window, a second job) LightGBM took twenty times
    as long. Read when libgomp is loaded, so before torch, scikit-learn and LightGBM are imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run_job(folder: Path, objects: Path, attempt: int, hands: Sequence[Hand] = ()) -> int:
    """Run the job in ``folder`` and write its events, the terminal one last. Returns the exit code.

    ``hands``: processes for a search, if they were split off.
    """
    if (program := _PROGRAMS.get(_kind(folder))) is not None:
        return _become(program, folder, objects, attempt)
    spool = Spool(folder / f"spool.{attempt}")
    report = Report(spool)
    checkpoints = Checkpoints(folder / "checkpoints",
                              lambda step, name: report.event("checkpoint", step=step, name=name))
    control = Control(folder / "control", lambda: _cancelled(spool), lambda: os._exit(_BY_SIGTERM))
    watch = ResourceWatch(report)
    try:
        control.start()
        _started(folder, attempt, report, checkpoints)
        watch.start()
        while True:
            try:
                result = _train(folder, objects, report, control, checkpoints, hands)
                break
            except CheckpointDamaged as error:
                if not checkpoints.pass_over():
                    raise
                traceback.print_exc()
                report.log(f"{error.message} The run goes on from the one before.", "warning")
                _started(folder, attempt, report, checkpoints)   # readings after that one are void
        for left in ("checkpoints", "search"):
            shutil.rmtree(folder / left, ignore_errors=True)
        report.event("succeeded", result=result)
        return 0
    except Terminated:
        return _BY_SIGTERM
    except Exception as error:  # noqa: BLE001 - whatever it is, the user is told; the traceback goes to the log
        return _failed(spool, error, folder)
    finally:
        watch.close()
        control.close()
        spool.close()


def _kind(folder: Path) -> str:
    try:
        return JobSpec.read(folder).kind
    except BadInput:
        return ""  # it is refused in a moment, with the reason


def _become(program: str, folder: Path, objects: Path, attempt: int) -> int:
    """Do the job as another program, in this very process where the system can do that: all watch over this one."""
    command = [sys.executable, "-m", program, str(folder), "--objects", str(objects), "--attempt", str(attempt)]
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606 - no shell is the point
    return subprocess.call(command)


def _started(folder: Path, attempt: int, report: Report, checkpoints: Checkpoints) -> None:
    report.event("started", attempt=attempt, pid=os.getpid(), host=socket.gethostname(), device=_device(folder),
                 resumed_from=_resumed_from(folder, checkpoints))


def _resumed_from(folder: Path, checkpoints: Checkpoints) -> int | None:
    """Return the step that is gone on from: that of the newest checkpoint, of a search its last trial that was kept."""
    found = checkpoints.newest()
    if found is not None:
        return found.step
    return max((int(path.stem) for path in (folder / "search").glob("*.npz") if path.stem.isdecimal()), default=None)


def _train(folder: Path, objects: Path, report: Report, control: Control,
           checkpoints: Checkpoints, hands: Sequence[Hand] = ()) -> Mapping[str, Any]:
    from mldesk.training.job import Workplace  # loads pyarrow; "started" is written before that

    spec = JobSpec.read(folder)
    work = Workplace(ObjectStore(objects), report, control, checkpoints, folder / "scratch",
                     usable_threads(spec.resources.threads), _visible_device(spec.resources.device),
                     Steering(folder / "mail"))
    if spec.kind == "train":
        from mldesk.training.train import train

        return train(TrainRequest.from_json(spec.payload), work)
    if spec.kind == "search":
        from mldesk.training.search.search import search  # loads Optuna

        return search(SearchRequest.from_json(spec.payload), work, folder / "search", hands)
    if spec.kind == "explain":
        from mldesk.training.explaining.job import explain
        from mldesk.wire.explain import ExplainRequest

        return explain(ExplainRequest.from_json(spec.payload), work)
    raise BadInput(f"This runner has no job of the kind {spec.kind!r:.40}.", hint="Upgrade the runner.")


def _visible_device(asked: str) -> str:
    """Return the device as this process counts: the runner shows it one card only, whatever its number elsewhere."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "cuda" if asked.startswith("cuda:") and shown and "," not in shown else asked


def _device(folder: Path) -> str:
    """Return the device the job will use, as far as that can be told before the slow libraries are loaded."""
    try:
        spec = JobSpec.read(folder)
        network = spec.kind == "search" or spec.payload.get("estimator") in NETWORKS
        on_gpu = network and spec.resources.device != "cpu" and gpu_name()
    except MldeskError:
        return "cpu"  # the spec is refused in a moment, with the reason
    return on_gpu or "cpu"


def _cancelled(spool: Spool) -> NoReturn:
    """End this process at once, whatever the fit is in the middle of; called from the control thread."""
    code = 0
    try:
        spool.write("cancelled", {"cause": Cause.CANCELLED.value, "message": "The run was cancelled."})
    except DiskFull:
        code = 1  # no terminal event: the supervisor, which knows what it asked for, writes it
    os._exit(code)


def _failed(spool: Spool, error: Exception, folder: Path) -> int:
    if not isinstance(error, BadInput):
        traceback.print_exc()
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    if isinstance(error, DiskFull):
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # makes room for the last words
    try:
        spool.write("failed", explain(error))
    except DiskFull:
        return 1
    return 0


def _warm() -> int:
    """Import everything slow, say so, and wait for the job. Returns the exit code; 0 when no job comes."""
    for module in SLOW:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is loaded now stays; the collector need not look at it again and again
    print("ready", flush=True)  # noqa: T201 - this is how the supervisor knows
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    if stat.S_ISREG((log := os.fstat(1)).st_mode) and log.st_size == len("ready\n"):
        os.ftruncate(1, 0)   # the run's own log begins with the run
    job = json.loads(line)
    os.environ.update(job.get("environment", {}))  # which cards it may see; torch has not asked the driver yet
    folder = Path(job["job"])
    return run_job(folder, Path(job["objects"]), int(job["attempt"]), _hands_for(folder))


def _hands_for(folder: Path) -> Sequence[Hand]:
    """Return copies of this process for a search of several: they have loaded all that it has. To be called while it
    has no thread.
    """
    try:
        spec = JobSpec.read(folder)
        count = SearchRequest.from_json(spec.payload).parallel if spec.kind == "search" else 1
    except BadInput:
        return ()    # it is refused in a moment, with the reason
    if count == 1 or threading.active_count() > 1:
        return ()
    from mldesk.training.search.worker import serve  # loaded already, see SLOW

    return split_off(count, serve)


if __name__ == "__main__":
    sys.exit(main())
