"""Files on their way in, from a drop, a dialog or the sample: tables become datasets, bundles are shown first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from mldesk.core.resources import resource
from mldesk.desktop.pages.file_choice import choose_files
from mldesk.desktop.pages.import_one import import_one
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.imports import name_for
from mldesk.desktop.tasks import start

if TYPE_CHECKING:
    pass

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
    await import_one(shell, [resource("samples", f"{SAMPLE}.csv")], SAMPLE, again=partial(_again, shell))


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
            await import_one(shell, [path], name, again=partial(_again, shell), show=len(paths) == 1)


def _again(shell: Shell, paths: Sequence[Path]) -> None:
    from mldesk.desktop.pages.import_dialog import ask_again

    ask_again(shell, paths)
