"""Provisioning as one piece, for whoever has a connection: look and plan, carry it out, take it away again.

    box = SshExec(connection)
    prepared = prepare(box, home)                 # changes nothing there; prepared.words is what a person agrees to
    done = carry_out(box, home, prepared)         # agent, training environment, start at boot
    take_away(box)
"""

from __future__ import annotations

from dataclasses import dataclass

from mldesk.core.errors import MldeskError
from mldesk.core.paths import Home
from mldesk.runners.provision import boot
from mldesk.runners.provision.boot import AtBoot
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.install import Removed, Report, install, uninstall
from mldesk.runners.provision.package import build_payload
from mldesk.runners.provision.plan import Offer, Plan, make_plan
from mldesk.runners.provision.probe import INTERNET_URL, HostFacts, probe
from mldesk.runners.provision.runtime import NoRuntime, Packed, pack_own_python


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found on a box and what will be done there."""

    facts: HostFacts
    plan: Plan
    words: tuple[str, ...]    # the plan and the start at boot, a sentence or two each
    at_boot: AtBoot
    new: bool                 # whether nothing of MLDesk is there yet


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
    payload, python = build_payload(), _own_python(home)
    runtimes = dict.fromkeys(python.platforms, python.runtime) if python else {}
    return Offer(payload.build, len(payload.data), payload.installed, runtimes)


def prepare(box: Exec, home: Home, *, processor_only: bool = False, upgrade: bool = False,
            internet_url: str = INTERNET_URL) -> Prepared:
    """Look at a box and plan. ``upgrade``: an agent that is there is replaced unless it is this desktop's own.

    Raises CannotProvision, UnknownDriver, RunnerUnreachable, NotWhole.
    """
    facts = probe(box, internet_url)
    plan = make_plan(facts, offer_of_this_desktop(home), processor_only=processor_only)
    at_boot = boot.choose(facts)
    return Prepared(facts, plan, (*plan.words.splitlines(), at_boot.value), at_boot, not facts.current)


def carry_out(box: Exec, home: Home, prepared: Prepared, *, at_boot: bool = True, token: str = "",
              report: Report | None = None) -> Provisioned:
    """Do what was agreed to. ``token`` names who does it: a cut one goes on at once with the same.

    Raises InstallBusy, InstallFailed, RunnerUnreachable, NotWhole. What ran there before runs on then.
    """
    plan, python = prepared.plan, _own_python(home)
    done = install(box, prepared.facts, plan, build_payload(), runtime=python.archive if python else None, token=token,
                   report=report)
    problem = ""
    if at_boot:
        try:
            boot.apply(box, prepared.at_boot)
        except MldeskError as error:
            problem = str(error)
    return Provisioned(done.build, done.previous, done.uploaded, False, plan.training,
                       prepared.at_boot if at_boot and not problem else AtBoot.NEXT_CONNECT, problem)


def take_away(box: Exec, *, kill_jobs: bool = False, keep_data: bool = False, token: str = "") -> Removed:
    """Remove everything that was put on a box; ``keep_data`` leaves its jobs, objects and logs.

    Raises InstallBusy while jobs run and are not to be killed, InstallFailed, RunnerUnreachable.
    """
    return uninstall(box, token=token, kill_jobs=kill_jobs, data=not keep_data)


def _own_python(home: Home) -> Packed | None:
    folder = home.make().scratch
    try:
        return pack_own_python(folder)
    except NoRuntime:
        return None
