"""``mldesk templates``: ready projects to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.progress import Meter

if TYPE_CHECKING:
    from mldesk.workbench.templates.table import Template

app = typer.Typer(help="Start from a ready project: made-up data, what to learn from them, and how.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A template.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the templates there are."""
    from mldesk.workbench.templates.table import SYNTHETIC, TEMPLATES

    face = Face.of(context)
    if face.json:
        face.document({"templates": [template.to_json() for template in TEMPLATES.values()]})
        return
    face.table(("template", "what it is about", "rows", "task", "target"),
               [(template.name, template.about, words.count(template.rows), _task(template), template.target)
                for template in TEMPLATES.values()], right=("rows",), spare=("task", "rows"))
    face.note(f"{SYNTHETIC} Begin with one: mldesk templates start NAME")


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show what a template holds, column by column, and its settings."""
    from mldesk.workbench.templates.table import SYNTHETIC, find

    face, template = Face.of(context), find(name)
    if face.json:
        face.document(template.to_json())
        return
    face.say(f"{template.title}: {template.about}")
    face.say(f"{words.plural(template.rows, 'row')}. {SYNTHETIC}")
    face.table(("column", "what it holds"), list(template.columns.items()))
    face.say(f"To learn: {template.target} ({_task(template)}){_settings(template)}.")


@app.command()
def start(
    context: typer.Context,
    name: Name,
    dataset: Annotated[str, typer.Option("--name", metavar="N", help="What the dataset is to be called; as the "
                                         "template if left out.")] = "",
) -> None:
    """Import a template's data, keep its settings as a preset, and say what comes next."""
    from mldesk.workbench.templates.table import find

    face, template = Face.of(context), find(name)
    with (Interrupts() as interrupts, face.workbench() as bench,
          Meter(face, f"Importing {template.source}", "bytes") as meter):
        started = bench.templates.start(name, dataset, progress=meter.update, cancelled=interrupts.asked)
    head = started.imported.head
    following = f"mldesk train {head.dataset} --target {template.target} --preset {started.preset}"
    if face.json:
        face.document({"template": name, "dataset": head.dataset, "version": head.number, "rows": head.rows,
                       "made": started.imported.made, "preset": started.preset, "synthetic": True, "next": following})
        return
    said = "Imported" if started.imported.made else "There already:"
    face.say(f"{said} {head.label}: {words.plural(head.rows, 'row')}, {words.plural(len(head.columns), 'column')}, "
             f"synthetic data. Its settings are the preset {started.preset}.")
    face.say(f"Next: {following}")


def _task(template: Template) -> str:
    return template.task.removeprefix("tabular_")


def _settings(template: Template) -> str:
    chosen = {key: value for key, value in template.settings.items() if key != "parameters"}
    chosen |= template.settings.get("parameters", {})
    said = [*(f"{key} {words.cell(value)}" for key, value in chosen.items()),
            *(f"without {name}" for name in template.aside)]
    return f"; {', '.join(said)}" if said else ""
