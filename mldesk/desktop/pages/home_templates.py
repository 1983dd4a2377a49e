"""Projects to start from: small cards on Home, one per template. A click brings its data in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import IconLabel
from mldesk.desktop.widgets.flow import FlowBox
from mldesk.desktop.widgets.press_card import PressCard
from mldesk.desktop.widgets.text import make_label
from mldesk.workbench.templates.table import TEMPLATES, Template


class TemplateCard(PressCard):
    """A small button: an icon, what the project is called, and what it is about."""

    def __init__(self, template: Template) -> None:
        super().__init__()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)   # as tall as its neighbours
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(template.title)
        self.setAccessibleDescription(template.about)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(make_label(template.title, "strong"))
        text.addWidget(make_label(template.about, "caption", "muted", wrap=True))
        text.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.M, Space.S + 2, Space.M, Space.S + 2)
        layout.setSpacing(Space.S + 2)
        layout.addWidget(IconLabel(template.icon, "accent"), 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(text, 1)
        self.let_through()


class TemplateSection(QWidget):
    """The cards under a heading that says what their data are. ``choose`` is given the one that was pressed."""

    def __init__(self, choose: Callable[[Template], object]) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(make_label(self.tr("Projects to start from"), "subtitle"))
        layout.addWidget(make_label(self.tr("Synthetic data, made up by MLDesk, with what to predict and settings that "
                                            "suit it."), "caption", "muted", wrap=True))
        cards = FlowBox(spacing=Space.M, least=230, scrolls=True)
        for template in TEMPLATES.values():
            card = TemplateCard(template)
            card.clicked.connect(lambda _checked=False, chosen=template: choose(chosen))
            cards.add(card)
        layout.addWidget(cards)
