"""``mldesk runs logs``: what a run's trainer or program printed, or the lines of it that matter."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.core.errors import BadInput
from mldesk.core.log_levels import Level, level_of


def logs(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its name, or the start of either "
                                             "that no other run has.")],
    level: Annotated[str, typer.Option(metavar="L", help="Only lines at least so grave: info, warning or error, as "
                                       "their words tell; a traceback is whole.")] = "info",
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only lines that hold this text, in whatever case.")] = "",
) -> None:
    """Print the trainer's own output."""
    face = Face.of(context)
    least = _level(level)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        data, offset = bench.runs.log(run.id)
        whole: list[bytes] = []
        all_of_it = least is Level.INFO and not search
        if not data:
            face.note("The trainer printed nothing.")
        while data:
            if face.json or not all_of_it:
                whole.append(data)
            else:
                sys.stdout.write(_printed(data.decode("utf-8", "replace")))
            data, offset = bench.runs.log(run.id, offset)
    if run.kind == "search":
        face.note(f"· What it has tried: mldesk runs trial {run.id}")
    text = b"".join(whole).decode("utf-8", "replace")
    if not all_of_it:
        lines = list(matching(_lines(text), least, search))
        text = "".join(f"{line}\n" for line in lines)
        if whole and not lines:
            face.note("No line is like that.")
    if face.json:
        face.document({"run": run.id, "log": text})
    else:
        sys.stdout.write(words.plain(text))


def matching(lines: Iterable[str], least: Level, text: str) -> Iterator[str]:
    """Give the lines that are at least so grave and hold a text."""
    wanted, before = text.casefold(), Level.INFO
    for line in lines:
        before = level_of(line, before)
        if before >= least and wanted in line.casefold():
            yield line


def _level(name: str) -> Level:
    try:
        return Level[name.upper()]
    except KeyError as error:
        raise BadInput(f"There is no level {name!r:.40}.", hint="There are: info, warning, error.") from error


def _lines(text: str) -> list[str]:
    return _redrawn(text).splitlines()


def _printed(text: str) -> str:
    return words.plain(_redrawn(text))


def _redrawn(text: str) -> str:
    """Return a trainer's output as it may go to a terminal: a bar that redraws itself becomes lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
