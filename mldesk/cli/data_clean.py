"""``mldesk data clean`` and ``data recipe``: a recipe makes the next version, or a script; its steps are moved."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_minutes
from mldesk.cli.asking import at_terminal, confirm
from mldesk.cli.data_clean_preview import preview as show_preview
from mldesk.cli.data_shown import Reference, problems, step_told
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.core.errors import BadInput, MldeskError, NotFound
from mldesk.core.targets import check_target

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.bench import Workbench

Steps = Sequence[Any]
_FROM = "from:"


def clean(
    context: typer.Context, reference: Reference,
    recipe: Annotated[str, typer.Option("--recipe", metavar="FILE", help='JSON: {"steps": [{"step": "drop", '
                                        '"columns": ["id"]}, …]}; or from:N@V, the recipe that made that version.')],
    preview: Annotated[bool, typer.Option("--preview", help="Show what the recipe would do: rows and cells that each "
                                          "step changes, the first rows before and after. No version is made.")]
    = False,
    script: Annotated[Path | None, typer.Option("--export-script", metavar="FILE", help="Only write a Python script "
                                                "that repeats the recipe with duckdb; no version is made.")] = None,
    leave: Annotated[bool, typer.Option("--leave-to-model", help="Skip steps that learn from all rows where a model "
                                        "can do them, from its training rows only; see `train --prepare`.")] = False,
    allow: Annotated[bool, typer.Option("--allow-python", help="Let the recipe's Python code run, now and later; "
                                        "otherwise it is shown and you are asked.")] = False,
    start: Annotated[int | None, typer.Option("--from", metavar="V", min=1, help="Start from this version; else from "
                                              "the one that is named, or the current one.")] = None,
    limit: Annotated[str | None, typer.Option("--time-limit", metavar="TIME", help="How long it may take, as 30s, 5m "
                                              "or 2h (0: no limit); an hour, unless Settings say otherwise.")] = None,
    force: Force = False,
) -> None:
    """Apply a recipe; the result is the dataset's next version. `mldesk data steps` lists what it may hold."""
    from mldesk.training.preparing_check import why_not
    from mldesk.workbench.joined import moved
    from mldesk.workbench.preparing import leave_to_model
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    seconds = None if limit is None else 60 * read_minutes(limit)
    if preview and script is not None:
        raise BadInput("--preview keeps nothing, so it writes no script.", hint="Leave one of the two out.")
    if start is not None:
        reference = starting_at(reference, start)
    with Interrupts() as interrupts, face.workbench() as bench:
        steps = read_recipe(bench, recipe)
        steps, left = leave_to_model(steps) if leave else (steps, [])
        _allow(face, bench, steps, allow)
        if preview:
            show_preview(face, bench, interrupts, reference, steps, left, seconds)
            return
        if script is not None:
            may_write(bench, script, force)
            write_text(script, bench.cleaning.recipe_script(reference, steps))
            face.document({"file": str(script), "steps": len(steps)}) if face.json else \
                face.say(f"Wrote {script}. Run it: python {script} SOURCE TARGET")
            return
        before = bench.cleaning.made_by(reference, steps)
        try:
            version = bench.cleaning.clean(reference, steps, cancelled=interrupts.asked,
                                           seconds=seconds)
        except BadInput as error:
            if before is None:
                raise
            raise BadInput(error.message, hint=_made_before(before)) from error
    if face.json:
        face.document({**dataset_details(version), "left_to_model": [number for number, _, _ in left],
                       "made_before": None if before is None else {"version": before.number, "from": before.parent}})
        return
    if before is not None:
        face.note(f"! {_made_before(before)}")
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"by {words.plural(len(version.recipe or ()), 'step')} from version {version.parent}")
    for line in moved(steps, version.recipe or ()):
        face.note(f"! {line}")
    for number, step, instead in left:
        face.note(f"Step {number} ({step['step']}) was skipped: {instead}, from its training rows only.")
    if any(not why_not(step) for _, step, _ in left):
        face.note(f"To have a model do just these steps: mldesk train {version.label} --target COL --prepare "
                  f"from:{version.label}")
    problems(face, version)
    _offer(face, steps)
    name = shlex.quote(version.dataset)
    face.note(f"\nNext: mldesk data preview {name} · mldesk train {name} --target COLUMN")


def starting_at(reference: str, version: int) -> str:
    """Return the reference to a version of a dataset. Raises BadInput if it names another one already."""
    name, marked, number = reference.rpartition("@")
    if marked and number != str(version):
        raise BadInput(f"{reference[:100]} and --from {version} name two versions.", hint="Leave one of them out.")
    return f"{name if marked else reference}@{version}"


def _made_before(version: DatasetVersion) -> str:
    return (f"Version {version.number} was already made by these steps from version {version.parent}; "
            f"--from {version.parent} starts there.")


