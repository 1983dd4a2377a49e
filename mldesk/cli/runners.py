"""``mldesk runners``: the machines that do the work: which there are, how they are added and taken away."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import runner_work, words
from mldesk.cli.asking import GivenPassword, at_terminal, confirm
from mldesk.cli.face import Face, facts
from mldesk.cli.failures import USAGE, Failed
from mldesk.cli.runner_work import Name
from mldesk.cli.steps_done import StepsDone
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.workbench.runners import Preparation, RunnerService

app = typer.Typer(help="The machines that train: add them over SSH, look at them, steer their queues.")
_HOPS = 9  # host keys that one connection may ask about: jump hosts, and the machine itself


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the runners."""
    from mldesk.workbench.summaries import runner_details

    face = Face.of(context)
    with face.workbench() as bench:
        runners = bench.runners.list()
    if face.json:
        face.document({"runners": [runner_details(runner) for runner in runners]})
        return
    face.table(("runner", "address", "state", "cores", "graphics card"),
               [(runner.name, runner.address or "this machine", state_words(runner), runner.facts.get("cores"),
                 _cards(runner)) for runner in runners], right=("cores",), spare=("graphics card", "cores"))


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a runner as it was when it last answered."""
    face = Face.of(context)
    with face.workbench() as bench:
        runner = bench.runners.show(name)
    _print(face, runner)


@app.command()
def check(
    context: typer.Context, name: Name,
    accept_key: Annotated[str, typer.Option(metavar="FINGERPRINT", help="Trust the machine's key if it is this "
                                            "one.")] = "",
) -> None:
    """Ask a runner what it has, and keep the answer."""
    face = Face.of(context)
    with face.workbench() as bench:
        runner = _trusting(face, bench.runners, accept_key, lambda: bench.runners.check(name))
    _print(face, runner)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the runner will be called.")],
    address: Annotated[str, typer.Argument(metavar="USER@HOST[:PORT]", help="How you reach it by ssh; an alias of "
                                           "~/.ssh/config will do.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do what the plan says without asking.")] = False,
    cpu_only: Annotated[bool, typer.Option("--cpu-only", help="Leave its graphics cards alone.")] = False,
    no_boot: Annotated[bool, typer.Option("--no-boot", help="Do not start its agent with the machine.")] = False,
    accept_key: Annotated[str, typer.Option(metavar="FINGERPRINT", help="Trust the machine's key if it is this one: "
                                            "SHA256:…")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the account's password from standard "
                                                 "input.")] = False,
    remember: Annotated[bool, typer.Option("--remember", help="Keep that password in the keyring.")] = False,
) -> None:
    """Make a machine a runner: log in, look at it, show a plan, and do it once you agree.

    It needs no root, no open port and no internet there.
    """
    face = Face.of(context)
    with face.workbench() as bench:
        service = bench.runners
        service.check_new(name, address)
        if password_stdin:
            service.set_asker(GivenPassword(sys.stdin.readline().rstrip("\n"), remember=remember))
        face.note(f"Connecting to {address} …")
        plan = _trusting(face, service, accept_key, lambda: service.prepare(address, processor_only=cpu_only))
        if not yes:
            _agree(face, plan)
        with StepsDone(face) as steps:
            runner = service.add(name, address, preparation=plan, processor_only=cpu_only, at_boot=not no_boot,
                                 report=steps.report)
        _remembered(face, service)
    if problem := runner.options.get("at_boot_problem"):
        face.note(f"! {problem}")
    _print(face, runner)
    face.note(f"\nNext: mldesk train DATASET --target COLUMN --runner {runner.name}")


@app.command()
def upgrade(context: typer.Context, name: Name) -> None:
    """Bring the agent there to this MLDesk's version; its jobs go on meanwhile."""
    face = Face.of(context)
    with face.workbench() as bench, StepsDone(face) as steps:
        runner = bench.runners.upgrade(name, report=steps.report)
    _print(face, runner)


@app.command()
def remove(
    context: typer.Context, name: Name,
    kill_jobs: Annotated[bool, typer.Option("--kill-jobs", help="End the jobs there instead of refusing.")] = False,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Leave its jobs and data there.")] = False,
) -> None:
    """Take away everything that was put on the machine, then forget it. Its runs stay in the library."""
    face = Face.of(context)
    with face.workbench() as bench, StepsDone(face) as steps:
        removed = bench.runners.remove(name, kill_jobs=kill_jobs, keep_data=keep_data, report=steps.report)
    if face.json:
        face.document({"runner": name, "removed": True, "left": list(removed.left)})
        return
    face.say(f"The runner {name} is removed.")
    for path in removed.left:
        face.note(f"! Left there, since it is not MLDesk's: {path}")


