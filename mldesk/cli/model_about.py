"""``mldesk models lineage|layers|card|drift``: what a model came of and is made of, whether it still fits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.data_shown import line_shown
from mldesk.cli.face import Face, facts
from mldesk.cli.model_shown import Reference, up_to_date
from mldesk.cli.outputs import Force, may_write
from mldesk.core.errors import BadInput, NotFound
from mldesk.workbench.split_words import rows_words, split_words


def lineage(context: typer.Context, reference: Reference) -> None:
    """Show what a model came of: data, recipe, split, run, parameters, seed, code and environment."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        found = bench.about.lineage(reference)
    if face.json:
        face.document(found)
        return
    data, split, run = found["data"], found["split"], found["run"]
    face.show(facts({
        "model": found["model"], "stage": found["stage"], "data": data["version"], "its digest": data["manifest"],
        "came from": data["source"], "recipe": None if data["recipe"] is None else words.plural(
            len(data["recipe"]), "step"),
        "split": split_words(split, split.get("search")),
        "rows": rows_words(split["rows"], split.get("search")),
        "membership": split["membership"], "run": run and f"{run['name']} ({run['id']}) at {run['runner']}",
        "estimator": found["estimator"], "parameters": words.parameters(found["parameters"]),
        "columns": ", ".join(found["features"][:20]), "seed": found["seed"], "code": found["code"],
        "environment": ", ".join(f"{name} {version}" for name, version in found["environment"].items())}))
    if found["members"]:
        face.say()
        face.table(("member", "weight", "trial", "parameters"), [
            (item["estimator"], f"{item['weight']:.0%}", str(item.get("trial", "")),
             words.parameters(item.get("parameters") or {})) for item in found["members"]], right=("weight", "trial"))
    line = list(data["line"])
    if found["prepare"]:
        line.append({"version": "in the model", "source": "", "recipe": found["prepare"], "files": ()})
    if line:
        face.say()
        line_shown(face, line)


def layers(context: typer.Context, reference: Reference) -> None:
    """Show the layers of a network with their shapes, and how many numbers it learned."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        found = bench.about.layers(reference)
    if face.json:
        face.document(found.to_json())
        return
    face.table(("layer", "kind", "takes", "gives", "parameters"),
               [(item.name, item.what, item.takes, item.gives, words.count(item.parameters)) for item in found.layers],
               right=("parameters",))
    face.say(f"{found.title}: {words.count(found.parameters)} parameters. N is the number of rows.")


def card(
    context: typer.Context, reference: Reference,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE.md", help="Write it there.")] = None,
    force: Force = False,
    edit: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Keep this text as the card.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Have the card back as it was made.")] = False,
) -> None:
    """Show or rewrite a model's card: what it is, how good, from what, where not to trust it."""
    face = Face.of(context)
    if edit is not None and reset:
        raise BadInput("--edit and --reset contradict each other.")
    with face.workbench() as bench:
        may_write(bench, output, force)
        up_to_date(face, bench)
        if edit is not None or reset:
            bench.about.set_card(reference, None if edit is None else _text_of(edit))
        text, edited = bench.about.card(reference)
    if output is not None:
        from mldesk.core import durable

        with durable.disk_errors(f"writing {output.name}"):
            durable.write_atomic(output, text.encode("utf-8"))
    if face.json:
        face.document({"card": text, "edited": edited, "file": None if output is None else str(output)})
    elif output is not None:
        face.say(f"Wrote {output}.")
    else:
        face.say(text)


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {str(path)!r}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not text in UTF-8.", hint="A card is Markdown.") from error


def drift(
    context: typer.Context, reference: Reference,
    new: Annotated[str, typer.Argument(metavar="FILE|N[@V]", help="New rows: a file, a dataset, or standard input, "
                                       "-.")],
    clean: Annotated[bool, typer.Option("--clean", help="The rows are as they were before cleaning: do to them what "
                                        "the recipes of the model's table did.")] = False,
) -> None:
    """Compare new rows with those a model learned from, column by column."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        report = bench.drift.check(reference, new, clean=clean,
                                   stream=sys.stdin.buffer if new == "-" else None)
    if face.json:
        face.document(report.to_json())
        return
    face.table(("column", "verdict", "PSI", "test", "statistic", "p", "missing", "never seen"),
               [(item.name, item.verdict, f"{item.psi:.3f}", item.test, f"{item.statistic:.4g}", f"{item.p:.2g}",
                 f"{item.missing[0]:.1%} → {item.missing[1]:.1%}", ", ".join(item.unseen)) for item in report.columns],
               right=("PSI", "statistic", "p"), spare=("missing", "statistic", "test"))
    shifted = words.plural(len(report.shifted), "column")
    face.say(f"{report.rows[1]:,} new rows against {report.trained_on} ({report.rows[0]:,}): {shifted} shifted.")
    if report.too_few:
        face.note(f"! {report.too_few}")
    if report.left_out:
        face.say(f"Cleaning left {words.plural(report.left_out, 'row')} out, as it does of the rows to learn from.")
    face.say(report.rule)
