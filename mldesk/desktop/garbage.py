"""Garbage is collected in the UI thread only.

Python runs its cycle collector in whichever thread allocates. If that is a worker thread and the garbage holds a widget
or a model, Qt destroys it there, which crashes sooner or later (https://bugreports.qt.io/browse/PYSIDE-1431 is one of
many). Nor is the UI thread safe at any moment: Qt calls back into Python while it holds a lock (``disconnectNotify``),
and a widget that is collected then waits for that lock for ever. So automatic collection is off while the window is
open, and a timer of the UI thread does it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_TICK = 700            # milliseconds between looks
_YOUNG = 2000          # new containers after which the youngest generation is collected
_MIDDLE, _OLD = 10, 20  # collections of one generation after which the next older one has its turn


class GarbageCollector(QObject):
    """Collects in the thread it was made in, from ``start`` until ``stop``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self.look)
        self._was_on = self._settled = False

    def start(self) -> None:
        """Take over from Python."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Give the work back to Python, with nothing of the window left to be found at a bad moment."""
        self._timer.stop()
        if self._settled:
            gc.unfreeze()
            self._settled = False
        gc.collect()
        if self._was_on:
            gc.enable()

    def settle(self) -> None:
        """Set aside what is there now, modules for the most part, so that collecting takes a few milliseconds.

        Called once everything is loaded; ``stop`` takes it back.
        """
        gc.collect()
        gc.freeze()
        self._settled = True

    def look(self) -> None:
        """Collect what is due."""
        young, middle, old = gc.get_count()
        if old > _OLD:
            gc.collect(2)
        elif middle > _MIDDLE:
            gc.collect(1)
        elif young > _YOUNG:
            gc.collect(0)
