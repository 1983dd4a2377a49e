"""Which columns of a dataset's table are seen, all at once: ticked ones are."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from mldesk.desktop.pages.column_choice import ColumnList
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.widgets import Sheet
from mldesk.wire.schema import Column


class ShownColumnsDialog(Sheet):
    """Offers columns; ``chosen`` are those to be seen when it is confirmed."""

    def __init__(self, columns: list[Column], seen: list[str], host: QWidget) -> None:
        super().__init__(self.tr("Columns of the table"), host, primary=self.tr("Show these"), width=420, text=self.tr(
            "Columns that are not ticked stay in the dataset; they are only out of sight. Drag a header to move its "
            "column, right-click it to pin it at the left."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.columns = ColumnList(columns)
        self.columns.set_values(seen)
        self.columns.changed.connect(self._check)
        self.add(self.columns)
        self.resize(fitting(self, 440, 480))

    def chosen(self) -> list[str]:
        """Return the names that are ticked."""
        return self.columns.values()

    def _check(self) -> None:
        self.set_primary_enabled("" if self.chosen() else self.tr("Tick at least one column."))
