"""Asks where a table lies that is no file on this machine: an address on the web, in a store, or of a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit

from mldesk.desktop.shell import Shell
from mldesk.desktop.widgets import FormRow, Sheet, make_button

_SCHEMES = ("http", "https", "s3", "gs", "gcs", "az", "abfs", "abfss", "adl", "sftp", "ssh", "postgres", "postgresql")


class AddressDialog(Sheet):
    """One line for an address or a folder; ``chosen`` gets it as a source."""

    def __init__(self, shell: Shell, chosen: Callable[[Sequence[Path | str]], object]) -> None:
        super().__init__(self.tr("Import from an address or a folder"), shell.host, primary=self.tr("Preview"),
                         width=560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._chosen = chosen
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://example.org/table.csv")
        self.address.textChanged.connect(self._check)
        self.add(FormRow(self.tr("Address or folder"), self.address, self.tr(
            "http(s)://, s3://, gs://, az://, sftp:// or postgresql://; or a folder whose files make one table.")))
        folder = make_button(self.tr("Choose a folder…"), "secondary", "folder")
        folder.clicked.connect(self._on_folder)
        self.extra.addWidget(folder)
        self.confirmed.connect(self._on_confirmed)
        self._check("")

    def _check(self, text: str) -> None:
        text = text.strip()
        scheme, mark, _ = text.partition("://")
        if not text:
            why = self.tr("Write an address, or choose a folder.")
        elif mark and scheme.lower() not in _SCHEMES:
            why = self.tr("MLDesk does not know {scheme}:// addresses.").format(scheme=scheme[:20])
        else:
            why = ""
        self.set_primary_enabled(why)

    def _on_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.address.setText)
        dialog.open()

    def _on_confirmed(self) -> None:
        text = self.address.text().strip()
        self.accept()
        self._chosen([text if "://" in text else Path(text).expanduser()])
