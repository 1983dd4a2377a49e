"""``mldesk data clean``: a recipe makes the next version, or a script that repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.data_shown import Reference, problems
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.core.errors import BadInput, NotFound


def clean(
    context: typer.Context, reference: Reference,
    recipe: Annotated[Path, typer.Option("--recipe", metavar="FILE", help='JSON: {"steps": [{"step": "drop", '
                                         '"columns": ["id"]}, …]}')],
    script: Annotated[Path | None, typer.Option("--export-script", metavar="FILE", help="Only write a Python script "
                                                "that repeats the recipe with duckdb; no version is made.")] = None,
) -> None:
    """Apply a recipe; the result is the dataset's next version. `mldesk data steps` lists what it may hold."""
    from mldesk.data.steps import parse_recipe
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    steps = parse_recipe(read_text(recipe, "recipe"))
    if script is not None:
        with face.workbench() as bench:
            text = bench.datasets.recipe_script(reference, steps)
        write_text(script, text)
        face.document({"file": str(script), "steps": len(steps)}) if face.json else \
            face.say(f"Wrote {script}. Run it: python {script} SOURCE TARGET")
        return
    with Interrupts() as interrupts, face.workbench() as bench:
        version = bench.datasets.clean(reference, steps, cancelled=interrupts.asked)
    if face.json:
        face.document(dataset_details(version))
        return
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"by {words.plural(len(version.recipe or ()), 'step')} from version {version.parent}")
    problems(face, version)


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

    if not path.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {str(path.absolute().parent)!r}.")
    with durable.disk_errors(f"writing {path.name}"), durable.replacing(path) as file:
        file.write(text.encode())
