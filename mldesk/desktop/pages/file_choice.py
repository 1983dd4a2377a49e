"""Asking for files without stopping the event loop: dialogs are opened, the answer comes as a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from mldesk.desktop import words

_last_folder: Path | None = None  # of this session; where the next dialog begins


def table_filters() -> list[str]:
    """Return the name filters of a dialog that asks for tables."""
    return [words.tr("Tables") + " (*.csv *.tsv *.txt *.json *.jsonl *.ndjson *.xlsx *.xls *.ods *.parquet *.feather "
            "*.arrow *.sqlite *.db *.duckdb *.html *.zip *.gz *.zst)", words.tr("All files") + " (*)"]


def choose_files(parent: QWidget, title: str, filters: Sequence[str], chosen: Callable[[list[Path]], object], *,
                 many: bool = False) -> QFileDialog:
    """Ask for existing files; ``chosen`` is called with at least one."""
    dialog = _dialog(parent, title, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles if many else QFileDialog.FileMode.ExistingFile)
    dialog.filesSelected.connect(lambda names: _answer(names, chosen))
    dialog.open()
    return dialog


def choose_folder(parent: QWidget, title: str, chosen: Callable[[Path], object]) -> QFileDialog:
    """Ask for an existing folder."""
    dialog = _dialog(parent, title, [])
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
    dialog.filesSelected.connect(lambda names: _answer(names, lambda paths: chosen(paths[0])))
    dialog.open()
    return dialog


def choose_place(parent: QWidget, title: str, filters: Sequence[str], name: str,
                 chosen: Callable[[Path], object]) -> QFileDialog:
    """Ask where to save; the dialog asks before it replaces a file."""
    dialog = _dialog(parent, title, filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
    dialog.selectFile(name)
    dialog.filesSelected.connect(lambda names: _answer(names, lambda paths: chosen(paths[0])))
    dialog.open()
    return dialog


def open_folder(path: Path) -> None:
    """Show the folder that holds ``path`` in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def _dialog(parent: QWidget, title: str, filters: Sequence[str]) -> QFileDialog:
    dialog = QFileDialog(parent, title, str(_last_folder or Path.home()))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if filters:
        dialog.setNameFilters(list(filters))
    return dialog


def _answer(names: Sequence[str], chosen: Callable[[list[Path]], object]) -> None:
    global _last_folder
    paths = [Path(name) for name in names]
    if paths:
        _last_folder = paths[0].parent
        chosen(paths)
