"""``mldesk data import PATH --on RUNNER`` and ``mldesk data fetch``: tables whose rows lie on a runner."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mldesk.cli import words
from mldesk.cli.data_shown import Reference, columns, problems
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.watching import watched
from mldesk.core.errors import BadInput, WorkFailed
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.data.options import ImportOptions
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench


def import_on(face: Face, runner: str, sources: Sequence[str], name: str | None, options: ImportOptions) -> None:
    """Have a runner make a table of what lies there, and show what came of it."""
    from mldesk.library.names import check_name
    from mldesk.workbench.sources import name_of

    if len(sources) != 1:
        raise BadInput("On a runner, one file or one folder at a time becomes a table.",
                       hint="Give the folder that holds the files.")
    name = name_of(sources[0]) if name is None else check_name(name, "dataset")
    with Interrupts() as interrupts, face.workbench() as bench:
        run = bench.runs.import_on(runner, sources[0], name, options)
        _show(face, bench, watched(face, bench, run, interrupts), runner, name)


def fetch(context: typer.Context, reference: Reference) -> None:
    """Bring the rows of a dataset here that lie on a runner only."""
    face = Face.of(context)
    with face.workbench() as bench:
        version = bench.datasets.show(reference)
        runner = bench.runs.fetch_data(version.label)
    if face.json:
        face.document({"dataset": version.dataset, "version": version.number, "from": runner, "size": version.size})
        return
    face.say(f"{version.label} is here already." if runner is None
             else f"{version.label} is here now: {words.size(version.size)} from {runner}.")


def _show(face: Face, bench: Workbench, run: Run, runner: str, name: str) -> None:
    if run.state is not JobState.SUCCEEDED or run.result is None:
        raise WorkFailed(run.message or f"The import on {runner} {run.state.value}.", hint=run.hint)
    version = bench.datasets.show(name)
    if face.json:
        from mldesk.workbench.summaries import dataset_import

        face.document({**dataset_import(version), "runner": runner, "kept": run.result.get("kept")})
        return
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"{words.size(version.size)} on {runner}")
    if run.result.get("kept") == "linked":
        face.note("The file was not copied: it must not be written to from now on.")
    columns(face, version)
    problems(face, version)
    name = shlex.quote(version.dataset)
    face.note(f"\nNext: mldesk data explore {name} · mldesk train {name} --target COLUMN --runner {runner}")
