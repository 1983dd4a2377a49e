"""What every page shares: it reads its state again when the library changed, but only while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTableView, QWidget

from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, start


class Page(QWidget, TaskOwner):
    """Base of the pages. ``refresh`` runs at most once at a time; asked for meanwhile, it runs once more.

    ``keys_to``: what the keys are given to when the page comes back. Not a focus proxy: with one, Qt's Tab key leaves
    out all that stands before it (seen in 6.11).
    """

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self._stale = True
        self._refreshing = False
        self.keys_to: QWidget = self
        self._undo: list[Callable[[], None]] = []
        self.keep(shell.desk.changed.subscribe(lambda _: self.refresh_soon()))
        self.keep(shell.desk.ready.changed.subscribe(lambda _: self.refresh_soon()))

    async def refresh(self) -> None:
        """Bring the page's state up to date."""
        raise NotImplementedError

    def keep(self, undo: Callable[[], None]) -> None:
        """Undo a subscription when the page goes."""
        self._undo.append(undo)

    def begin(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Start a task that ends with the page."""
        self.own(start(work, name))

    def dispose(self) -> None:
        """Let go of everything; the page is taken away next."""
        for undo in self._undo:
            undo()
        self._undo.clear()
        self.cancel_tasks()

    def grow_older(self) -> None:
        """Write times anew that are told from now ("5 min ago"); the window calls it while the page is seen."""
        self.refresh_soon()
        for table in self.findChildren(QTableView):
            table.viewport().update()

    def refresh_soon(self) -> None:
        """Refresh now if the page is seen and the library open, else when it is shown next."""
        self._stale = True
        if self.isVisible() and self.shell.desk.ready.value and not self._refreshing:
            self._refreshing = True
            self.begin(self._refresh(), f"{type(self).__name__}.refresh")

    async def _refresh(self) -> None:
        try:
            while self._stale:
                self._stale = False
                await self.refresh()
        finally:
            self._refreshing = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh_soon()
