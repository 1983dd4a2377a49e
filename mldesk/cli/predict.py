"""``mldesk predict`` and ``mldesk serve``: use a model, from the library or from a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.models import up_to_date
from mldesk.cli.progress import Meter

Model = Annotated[str, typer.Argument(metavar="MODEL|FILE.mlbundle", help="A model of the library, or a bundle.")]


def predict(
    context: typer.Context, model: Model,
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A table with the model's columns.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUTPUT", help="A .csv, .parquet, .jsonl or "
                                           ".xlsx file.")],
    interval: Annotated[float | None, typer.Option(metavar="SHARE", help="Also say what holds the truth in at least "
                                                   "that share of rows: 0.9 for nine of ten.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse rows that break the contract of the dataset the "
                                         "model learned from, rather than warn.")] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Leave rows that break it out, and write them "
                                                 "there as CSV.")] = None,
) -> None:
    """Predict every row of a file, in its order."""
    from mldesk.workbench.predictions import is_bundle

    face = Face.of(context)
    with face.workbench() as bench, Meter(face, f"Predicting {source.name}", "rows") as meter:
        if not is_bundle(model):
            up_to_date(face, bench)
        report = bench.predictions.predict(model, source, output, level=interval, strict=strict, rejects=rejects,
                                           progress=meter.update)
    for warning in report.warnings:
        face.note(f"! {warning}")
    if face.json:
        face.document({"model": report.model, "rows": report.rows, "columns": list(report.columns),
                       "output": str(report.output), "warnings": list(report.warnings),
                       "left_out": report.left_out})
    else:
        face.say(f"Wrote {words.plural(report.rows, 'prediction')} by {report.model} to {report.output}.")
        if report.left_out:
            face.note(f"{words.plural(report.left_out, 'row')} left out, written to {rejects}.")


def serve(
    context: typer.Context, model: Model,
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="On this machine only; 0 takes a free "
                                      "one.")] = 8000,
) -> None:
    """Answer predictions over HTTP on this machine (POST /predict; /docs describes it) until Ctrl-C."""
    from mldesk.bundles import serve as server  # fastapi and uvicorn load with it
    from mldesk.workbench.predictions import is_bundle

    face = Face.of(context)
    with face.workbench() as bench:
        if not is_bundle(model):
            up_to_date(face, bench)
        label, predictor = bench.predictions.open(model)

    def ready(url: str) -> None:
        if face.json:
            face.document({"model": label, "url": url})
        else:
            face.note(f"{label} answers at {url} (page: {url}/docs). Ctrl-C ends it.")

    server.run(predictor, host="127.0.0.1", port=port, ready=ready)
