"""``mldesk presets``: set-ups of training and searching, to start from again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.outputs import Force, may_write
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.presets import Preset

app = typer.Typer(help="Keep set-ups of training and searching, and pass them on as files.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A preset.")]
Start = Annotated[str, typer.Option("--preset", metavar="P", help="Start from a preset (`mldesk presets list`); what "
                                    "is given besides counts more.")]
Save = Annotated[str, typer.Option("--save-preset", metavar="P", help="Keep these settings as a preset.")]


def given(context: typer.Context, options: Mapping[str, str], order: object) -> dict[str, Any]:
    """Return the fields of an order that a person gave: those whose option is not as it is by itself.

    ``options`` says which field an option is.
    """
    def said(option: str) -> bool:
        source = context.get_parameter_source(option)
        return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")

    return {field: getattr(order, field) for option, field in options.items() if said(option)}


def chosen(bench: Workbench, name: str, search: bool) -> Preset:
    """Return the preset called ``name``. Raises NotFound; BadInput for one that is of the other kind."""
    preset = bench.presets.get(name)
    if (preset.search is not None) != search:
        raise BadInput(f"The preset {name} is of a {'training' if search else 'search'}.",
                       hint=f"Use it with mldesk {'train' if search else 'search'}.")
    return preset


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the presets there are."""
    face = Face.of(context)
    with face.workbench() as bench:
        found = bench.presets.list()
    if face.json:
        face.document({"presets": {name: preset.to_json() for name, preset in found.items()}})
        return
    face.table(("preset", "for", "says"), [(name, "train" if preset.search is None else "search", _says(preset))
                                           for name, preset in found.items()],
               empty="No presets yet. Keep one: mldesk train DATASET --target COLUMN --save-preset NAME")


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show what a preset says."""
    face = Face.of(context)
    with face.workbench() as bench:
        preset = bench.presets.get(name)
    if face.json:
        face.document({"name": name, **preset.to_json()})
    else:
        face.say(json.dumps(preset.to_json(), indent=2, ensure_ascii=False))


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Forget a preset."""
    face = Face.of(context)
    with face.workbench() as bench:
        bench.presets.remove(name)
    face.document({"removed": name}) if face.json else face.say(f"Forgot the preset {name}.")


@app.command()
def export(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which; all without any.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")] = Path(
        "presets.json"),
    force: Force = False,
) -> None:
    """Write presets into a file, for another library or another person."""
    face = Face.of(context)
    with face.workbench() as bench:
        may_write(bench, output, force)
        bench.presets.export(output, names or ())
    face.document({"file": str(output)}) if face.json else face.say(f"Wrote {output}.")


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What `mldesk presets export` wrote.")],
) -> None:
    """Take in the presets of a file. One whose name is taken gets a number."""
    face = Face.of(context)
    with face.workbench() as bench:
        names = bench.presets.take(path)
    face.document({"presets": names}) if face.json else face.say(
        f"Took in {words.plural(len(names), 'preset')}: {', '.join(names)}.")


def _says(preset: Preset) -> str:
    return ", ".join(f"{key} {words.cell(value)}" for key, value in {**preset.train, **(preset.search or {})}.items())
