"""``mldesk script``: run a Python program of one's own on any runner, and see what changed in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts, make_table
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.train import finish
from mldesk.cli.when import At, Detach, Every, begin, see
from mldesk.cli.when import wanted as timed
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench

app = typer.Typer(help="Run Python programs of your own as runs, with curves, on any runner.")

Alone = Annotated[bool, typer.Option("--alone", help="Of a program, take that file and nothing beside it: no modules "
                                     "of its folder, no mldesk.toml.")]
ScriptRepeat = Annotated[int, typer.Option("--repeat", metavar="N", help="Begin N runs, one after another; a parameter "
                                           "named seed goes up by one each time. They become a group.")]


@app.command()
def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER|FILE.py", help="What to run. A mldesk.toml in the folder "
                                           "may say entry, parameters, inputs and requirements; `mldesk script show` "
                                           "tells.")],
    alone: Alone = False,
    param: Annotated[list[str] | None, typer.Option(metavar="k=v", help="A parameter, given to the program as --k v; "
                                                    "may be repeated.")] = None,
    inputs: Annotated[list[str] | None, typer.Option("--input", metavar="NAME=N[@V]", help="A dataset that the program "
                                                     "reads by mldesk.track.input(NAME); may be repeated.")] = None,
    runner: Annotated[str, typer.Option(metavar="R", help="The machine that does the work, or any.")] = "local",
    name: Annotated[str, typer.Option(metavar="RUN", help="The run's name.")] = "",
    at: At = "",
    repeat: ScriptRepeat = 1,
    every: Every = "",
    detach: Detach = None,
) -> None:
    """Run a Python program. What it says by `mldesk.track` is drawn, kept and compared as of any run.

    A copy of its folder goes along, so the run can be told from the next one: `mldesk script diff RUN`. `mldesk script
    new FOLDER` writes an example to begin with.
    """
    from mldesk.workbench.scripts import ScriptOrder

    face, when = Face.of(context), timed(at, repeat, every)
    order = ScriptOrder(folder, _pairs(param, "--param"), _pairs(inputs, "--input"), runner, name,
                        alone=alone)
    with Interrupts() as interrupts, face.workbench() as bench:
        begun = begin(face, bench, order, when, name, runner)
        see(face, bench, begun, when.later if detach is None else detach, interrupts,
            lambda ended: _finish(face, bench, ended))


def _finish(face: Face, bench: Workbench, ended: Run) -> None:
    if bench.scripts.changed(ended) and not face.json:
        face.note(f"· The script has changed since its last run: mldesk script diff {ended.id}")
    result = ended.result or {}
    finish(face, bench, ended, {"artifacts": list(result.get("artifacts", [])),
                                "never_read": list(result.get("never_read", [])), "script": result.get("script")})


@app.command()
def show(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER|FILE.py", help="What would be run.")],
    alone: Alone = False,
) -> None:
    """Show what would run: the program, its parameters, inputs and requirements, and how much goes along."""
    face = Face.of(context)
    with face.workbench() as bench:
        found = bench.scripts.settings(folder, alone=alone)
    if face.json:
        face.document(found)
        return
    inputs = ", ".join(f"{name} = {value}" for name, value in found["inputs"].items())
    face.show(facts({"program": found["entry"], "goes along": f"{words.plural(found['files'], 'file')}, "
                     f"{words.size(found['bytes'])}",
                     **({"left out": f"links out of the folder: {', '.join(found['left_out'])}"} if found["left_out"]
                        else {}),
                     "parameters": words.plural(len(found["declared"]), "parameter") if found["declared"] else
                     "none declared",
                     "reads": inputs or "none of MLDesk's tables",
                     "environment": ", ".join(found["requirements"]) or "the runner's own packages"}))
    if found["declared"]:
        face.say()
        face.show(make_table(("parameter", "usually", "may be", "what it does"), [
            (name, str(about["default"]), _may_be(about), about.get("help", ""))
            for name, about in found["declared"].items()]))


@app.command()
def new(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet.")],
) -> None:
    """Write an example to begin with: a program that uses mldesk.track, and a mldesk.toml."""
    from mldesk.workbench.script_example import write_example

    face = Face.of(context)
    written = write_example(folder)
    if face.json:
        face.document({"folder": str(written)})
    else:
        face.say(f"Wrote {written}. Run it: mldesk script run {shlex.quote(str(written))}")


@app.command()
def diff(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run of a script.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare with; without it the one "
                                         "before.")] = "",
) -> None:
    """Show what changed in a script's files from another run of it to this one: - went, + came."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        before = bench.runs.get(other) if other else bench.scripts.before(run)
        text = bench.scripts.diff(run, before)
    if face.json:
        face.document({"run": run.id, "since": before.id, "diff": text})
        return
    face.note(f"From run {before.name} {before.id[-6:]} (-) to run {run.name} {run.id[-6:]} (+):")
    face.say(text.rstrip("\n") or "Nothing changed.")


@app.command()
def artifact(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run of a script.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the program kept.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    force: Force = False,
) -> None:
    """Write a file that a script kept with its run."""
    face = Face.of(context)
    with face.workbench() as bench:
        ended = bench.runs.get(reference)
        may_write(bench, output, force)
        path = bench.scripts.save_artifact(ended, name, output)
    face.document({"file": str(path), "size": path.stat().st_size}) if face.json else face.say(f"Wrote {path}.")


def _may_be(about: Mapping[str, Any]) -> str:
    from mldesk.workbench.script_parameters import KINDS, range_words

    if "choices" in about:
        return f"one of {', '.join(map(str, about['choices']))}"
    return " ".join(part for part in (KINDS[type(about["default"])], range_words(about)) if part)


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    found = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise BadInput(f"{option} takes NAME=VALUE, not {item!r:.60}.")
        found[name.strip()] = value
    return found
