"""``mldesk runners``: the machines that do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord

app = typer.Typer(help="Look at the machines that train.")

Name = Annotated[str, typer.Argument(metavar="NAME", help='A runner; this machine is "local".')]


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
    face.table(("runner", "kind", "address", "answered"),
               [(runner.name, runner.kind, runner.address, words.moment(runner.seen)) for runner in runners])


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a runner as it was when it last answered."""
    face = Face.of(context)
    with face.workbench() as bench:
        runner = bench.runners.show(name)
    _print(face, runner)


@app.command()
def check(context: typer.Context, name: Name) -> None:
    """Ask a runner what it has, and keep the answer."""
    face = Face.of(context)
    with face.workbench() as bench:
        runner = bench.runners.check(name)
    _print(face, runner)


def _print(face: Face, runner: RunnerRecord) -> None:
    from mldesk.workbench.summaries import runner_details

    if face.json:
        face.document(runner_details(runner))
        return
    said = runner.facts
    memory = said.get("memory")
    face.show(facts({
        "runner": runner.name, "kind": runner.kind, "address": runner.address,
        "answered": words.moment(runner.seen) or "never asked: mldesk runners check " + runner.name,
        "cores": said.get("cores"), "memory": words.size(memory) if isinstance(memory, (int, float)) else "",
        "devices": ", ".join(str(item.get("name", item)) if isinstance(item, dict) else str(item)
                             for item in said.get("devices", ())),
        "python": said.get("python"), "agent": said.get("agent"),
        "versions": ", ".join(f"{key} {value}" for key, value in dict(said.get("versions", {})).items())}))
