"""Doing what a plan says, step by step, and undoing it. The steps themselves are install.sh's, run on the box.

Every step may be repeated: an installation that was cut (the network, this desktop, the box) is simply started again
and goes on where it was. What runs there is not touched until the new version has passed its self-test.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mldesk.core.errors import Conflict, MldeskError, WorkFailed
from mldesk.core.ids import new_id
from mldesk.runners.provision import boot
from mldesk.runners.provision.execution import Exec, Ran
from mldesk.runners.provision.package import Payload
from mldesk.runners.provision.plan import Plan, Way
from mldesk.runners.provision.probe import HostFacts
from mldesk.runners.provision.scripts import script

AGENT = '"$HOME/.mldesk/current/bin/mldesk-agent"'  # for a shell on the box: the agent in use, whichever it is
PIECE = 4 * 1024 * 1024    # bytes of one upload's piece; a cut costs at most one
_STEP, _LONG_STEP = 60.0, 600.0  # seconds; unpacking and compiling on a slow disk take long
_BUSY, _LOST, _DAMAGED, _IN_USE, _ELSEWHERE = 3, 4, 5, 6, 8  # exit codes of install.sh
_HINT = "What was done so far is noted there in ~/.mldesk/install.log; try again, and it goes on from there."

Report = Callable[[str, float], None]  # what is being done, and how much of it, 0 to 1
log = logging.getLogger("mldesk.provision")


class InstallFailed(WorkFailed):
    """A step did not work; what ran on the box before still does."""

    code = "install_failed"


class InstallBusy(Conflict):
    """Somebody else installs there now, or jobs run from what is to be removed."""

    code = "install_busy"


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of this desktop that is sent whole: a Python, or uv."""

    path: Path
    digest: str               # SHA-256

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation came to."""

    build: str
    previous: str             # build that was current before; "" for none
    uploaded: int             # bytes that went over
    selftest: str             # what the agent said of itself there; "" when nothing was installed


@dataclass(frozen=True, slots=True)
class Removed:
    """What an uninstallation came to."""

    left: tuple[str, ...]     # paths that are still there because they hold what we did not put there


def install(box: Exec, facts: HostFacts, plan: Plan, payload: Payload, *, runtime: Archive | None = None,
            uv: Archive | None = None, token: str = "", report: Report | None = None) -> Installed:
    """Carry out a plan that the user agreed to. ``token`` names who installs: with the same one, a cut installation
    goes on at once, with another only after its lock has been left alone for a quarter of an hour.

    Raises InstallBusy, InstallFailed, RunnerUnreachable.
    """
    if plan.way is Way.EXISTING:
        return Installed(plan.build, facts.current, 0, "")
    report = report or _silent
    work = _Steps(box, token or new_id(), payload.build, previous=facts.current)
    with work.locked():
        report("Sending the agent", 0.0)
        uploaded = work.upload(payload.digest, io.BytesIO(payload.data), len(payload.data), report)
        if plan.way is Way.SYSTEM:
            work.values["python"] = plan.python
        elif plan.way is Way.UPLOAD:
            if runtime is None:
                raise InstallFailed("The plan sends a Python, and none was given.", hint="Make the plan again.")
            uploaded += _send_runtime(work, runtime, facts, report)
        else:
            uploaded += _fetch_python(work, plan, uv, report)
        report("Setting the agent up", 0.0)
        work.step("place_version", payload.digest, timeout=_LONG_STEP)
        report("Trying the agent", 0.5)
        said = work.step("selftest", str(len(facts.gpus)), timeout=_LONG_STEP)
        work.step("activate")
        hand_over(box)
        work.step("sweep", timeout=_LONG_STEP)
    report("Done", 1.0)
    return Installed(payload.build, facts.current, uploaded, said.stdout.decode("utf-8", "replace").strip())


def hand_over(box: Exec) -> None:
    """End the agent that runs there, if one does, and start the current version's, which finds the jobs again.

    Jobs and their supervisors are not touched. Raises InstallFailed, RunnerUnreachable.
    """
    for word in ("stop", "start"):
        ran = box.run(f"{AGENT} {word}", timeout=_STEP)
        if ran.status:
            raise InstallFailed(f"The new agent cannot take over: {_said(ran)}", hint=_HINT)


def uninstall(box: Exec, *, token: str = "", kill_jobs: bool = False, data: bool = False) -> Removed:
    """Remove what was installed, exactly; with ``data`` also the runner's jobs, objects and logs.

    Raises InstallBusy when jobs run and ``kill_jobs`` was not asked for, InstallFailed, RunnerUnreachable.
    """
    work = _Steps(box, token or new_id(), "-")
    with work.locked():
        ran = box.run(f"[ ! -x {AGENT} ] || {AGENT} stop {'--kill-jobs' if kill_jobs else ''}", timeout=_STEP)
        if ran.status:
            raise InstallFailed(f"The agent there does not end: {_said(ran)}", hint=_HINT)
        try:
            work.step("idle")
        except InstallBusy:
            box.run(f"{AGENT} start", timeout=_STEP)
            raise
        boot.undo(box)
        if data:
            work.step("remove_data")
        answer = work.step("uninstall", timeout=_LONG_STEP).stdout.decode("utf-8", "replace")
        work.unlocked = True
    return Removed(tuple(line.removeprefix("left ") for line in answer.splitlines() if line.startswith("left ")))


def _send_runtime(work: _Steps, runtime: Archive, facts: HostFacts, report: Report) -> int:
    name, uploaded = runtime.digest[:16], 0
    if name not in facts.runtimes:
        report("Sending a Python", 0.0)
        with open(runtime.path, "rb") as file:
            uploaded = work.upload(runtime.digest, file, runtime.size, report)
    placed = work.step("place_runtime", runtime.digest, name, timeout=_LONG_STEP)
    work.values["python"] = _last_line(placed)
    return uploaded


def _fetch_python(work: _Steps, plan: Plan, uv: Archive | None, report: Report) -> int:
    uploaded, program = 0, "uv"
    if uv is not None:
        report("Sending uv", 0.0)
        with open(uv.path, "rb") as file:
            uploaded = work.upload(uv.digest, file, uv.size, report)
        program = _last_line(work.step("place_uv", uv.digest))
    report(f"Fetching Python {plan.python}", 0.0)
    work.values["python"] = _last_line(work.step("fetch_python", program, plan.python, timeout=_LONG_STEP))
    return uploaded


class _Steps:
    """One installation under its lock."""

    def __init__(self, box: Exec, token: str, build: str, previous: str = "") -> None:
        self._box = box
        self.unlocked = False
        self.values = {"token": token, "build": build, "previous": previous, "python": ""}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        self.step("lock")
        try:
            yield
        except BaseException:
            with contextlib.suppress(MldeskError):  # what went wrong first is what is told
                self.step("unlock")
            raise
        if not self.unlocked:
            self.step("unlock")

    def step(self, name: str, *words: str, stdin: bytes | None = None, timeout: float = _STEP) -> Ran:
        """Run one function of install.sh. Raises InstallBusy, InstallFailed, RunnerUnreachable."""
        ran = self._run(name, words, stdin, timeout)
        if ran.status in (_BUSY, _LOST, _IN_USE):
            raise InstallBusy(f"Nothing was changed: {_said(ran)}.",
                              hint="Wait until it is done there, then try again." if ran.status != _IN_USE else
                              "Wait for the jobs to end, or end them.")
        if ran.status:
            raise InstallFailed(f"The installation stopped: {_said(ran)}.", hint=_HINT)
        log.info("%s %s", name, " ".join(words))
        return ran

    def upload(self, digest: str, file: BinaryIO, size: int, report: Report) -> int:
        """Send a file, from where an earlier try ended; return the bytes that went over. Raises as ``step``."""
        sent = 0
        for last in (False, True):
            sent += self._send(digest, file, size, report)
            ran = self._run("seal", (digest,), None, _STEP)
            if not ran.status:
                return sent
            if ran.status != _DAMAGED or last:
                raise InstallFailed(f"The upload failed: {_said(ran)}.", hint=_HINT)
        return sent

    def _send(self, digest: str, file: BinaryIO, size: int, report: Report) -> int:
        answer, sent = _last_line(self.step("arrived", digest)), 0
        while answer != "whole" and answer.isdigit() and int(answer) < size:
            offset = int(answer)
            file.seek(offset)
            data = file.read(PIECE)
            ran = self._run("receive", (digest, str(offset)), data, _LONG_STEP)
            if ran.status == _ELSEWHERE:  # an earlier try's last piece came late
                answer = _last_line(self.step("arrived", digest))
                continue
            if ran.status:
                raise InstallFailed(f"The upload failed: {_said(ran)}.", hint=_HINT)
            sent += len(data)
            answer = _last_line(ran)
            report("Sending", min(1.0, (offset + len(data)) / max(1, size)))
        return sent

    def _run(self, name: str, words: tuple[str, ...], stdin: bytes | None, timeout: float) -> Ran:
        call = " ".join([name, *map(shlex.quote, words)])
        return self._box.run(f"{_assignments(self.values)}\n{script('install')}\n{call}", stdin, timeout)


def _silent(_what: str, _part: float) -> None:
    return None


def _assignments(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def _said(ran: Ran) -> str:
    return (ran.stderr.splitlines() or [f"code {ran.status}"])[-1][:500].rstrip(".")


def _last_line(ran: Ran) -> str:
    return (ran.stdout.decode("utf-8", "replace").split("\n") or [""])[-2 if ran.stdout.endswith(b"\n") else -1].strip()
