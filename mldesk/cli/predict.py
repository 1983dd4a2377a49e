"""``mldesk predict`` and ``mldesk serve``: use a model, from the library or from a bundle."""

from __future__ import annotations

import shlex
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.asking import at_terminal, confirm
from mldesk.cli.face import Face
from mldesk.cli.model_shown import say_in_use, up_to_date
from mldesk.cli.progress import Meter

if TYPE_CHECKING:
    from mldesk.workbench.predictions import PredictionReport

Model = Annotated[str, typer.Argument(metavar="MODEL|FILE.mlbundle", help="A model of the library, or a bundle.")]


def predict(
    context: typer.Context, model: Model,
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Rows with the model's columns: a file, a dataset "
                                          "N[@V], or standard input, -.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUTPUT", help="A .csv, .parquet, .jsonl or "
                                           ".xlsx file; - is standard output, as CSV.")],
    interval: Annotated[float | None, typer.Option(metavar="SHARE", help="Also say what holds the truth in at least "
                                                   "that share of rows: 0.9 for nine of ten.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse rows that break the contract of the dataset the "
                                         "model learned from, rather than warn.")] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Leave rows out that break it or that the model "
                                                 "cannot read, and write them there as CSV: number, column, reason, "
                                                 "cells. Predictions then end with the number of their row.")] = None,
    clean: Annotated[bool, typer.Option("--clean", help="The rows are as they were before cleaning: do to them what "
                                        "the recipes of the model's table did.")] = False,
    keep: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Also write a column of the input, before "
                                                   "the predictions; may be repeated.")] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Also write every column of the input.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there. Without it only predictions "
                                        "that can be made again give way.")] = False,
) -> None:
    """Predict every row of a file or a dataset, in its order."""
    from mldesk.core.errors import BadInput, Conflict
    from mldesk.workbench.given_rows import STREAM
    from mldesk.workbench.predictions import is_bundle

    face = Face.of(context)
    stream = sys.stdin.buffer if source == STREAM else None
    printed = str(output) == STREAM
    if printed and face.json:
        raise BadInput("Standard output cannot hold both the predictions and the one document of --json.",
                       hint="Name a file with -o, or leave --json out.")
    if str(rejects) == STREAM:
        raise BadInput("Standard output is for predictions, and not for the rows that are left out.",
                       hint="Name a file with --rejects.")
    with ExitStack() as stack:
        bench = stack.enter_context(face.workbench())
        meter = stack.enter_context(Meter(face, f"Predicting {Path(source).name}", "rows"))
        if printed:
            output = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mldesk-")), "predictions.csv")
        if not is_bundle(model):
            up_to_date(face, bench)
            say_in_use(face, bench, model, "predicts")

        def go(replace: bool) -> PredictionReport:
            return bench.predictions.predict_rows(
                model, source, output, stream=stream, level=interval, strict=strict, rejects=rejects,
                keep=None if keep_all else keep or (), replace=replace, clean=clean, written_down=not printed,
                progress=meter.update)

        try:
            report = go(force)
        except Conflict as error:
            if stream is not None or not at_terminal() or not confirm(f"{error.message} Replace it?"):
                raise
            report = go(True)
        if printed:
            _print_file(output)
    _say(face, report, "standard output" if printed else str(report.output), rejects, keep is None and not keep_all)


def _say(face: Face, report: PredictionReport, place: str, rejects: Path | None, nothing_kept: bool) -> None:
    for warning in report.warnings:
        face.note(f"! {warning}")
    if face.json:
        face.document({"model": report.model, "rows": report.rows, "columns": list(report.columns),
                       "output": str(report.output), "warnings": list(report.warnings),
                       "left_out": report.left_out, "keys": list(report.keys)})
        return
    wrote = f"Wrote {words.plural(report.rows, 'prediction')} by {report.model} to {place}."
    face.say(wrote) if place == str(report.output) else face.note(wrote)   # there is the answer itself
    if report.called:
        face.note(report.called)
    if rejects is not None and not report.left_out:
        face.note(f"No row left out; {rejects} holds only the names of its columns.")
    elif report.left_out:
        face.note(f"{words.plural(report.left_out, 'row')} left out, written to {rejects}.")
    if report.keys and nothing_kept:
        face.note(f"To tell the rows apart, write a column of theirs as well: --keep {shlex.quote(report.keys[0])}")


def _print_file(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        while piece := file.read(1 << 20):
            sys.stdout.write(piece)
    sys.stdout.flush()


def serve(
    context: typer.Context, model: Model,
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="On this machine only; 0 takes a free "
                                      "one.")] = 8000,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse requests with rows that break the contract of the "
                                         "dataset the model learned from, rather than warn.")] = False,
) -> None:
    """Answer predictions over HTTP on this machine (POST /predict; /docs describes it) until Ctrl-C."""
    from mldesk.bundles import serve as server  # fastapi and uvicorn load with it
    from mldesk.workbench.predictions import is_bundle

    face = Face.of(context)
    with face.workbench() as bench:
        if not is_bundle(model):
            up_to_date(face, bench)
            say_in_use(face, bench, model, "answers")
        label, predictor = bench.predictions.open(model)
        held_to = bench.predictions.held_to(model, predictor)

    def ready(url: str) -> None:
        if face.json:
            face.document({"model": label, "url": url, "contract": None if held_to is None else held_to.label})
        else:
            if held_to is not None:
                face.note(f"Rows are held to {held_to.label}: those that break it are "
                          f"{'refused' if strict else 'warned of'}.")
            face.note(f"{label} answers at {url} (page: {url}/docs). Ctrl-C ends it.")

    server.run(predictor, host="127.0.0.1", port=port, ready=ready, held_to=held_to, strict=strict)
