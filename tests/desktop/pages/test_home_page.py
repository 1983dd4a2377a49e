"""Home scrolls as far as there is something to see, no farther."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.home import HomePage
from mldesk.desktop.pages.home_templates import TemplateSection
from mldesk.desktop.widgets import ScrollPage
from tests.desktop.pages.test_run_page import FakeShell


class Doors(FakeShell):
    """A window whose three doors lead nowhere."""

    def choose_sample(self) -> None: ...

    choose_import = choose_bundle = choose_sample


@pytest.mark.parametrize("size", [(840, 540), (1080, 740)])
def test_below_the_last_card_there_is_no_blank_space(size: tuple[int, int], qtbot: QtBot, tmp_path: Path) -> None:
    page = HomePage(Doors(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(*size)
    page.show()
    for card, count in zip(page._cards, (5, 3, 1), strict=True):
        page._fill(card, [(f"thing {place}", "what it is", lambda: None, None) for place in range(count)])
    area = page.findChild(ScrollPage)
    assert area is not None
    section = page.findChild(TemplateSection)
    assert section is not None
    inner, margin = area.widget(), area.body.contentsMargins().bottom()

    def ends_with_the_cards() -> bool:
        bottom = max(card.mapTo(inner, card.rect().bottomLeft()).y() for card in (*page._cards, section)) + 1 + margin
        return bool(bottom > 300 and inner.height() == max(bottom, area.viewport().height()))

    qtbot.waitUntil(ends_with_the_cards, timeout=20_000)
