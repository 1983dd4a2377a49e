"""Doing what a plan says, step by step, and undoing it. The steps themselves are install.sh's, run on the box.

Every step may be repeated: an installation that was cut (the network, this desktop, the box) is simply started again
and goes on where it was. What runs there is not touched until the new version, and what it trains with, were tried.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass

from mldesk.core.ids import new_id
from mldesk.runners.provision import boot
from mldesk.runners.provision.environment import Supply, install_training
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.package import Payload
from mldesk.runners.provision.plan import Plan, Way
from mldesk.runners.provision.probe import HostFacts
from mldesk.runners.provision.progress import Progress
from mldesk.runners.provision.steps import (
    HINT,
    LONG_STEP,
    STEP,
    Archive,
    InstallBusy,
    InstallFailed,
    Report,
    Steps,
    last_line,
    said,
)
from mldesk.runners.provision.training_plan import Source

__all__ = ["AGENT", "Archive", "InstallBusy", "InstallFailed", "Installed", "Removed", "Report", "Supply", "hand_over",
           "install", "uninstall"]

AGENT = '"$HOME/.mldesk/current/bin/mldesk-agent"'  # for a shell on the box: the agent in use, whichever it is
_SENDING, _SENDING_PYTHON, _SETTING_UP, _TRYING = ("Sending the agent", "Sending a Python", "Setting the agent up",
                                                   "Trying the agent")
ENDING = 20.0              # seconds that processes are given to end before a removal is refused
_EFFORT = 5_000_000        # of a step that sends nothing: as long as sending so many bytes takes, roughly


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation came to."""

    build: str
    previous: str             # build that was current before; "" for none
    uploaded: int             # bytes that went over
    selftest: str             # what the agent said of itself there; "" when nothing was installed
    training: str             # what the training environment said of itself; "" when none was made


@dataclass(frozen=True, slots=True)
class Removed:
    """What an uninstallation came to."""

    left: tuple[str, ...]     # paths that are still there because they hold what we did not put there


def install(box: Exec, facts: HostFacts, plan: Plan, payload: Payload, *, runtime: Archive | None = None,
            uv: Archive | None = None, supply: Supply | None = None, token: str = "",
            report: Report | None = None) -> Installed:
    """Carry out a plan that the user agreed to. ``supply``: what the training part needs of this desktop; without it,
    only the agent is installed. ``token`` names who installs: with the same one, a cut installation goes on at once,
    with another only after its lock has been left alone for a quarter of an hour.

    Raises InstallBusy, InstallFailed, RunnerUnreachable.
    """
    trains = supply is not None and plan.training.works
    if plan.way is Way.EXISTING and not (trains and _to_do(facts, plan)):
        return Installed(plan.build, facts.current, 0, "", "")
    progress = Progress(_phases(plan, payload, runtime, trains=trains), report)
    work = Steps(box, token or new_id(), plan.build, previous=facts.current)
    uploaded, tried, training = 0, "", ""
    with work.locked():
        if plan.way is not Way.EXISTING:
            uploaded, tried = _install_agent(work, facts, plan, payload, runtime, uv, progress)
        if supply is not None and trains:
            sent, training = install_training(work, plan.training, supply, 0 if plan.training.torch.name == "cpu" else
                                              len(facts.gpus), progress)
            uploaded += sent
        work.step("activate")
        if trains:
            work.step("use_environment", plan.training.key)
        hand_over(box)
        work.step("sweep", timeout=LONG_STEP)
    progress.done()
    return Installed(plan.build, facts.current, uploaded, tried, training)


def _to_do(facts: HostFacts, plan: Plan) -> bool:
    """Say whether the training part changes anything."""
    return plan.training.source is not Source.THERE or facts.trainer != plan.training.key


def _phases(plan: Plan, payload: Payload, runtime: Archive | None, *, trains: bool) -> list[tuple[str, float]]:
    phases: list[tuple[str, float]] = []
    if plan.way is not Way.EXISTING:
        phases += [(_SENDING, len(payload.data)), (_SENDING_PYTHON, runtime.size if runtime else _EFFORT),
                   (_SETTING_UP, 4 * _EFFORT), (_TRYING, 2 * _EFFORT)]
    return phases + (Supply.phases(plan.training) if trains else [])


