"""LogPane: a log with what one looks for in it: a level, a word, the next error."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.log_levels import Level
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import disable, enable, make_button
from mldesk.desktop.widgets.header import SearchField
from mldesk.desktop.widgets.log import LogView
from mldesk.desktop.widgets.tabs import Segmented
from mldesk.desktop.widgets.text import make_label, row


class LogPane(QWidget):
    """Tools over a LogView. Enter in the field goes on to the next place."""

    def __init__(self, log: LogView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = log
        self.level = Segmented([(Level.INFO, self.tr("All")), (Level.WARNING, self.tr("Warnings")),
                                (Level.ERROR, self.tr("Errors"))])
        self.level.setAccessibleName(self.tr("Lines to show"))
        self.level.changed.connect(self._on_level)
        self.search = SearchField(self.tr("Find in the log"))
        self.search.setMaximumWidth(260)
        self.search.searched.connect(self._look_for)
        self.search.again.connect(lambda text: self._look_for(text, onward=True))
        self.said = make_label("", "caption", "muted")
        self.error = make_button(self.tr("Next error"), "secondary", "warning", small=True)
        self.error.clicked.connect(lambda _: log.to_next_error())
        self._text = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(row(self.level, self.search, self.said, None, self.error, spacing=Space.S))
        layout.addWidget(log, 1)
        disable(self.error, self.tr("No line says an error."))
        log.erred.connect(lambda: enable(self.error))

    def _on_level(self, level: Level) -> None:
        self.log.show_from(level)
        if self._text:
            self._look_for(self._text)

    def _look_for(self, text: str, *, onward: bool = False) -> None:
        self._text = text
        count = self.log.look_for(text, onward=onward)
        self.said.setText("" if not text else self.tr("Nothing found") if not count else
                          self.tr("1 line") if count == 1 else self.tr("{count} lines").format(count=count))
