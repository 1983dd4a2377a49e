"""Every widget of the window in every state, on one page: to look at, in each theme and at each text size.

``python -m mldesk.desktop.gallery`` opens it; ``--screenshot FILE --mode dark`` draws it into a PNG without a screen.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QWidget

from mldesk.desktop import theme
from mldesk.desktop.gallery_cards import (
    PARAMETERS,
    badges_card,
    buttons_card,
    card,
    choices_card,
    empty_card,
    form_card,
    icons_card,
    inputs_card,
    loading_card,
    log_card,
    loss_chart,
    matrix_card,
    page,
    plots_card,
    profiles_card,
    progress_card,
    runs_chart,
    table_card,
    words_card,
)
from mldesk.desktop.theme import Mode
from mldesk.desktop.widgets import (
    Chart,
    ScrollPage,
    Sheet,
    SideBar,
    Toasts,
    form_for,
    make_button,
    make_icon_button,
    row,
)


class Gallery(QWidget):
    """The pages behind a side bar."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("MLDesk gallery")
        self._next = 1
        self._live = QTimer(self, interval=20)
        self._live.timeout.connect(self._on_tick)
        self.toasts = Toasts(self)
        self.bar, self.pages = SideBar(), QStackedWidget()
        self._order: list[str] = []
        self._add("controls", "Controls", "settings", lambda: page(
            "Controls", "Buttons, inputs, choices", buttons_card(), inputs_card(), choices_card(), badges_card(),
            progress_card(), words_card(), icons_card()))
        self._add("forms", "Forms", "edit", lambda: page("Forms", "Generated from parameters", form_card()))
        self._add("data", "Data", "dataset", lambda: page(
            "Data", "Tables, profiles, logs", table_card(), profiles_card(), loading_card(), log_card()))
        self._add("charts", "Charts", "chart", lambda: page(
            "Charts", "Curves, bars, matrices", card("", loss_chart()), card("", runs_chart()), matrix_card(),
            plots_card()))
        self._add("states", "States", "info", self._states)
        self.bar.set_count("data", 1204)
        self.bar.selected.connect(lambda key: self.pages.setCurrentIndex(self._order.index(key)))
        look = make_icon_button("contrast", "Next theme", size=18)
        look.clicked.connect(self._on_mode)
        self.bar.add_widget(look)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.pages, 1)

    def _add(self, key: str, words: str, icon: str, make: Callable[[], QWidget]) -> None:
        self._order.append(key)
        self.pages.addWidget(make())
        self.bar.add_item(key, words, icon)

    def _states(self) -> QWidget:
        show = make_button("Show toasts", "secondary")
        show.clicked.connect(self.show_toasts)
        ask = make_button("Open a sheet", "secondary")
        ask.clicked.connect(self.open_sheet)
        self.chart = Chart("Live", "Step", "Loss", with_smoothing=True)
        self.chart.setMinimumHeight(240)
        start = make_button("Start live curve", "secondary", "play")
        start.clicked.connect(self._live.start)
        return page("States", "Nothing yet, notices, dialogs", empty_card(), card("", row(show, ask, start, None)),
                     card("", self.chart))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.bar.adapt(event.size().width())

    def show_toasts(self) -> None:
        """Show a toast of each kind."""
        self.toasts.show("Imported “adult”: 48,842 rows, 15 columns.", "success", ("Show", self.raise_), seconds=0)
        self.toasts.show("The run goes on when this window is closed.", "info", seconds=0)
        self.toasts.show("Training stopped: the GPU is out of memory. Try half the batch.", "danger",
                         ("Train again", self.raise_))

    def open_sheet(self) -> Sheet:
        """Open a dialog with an error and a reason."""
        sheet = Sheet("Train a model", self, text="On adult@3, 48,842 rows.", primary="Train", width=540)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.add(form_for(PARAMETERS[:3]))
        sheet.set_error("The target “income” has one value only, so there is nothing to learn.")
        sheet.set_primary_enabled("Choose a target with at least two values.")
        sheet.open()
        return sheet

    def _on_mode(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            modes = get_args(Mode)
            theme.apply(app, modes[(modes.index(theme.THEME.mode) + 1) % len(modes)])

    def _on_tick(self) -> None:
        steps = list(range(self._next, self._next + 20))
        self._next += len(steps)
        self.chart.append("train_loss", steps, [math.exp(-i / 3000) + 0.05 * math.sin(i * i) for i in steps])
        if self._next > 20_000:
            self._live.stop()


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mldesk.desktop.gallery", description=__doc__)
    parser.add_argument("--screenshot", type=Path, help="draw into this PNG instead of opening a window")
    parser.add_argument("--mode", choices=get_args(Mode), default="system")
    parser.add_argument("--page", default="controls", help="controls, forms, data, charts or states")
    parser.add_argument("--scale", type=float, default=1.0, help="text size, 0.8 to 2.0")
    parser.add_argument("--width", type=int, default=1180)
    parser.add_argument("--height", type=int, default=0, help="0: as high as the page")
    parser.add_argument("--overlays", action="store_true", help="with toasts and a sheet")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Open the gallery, or draw it."""
    wish = _arguments(given)
    if wish.screenshot:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        return 1
    theme.apply(app, wish.mode, wish.scale)
    gallery = Gallery()
    gallery.resize(wish.width, wish.height or 800)
    gallery.bar.set_current(wish.page)
    gallery.show()
    return _draw(app, gallery, wish) if wish.screenshot else app.exec()


def _draw(app: QApplication, gallery: Gallery, wish: argparse.Namespace) -> int:
    page = gallery.pages.currentWidget()
    if not wish.height and isinstance(page, ScrollPage):
        app.processEvents()
        inner = page.widget()
        gallery.resize(wish.width, max(600, inner.heightForWidth(page.viewport().width()) if inner else 0))
    if wish.overlays:
        gallery.show_toasts()
    deadline = 12
    for _ in range(deadline):  # pages of tables, sizes of columns, one picture of each chart
        app.processEvents()
        QApplication.sendPostedEvents()
    for chart in gallery.findChildren(QWidget):
        redraw = getattr(chart, "redraw_now", None)
        if redraw is not None and chart.isVisible():
            redraw()
    app.processEvents()
    return 0 if gallery.grab().save(str(wish.screenshot)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
