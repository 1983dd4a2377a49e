"""The process of a job that runs a user's program: ``python -m mldesk.training.script JOBDIR --objects DIR``.

It is run as a trainer is (see mldesk.training.run): reads ``spec.json``, writes ``spool.<attempt>``, checkpoints and
objects, and listens to ``control`` and SIGTERM. The program is a child of its own; what it tells by ``mldesk.track``
becomes events, what it prints goes to the job's log.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from mldesk.core.errors import BadInput, DiskFull, WorkFailed
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.script_asked import never_asked, said_of
from mldesk.training.script_environment import Environments
from mldesk.training.script_events import EventFiles
from mldesk.training.script_lines import STATE, Lines, unpack
from mldesk.training.script_log import HEAD, TAIL, PrintedLog
from mldesk.training.script_pip import EnvironmentFailed
from mldesk.wire import scripts
from mldesk.wire.control import Control, Terminated
from mldesk.wire.failures import explain
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.states import Cause

_BY_SIGTERM = 143    # as shells report it
_LOOK = 0.1          # seconds between two looks at what the program said
_PATIENCE = 4.0      # seconds the program has after SIGTERM; the supervisor's own patience is longer
_TRACED = re.compile(r'\s*File "([^"]{1,400})", line (\d{1,7})(?:, in .*)?')
_LACKS = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_TAIL = 64 * 1024    # bytes of the log in which its last words are looked for


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mldesk.training.script", description="Run a user's program.")
    parser.add_argument("job", type=Path, help="the job's folder")
    parser.add_argument("--objects", type=Path, required=True, help="the object store")
    parser.add_argument("--attempt", type=int, default=int(os.environ.get("MLDESK_ATTEMPT", "1")))
    given = parser.parse_args(arguments)
    return run_job(given.job.resolve(), given.objects.resolve(), given.attempt)


def run_job(folder: Path, objects: Path, attempt: int) -> int:
    """Run the job in ``folder`` and write its events, the terminal one last. Returns the exit code."""
    spool = Spool(folder / f"spool.{attempt}")
    report = Report(spool)
    checkpoints = Checkpoints(folder / "checkpoints",
                              lambda step, name: report.event("checkpoint", step=step, name=name))
    job = _Script(folder, ObjectStore(objects), report, checkpoints)
    control = Control(folder / "control", job.cancel, lambda: os._exit(_BY_SIGTERM))
    try:
        control.start()
        found = checkpoints.newest()
        report.event("started", attempt=attempt, pid=os.getpid(), host=socket.gethostname(), device="cpu",
                     resumed_from=None if found is None else found.step)
        report.event("succeeded", result=job.run(control))
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        return 0
    except Terminated:
        return _BY_SIGTERM
    except Exception as error:  # noqa: BLE001 - whatever it is, the user is told; the traceback goes to the log
        return _ended(spool, job.cancelled, error)
    finally:
        job.clean()
        control.close()
        spool.close()


class ScriptFailed(WorkFailed):
    """The user's program ended with an error of its own."""


