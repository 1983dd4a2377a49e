"""The desktop's tests: Qt without a screen, in the theme the window wears."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported by any test module

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from mldesk.desktop import theme
from tests.desktop.scripted_user import stop_agent


@pytest.fixture(autouse=True)
def garbage_goes_between_tests(qapp: QApplication) -> Iterator[None]:
    """Nothing is collected while Qt may hold a lock, which a widget that is destroyed meanwhile waits for."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


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
