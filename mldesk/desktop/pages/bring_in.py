"""Files on their way in, from a drop, a dialog or the sample: tables become datasets, bundles are shown first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from mldesk.core.errors import MldeskError
from mldesk.core.resources import resource
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_files
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.imports import name_for
from mldesk.desktop.tasks import start

if TYPE_CHECKING:
    from mldesk.data import ImportOptions

BUNDLE = ".mlbundle"
TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".xlsm", ".parquet", ".pq", ".gz")
SAMPLE = "telco_churn"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("BringIn", text)


def table_filters() -> list[str]:
    """Return the name filters of a dialog that asks for tables."""
    return [tr("Tables") + " (*.csv *.tsv *.txt *.json *.jsonl *.ndjson *.xlsx *.xls *.parquet *.csv.gz *.tsv.gz)",
            tr("All files") + " (*)"]


def bring_in(shell: Shell, paths: Sequence[Path]) -> None:
    """Bring files in: each table as a dataset of its own, a bundle after it was looked at."""
    bundles = [path for path in paths if path.suffix.lower() == BUNDLE]
    tables = [path for path in paths if path.suffix.lower() in TABLES]
    others = [path for path in paths if path not in bundles and path not in tables]
    if others:
        names = ", ".join(path.name for path in others[:3])
        shell.say(tr("MLDesk does not know what to do with {names}. It reads CSV, TSV, JSON, JSON lines, Excel, "
                     "Parquet and .mlbundle files.").format(names=names), "warning")
    if bundles:
        _look_into(shell, bundles[0])
    if tables:
        start(_import_each(shell, tables), "import files")


def choose_tables(shell: Shell) -> None:
    """Ask for tables, then for how they are read."""
    def ask(paths: list[Path]) -> None:
        from mldesk.desktop.pages.import_dialog import ImportDialog

        ImportDialog(shell, paths).open()

    choose_files(shell.host, tr("Import tables"), table_filters(), ask, many=True)


def choose_bundle(shell: Shell) -> None:
    """Ask for a bundle and show what is in it."""
    filters = [tr("Model bundles") + f" (*{BUNDLE})"]
    choose_files(shell.host, tr("Import a bundle"), filters, lambda paths: _look_into(shell, paths[0]))


def bring_in_sample(shell: Shell) -> None:
    """Import the sample, or open it where it is in the library already."""
    start(_import_sample(shell), "import the sample")


async def _import_sample(shell: Shell) -> None:
    if await shell.imports.exists(SAMPLE):
        shell.open_dataset(SAMPLE)
        return
    await import_one(shell, [resource("samples", f"{SAMPLE}.csv")], SAMPLE)


def _look_into(shell: Shell, path: Path) -> None:
    from mldesk.desktop.pages.bundle_dialog import BundleDialog

    BundleDialog(shell, path).open()


async def _import_each(shell: Shell, paths: Sequence[Path]) -> None:
    for path in paths:
        name = name_for([path])
        if await shell.imports.exists(name):
            from mldesk.desktop.pages.import_dialog import ImportDialog

            ImportDialog(shell, [path]).open()  # asks: a new version, or a dataset of its own
        else:
            await import_one(shell, [path], name, show=len(paths) == 1)


async def import_one(shell: Shell, paths: Sequence[Path], name: str, options: ImportOptions | None = None, *,
                     show: bool = True) -> None:
    """Import files as one table, say how it went, and show the table."""
    shell.go("datasets")
    try:
        dataset = await shell.imports.run(paths, name, options)
    except MldeskError as error:
        shell.say(sentence(error), "danger", (tr("Read it another way…"), lambda: _again(shell, paths)))
        return
    if dataset is None:
        shell.say(tr("The import was cancelled. Nothing of it is left."), "neutral")
        return
    head = dataset.head
    text = tr("Imported {name}: {shape}.").format(name=dataset.name, shape=words.shape(head.rows, len(head.columns)))
    if head.problems:
        text += " " + words.counted(len(head.problems), tr("thing to know."), tr("things to know."))
        shell.say(text, "warning", (tr("Show them"), lambda: shell.open_dataset(dataset.name, "problems")))
    else:
        shell.say(text, "success")
    if show:
        shell.open_dataset(dataset.name)


def _again(shell: Shell, paths: Sequence[Path]) -> None:
    from mldesk.desktop.pages.import_dialog import ImportDialog

    ImportDialog(shell, list(paths), unfolded=True).open()