def _install_agent(work: Steps, facts: HostFacts, plan: Plan, payload: Payload, runtime: Archive | None,
                   uv: Archive | None, progress: Progress) -> tuple[int, str]:
    """Bring the agent's version there, whole and tried; return the bytes sent and what it said of itself."""
    size = len(payload.data)
    uploaded = work.upload(payload.digest, io.BytesIO(payload.data), size, _share(progress.phase(_SENDING), size))
    if plan.way is Way.SYSTEM:
        work.values["python"] = plan.python
    elif plan.way is Way.UPLOAD:
        if runtime is None:
            raise InstallFailed("The plan sends a Python, and none was given.", hint="Make the plan again.")
        uploaded += _send_runtime(work, runtime, facts, progress)
    else:
        uploaded += _fetch_python(work, plan, uv, progress)
    progress.phase(_SETTING_UP)
    work.step("place_version", payload.digest, timeout=LONG_STEP)
    progress.phase(_TRYING)
    tried = work.step("selftest", str(len(facts.gpus)), timeout=LONG_STEP)
    work.step("finish_version")
    return uploaded, tried.stdout.decode("utf-8", "replace").strip()


def hand_over(box: Exec) -> None:
    """End the agent that runs there, if one does, and start the current version's, which finds the jobs again.

    Jobs and their supervisors are not touched. Raises InstallFailed, RunnerUnreachable.
    """
    for word in ("stop", "start"):
        ran = box.run(f"{AGENT} {word}", timeout=STEP)
        if ran.status:
            raise InstallFailed(f"The new agent cannot take over: {said(ran)}", hint=HINT)


def uninstall(box: Exec, *, token: str = "", kill_jobs: bool = False, data: bool = False) -> Removed:
    """Remove what was installed, exactly; with ``data`` also the runner's jobs, objects and logs.

    Raises InstallBusy when jobs run and ``kill_jobs`` was not asked for, InstallFailed, RunnerUnreachable.
    """
    work = Steps(box, token or new_id(), "-")
    with work.locked():
        ran = box.run(f"[ ! -x {AGENT} ] || {AGENT} stop {'--kill-jobs' if kill_jobs else ''}", timeout=STEP)
        if ran.status:
            raise InstallFailed(f"The agent there does not end: {said(ran)}", hint=HINT)
        try:
            _wait_until_idle(work)
        except InstallBusy:
            box.run(f"{AGENT} start", timeout=STEP)
            raise
        boot.undo(box)
        if data:
            work.step("remove_data")
        answer = work.step("uninstall", timeout=LONG_STEP).stdout.decode("utf-8", "replace")
        work.unlocked = True
    return Removed(tuple(line.removeprefix("left ") for line in answer.splitlines() if line.startswith("left ")))


def _wait_until_idle(work: Steps) -> None:
    """Wait for what runs there to end: a trainer whose job is done takes seconds to let go of everything.

    Raises InstallBusy.
    """
    deadline = time.monotonic() + ENDING
    while True:
        try:
            work.step("idle")
            return
        except InstallBusy:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def _send_runtime(work: Steps, runtime: Archive, facts: HostFacts, progress: Progress) -> int:
    name, uploaded = runtime.digest[:16], 0
    part = progress.phase(_SENDING_PYTHON)
    if name not in facts.runtimes:
        uploaded = work.send(runtime, _share(part, runtime.size))
    work.values["python"] = last_line(work.step("place_runtime", runtime.digest, name, timeout=LONG_STEP))
    return uploaded


def _fetch_python(work: Steps, plan: Plan, uv: Archive | None, progress: Progress) -> int:
    uploaded, program = 0, "uv"
    progress.phase(_SENDING_PYTHON)
    if uv is not None:
        uploaded = work.send(uv)
        program = last_line(work.step("place_uv", uv.digest))
    work.values["python"] = last_line(work.step("fetch_python", program, plan.python, timeout=LONG_STEP))
    return uploaded


def _share(part: Callable[[float], None], size: int) -> Callable[[int], None]:
    """Return what takes bytes that have arrived, from what takes a share."""
    return lambda moved: part(moved / max(1, size))
