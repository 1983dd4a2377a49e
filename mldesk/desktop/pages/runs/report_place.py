"""Writing a report: where to, then the work in a thread, then a word that it is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.dataset import open_folder
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.tasks import in_remote, start

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Run


def why_no_report(run: Run) -> str:
    """Say why there is no report of a run yet; "" if there is one."""
    return "" if run.state.ended else words.tr("The run has not ended.")


def ask_report(shell: Shell, runs: Sequence[Run]) -> None:
    """Ask where the report of a run, or of several side by side, shall go, and write it there."""
    name = runs[0].name if len(runs) == 1 else words.tr("comparison")
    choose_place(shell.host, words.tr("Write a report"),
                 [words.tr("Page for any browser") + " (*.html)", words.tr("PDF") + " (*.pdf)"],
                 f"{name.replace('/', '-')}.html",
                 lambda path: start(_write(shell, [run.id for run in runs], path), f"report {path.name}"))


async def _write(shell: Shell, runs: Sequence[str], path: Path) -> None:
    if path.suffix.lower() not in (".html", ".pdf"):
        path = path.with_name(path.name + ".html")
    try:  # it asks the runner for the log, which may be far away
        await in_remote(shell.desk.workbench.reports.write, runs, path)
    except (MldeskError, OSError) as error:
        shell.say(sentence(error), "danger")
        return
    shell.say(words.tr("Wrote {name}.").format(name=path.name), "success",
              (words.tr("Open its folder"), lambda: open_folder(path)))
