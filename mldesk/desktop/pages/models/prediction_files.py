"""Files of predictions in a list: its columns, and what can be done with one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from mldesk.desktop import words
from mldesk.desktop.pages.file_choice import open_folder
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.row_menu import LINE, Entry, copy
from mldesk.desktop.theme import Tone

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import PredictionRecord


def fields(state: Callable[[PredictionRecord], str] | None = None) -> list[Field[PredictionRecord]]:
    """Return the columns; with ``state`` ("unchanged", "changed", "gone", "" not known) one that says it."""
    tr = words.tr

    def badge(item: PredictionRecord) -> tuple[str, Tone, str]:
        said = state(item) if state is not None else ""
        told: dict[str, tuple[str, Tone, str]] = {
            "unchanged": (tr("as written"), "success", ""), "changed": (tr("changed since"), "warning", ""),
            "gone": (tr("not there"), "neutral", "")}
        return told.get(said, ("", "neutral", ""))

    whether: list[Field[PredictionRecord]] = [] if state is None else [
        Field(tr("File"), lambda item: badge(item)[0], 130, badge=badge, spare=1)]
    return [Field(tr("When"), lambda item: words.moment(item.time), 215, lambda item: item.time, muted=True, spare=2),
            Field(tr("Model"), lambda item: item.model, 180, strong=True),
            Field(tr("Rows"), lambda item: words.number(item.rows), 90, lambda item: item.rows, right=True),
            Field(tr("From"), lambda item: Path(item.source).name or item.source,
                  tip=lambda item: f"{item.source}\nSHA-256 {item.source_digest}"),
            Field(tr("Into"), lambda item: Path(item.output).name,
                  tip=lambda item: f"{item.output}\nSHA-256 {item.output_digest}"), *whether]


def open_file(shell: Shell, item: PredictionRecord) -> None:
    """Open the file with the program the system has for it, or say that it is gone."""
    path = Path(item.output)
    if path.is_file():
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
    else:
        shell.say(words.tr("{name} is not there any more.").format(name=path.name), "neutral")


def entries(shell: Shell, item: PredictionRecord) -> list[Entry]:
    """Return what can be done with a file of predictions."""
    tr, path = words.tr, Path(item.output)
    gone = "" if path.is_file() else tr("The file is not there any more.")
    name, _, number = item.model.rpartition("@")
    kept = "" if name and number.isdigit() else tr("A bundle made it, which is not in the library.")
    return [Entry("arrow-right", tr("Open the file"), partial(open_file, shell, item), gone),
            Entry("folder", tr("Show in its folder"), partial(open_folder, path), gone),
            Entry("dataset", tr("Import as a dataset"), lambda: shell.import_files([path]), gone),
            LINE,
            Entry("model", tr("Open the model"),
                  lambda: shell.open_model(name, int(number)), kept),
            Entry("predict", tr("Predict another file…"), partial(shell.predict, item.model), kept),
            LINE,
            Entry("copy", tr("Copy its path"), partial(copy, item.output))]
