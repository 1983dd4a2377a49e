"""``mldesk models``: versions of trained models, and the files they leave and enter in."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts, make_table
from mldesk.cli.model_about import card, drift, layers, lineage
from mldesk.cli.model_retrain import challenge, retrain
from mldesk.cli.model_shown import Reference, leading, up_to_date
from mldesk.cli.model_stages import history, predictions, promote, rollback, stage
from mldesk.cli.model_words import note, tag
from mldesk.cli.named_version import NamedVersion
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.steps import kinds
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import better, ordered, title

if TYPE_CHECKING:
    from mldesk.bundles.contract import RowContract
    from mldesk.data.recipes.new_rows import Recipe

app = typer.Typer(help="Look at models, choose versions, export and import safe bundles.")
app.command()(kinds)
app.command(cls=NamedVersion)(promote)
app.command(cls=NamedVersion)(rollback)
app.command(cls=NamedVersion)(stage)
for _command in (note, tag, history, lineage, layers, card, drift, retrain, challenge, predictions):
    app.command()(_command)

Bundle = Annotated[Path, typer.Argument(metavar="FILE", help="A .mlbundle file.")]


@app.command("list")
def list_(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those too that 5x2cv tests of earlier releases left "
                                        "behind; today's leave none.")] = False,
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="A version of which bears this tag; may be "
                                                  "repeated.")] = None,
) -> None:
    """List the models."""
    from mldesk.workbench.summaries import model_line

    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        models, tags = bench.models.list(every=every, tags=tag or ()), bench.models.tags()
        unlisted = 0 if every else len(bench.models.list(every=True, tags=tag or ())) - len(models)
    if face.json:
        face.document({"models": [{**model_line(model), "tags_of_versions": list(tags.get(model.name, ()))}
                                  for model in models]})
        return
    face.table(("in use", "versions", "promoted", "estimator", "target", "its score", "size", "made"),
               [(used.label, model.versions, model.promoted, used.estimator, used.target,
                 leading(used.metrics), words.size(used.size), words.moment(used.created))
                for model in models for used in (model.meant,)], right=("versions", "promoted", "size"),
               spare=("size", "made", "target", "promoted", "estimator"),
               empty="No model has a version with these tags. Give one: mldesk models tag M@V --add T" if tag else
               "No models yet. Train one: mldesk train DATASET --target COLUMN")
    if unlisted:
        face.note(f"· Not listed: {words.plural(unlisted, 'model')} that 5x2cv tests left behind; --all lists them.")


@app.command()
def show(context: typer.Context, reference: Reference) -> None:
    """Show a model version: how good it is, what it came from, what changed since the version before."""
    from mldesk.workbench.summaries import model_details

    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        version = bench.models.show(reference)
        versions = bench.models.versions(version.model)
        promoted = bench.models.get(version.model).promoted
        doubts, threshold = bench.models.doubts(version), bench.models.threshold(version.label)
        changes = bench.about.changes(version.model)
    changed = changes.get(version.number)
    if face.json:
        told = {number: change.to_json() for number, change in changes.items()}
        face.document({**model_details(version), "changed": told.get(version.number), "promoted": promoted,
                       "warnings": doubts, "threshold": None if threshold is None else threshold.to_json(),
                       "versions": [{**model_details(item), "changed": told.get(item.number)} for item in versions]})
        return
    face.show(facts({"model": version.label, "task": version.task, "target": version.target,
                     "estimator": version.estimator, "dataset": version.dataset, "run": version.run,
                     "size": words.size(version.size), "made": words.moment(version.created), "notes": version.notes,
                     "tags": ", ".join(version.tags), **({} if changed is None else {"changed": changed.words}),
                     **({} if threshold is None else {"threshold": threshold.in_words()})}))
    face.say()
    face.show(make_table(("score", "test", "better"), [
        (title(name), words.score(version.metrics[name]), better(name)) for name in ordered(version.metrics)],
        right={"test"}))
    for doubt in doubts:
        face.note(f"\n! {doubt}")
    if len(versions) > 1:
        face.say()
        face.table(("version", "estimator", "score", "changed", "made", ""),
                   [(item.number, item.estimator, leading(item.metrics),
                     ", ".join(changes[item.number].parts) if item.number in changes else "",
                     words.moment(item.created), "◂ promoted" if item.number == promoted else item.stage)
                    for item in versions], right=("version",), spare=("changed",))


@app.command()
def threshold(
    context: typer.Context, reference: Reference,
    at: Annotated[float | None, typer.Argument(metavar="[P]", help="Above 0, at most 1. Without it: what is set.",
                                               show_default=False)] = None,
    label: Annotated[str | None, typer.Option("--class", metavar="CLASS", help="Which class; without it the second of "
                                              "two.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to the most probable class.")] = False,
) -> None:
    """Set from which probability on a version calls a row a class; predict, serve and bundles go by it.

    `runs evaluation` shows what each threshold would do to the test rows.
    """
    face = Face.of(context)
    if reset and (at is not None or label is not None):
        raise BadInput("--reset and a threshold contradict each other.")
    if label is not None and at is None:
        raise BadInput("--class needs a threshold.", hint="For example: 0.3 --class yes.")
    with face.workbench() as bench:
        up_to_date(face, bench)
        version = bench.models.show(reference)
        if at is not None or reset:
            bench.models.set_threshold(version.label, at, label)
        found = bench.models.threshold(version.label)
    if face.json:
        face.document({"model": version.label, "threshold": None if found is None else found.to_json()})
    else:
        face.say("A row is called the most probable class." if found is None else found.in_words())
        if at is not None and version.run is not None:
            face.note("· If it was chosen by the scores of test rows, these now flatter it: `mldesk runs evaluation "
                      f"{version.run} --part validation` has other rows.")


@app.command()
def export(
    context: typer.Context, reference: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE.mlbundle", help="The file to write; for --as native and "
                                                 "mlflow a new folder.")],
    form: Annotated[str, typer.Option("--as", metavar="FORM", help="bundle; onnx (the graph), native (safetensors, "
                                      "skops …), mlflow (a folder that mlflow.pyfunc loads).")] = "bundle",
    force: Force = False,
) -> None:
    """Write a model as one signed file that opens nothing executable and needs no MLDesk to be used."""
    face = Face.of(context)
    if form != "bundle":
        with face.workbench() as bench:
            may_write(bench, file, force)
            up_to_date(face, bench)
            bench.models.export_as(reference, file, form)
            threshold = None if form == "mlflow" else bench.models.threshold(reference)
        if threshold is not None:
            face.note(f"! It gives probabilities, and knows nothing of the threshold: {threshold.in_words()}")
        face.document({"file": str(file), "form": form}) if face.json else face.say(f"Wrote {file}.")
        return
    with face.workbench() as bench:
        may_write(bench, file, force)
        up_to_date(face, bench)
        report = bench.models.export(reference, file)
        unsigned = bench.models.signing_problem
    if unsigned:
        face.note(f"! The bundle is not signed: {unsigned}")
    if face.json:
        face.document({"file": str(file), "size": file.stat().st_size, **report.to_json()})
        return
    face.say(f"Wrote {file} ({words.size(file.stat().st_size)}, {words.plural(len(report.files), 'file')}, "
             f"{_signed(report.signature)}).")


@app.command()
def inspect(context: typer.Context, file: Bundle) -> None:
    """Say what a bundle holds and who signed it; nothing of it is loaded."""
    face = Face.of(context)
    with face.workbench() as bench:
        report = bench.models.inspect(file)
    if face.json:
        face.document(report.to_json())
        return
    manifest = report.manifest
    face.show(facts({"bundle": file.name, **{key: manifest.get(key) for key in
                                             ("name", "version", "task", "target", "estimator", "created", "format")},
                     **({} if report.contract is None else {"contract": _held_to(report.contract)}),
                     **({"recipe": _cleaned_by(report.recipes)} if report.recipes else {}),
                     "signature": _signed(report.signature)}))
    face.say()
    face.table(("file", "size", "sha256"), [(item["path"], words.size(item["size"]), item["sha256"][:16] + "…")
                                            for item in report.files], right=("size",))


@app.command("import")
def import_(context: typer.Context, file: Bundle,
            again: Annotated[bool, typer.Option("--again", help="Make a version even if one has the very same "
                                                "files.")] = False) -> None:
    """Check a bundle and take its model into the library."""
    from mldesk.workbench.summaries import model_details

    face = Face.of(context)
    with face.workbench() as bench:
        version, made = bench.models.import_file(file, again=again)
        signature = bench.models.inspect(file).signature
    if face.json:
        face.document({**model_details(version), "made": made, "signature": dict(signature)})
        return
    face.say(f"{file.name} is {version.label} now." if made else
             f"{file.name} holds what {version.label} has; nothing was made.")
    unsigned = not signature["valid"] and not signature["problem"]
    face.note(f"{'·' if signature['valid'] and signature['known'] else '!'} {_signed(signature)}" + (
        ": nobody vouches for it." if unsigned else "." if signature["known"] else ", whom nobody here knows."))
    face.note(f"\nNext: mldesk predict {shlex.quote(version.label)} INPUT -o OUTPUT.csv")


def _held_to(held: RowContract) -> str:
    return f"{held.label}: rules for {words.plural(len(held.contract.columns), 'column')}; --json has them"


def _cleaned_by(recipes: Sequence[Recipe]) -> str:
    steps = sum(len(recipe.steps) for recipe in recipes)
    return f"{words.plural(steps, 'step')} made {recipes[-1].label}; `predict --clean` does them, --json has them"


def _signed(signature: Any) -> str:
    if signature["valid"]:
        return f"signed by {signature['by']}" + (f" ({signature['fingerprint']})" if signature["known"] else "")
    return f"its signature is NOT valid: {signature['problem']}" if signature["problem"] else "not signed"
