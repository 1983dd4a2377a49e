"""The 5x2cv test of the two runs that are compared: begun by a button, followed, then said in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.runs.compare_rows import names_of
from mldesk.desktop.pages.runs.judged_cards import fold_table
from mldesk.desktop.widgets import Card, ProgressLine, clear, disable, enable, make_button, make_label

if TYPE_CHECKING:
    from mldesk.workbench.five_by_two import FiveByTwo


class FiveByTwoCard(Card):
    """Draws a ``FiveByTwo``. Signals: ``begun`` and ``stopped`` when buttons are pressed, ``looked`` at its runs."""

    begun = Signal()
    stopped = Signal()
    looked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("5×2cv test"), self.tr(
            "Is one of the two models really better on such data, or only on this split? Both are trained again five "
            "times on two folds, ten runs of two fits each, and tested on equal rows (Dietterich 1998)."),
            parent=parent)
        self.button = make_button(self.tr("Run 5×2cv"), "secondary", "play")
        self.button.clicked.connect(self.begun)
        self.stop = make_button(self.tr("Stop"), "secondary", "stop")
        self.stop.clicked.connect(self.stopped)
        self.runs = make_button(self.tr("Its runs"), "ghost", "run")
        self.runs.clicked.connect(self.looked)
        for button in (self.runs, self.stop, self.button):
            self.add_action(button)
        self.progress = ProgressLine()
        self.said = make_label("", "body", "muted", wrap=True)
        self._result = QVBoxLayout()
        self.add(self.progress)
        self.add(self.said)
        self.add(self._result)
        self.show_test(None, self.tr("The runs are being read."))

    def show_test(self, test: FiveByTwo | None, why_not: str = "", changing: str = "") -> None:
        """Show how far the test is, or why there can be none; ``changing``: what is being done to its runs."""
        from mldesk.workbench.five_by_two import TRIALS

        clear(self._result)
        begun, active = test is not None and test.begun, test.active if test is not None else ()
        result = test.result if test is not None else None
        self.progress.setVisible(bool(active))
        self.stop.setVisible(bool(active))
        self.runs.setVisible(begun)
        self.button.setVisible(not active and result is None)
        self.button.setText(self.tr("Run what is missing") if begun else self.tr("Run 5×2cv"))
        for button, why in ((self.button, why_not), (self.stop, "")):
            disable(button, changing or why) if changing or why or test is None else enable(button)
        self.said.setText(why_not)
        if test is not None and begun and result is None:
            text = self.tr("{done} of {all} runs are done").format(done=test.done, all=TRIALS)
            self.progress.set(test.done / TRIALS, text)
            if test.failed:
                lost = test.failed[0]
                self.said.setText(self.tr("{text}. {name} ended without a score: {why}").format(
                    text=text, name=lost.name, why=lost.message or lost.state.value))
            elif not active:
                self.said.setText(f"{text}.")
        elif test is not None and result is None and not why_not:
            self.said.setText(self._estimate(test))
        self.said.setVisible(bool(self.said.text()))
        if test is not None and result is not None:
            names = names_of([test.first, test.second])
            self.said.setText(self.tr("{name} less {other}:").format(
                name=names[test.first.id], other=names[test.second.id]))
            self.said.show()
            self._result.addWidget(fold_table([(names[test.first.id], names[test.second.id], result)]))

    def _estimate(self, test: FiveByTwo) -> str:
        """Say how long it takes, roughly: a run of two folds fits half of the rows twice."""
        took = [run.seconds for run in (test.first, test.second) if run.seconds is not None]
        said = self.tr("It takes about {time} here, and goes on if the window is closed.")
        return "" if len(took) < 2 else said.format(time=words.duration(5 * sum(took)))
