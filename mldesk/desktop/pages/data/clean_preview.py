"""What a recipe gives: its rows before and after, the columns that it changes in sight, counts over all rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.answer_table import columns_of, show_page
from mldesk.desktop.states.clean import CleanState
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, DataTable, ElidedLabel, Segmented, Spinner, row
from mldesk.wire.schema import Column, ColumnType

if TYPE_CHECKING:
    from mldesk.workbench.pages import Page


class CleanPreview(QWidget):
    """Draws the preview of a ``CleanState``."""

    def __init__(self, state: CleanState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._marked: tuple[str, ...] = ()
        self._gone_to = True
        self._shown: Page | None = None
        self.said = ElidedLabel("", tone="muted")
        self._changed = ElidedLabel("", "caption", "accent")
        self._spinner = Spinner(16)
        self.side = Segmented([("after", self.tr("After")), ("before", self.tr("Before"))])
        self.side.setAccessibleName(self.tr("Preview"))
        self.side.changed.connect(lambda _: self.show_rows())
        self.table = DataTable(flush=True)
        self.table.sized.connect(lambda: QTimer.singleShot(0, self, self._go_to_marked))   # once it can scroll that far
        self.table.framed.connect(lambda: QTimer.singleShot(0, self, self._stay_at_marked))
        self._went: int | None = None   # where the table was scrolled to
        card = Card(padding=0)
        card.add(self.table, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        head = row(self.side, self.said, self._spinner, spacing=Space.M)
        head.setStretch(1, 1)
        layout.addLayout(head)
        layout.addWidget(self._changed)
        layout.addWidget(card, 1)
        for changed in (state.preview, state.before, state.counts):
            changed.changed.subscribe(lambda _: self.show_rows())
        state.busy.subscribe(self._spinner.setVisible)

    def show_rows(self) -> None:
        """Show one side, and what lies between the two."""
        before, after, version = self._state.before.value, self._state.preview.value, self._state.version
        page = before if self.side.value() == "before" else after
        if page is None or after is None:
            return
        made, changed = self._state.marks()
        self._marked = (*made, *changed)
        self.table.header.rows = len(page.rows)
        self.table.header.marks = {name: self.tr("new") for name in made} | {
            name: self.tr("changed") for name in changed}
        if page is not self._shown:   # counts come later, and must not take what the user scrolled to out of sight
            self._shown, self._gone_to, self._went = page, False, None
            show_page(self.table, page, typed(page, version.columns))
        self.table.header.viewport().update()
        self.said.setText(f"{self._rows(before, after)} · {self._columns(before, after)}")
        parts = [self.tr("New: {names}").format(names=", ".join(made))] if made else []
        parts += [self.tr("Changed: {names}").format(names=", ".join(changed))] if changed else []
        self._changed.setText(" · ".join(parts))
        self._changed.setVisible(bool(parts))

    def _go_to_marked(self) -> None:
        """Bring what is new or changed into sight, once for each preview: afterwards the user scrolls."""
        if self._gone_to:
            return
        self._gone_to = True
        model = self.table.paged()
        names = [] if model is None else [column.name for column in model.columns]
        places = sorted(names.index(name) for name in self._marked if name in names)
        if model is not None and places and model.rowCount():
            self.table.updateGeometries()   # else it could scroll as far only as the table before was wide
            self.table.scrollTo(model.index(0, places[-1] if len(places) < 4 else places[0]))
            self.table.scrollTo(model.index(0, places[0]))
            self._went = self.table.horizontalScrollBar().value()

    def _stay_at_marked(self) -> None:
        """Go there once more when the table got narrower, as long as nobody has scrolled since."""
        if self._went is not None and self.table.horizontalScrollBar().value() == self._went:
            self._gone_to = False
            self._go_to_marked()

    def _rows(self, before: Page | None, after: Page) -> str:
        counts = self._state.counts.value
        total = counts.total if counts is not None else after.total
        was = self._state.version.rows if before is None or before is after else before.total
        rows = words.counted(total, self.tr("row"), self.tr("rows")) if was == total else \
            self.tr("{before} → {after} rows").format(before=words.number(was), after=words.number(total))
        if counts is not None and counts.sampled:
            rows = self.tr("{rows} of the first ones; counting all…").format(rows=rows)
        return rows

    def _columns(self, before: Page | None, after: Page) -> str:
        columns = len(after.columns)
        old = len(self._state.version.columns if before is None else before.columns)
        return words.counted(columns, self.tr("column"), self.tr("columns")) if columns == old else \
            self.tr("{before} → {after} columns").format(before=old, after=columns)


def typed(page: Page, known: Sequence[Column]) -> list[Column]:
    """Return the columns of a page, by the types it says, else as they are known."""
    types = getattr(page, "types", ())
    if not types:
        return columns_of(page, known)
    return [Column(name, ColumnType(kind), sum(line[index] is None for line in page.rows))
            for index, (name, kind) in enumerate(zip(page.columns, types, strict=True))]
