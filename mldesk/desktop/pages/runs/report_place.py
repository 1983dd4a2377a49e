"""Writing a report or a script of a run: where to, then the work in a thread, then a word that it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_place, open_folder
from mldesk.desktop.tasks import in_remote, in_thread, start
from mldesk.workbench.run_script import SUFFIX, beside, not_repeated, save_script

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


def ask_script(shell: Shell, run: Run) -> None:
    """Ask where the script that repeats a run shall go, and write it there."""
    choose_place(shell.host, words.tr("Write as a script"), [words.tr("Python") + " (*.py)"],
                 f"{run.name.replace('/', '-')}.py",
                 lambda path: start(_write_script(shell, run, path), f"script {path.name}"))


def why_no_split(run: Run) -> str:
    """Say why a run kept no parts of its rows; "" if it did."""
    return "" if isinstance((run.result or {}).get("split"), str) else words.tr(
        "Only a training or a search that succeeded keeps the parts of its rows.")


def ask_split(shell: Shell, run: Run) -> None:
    """Ask where the part of each row shall go, training, validation or test, beside its cells; write it there."""
    choose_place(shell.host, words.tr("Write the split"),
                 [words.tr("CSV") + " (*.csv)", "Parquet (*.parquet)", "Excel (*.xlsx)"],
                 f"{run.name.replace('/', '-')}-split.csv",
                 lambda path: start(_write_split(shell, run, path), f"split {path.name}"))


async def _write_split(shell: Shell, run: Run, path: Path) -> None:
    from mldesk.workbench.same_split import save_parts

    bench = shell.desk.workbench
    await _done(shell, path, in_thread(lambda: save_parts(bench.library, bench.datasets, run, path, whole=True)))


def ask_csv(shell: Shell, runs: Sequence[Run], name: str) -> None:
    """Ask where runs shall go as CSV, a line for each and a column for every score and parameter; write it there."""
    runs = list(runs)
    choose_place(shell.host, words.tr("Save as CSV"), [words.tr("CSV") + " (*.csv)"], f"{name}.csv",
                 lambda path: start(write_csv(shell, runs, path), f"runs as {path.name}"))


async def write_csv(shell: Shell, runs: Sequence[Run], path: Path) -> None:
    """Write them, and say so."""
    if path.suffix.lower() != ".csv":
        path = path.with_name(path.name + ".csv")
    await _done(shell, path, in_thread(shell.desk.workbench.book.export, runs, path))


async def _write_script(shell: Shell, run: Run, path: Path) -> None:
    if path.suffix.lower() != SUFFIX:
        path = path.with_name(path.name + SUFFIX)
    await _done(shell, path, in_thread(save_script, shell.desk.workbench.library, run, path))
    if left_out := not_repeated(run):
        shell.say(left_out, "neutral")
    if (other := beside(run, path)) is not None and other.exists():
        shell.say(words.tr("{name} is the model that it goes on from: keep it beside the script.").format(
            name=other.name), "neutral")


async def _write(shell: Shell, runs: Sequence[str], path: Path) -> None:
    if path.suffix.lower() not in (".html", ".pdf"):
        path = path.with_name(path.name + ".html")
    # It asks the runner for the log, which may be far away.
    await _done(shell, path, in_remote(shell.desk.workbench.reports.write, runs, path))


async def _done(shell: Shell, path: Path, work: Awaitable[object]) -> None:
    """Wait for the file, then say that it is there, or why not."""
    try:
        await work
    except (MldeskError, OSError) as error:
        shell.say(sentence(error), "danger")
        return
    shell.say(words.tr("Wrote {name}.").format(name=path.name), "success",
              (words.tr("Open its folder"), lambda: open_folder(path)))
