"""Choosing a kind of step: all of them by what they are about, narrowed by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import SearchField, make_button, make_label, row
from mldesk.desktop.words import tr

if TYPE_CHECKING:
    from mldesk.data.recipes.steps import StepKind

_KIND = Qt.ItemDataRole.UserRole
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Columns", ("drop", "keep", "reorder", "rename", "rename_many", "cast", "derive")),
    ("Missing values and corrections", ("fill_missing", "drop_missing", "replace", "edit")),
    ("Rows", ("filter", "deduplicate", "sample", "rebalance")),
    ("Text", ("clean_text", "replace_text", "extract", "split")),
    ("Dates", ("parse_dates", "date_parts")),
    ("Numbers and categories", ("clip", "bin", "transform", "scale", "encode", "cluster", "segment")),
    ("Shape", ("group", "pivot", "unpivot")),
    ("Other datasets", ("join", "union")),
    ("Code", ("python",)),
)


def grouped() -> list[tuple[str, list[StepKind]]]:
    """Return every kind of step by group; those that no group names come last."""
    from mldesk.data.recipes.steps import BY_NAME, STEPS

    named = {name for _, names in GROUPS for name in names}
    found = [(tr(title), [BY_NAME[name] for name in names if name in BY_NAME]) for title, names in GROUPS]
    rest = [kind for kind in STEPS if kind.name not in named]
    return [(title, kinds) for title, kinds in (*found, (tr("More"), rest)) if kinds]


class StepPicker(QWidget):
    """Signals: ``chosen`` (the StepKind), ``left`` when the user wants none."""

    chosen = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._search = SearchField(self.tr("What shall be done?"), pause=60)
        self._search.searched.connect(self._on_searched)
        self._search.returnPressed.connect(self._take_first)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Kinds of steps"))
        self.list.setWordWrap(True)
        self.list.setSpacing(3)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)
        back = make_button(self.tr("Back"), "secondary")
        back.clicked.connect(self.left)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(make_label(self.tr("Add a step"), "subtitle"))
        layout.addWidget(self._search)
        layout.addWidget(self.list, 1)
        layout.addLayout(row(None, back))
        self._fill()

    def begin(self) -> None:
        """Show everything, ready to be typed at."""
        self._search.clear()
        self._on_searched("")
        self.list.scrollToTop()
        self._search.setFocus()

    def _fill(self) -> None:
        for title, kinds in grouped():
            head = QListWidgetItem(title)
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            head.setFont(theme.font("strong"))
            head.setForeground(theme.colour("muted"))
            self.list.addItem(head)
            for kind in kinds:
                learns = self.tr(" Learns from the rows.") if kind.learns else ""
                item = QListWidgetItem(f"{kind.title or kind.name}\n{kind.help}{learns}")
                item.setData(_KIND, kind.name)
                self.list.addItem(item)

    def _on_searched(self, text: str) -> None:
        words = text.casefold().split()
        head: QListWidgetItem | None = None
        shown = False
        for index in range(self.list.count()):
            item = self.list.item(index)
            if item.data(_KIND) is None:
                if head is not None:
                    head.setHidden(not shown)
                head, shown = item, False
                continue
            fits = all(word in f"{item.text()} {item.data(_KIND)}".casefold() for word in words)
            item.setHidden(not fits)
            shown = shown or fits
        if head is not None:
            head.setHidden(not shown)

    def _take_first(self) -> None:
        for index in range(self.list.count()):
            item = self.list.item(index)
            if item.data(_KIND) is not None and not item.isHidden():
                self._on_item(item)
                return

    def _on_item(self, item: QListWidgetItem) -> None:
        from mldesk.data.recipes.steps import BY_NAME

        if item.data(_KIND) is not None:
            self.chosen.emit(BY_NAME[item.data(_KIND)])
