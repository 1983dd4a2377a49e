"""Rows of one version for whoever goes through them: what was found out for a page is kept for the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError, WorkFailed
from mldesk.library.records import DatasetVersion
from mldesk.wire.schema import Order
from mldesk.workbench.pages import Page

if TYPE_CHECKING:  # duckdb and pyarrow load with it
    from mldesk.data import TableView

Wish = tuple[Order | None, str, str, tuple[int, ...] | None]   # order, search, condition, places


class RowReader:
    """Reads pages of a version, one at a time. What is not wanted any more stops once something else is.

    ``open_view`` opens the version when the first page is asked for; a table that could not be read is opened anew.
    """

    def __init__(self, version: DatasetVersion, open_view: Callable[[DatasetVersion], TableView]) -> None:
        self.version, self._open = version, open_view
        self._lock = threading.Lock()
        self._view: TableView | None = None
        self._wish: Wish | None = None
        self._closed = False

    def page(self, offset: int, limit: int, *, order_by: Order | None = None, search: str = "",
             where: str = "", only: Sequence[int] | None = None) -> Page:
        """Return some rows and their places, see ``DatasetService.preview``. Raises BadInput, WorkFailed if stopped."""
        wish = (order_by, search, where, None if only is None else tuple(only))
        before, self._wish, view, self._closed = self._wish, wish, self._view, False
        if before != wish and view is not None:
            view.interrupt()
        with self._lock:
            if wish != self._wish:
                raise WorkFailed("Other rows are wanted by now.")
            view = self._view = self._view or self._open(self.version)
            try:
                rows, places, total = view.arranged(offset, limit, order_by=order_by, where=where or None,
                                                    search=search or None, only=only)
            except WorkFailed:
                raise
            except MldeskError:
                self._let_go()
                raise
            finally:
                if self._closed:
                    self._let_go()
        return Page(tuple(column.name for column in self.version.columns), rows, offset, total, places=places)

    def close(self) -> None:
        """Let go of the files, after what is being read; may be called twice, and used again."""
        self._closed = True
        view = self._view
        if view is not None:
            view.interrupt()
        if self._lock.acquire(blocking=False):   # else whoever reads lets go
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _let_go(self) -> None:
        view, self._view = self._view, None
        if view is not None:
            view.close()
