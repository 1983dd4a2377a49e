"""Which table new rows come from: a version of a dataset or, where that will do, a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.file_choice import choose_files, table_filters
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, make_button

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion


class NewDataField(QWidget):
    """A list of versions, and Browse… beside it. Signals: ``changed`` when another one is chosen."""

    changed = Signal()

    def __init__(self, name: str, *, files: bool) -> None:
        super().__init__()
        self._name = name
        self._options: list[tuple[str, str]] = []
        self.box = ComboBox()
        self.box.setAccessibleName(name)
        self.box.currentIndexChanged.connect(lambda _: self.changed.emit())
        layout = QHBoxLayout(self)
        layout.setSizeConstraint(QHBoxLayout.SizeConstraint.SetMinimumSize)   # or a form a pixel short cuts it
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.box, 1)
        if files:
            browse = make_button(self.tr("A file…"), "secondary", "folder")
            browse.clicked.connect(self._browse)
            layout.addWidget(browse)
        self.setFocusProxy(self.box)

    def offer(self, tables: Sequence[DatasetVersion], chosen: str = "") -> None:
        """Offer versions; the first is chosen unless another one or a file is."""
        kept = [option for option in self._options if Path(option[0]).is_absolute()]
        chosen = str(self.box.value() or chosen)
        rows = (words.tr("row"), words.tr("rows"))
        self._options = [*((table.label, f"{table.label}  ·  {words.counted(table.rows, *rows)}") for table in tables),
                         *kept]
        self.box.set_options(self._options, chosen)
        self.changed.emit()

    def choose_file(self, path: Path) -> None:
        """Offer a file, and choose it."""
        key = str(path.absolute())   # with a folder in it, so that it is no dataset's name
        self._options = [option for option in self._options if option[0] != key]
        self._options.append((key, self.tr("the file {name}").format(name=path.name)))
        self.box.set_options(self._options, key)
        self.changed.emit()

    def value(self) -> str:
        """Return ``N@V`` or the path of a file; "" while there is nothing."""
        return str(self.box.value() or "")

    def is_file(self) -> bool:
        return Path(self.value()).is_absolute()

    def _browse(self) -> None:
        choose_files(self, self._name, table_filters(), lambda paths: self.choose_file(paths[0]))
