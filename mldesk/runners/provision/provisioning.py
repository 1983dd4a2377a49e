"""Provisioning as one piece, for whoever has a connection: look and plan, carry it out, take it away again.

    box = SshExec(connection)
    prepared = prepare(box, home)                 # changes nothing there; prepared.words is what a person agrees to
    done = carry_out(box, home, prepared)         # agent, training environment, start at boot
    take_away(box)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mldesk.core.errors import MldeskError
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.runners.provision import boot
from mldesk.runners.provision.boot import AtBoot
from mldesk.runners.provision.desktop import Desktop
from mldesk.runners.provision.environment import MODULES, Supply
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.install import Installed, Removed, Report, install, uninstall
from mldesk.runners.provision.own_wheels import own_platform
from mldesk.runners.provision.package import build_payload
from mldesk.runners.provision.plan import CannotProvision, Offer, Plan, Way, make_plan, platform_of
from mldesk.runners.provision.probe import INTERNET_URL, HostFacts, probe
from mldesk.runners.provision.steps import PythonNotFetched
from mldesk.runners.provision.training_plan import Source

_GATHERING = 0.2           # of all the work, roughly, when wheels are to be made


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found on a box and what will be done there."""

    facts: HostFacts
    plan: Plan
    words: tuple[str, ...]    # the plan and the start at boot, a sentence or two each
    at_boot: AtBoot
    new: bool                 # whether nothing of MLDesk is there yet
    processor_only: bool      # whether its graphics cards are to be left alone


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was done."""

    build: str                # the agent in use now
    previous: str             # the one before; "" for none
    uploaded: int             # bytes that went over
    trains: bool              # whether it can train
    training: str             # with what, or why it cannot
    at_boot: AtBoot
    at_boot_problem: str      # why the start at boot could not be arranged; "" when it was


def offer_of_this_desktop(home: Home) -> Offer:
    """Say what this desktop can give to a box. Takes seconds the first time; kept below ``home`` for the next.

    Raises NotWhole, OSError.
    """
    return Desktop(home).offer()


def prepare(box: Exec, home: Home, *, processor_only: bool = False, upgrade: bool = False,
            internet_url: str = INTERNET_URL) -> Prepared:
    """Look at a box and plan. ``upgrade``: an agent that is there is replaced unless it is this desktop's own.

    Raises CannotProvision, UnknownDriver, RunnerUnreachable, NotWhole.
    """
    facts = probe(box, internet_url)
    offer = Desktop(home).offer(fetches=facts.internet is not True)
    plan = make_plan(facts, offer, processor_only=processor_only, upgrade=upgrade)
    at_boot = boot.choose(facts)
    return Prepared(facts, plan, (*plan.words.splitlines(), at_boot.value), at_boot, not facts.current,
                    processor_only)


def carry_out(box: Exec, home: Home, prepared: Prepared, *, at_boot: bool = True, token: str = "",
              report: Report | None = None) -> Provisioned:
    """Do what was agreed to. ``token`` names who does it: a cut one goes on at once with the same.

    Raises InstallBusy, InstallFailed (with the reason, when the box turns out not to train), NoWheels,
    RunnerUnreachable, NotWhole. What ran there before runs on then, and trains with what it trained with.
    """
    try:
        done = _install(box, home, prepared, token or new_id(), report)
    except PythonNotFetched as error:
        prepared = _another_way(home, prepared, error)
        done = _install(box, home, prepared, token or new_id(), report)
    plan = prepared.plan
    problem = ""
    if at_boot:
        try:
            boot.apply(box, prepared.at_boot)
        except MldeskError as error:
            problem = str(error)
    return Provisioned(done.build, done.previous, done.uploaded, plan.training.works, plan.training.words,
                       prepared.at_boot if at_boot and not problem else AtBoot.NEXT_CONNECT, problem)


def _install(box: Exec, home: Home, prepared: Prepared, token: str, report: Report | None) -> Installed:
    plan, desktop = prepared.plan, Desktop(home)
    share = _GATHERING if plan.training.source is Source.UPLOAD else 0.0
    python = desktop.python() if plan.way is Way.UPLOAD else None
    supply = supply_of(desktop, prepared, _scaled(report, 0.0, share))  # first, since it may take long: nobody waits
    return install(box, prepared.facts, plan, build_payload(), runtime=python.archive if python else None,
                   uv=desktop.uv() if plan.way is Way.UV and "uv" not in prepared.facts.tools else None,
                   supply=supply, token=token, report=_scaled(report, share, 1.0))


def _another_way(home: Home, prepared: Prepared, error: PythonNotFetched) -> Prepared:
    """Plan again without uv, whose Pythons are out of the box's reach. Raises that error when there is no other way."""
    try:
        plan = make_plan(prepared.facts, Desktop(home).offer(), processor_only=prepared.processor_only, upgrade=True,
                         without=(Way.UV,))
    except CannotProvision as other:
        raise error from other
    return replace(prepared, plan=plan)


def supply_of(desktop: Desktop, prepared: Prepared, report: Report | None = None,
              modules: tuple[str, ...] = MODULES) -> Supply:
    """Gather what the training part of a plan needs of this desktop. Raises NoWheels, NotWhole, OSError."""
    facts, training, told = prepared.facts, prepared.plan.training, report or _silent
    fetches = training.source is Source.DOWNLOAD
    ours = fetches and platform_of(facts) == own_platform()
    uv = "uv" if "uv" in facts.tools else (desktop.uv() if ours else None) or ""
    wheels: Sequence[Path] = ()
    if training.source is Source.UPLOAD:
        told("Gathering the training packages", 0.0)
        wheels = desktop.wheels(training.lock, lambda part: told("Gathering the training packages", part))
    return Supply(wheels, desktop.pip() if fetches and not uv else None, uv, desktop.index, modules)


def take_away(box: Exec, *, kill_jobs: bool = False, keep_data: bool = False, token: str = "") -> Removed:
    """Remove everything that was put on a box; ``keep_data`` leaves its jobs, objects and logs.

    Raises InstallBusy while jobs run and are not to be killed, InstallFailed, RunnerUnreachable.
    """
    return uninstall(box, token=token, kill_jobs=kill_jobs, data=not keep_data)


def _scaled(report: Report | None, low: float, high: float) -> Report:
    """Return what tells of a part of the whole, from ``low`` to ``high``."""
    return lambda what, part: (report or _silent)(what, low + (high - low) * part)


def _silent(_what: str, _part: float) -> None:
    return None
