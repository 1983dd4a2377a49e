"""Every score of an evaluation as a tile: the most telling ones first, the others behind a fold."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.facts import MetricTile
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FlowBox, make_button, set_icon
from mldesk.workbench.evaluated import FIRST, Score

_LEAST = 150  # width of a tile, pixels


class ScoreTiles(QWidget):
    """Shows scores with their 95 % intervals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first, self.others = (FlowBox(spacing=Space.M, least=_LEAST, scrolls=True) for _ in range(2))
        self.fold = make_button("", "fold", "chevron-right")
        self.fold.clicked.connect(lambda: self.unfold(self.others.isHidden()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.first)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.others)
        self.unfold(False)

    def show_scores(self, scores: Sequence[Score]) -> None:
        """Show other scores, the most telling first."""
        rest = scores[FIRST:]
        for box, part in ((self.first, scores[:FIRST]), (self.others, rest)):
            box.clear()
            for score in part:
                line = "" if score.low is None or score.high is None else words.interval(score.low, score.high)
                box.add(MetricTile(score.metric, score.value, line))
        self.fold.setVisible(bool(rest))
        self.fold.setText(words.tr("%n more scores", len(rest)) if len(rest) != 1 else words.tr("1 more score"))

    def unfold(self, on: bool) -> None:
        """Show the other scores, or put them away."""
        self.others.setVisible(on)
        set_icon(self.fold, "chevron-down" if on else "chevron-right", "muted", 14)
