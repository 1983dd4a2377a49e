"""The places of the navigation and the page of each. Pages are imported when they are first seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from mldesk.desktop.pages.home import HomePage
from mldesk.desktop.widgets.sidebar import SideBar

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell

AGEING = 20_000  # milliseconds after which times that are told from now are written anew
PLACES = ("datasets", "runs", "search", "models", "runners")  # those with a list and a detail


def tr(text: str) -> str:
    """Translate the name of a place."""
    return QCoreApplication.translate("MainWindow", text)


def make_sidebar() -> SideBar:
    """Return the navigation."""
    bar = SideBar()
    for key, title, icon in (("home", tr("Home"), "home"), ("datasets", tr("Datasets"), "dataset"),
                             ("search", tr("Search"), "search"), ("runs", tr("Runs"), "run"),
                             ("models", tr("Models"), "model"),
                             ("predict", tr("Predict"), "predict"), ("runners", tr("Runners"), "runner")):
        bar.add_item(key, title, icon)
    bar.add_item("settings", tr("Settings"), "settings", bottom=True)
    return bar


def make_place(shell: Shell, key: str) -> QWidget:
    """Return the page of a place: the first paint does not wait for those that are not seen yet."""
    if key == "home":
        return HomePage(shell)
    if key == "settings":
        from mldesk.desktop.pages.settings import SettingsPage

        return SettingsPage(shell)
    if key == "predict":
        from mldesk.desktop.pages.models.predictions import PredictionsPage

        return PredictionsPage(shell)
    from mldesk.desktop.pages.data.datasets import DatasetsPage
    from mldesk.desktop.pages.models.models import ModelsPage
    from mldesk.desktop.pages.place import Place
    from mldesk.desktop.pages.runners.runners import RunnersPage
    from mldesk.desktop.pages.runs.runs import RunsPage
    from mldesk.desktop.pages.runs.searches import SearchesPage

    pages = {"datasets": DatasetsPage, "search": SearchesPage, "runs": RunsPage, "models": ModelsPage,
             "runners": RunnersPage}
    return Place(pages[key](shell))


def start_ageing(stack: QStackedWidget) -> QTimer:
    """Let the page that is seen write its times anew now and then: "just now" must not stay."""
    timer = QTimer(stack, interval=AGEING)
    timer.timeout.connect(lambda: grow_older(stack))
    timer.start()
    return timer


def grow_older(stack: QStackedWidget) -> None:
    """Tell the page that is seen that time has passed."""
    seen: QWidget | None = stack.currentWidget()
    if isinstance(seen, QStackedWidget):
        seen = seen.currentWidget()
    if seen is not None and seen.isVisible() and (older := getattr(seen, "grow_older", None)) is not None:
        older()
