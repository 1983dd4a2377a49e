"""The columns of a dataset's table as they were laid out by hand: kept with the dataset, applied to each version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer

from mldesk.desktop import theme, words
from mldesk.desktop.pages.data.shown_columns import ShownColumnsDialog
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.states.table_layout import TableLayout, merged
from mldesk.desktop.tasks import start
from mldesk.desktop.widgets import DataTable, make_button
from mldesk.desktop.widgets.frozen import FrozenColumns

_SETTLED = 300   # milliseconds after the last change of a width until it is kept


class Arrangement(QObject):
    """Shows a dataset's layout in its table and keeps what is changed there.

    ``note`` says what is hidden, ``choose`` is the button that asks what is to be seen.
    """

    def __init__(self, table: DataTable, state: DatasetState) -> None:
        super().__init__(table)
        self._table, self._state = table, state
        self._applying, self._moved = False, False
        self._resized: dict[str, int] = {}
        self.choose = make_button(self.tr("Columns…"), "secondary", "columns")
        self.choose.setToolTip(self.tr("Which columns are seen"))
        self.choose.clicked.connect(lambda _checked=False: self.ask())
        self.frozen = FrozenColumns(table)
        self.note = make_button("", "ghost", small=True, tooltip=self.tr("Show all columns"))
        self.note.clicked.connect(lambda _checked=False: self.show_all())
        self._settle = QTimer(self, singleShot=True)
        self._settle.timeout.connect(self._take_over)
        table.renewed.connect(self._apply)
        table.header.sectionMoved.connect(self._on_moved)
        table.header.sectionResized.connect(self._on_resized)
        self._scale = theme.THEME.scale
        theme.changed.connect(self._on_theme)
        self._undo = state.layout.subscribe(lambda _: self._apply())

    def let_go(self) -> None:
        """Keep what is not kept yet; the page goes."""
        if self._settle.isActive():
            self._settle.stop()
            self._take_over()
        self._undo()
        theme.changed.disconnect(self._on_theme)
        self._table.header.sectionMoved.disconnect(self._on_moved)
        self._table.header.sectionResized.disconnect(self._on_resized)

    # Changing

    def pin(self, name: str) -> None:
        """Keep a column in sight at the left, behind those that are pinned already."""
        layout = self._state.layout.value
        self._keep(replace(layout, pinned=(*(one for one in layout.pinned if one != name), name)))

    def unpin(self, name: str) -> None:
        """Let a column scroll again, where it stood before."""
        layout = self._state.layout.value
        self._keep(replace(layout, pinned=tuple(one for one in layout.pinned if one != name)))

    def is_pinned(self, name: str) -> bool:
        return name in self._state.layout.value.pinned

    def to_front(self, name: str) -> None:
        """Move a column before the others that are not pinned."""
        layout, names = self._state.layout.value, self._names()
        rest = [one for one in merged(layout.order, names) if one != name]
        self._keep(replace(layout, order=(name, *rest)))

    def hide(self, name: str) -> None:
        """Take a column out of sight; it stays in the table."""
        layout = self._state.layout.value
        self._keep(replace(layout, hidden=layout.hidden | {name}))

    def show_only(self, names: Collection[str]) -> None:
        """Show these columns of the version and no others of it."""
        layout = self._state.layout.value
        self._keep(replace(layout, hidden=layout.hidden - set(self._names()) | (set(self._names()) - set(names))))

    def ask(self) -> ShownColumnsDialog | None:
        """Ask which columns are to be seen."""
        model = self._table.paged()
        if model is None:
            return None
        dialog = ShownColumnsDialog(list(model.columns), [name for name in self._names() if name not in self.hidden()],
                                    self._table.window())
        dialog.confirmed.connect(lambda: self.show_only(dialog.chosen()))
        dialog.confirmed.connect(dialog.accept)
        dialog.open()
        return dialog

    def show_all(self) -> None:
        """Show every column."""
        self._keep(replace(self._state.layout.value, hidden=frozenset()))

    def hidden(self) -> set[str]:
        """Return the columns of the version that are out of sight."""
        return self._state.layout.value.hidden_of(self._names())

    def _names(self) -> list[str]:
        model = self._table.paged()
        return [column.name for column in model.columns] if model is not None else []

    def _keep(self, layout: TableLayout) -> None:
        self._state.layout.value = layout   # which applies it
        start(self._state.keep_layout(), "keep a table's layout")   # also when the page goes

    # By the header

    def _on_moved(self, *_: int) -> None:
        if not self._applying:
            self._moved = True
            self._settle.start(0)

    def _on_theme(self) -> None:
        self._scale = theme.THEME.scale
        self._apply()

    def _on_resized(self, section: int, old: int, new: int) -> None:
        if self._scale != theme.THEME.scale:
            return   # the text size becomes another, and columns grow with it
        names = self._names()
        if old and new and section < len(names) and not self._applying and not self._table.sizing:
            self._resized[names[section]] = max(1, round(new / theme.THEME.scale))
            self._settle.start(0 if self._moved else _SETTLED)

    def _take_over(self) -> None:
        names, header, layout = self._names(), self._table.header, self._state.layout.value
        if self._moved and header.count() == len(names):
            seen = [names[header.logicalIndex(visual)] for visual in range(len(names))]
            layout = replace(layout, order=tuple(merged(seen, layout.order)))
        layout = replace(layout, widths={**layout.widths, **self._resized})
        self._moved, self._resized = False, {}
        self._keep(layout)
        self._apply()   # a column that was put among the pinned ones goes behind them

    # Showing

    def _apply(self) -> None:
        names, header, layout = self._names(), self._table.header, self._state.layout.value
        sections, hidden = {name: section for section, name in enumerate(names)}, layout.hidden_of(names)
        self._applying = True
        try:
            self._table.widths = layout.widths
            for visual, name in enumerate(layout.arranged(names)):
                header.moveSection(header.visualIndex(sections[name]), visual)
            for name, section in sections.items():
                self._table.setColumnHidden(section, name in hidden)
            self.frozen.freeze([sections[name] for name in layout.pinned if name in sections and name not in hidden])
        finally:
            self._applying = False
        self.note.setVisible(bool(hidden))
        self.note.setText(self.tr("{count} hidden").format(
            count=words.counted(len(hidden), self.tr("column"), self.tr("columns"))))
