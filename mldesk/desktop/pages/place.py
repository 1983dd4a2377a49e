"""A place of the navigation: its list, and over it the one thing that was opened from the list."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from mldesk.desktop.pages.page import Page


class Place(QStackedWidget):
    """A list page and at most one detail page. Signals: ``turned`` when another of the two is shown."""

    turned = Signal()

    def __init__(self, list_page: Page, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list_page = list_page
        self.detail: Page | None = None
        self.addWidget(list_page)

    def open(self, page: Page) -> None:
        """Show ``page`` over the list; what was shown before is let go."""
        old, self.detail = self.detail, page
        self.addWidget(page)
        self.setCurrentWidget(page)
        if old is not None:
            self._let_go(old)
        self.turned.emit()

    def back(self) -> None:
        """Show the list."""
        self.setCurrentWidget(self.list_page)
        if self.detail is not None:
            old, self.detail = self.detail, None
            self._let_go(old)
        self.list_page.keys_to.setFocus()
        self.turned.emit()

    def dispose(self) -> None:
        """Let go of both pages."""
        self.list_page.dispose()
        if self.detail is not None:
            self.detail.dispose()

    def _let_go(self, page: Page) -> None:
        page.dispose()
        self.removeWidget(page)
        page.deleteLater()