class _Script:
    """One run of one program."""

    def __init__(self, folder: Path, store: ObjectStore, report: Report, checkpoints: Checkpoints) -> None:
        self._folder, self._store, self._report, self._checkpoints = folder, store, report, checkpoints
        self._place = folder / "script"       # where the files lie and the program works
        self.cancelled = False
        self._child: subprocess.Popen[bytes] | None = None
        self._environments: Environments | None = None
        self._cut_said = False

    def cancel(self) -> None:
        """End the program at once; called from the control thread."""
        self.cancelled = True
        if self._child is not None:
            _signal(self._child, signal.SIGKILL if os.name != "nt" else signal.SIGTERM)

    def clean(self) -> None:
        """Remove what lies in the job's folder for the program only."""
        for left in ("script", "inputs", "state", "track"):
            shutil.rmtree(self._folder / left, ignore_errors=True)
        if self._environments is not None:
            self._environments.close()

    def run(self, control: Control) -> Mapping[str, Any]:
        """Lay out the files, run the program, return the job's result. Raises ScriptFailed, BadInput, Terminated."""
        began = time.monotonic()
        request = scripts.ScriptRequest.from_json(JobSpec.read(self._folder).payload)
        self.clean()
        self._report.stage("Laying out the script")
        self._lay_out(request)
        lines = Lines(self._folder / "track" / "lines", self._report, self._store, self._checkpoints)

        def check() -> None:
            control.check()
            self._check_cancelled()

        self._environments = Environments(self._folder.parent.parent / "script_environments", self._report, check)
        python = self._environments.python(request.requirements, self._place)
        check()
        self._report.stage(f"Running {request.entry}")
        events = EventFiles((self._place, self._folder / "state"), lines.metrics_of_events, lines.keep,
                            self._report)
        code = self._watch(self._start(python, request), lines, events, control)
        missed = [] if lines.asked_for_all else never_asked(request.parameters, lines.parameters, self._place)
        for name in missed:
            self._report.warning(*said_of(name, lines.parameters, request.parameters))
        self._check_cancelled()
        if code:
            words = self._last_words()
            raise ScriptFailed(f"{request.entry} {_how(code)}{words}.", hint=_hint(words))
        return {"script": request.script, "metrics": lines.last,
                "parameters": {**request.parameters, **lines.parameters}, "artifacts": sorted(lines.artifacts),
                "never_read": missed, "seconds": round(time.monotonic() - began, 3),
                "finished_early": control.finish}

    def _check_cancelled(self) -> None:
        if self.cancelled:
            raise ScriptFailed("The run was cancelled.")

    def _lay_out(self, request: scripts.ScriptRequest) -> None:
        for part in (self._place, self._folder / "track", self._folder / "state"):
            part.mkdir(parents=True)
        copy_out(self._store, request.script, self._place)
        for name, manifest in request.inputs.items():
            copy_out(self._store, manifest, self._folder / "inputs" / name)
        found = self._checkpoints.newest()
        if found is not None:
            unpack(found.folder / STATE, self._folder / "state")
        if not (self._place / request.entry).is_file():
            raise BadInput(f"The script's folder has no {request.entry!r:.100}.")

    def _start(self, python: str, request: scripts.ScriptRequest) -> subprocess.Popen[bytes]:
        paths = [str(self._ours()), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        inputs = {name: str(self._folder / "inputs" / name) for name in request.inputs}
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1",
                       scripts.TRACK: str(self._folder / "track" / "lines"), scripts.INPUTS: json.dumps(inputs),
                       scripts.PARAMETERS: json.dumps(dict(request.parameters)),
                       scripts.STATE: str(self._folder / "state"), scripts.STOP: str(self._folder / "track" / "stop")}
        arguments = [part for name, value in request.parameters.items() for part in _argument(name, value)]
        self._child = subprocess.Popen([python, request.entry, *arguments], cwd=self._place, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self._child

    def _ours(self) -> Path:
        """Return a folder where ``mldesk`` is and nothing else: packages beside it may be others than the program's."""
        code = Path(__file__).resolve().parents[1]
        place = self._folder / "track" / "packages"
        place.mkdir()
        try:
            (place / code.name).symlink_to(code, target_is_directory=True)
        except OSError:   # Windows, to whom that is not allowed
            return code.parent
        return place

    def _watch(self, child: subprocess.Popen[bytes], lines: Lines, events: EventFiles, control: Control) -> int:
        """Turn what the program says into events until it ends; return its exit code. Raises Terminated."""
        asked_at: float | None = None
        printed = PrintedLog(cast("IO[bytes]", child.stdout))
        while child.poll() is None:
            lines.read()
            events.read()
            self._say_if_cut(printed)
            if control.finish and not (stop := self._folder / "track" / "stop").exists():
                stop.touch()
            if control.terminate and asked_at is None:
                asked_at = time.monotonic()
                _signal(child, signal.SIGTERM)
            if self.cancelled or (asked_at is not None and time.monotonic() - asked_at > _PATIENCE):
                _signal(child, signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
            try:
                child.wait(_LOOK)
            except subprocess.TimeoutExpired:
                continue
        printed.close()
        self._say_if_cut(printed)
        lines.read(last=True)
        events.read(last=True)
        control.check()
        return int(child.returncode)

    def _say_if_cut(self, printed: PrintedLog) -> None:
        if printed.left_out and not self._cut_said:
            self._cut_said = True
            self._report.warning(f"The script prints more than {(HEAD + TAIL) // 1_000_000} MB.",
                                 f"Its log keeps the first {HEAD // 1_000_000} MB and, once it has ended, "
                                 f"the last {TAIL // 1_000_000}.")

    def _last_words(self) -> str:
        """Return the last line that the program printed, if there is one: mostly its error, and where that arose."""
        try:
            with open(self._folder / "output.log", "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
                said = log.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return _ended_words(said, self._place)


def copy_out(store: ObjectStore, manifest: str, folder: Path) -> None:
    """Lay a manifest's files below ``folder`` as copies, since a program may write into them."""
    for entry in store.manifest(manifest).entries:
        target = folder.joinpath(*entry.path.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.path(entry.sha256), target)


def _argument(name: str, value: Any) -> tuple[str, ...]:
    """Return a parameter as argparse and its like read it; a value that looks like an option is tied to its name."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return (f"--{name}={text}",) if text.startswith("-") else (f"--{name}", text)


def _how(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _hint(words: str) -> str:
    if missing := _LACKS.search(words):
        return (f"Name the package that has {missing[1]!r:.60} among the requirements in mldesk.toml: "
                f'requirements = ["{missing[1].partition(".")[0]:.60}"].')
    return "The run's log has all that it printed."


def _ended_words(said: Sequence[str], place: Path) -> str:
    """Return " in line 12 of train.py: ValueError: no", the last place of the script that a traceback names.

    Where there is none, the last line that was printed, as such.
    """
    where = message = ""
    for number in range(len(said) - 1, -1, -1):
        if (found := _TRACED.fullmatch(said[number])) is None:
            continue
        message = message or next((line for line in said[number:] if line[:1].strip()), "")   # not indented
        path = place / found[1]   # as it is if it is absolute
        if path.is_relative_to(place) and path.is_file():
            where = f" in line {found[2]} of {path.relative_to(place).as_posix()}"
            break
    if where or message:
        return f"{where}: {(message or said[-1]).strip()[:300].rstrip('.')}"
    return f"; the last that it printed is: {said[-1].strip()[:300].rstrip('.')}" if said else ""


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is None:
        child.send_signal(number)


def _ended(spool: Spool, cancelled: bool, error: Exception) -> int:
    """Write the terminal event; without room for it the supervisor, which sees code 1, does."""
    if not isinstance(error, (BadInput, ScriptFailed, EnvironmentFailed)):
        traceback.print_exc()
    said: tuple[str, dict[str, str]] = ("failed", explain(error))
    if isinstance(error, ScriptFailed):
        said[1]["cause"] = Cause.USER_ERROR.value
    if isinstance(error, EnvironmentFailed):
        said[1]["cause"] = Cause.ENV_FAILED.value
    if cancelled:
        said = ("cancelled", {"cause": Cause.CANCELLED.value, "message": "The run was cancelled."})
    try:
        spool.write(*said)
    except DiskFull:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