@app.command()
def forget(context: typer.Context, name: Name) -> None:
    """Drop a runner from the library only; the machine is left as it is, and its runs stay visible."""
    face = Face.of(context)
    with face.workbench() as bench:
        bench.runners.forget(name)
        left = [run.name for run in bench.runs.active() if run.runner == name]
    if left:
        face.note(f"! {words.plural(len(left), 'run')} there cannot be followed until it is added again: "
                  f"{', '.join(left[:5])}")
    face.document({"runner": name, "forgotten": True}) if face.json else face.say(f"The runner {name} is forgotten.")


for command in (runner_work.queue, runner_work.drain, runner_work.settings, runner_work.log, runner_work.watch):
    app.command()(command)


def state_words(runner: RunnerRecord) -> str:
    """Say how a runner stands, as the library knows it."""
    if runner.unreachable is not None:
        return f"unreachable since {words.moment(runner.unreachable)}"
    if runner.seen is not None:
        return f"answered {words.moment(runner.seen)}"
    return "never asked" if runner.kind == "ssh" else "this machine"


def _trusting(face: Face, service: RunnerService, accept_key: str, work: Any) -> Any:
    """Do ``work``; where a host shows its key for the first time, trust it only if somebody says so."""
    from mldesk.runners.ssh.errors import UnknownHost

    for _ in range(_HOPS):
        try:
            return work()
        except UnknownHost as error:
            shown = error.key.fingerprint
            if accept_key.strip() != shown:
                if accept_key or not at_terminal():
                    error.hint = (f"It is not the key you gave, {accept_key}." if accept_key else
                                  f"If that is its key, say so: --accept-key {shown}")
                    raise
                face.note(f"{error.message}\n{error.key.randomart}")
                if not confirm("Is this the machine's key?"):
                    raise
            service.accept(error)
    return work()


def _agree(face: Face, plan: Preparation) -> None:
    """Show the plan and go on only if somebody agrees. Raises Failed, BadInput."""
    if at_terminal() and not face.json:
        face.note("\n".join(["", *(f"· {line}" for line in plan.words), ""]))
        if confirm("Go on?"):
            return
        raise BadInput("Nothing was done.")
    message = "Nothing was done: this is what would be done there, and nobody has agreed to it."
    if face.json:
        face.document({"error": {"code": "not_agreed", "message": message, "hint": "Add --yes to agree."},
                       "plan": plan.words})
        raise Failed(USAGE)
    raise BadInput(message, hint="\n  ".join([*plan.words, "Add --yes to agree."]))


def _remembered(face: Face, service: RunnerService) -> None:
    if service.secrets_problem:
        face.note(f"! {service.secrets_problem}")


def _cards(runner: RunnerRecord) -> str:
    return ", ".join(str(item.get("name", item)) if isinstance(item, dict) else str(item)
                     for item in runner.facts.get("devices", ()))


def _print(face: Face, runner: RunnerRecord) -> None:
    from mldesk.workbench.summaries import runner_details

    if face.json:
        face.document(runner_details(runner))
        return
    said = runner.facts
    memory = said.get("memory")
    boot = {"systemd": "by systemd", "cron": "by the user's crontab", "next_connect": "when MLDesk connects next"}
    face.show(facts({
        "runner": runner.name, "kind": runner.kind, "address": runner.address, "state": state_words(runner),
        "why": runner.trouble if runner.unreachable is not None else "", "cores": said.get("cores"),
        "memory": words.size(memory) if isinstance(memory, (int, float)) else "", "graphics": _cards(runner),
        "python": said.get("python"), "agent": said.get("agent"),
        "after a reboot": boot.get(str(runner.options.get("at_boot")), ""),
        "training": "ready" if runner.options.get("trains") else runner.options.get("training"),
        "versions": ", ".join(f"{key} {value}" for key, value in dict(said.get("versions", {})).items())}))
    if runner.seen is None:
        face.note(f"It was never asked: mldesk runners check {runner.name}")
