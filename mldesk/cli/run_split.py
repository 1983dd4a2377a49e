"""``mldesk runs split``: which rows a run learned from, judged itself by and was tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts
from mldesk.cli.outputs import Force, may_write


def split(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A training or a search that succeeded.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the part of each row: .csv, .parquet, "
                                                ".jsonl or .xlsx.")] = None,
    whole: Annotated[bool, typer.Option("--with-rows", help="With -o: all cells of the rows, and the part as a last "
                                        "column.")] = False,
    force: Force = False,
) -> None:
    """Say how a run's rows were dealt, and write the part of each.

    `train --split run:RUN` takes the same parts for another run.
    """
    from mldesk.core.errors import BadInput
    from mldesk.workbench.same_split import parts_of, save_parts
    from mldesk.workbench.split_words import searched, split_words

    if whole and output is None:
        raise BadInput("--with-rows says what is written, and no file is named.", hint="Give one with -o FILE.")
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        found = parts_of(bench.library, run)
        may_write(bench, output, force)
        rows = None if output is None else save_parts(bench.library, bench.datasets, run, output, whole=whole)
    if face.json:
        face.document({**found, "file": None if output is None else str(output), "written": rows})
        return
    dealt = f"as in run {found['as_in']['name']}" if "as_in" in found else split_words(found["split"], searched(run))
    face.show(facts({"run": run.name, "dataset": run.dataset, "dealt": dealt,
                     **{part.replace("_", " "): words.count(count) for part, count in found["rows"].items() if count},
                     "SHA-256": found["digest"]}))
    if rows is not None:
        face.note(f"Wrote the parts of {words.plural(rows, 'row')} to {output}.")
