"""PlotSaving: a chart leaves the window as a picture, or as the numbers that are drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from mldesk.core.durable import write_atomic
from mldesk.desktop.widgets.buttons import set_icon


class PlotSaving(QObject):
    """What a chart's menu offers. Signals: ``said`` (sentence, tone) after something was saved or could not be."""

    said = Signal(str, str)

    def __init__(self, plot: QWidget, title: Callable[[], str], image: Callable[[], QPixmap],
                 csv: Callable[[], str]) -> None:
        super().__init__(plot)
        self._plot, self._title, self._image, self._csv = plot, title, image, csv

    def add_to(self, menu: QMenu) -> None:
        """Add the ways out to a menu."""
        for icon, words, work in (("copy", self.tr("Copy picture"), self.copy_image),
                                  ("export", self.tr("Save picture…"), self._on_image),
                                  ("dataset", self.tr("Save data as CSV…"), self._on_csv)):
            set_icon(menu.addAction(words, work), icon, "muted")

    def copy_image(self) -> None:
        """Put the chart on the clipboard as a picture."""
        QGuiApplication.clipboard().setPixmap(self._image())

    def write_image(self, path: Path) -> None:
        """Write the chart as PNG. Raises OSError."""
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._image().save(buffer, "PNG")
        write_atomic(path, bytes(data.data()))

    def write_csv(self, path: Path) -> None:
        """Write what is shown as CSV. Raises OSError."""
        write_atomic(path, self._csv().encode())

    def save(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file, and say how it went."""
        try:
            write(path)
        except OSError as error:
            self.said.emit(self.tr("{path} could not be written: {why}.").format(
                path=path, why=error.strerror or error), "danger")
        else:
            self.said.emit(self.tr("Saved to {path}").format(path=path), "success")

    def _on_image(self) -> None:
        self._ask_path(self.tr("Save picture"), ".png", self.write_image)

    def _on_csv(self) -> None:
        self._ask_path(self.tr("Save data"), ".csv", self.write_csv)

    def _ask_path(self, words: str, suffix: str, write: Callable[[Path], None]) -> None:
        name = "-".join((self._title() or "chart").lower().split()) + suffix
        dialog = QFileDialog(self._plot, words, name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix.lstrip("."))
        dialog.fileSelected.connect(lambda chosen: self.save(Path(chosen), write))
        dialog.open()
