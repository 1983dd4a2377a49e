"""One step in the making: which kind it is to be, then its form, which says whether it fits and what it learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput
from mldesk.desktop.pages.data.step_form import StepForm, runs_code
from mldesk.desktop.pages.data.step_list import step_learning_words
from mldesk.desktop.pages.data.step_picker import StepPicker
from mldesk.desktop.states.clean import Step
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ScrollPage, clear, disable, enable, make_button, make_label, row

if TYPE_CHECKING:
    from mldesk.data.recipes.steps import StepKind
    from mldesk.wire.schema import Column

_PAUSE = 400   # milliseconds after the last change of a form until the preview follows


class StepEditor(QStackedWidget):
    """Hidden while no step is edited.

    Signals: ``opened`` and ``left``; ``tried`` and ``kept`` (the step's place, None for a new one, and the step).
    """

    opened = Signal()
    left = Signal()
    tried = Signal(object, object)
    kept = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form: StepForm | None = None
        self._index: int | None = None    # the step in the form, None for a new one
        self._written = False             # somebody has written in the form
        self.timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self.timer.timeout.connect(self._try)
        self._picker = StepPicker()
        self.chosen = self._picker.chosen   # a kind of step
        self._picker.left.connect(self.leave)
        self.addWidget(self._picker)
        self.addWidget(self._make_box())
        self.hide()

    def _make_box(self) -> QWidget:
        self._title = make_label("", "subtitle")
        self._help = make_label("", "caption", "muted", wrap=True)
        self.learning = make_label("", "caption", "warning", wrap=True)
        self._page = ScrollPage(margin=0, spacing=Space.L)
        self._page.body.setContentsMargins(0, 0, Space.S, 0)
        back = make_button(self.tr("Back"), "secondary")
        back.clicked.connect(self.leave)
        self.try_button = make_button(self.tr("Try it"), "secondary", "play")
        self.try_button.clicked.connect(self._try)
        self.keep_button = make_button(self.tr("Add this step"), "primary", "check")
        self.keep_button.clicked.connect(self._keep)
        self._box = box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self._title)
        layout.addWidget(self._help)
        layout.addWidget(self._page, 1)
        layout.addWidget(self.learning)
        layout.addLayout(row(None, back, self.try_button, self.keep_button))
        return box

    def pick(self) -> None:
        """Let the kind of a new step be chosen."""
        self._open(self._picker)
        self._picker.begin()

    def edit(self, kind: StepKind, index: int | None, step: Step | None, columns: Sequence[Column],
             datasets: Mapping[str, Sequence[Column]]) -> None:
        """Show the form of a step: a new one, or ``step``, which is at ``index``; ``columns`` are those it finds."""
        self._index = index
        clear(self._page.body)
        self.form = StepForm(kind, columns, step, datasets)
        self.form.changed.connect(self._on_written)
        self._page.body.addWidget(self.form)
        self._page.body.addStretch(1)
        self._page.verticalScrollBar().setValue(0)
        self._title.setText(kind.title or kind.name)
        self._help.setText(kind.help)
        self.keep_button.setText(self.tr("Add this step") if index is None else self.tr("Change this step"))
        self.try_button.setVisible(runs_code(kind))
        self._open(self._box)
        self._check()
        self._written = False
        self.form.setFocus()

    def unfinished(self) -> tuple[int | None, Step] | None:
        """Return the place and the step that somebody has written in the form, if it can be read."""
        if self.form is None or not self._written:
            return None
        try:
            step = self.form.step()
        except BadInput:
            return None
        # Code runs when somebody says so.
        return self._index, {**step, "disabled": True} if runs_code(self.form.kind) else step

    def leave(self) -> None:
        """Put the form or the choice away."""
        self.timer.stop()
        self.form = None
        self.hide()
        self.left.emit()

    def _open(self, part: QWidget) -> None:
        self.show()
        self.setCurrentWidget(part)
        self.opened.emit()

    def _on_written(self) -> None:
        self._written = True
        self._check()

    def _check(self) -> None:
        if self.form is None:
            return
        try:
            step = self.form.step()
        except BadInput as error:
            disable(self.keep_button, error.message)
            disable(self.try_button, error.message)
            self.learning.hide()
            return
        words = step_learning_words(step)
        self.learning.setText(words)
        self.learning.setVisible(bool(words))
        enable(self.keep_button)
        enable(self.try_button)
        if not runs_code(self.form.kind):  # code runs when it is asked to
            self.timer.start()

    def _try(self) -> None:
        if self.form is None or self.isHidden():
            return
        try:
            step = self.form.step()
        except BadInput:
            return
        self.tried.emit(self._index, step)

    def _keep(self) -> None:
        if self.form is not None:
            self.timer.stop()
            self.kept.emit(self._index, self.form.step())