def recipe(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE", help="A recipe, or from:N@V, the one that made a version.")],
    move: Annotated[list[str] | None, typer.Option("--move", metavar="A:B", help="Put step A where step B is.")] = None,
    disable: Annotated[list[int] | None, typer.Option("--disable", metavar="STEP", help="Skip a step, and keep it in "
                                                      "the recipe.")] = None,
    enable: Annotated[list[int] | None, typer.Option("--enable", metavar="STEP", help="Skip it no longer.")] = None,
    drop: Annotated[list[int] | None, typer.Option("--drop", metavar="STEP", help="Take a step out.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = None,
    force: Force = False,
) -> None:
    """Show a recipe, or change it: numbers are those before the command, moves come last."""
    from mldesk.data.recipes.changes import change

    face = Face.of(context)
    with face.workbench() as bench:
        may_write(bench, output, force)
        steps = read_recipe(bench, source)
    steps = change(steps, disable=disable or (), enable=enable or (), drop=drop or (),
                   moves=[_two(item) for item in move or ()])
    document = {"steps": [dict(step) for step in steps]}
    if output is not None:
        write_text(output, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    if face.json:
        face.document(document)
    elif output is not None:
        face.say(f"Wrote {output}: {words.plural(len(steps), 'step')}")
    else:
        face.table(("no.", "step", "", "what it is told"), [
            (number, step["step"], "skipped" if step.get("disabled") else "", step_told(step))
            for number, step in enumerate(steps, start=1)], right=("no.",), whole=("no.", "step", ""),
            empty="The recipe has no steps.")


def read_recipe(bench: Workbench, source: str) -> Steps:
    """Return the steps of a recipe: of a file, or with from:N@V those that made a version."""
    from mldesk.data.recipes.steps import check_steps, parse_recipe

    if source.startswith(_FROM):
        return check_steps(bench.cleaning.recipe_of(source.removeprefix(_FROM)))
    try:
        return parse_recipe(read_text(Path(source), "recipe"))
    except NotFound as error:
        if not error.hint:
            error.hint = _meant(bench, source)
        raise


def _meant(bench: Workbench, source: str) -> str:
    """Return a hint for what names a dataset where a recipe's file is wanted; "" for anything else."""
    try:
        version = bench.datasets.show(source)
    except MldeskError:
        return ""
    return f"The recipe that made {version.label} is from:{version.label}."


def read_prepare(bench: Workbench, source: str | None) -> tuple[Mapping[str, Any], ...]:
    """Return the steps that a model is to do by itself: those of a file, or what from:N@V left to its models."""
    from mldesk.data.recipes.steps import active
    from mldesk.workbench.preparing import left_in

    if source is None:
        return ()
    if source.startswith(_FROM):
        label = source.removeprefix(_FROM)
        return left_in(bench.cleaning.recipe_of(label), label)
    return tuple(step for _, step in active(read_recipe(bench, source)))


def _two(text: str) -> tuple[int, int]:
    first, _, second = text.partition(":")
    if not (first.isdigit() and second.isdigit()):
        raise BadInput(f"{text!r:.40} does not say which step goes where.", hint="Write --move 3:1.")
    return int(first), int(second)


def _allow(face: Face, bench: Workbench, steps: Steps, allow: bool) -> None:
    """See that the recipe's code may run: said so with the command, before, or now. Raises CodeNotTrusted."""
    from mldesk.data.recipes.code_trust import CodeNotTrusted

    for number, source in bench.cleaning.untrusted_code(steps):
        if not allow:
            if face.json or not at_terminal():
                raise CodeNotTrusted(number, source)
            face.note(f"Step {number} runs this Python code, without access to files, network or the library:\n")
            face.note(words.plain(source))
            if not confirm("Let it run, now and in later recipes?"):
                raise CodeNotTrusted(number, source)
        bench.cleaning.trust_code(source)


def _offer(face: Face, steps: Steps) -> None:
    """Say which steps a model would do by itself."""
    from mldesk.workbench.preparing import leave_to_model

    _, could = leave_to_model(steps)
    if could:
        numbers = ", ".join(str(number) for number, _, _ in could)
        face.note(f"A model can do what step{'' if len(could) == 1 else 's'} {numbers} did, learnt from its training "
                  "rows only: --leave-to-model leaves it to training, and `train --prepare` has it done just so.")


def read_text(path: Path, what: str) -> str:
    """Return the text of a file the user named. Raises NotFound, BadInput if it is not UTF-8."""
    if not path.is_file():
        raise NotFound(f"There is no {what} {str(path)!r}.")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears when it is whole. Raises NotFound for a folder that is not there, DiskFull."""
    from mldesk.core import durable

    check_target(path)
    with durable.disk_errors(f"writing {path.name}"), durable.replacing(path) as file:
        file.write(text.encode())
