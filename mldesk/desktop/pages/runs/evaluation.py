"""What a finished run can do: its scores with intervals, then a card for every picture and table of the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.runs import evaluation_cards as cards
from mldesk.desktop.pages.runs.evaluation_tables import classes_card, confused_card, slices_card, worst_card
from mldesk.desktop.pages.runs.score_tiles import ScoreTiles
from mldesk.desktop.pages.runs.threshold_card import ThresholdCard
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, EmptyState, ScrollPage, Segmented, row
from mldesk.desktop.widgets.text import make_label
from mldesk.training.metric_words import left_out
from mldesk.workbench.evaluated import (
    Facts,
    classes_of,
    confused_of,
    scores,
    slices_of,
    thresholds_of,
    told_apart,
    worst_of,
)

_TWO = 860        # width from which two cards stand side by side, pixels at 100 %: half of less cuts their tables


class EvaluationView(ScrollPage):
    """Draws an evaluation payload (see ``mldesk.training``); one part of the rows at a time.

    Signals: ``row_opened`` with the number of a row in the dataset version, from 0; ``cell_chosen`` with the actual
    and the predicted class of a cell of the confusion matrix; ``threshold_wanted`` with a class and the probability
    from which on it is to be predicted, None for the most probable class.
    """

    row_opened = Signal(int)
    cell_chosen = Signal(object, object)
    threshold_wanted = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._payload: Mapping[str, Any] = {}
        self.parts = Segmented()
        self._said = make_label("", "caption", "muted", wrap=True)
        self._head = QWidget()
        head = row(self.parts, self._said, spacing=Space.M)
        head.setStretch(1, 1)
        self._head.setLayout(head)
        self.tiles = ScoreTiles()
        self._plots = QWidget()
        self._grid = QGridLayout(self._plots)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(Space.L)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self.nothing = EmptyState("chart", self.tr("No evaluation"), self.tr(
            "Nothing was kept of how well it does: neither scores nor the rows it was tested on."))
        for widget in (self._head, self.tiles, self._plots, self.nothing):
            self.body.addWidget(widget)
        for widget in (self._head, self.tiles, self.nothing):
            widget.hide()
        self.body.addStretch(1)
        self._keeps, self._kept = False, None  # type: bool, tuple[object, float] | None
        self._connected = False
        self._cards: list[Card] = []
        self._were_across = 2
        self._pending: list[Callable[[], Card | None]] = []
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._add_card)

    def show_evaluation(self, payload: Mapping[str, Any]) -> None:
        """Show ``payload``; what an older one lacks is left out."""
        self._payload = payload
        self.nothing.setVisible(not payload)
        self.tiles.setVisible(bool(payload))
        names = {"test": self.tr("Test rows"), "validation": self.tr("Validation rows")}
        parts = [part for part in ("test", "validation") if part in payload.get("parts", {})]
        if parts and not self._connected:
            for part in parts:
                self.parts.add(part, names[part])
            self.parts.changed.connect(lambda _: self._show())
            self._connected = True
        self._head.setVisible(bool(parts))
        self._show()

    @property
    def complete(self) -> bool:
        """Whether every card is there."""
        return not self._pending

    def cards(self) -> list[Card]:
        """Return the cards that are there, in their order."""
        return list(self._cards)

    def _show(self) -> None:
        part = self.parts.value()
        facts = self._payload.get("parts", {}).get(part, {})
        count = facts.get("rows")
        said = self.tr("Rows the model has never seen, kept aside before anything was fitted.") if part == "test" \
            else self.tr("Rows that steered the fitting: their scores flatter.")
        if facts.get("intervals"):
            said += " " + self.tr("Below each score: where it lies with 95 % confidence.")
        if missed := left_out(facts.get("metrics") or {}):
            said += " " + self.tr(missed)
        self._said.setText(f"{words.counted(int(count), self.tr('row'), self.tr('rows'))} · {said}" if count else said)
        self.tiles.show_scores(scores(facts))
        _empty(self._grid)
        self._cards = []
        self._pending = self._makers(part or "", facts)
        self._next.start()

    def _makers(self, part: str, facts: Facts) -> list[Callable[[], Card | None]]:
        """Return what makes the cards, in their order; small ones stand beside small ones."""
        payload = self._payload
        chosen = self.cell_chosen.emit if part == "test" else None   # only the test rows' predictions are kept
        count = len(payload.get("classes") or ())
        unread = bool(count > cards.CLASSES and facts)   # a matrix that nobody could read
        return [
            lambda: confused_card(confused_of(facts), count, chosen) if unread else cards.confusion(facts, chosen),
            lambda: cards.importance(payload), lambda: cards.scatter(facts), lambda: cards.residuals(facts),
            lambda: self._threshold(facts), lambda: classes_card(classes_of(facts), count if facts else 0),
            lambda: slices_card(slices_of(facts)), lambda: worst_card(worst_of(facts), self.row_opened.emit),
            lambda: cards.roc(facts), lambda: cards.pr(facts), lambda: cards.gain(facts),
            lambda: cards.calibration(facts)]

    def _threshold(self, facts: Facts) -> Card | None:
        classes = list(self._payload.get("classes") or ())
        some = told_apart(facts) if len(classes) != 2 else [classes[-1]]
        tables = [(label, table) for label in some
                  if (table := thresholds_of(facts, None if len(classes) == 2 else label)) is not None]
        if not tables:
            return None
        card = ThresholdCard(tables, tested=self.parts.value() == "test")
        card.kept.connect(self.threshold_wanted)
        if self._keeps:
            card.show_kept(self._kept)
        return card

    def show_threshold(self, kept: tuple[object, float] | None) -> None:
        """Say which threshold is kept with the model, and let one be kept."""
        self._keeps, self._kept = True, kept
        for card in self._cards:
            if isinstance(card, ThresholdCard):
                card.show_kept(kept)

    def _add_card(self) -> None:
        """Make one card; the next one waits until the window has looked at its events."""
        while self._pending:
            card = self._pending.pop(0)()
            if card is not None:
                self._cards.append(card)
                break
        self._place()
        if self._pending:
            self._next.start()

    def _place(self) -> None:
        """Lay the cards out, two in a line where there is room; the last one alone in its line takes all of it."""
        across = self._across()
        for index, card in enumerate(self._cards):
            alone = not self._pending and index == len(self._cards) - 1 and index % across == 0
            self._grid.addWidget(card, index // across, index % across, 1, 2 if alone or across == 1 else 1)

    def _across(self) -> int:
        return 2 if self.viewport().width() >= theme.px(_TWO) else 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._across() != self._were_across:
            self._were_across = self._across()
            self._place()


def _empty(grid: QGridLayout) -> None:
    while grid.count():
        item = grid.takeAt(0)
        if item is not None and (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
