"""The desktop's tests: Qt without a screen, in the theme the window wears."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported by any test module

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from mldesk.desktop import main, theme
from mldesk.desktop.garbage import GarbageCollector
from tests.desktop.scripted_user import stop_agent


@pytest.fixture(autouse=True)
def garbage_goes_between_tests(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is collected while Qt may hold a lock, which a widget that is destroyed meanwhile waits for.

    What is loaded for other tests is set aside: to look through a million objects takes longer than most tests.
    """
    monkeypatch.setattr(main, "GarbageCollector", Unsettled)
    gc.disable()
    yield
    gc.collect()
    if len(gc.get_objects()) > 100_000:   # what was set aside is not among them
        gc.freeze()
    gc.enable()


class Unsettled(GarbageCollector):
    """Leaves aside what the tests have set aside."""

    def settle(self) -> None:
        """It is done."""


@pytest.fixture(autouse=True)
def no_agent_stays(tmp_path: Path) -> Iterator[None]:
    """A window asks the runner of this machine about itself, and so starts it; left alone it would stay for a while."""
    yield
    if (tmp_path / "home" / "runner").is_dir():
        stop_agent(tmp_path / "home")


@pytest.fixture(autouse=True)
def light_theme(qapp: QApplication) -> Iterator[None]:
    """Each test starts in the light theme at 100 %."""
    if theme.palette().name != "light" or theme.THEME.scale != 1.0 or not qapp.styleSheet():
        theme.apply(qapp, "light", scale=1.0)
    yield
