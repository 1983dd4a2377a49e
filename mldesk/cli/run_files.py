"""``mldesk runs files``: what a run kept, as files again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.outputs import Force, may_write
from mldesk.core.targets import refuse_library


def files(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run of a script, or one that was imported.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of its files.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PATH", help="Where to write it; without "
                                                "NAME a new folder for all of them.")] = None,
    force: Force = False,
) -> None:
    """List the files that a run kept, or write them."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        kept = bench.scripts.kept(run.id)
        written: list[Path] = []
        if name:
            target = output or Path(Path(name).name)
            may_write(bench, target, force)
            written = [bench.scripts.save_artifact(run, name, target)]
        elif output is not None:
            refuse_library(output, bench.home.root)
            written = bench.scripts.save_all(run.id, output)
    if face.json:
        face.document({"run": run.id, "files": [{"name": one, "size": item["size"], "sha256": item["digest"]}
                                                for one, item in kept.items()],
                       "written": [str(path) for path in written]})
    elif written:
        face.say(f"Wrote {words.plural(len(written), 'file')} to {output or written[0]}.")
    else:
        face.table(("file", "size"), [(one, words.size(int(item["size"]))) for one, item in kept.items()],
                   right=("size",), empty="It kept no files.")
