"""What a model would say if: a form made from its schema, the prediction as one types, and what each column adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.runs.importance import points
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Bar,
    BarChart,
    Card,
    ComboBox,
    FormRow,
    ScrollPage,
    SpinBox,
    clear,
    even_span,
    make_button,
    make_label,
    row,
    swatches,
)
from mldesk.wire.schema import ColumnType

if TYPE_CHECKING:
    from mldesk.workbench.what_if import Answer, Asked, WhatIf

_PAUSE = 150    # milliseconds after the last key until the model is asked
_MOST = 12      # columns whose part is shown
_CHOICES = 200  # of a column; one with more is typed


class WhatIfView(QWidget, TaskOwner):
    """The form on the left, the answer on the right. The model is opened when the view is first shown."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self._label, self._wanted = shell, "", ""
        self.model: WhatIf | None = None
        self._read: dict[str, Callable[[], Any]] = {}
        self._asked = 0
        self.form = ScrollPage(margin=0, spacing=Space.M)
        self.form.body.setContentsMargins(0, 0, Space.M, Space.L)
        self.usual = make_button(self.tr("A usual row"), "secondary", "undo")
        self.usual.setToolTip(self.tr(
            "Fill in a real row of the data, the one nearest to the median or commonest value of every column"))
        self.usual.clicked.connect(lambda _: self._fill())
        self.number = SpinBox(1, 2**31 - 1, 1)
        self.number.setAccessibleName(self.tr("Row of the data"))
        self.take = make_button(self.tr("Fill in this row"), "secondary")
        self.take.setToolTip(self.tr("Take the cells of this row of what the model learned from, counted from 1"))
        self.take.clicked.connect(self.fill_in)
        self.taken = make_label("", "caption", "muted", wrap=True)
        self.taken.hide()
        self._fields = QVBoxLayout()
        self._fields.setSpacing(Space.M)
        self.form.body.addWidget(self.usual, 0, Qt.AlignmentFlag.AlignLeft)
        self.form.body.addLayout(row(self.number, self.take, None, spacing=Space.S))
        self.form.body.addWidget(self.taken)
        self.form.body.addLayout(self._fields)
        self.form.body.addStretch(1)
        self.answer = make_label(" ", "title", selectable=True)
        self.why = make_label("", "body", "muted", wrap=True)
        self.within = make_label("", "body", wrap=True, selectable=True)
        self.within.hide()
        self.unknown = make_label("", "caption", "warning", wrap=True, selectable=True)
        self.unknown.hide()
        self.chances, self.parts = BarChart(name=self.tr("Chances")), BarChart(name=self.tr("What columns add"))
        result = Card(self.tr("Prediction"))
        for part in (self.answer, self.within, self.why, self.unknown, self.chances):
            result.add(part)
        self.about = ComboBox([])
        self.about.setAccessibleName(self.tr("Class that is explained"))
        self.about.currentIndexChanged.connect(lambda _: self.ask())
        self.about.hide()
        self.added = Card(self.tr("What columns add"), " ")
        self.added.add(self.about)
        self.legend = swatches([(0, self.tr("raises it")), (1, self.tr("lowers it"))])
        self.added.add(self.legend)
        self.added.add(self.parts)
        right = ScrollPage(margin=0, spacing=Space.L)
        right.body.setContentsMargins(0, 0, Space.S, Space.L)
        for card in (result, self.added):
            right.body.addWidget(card)
        right.body.addStretch(1)
        line = row(self.form, right, spacing=Space.XL)
        line.setStretch(0, 2)
        line.setStretch(1, 3)
        self.setLayout(line)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self.ask)

    @async_slot
    async def open(self, label: str) -> None:
        """Open a version, unless it is open; an older one that comes late is dropped."""
        if label == self._wanted:
            return
        self._wanted = label
        self.answer.setText(self.tr("Opening the model…"))
        try:
            model = await in_thread(self._shell.desk.workbench.explaining.what_if, label)
        except MldeskError as error:
            self.answer.setText(words.MISSING)
            self.why.setText(sentence(error))
            return
        if label == self._wanted:
            self.model = model
            self._offer(model.classes)
            self._fill()

    def _offer(self, classes: Sequence[Any]) -> None:
        """Let the person choose the class whose chance is explained."""
        self.about.blockSignals(True)  # the form is asked about next
        self.about.clear()
        self.about.addItem(self.tr("The class that is predicted"), None)
        for label in classes:
            self.about.addItem(self.tr("The chance of {name}").format(name=words.cell(label)), label)
        self.about.blockSignals(False)
        self.about.setVisible(bool(classes))

    def _fill(self, cells: Mapping[str, Any] | None = None) -> None:
        """Fill the form with the cells of a row, else with what is usual."""
        if self.model is None:
            return
        if cells is None:
            self.taken.hide()
        clear(self._fields)
        self._read = {}
        for asked in self.model.form:
            value = asked.usual if cells is None else cells.get(asked.column.name)
            self._fields.addWidget(self._editor(asked, value))
        self.ask()

    @async_slot
    async def fill_in(self) -> None:
        """Fill the form with the row whose number was given, of what the model learned from."""
        model, number = self.model, self.number.value()
        if model is None:
            return
        try:
            cells = await in_thread(self._shell.desk.workbench.explaining.row, model.label, number - 1)
        except MldeskError as error:
            self._say_taken(sentence(error))
            return
        if model is self.model:
            self._fill(cells)
            self._say_taken(self.tr("Row {number}: {target} is {value} there.").format(
                number=words.number(number), target=model.target, value=words.cell(cells.get(model.target))))

    def _say_taken(self, text: str) -> None:
        self.taken.setText(text)
        self.taken.show()

    def _editor(self, asked: Asked, value: Any) -> FormRow:
        name, missing = asked.column.name, (None, self.tr("missing"))
        choices = [(True, self.tr("yes")), (False, self.tr("no"))] if asked.column.type is ColumnType.BOOLEAN else [
            (text, text) for text in asked.choices]
        if 0 < len(choices) <= _CHOICES:
            if value is not None and value not in [known for known, _ in choices]:
                choices.insert(0, (value, words.cell(value)))   # of a row; training hardly saw it
            box = ComboBox([*choices, missing])
            box.setCurrentIndex([known for known, _ in (*choices, missing)].index(value))
            box.currentIndexChanged.connect(lambda _: self._pause.start())
            self._read[name] = box.value
            return FormRow(name, box)
        written = "" if value is None else str(value)
        if isinstance(value, float):
            written = written.removesuffix(".0")   # 29, as the table writes it
        field = QLineEdit(written)
        field.setPlaceholderText(self.tr("missing"))
        field.textEdited.connect(lambda _: self._pause.start())
        self._read[name] = lambda: field.text().strip() or None
        text = self.tr("{low} to {high} in the data") if asked.whole else self.tr("{low} to {high} in rows it knows")
        known = "" if asked.low is None or asked.high is None else text.format(
            low=words.figure(asked.low), high=words.figure(asked.high))
        return FormRow(name, field, known)

    @async_slot
    async def ask(self) -> None:
        """Predict the row as it is now; an answer to an older one is dropped."""
        model = self.model
        if model is None:
            return
        self._asked += 1
        number, values = self._asked, {name: read() for name, read in self._read.items()}
        try:
            answer = await in_thread(model.ask, values, about=self.about.currentData())
        except MldeskError as error:
            if number == self._asked:
                self.answer.setText(words.MISSING)
                self.why.setText(sentence(error))
            return
        if number == self._asked and model is self.model:
            self.show_answer(answer)
            warnings = (*model.unknown(values), *model.broken(values))
            self.unknown.setText("\n".join(warnings))
            self.unknown.setVisible(bool(warnings))

    def show_answer(self, answer: Answer) -> None:
        """Show what the model says."""
        target = self.model.target if self.model is not None else ""
        said = words.cell(answer.prediction) if answer.probabilities else words.figure(answer.value, 5)
        self.answer.setText(f"{target}: {said}")
        shares = bool(answer.probabilities)
        self.within.setText(self._within(answer, shares))
        self.within.setVisible(bool(answer.within))
        what = self.tr("the chance that {target} is {name}").format(target=target, name=words.cell(
            answer.explained)) if shares else self.tr("the predicted {target}").format(target=target)
        value, base = (points(number, shares) for number in (answer.value, answer.base))
        self.why.setText(self.tr("Here {what} is {value}; over rows of the data it is {base} on average.").format(
            what=what, value=value, base=base))
        self.added.set_subtitle(self.tr("How each column moves {what} from {base} to {value}.").format(
            what=what, value=value, base=base))
        self.chances.set_bars([Bar(words.cell(name), chance, words=words.share(chance)) for name, chance in sorted(
            answer.probabilities, key=lambda pair: -pair[1])[:_MOST]], (0.0, 1.0))
        self.chances.setVisible(shares)
        shown = sorted(answer.contributions, key=lambda pair: -abs(pair[1]))[:_MOST]
        self.parts.set_bars([Bar(name, value, slot=int(value < 0), words=points(value, shares, signed=True))
                             for name, value in shown], even_span(value for _, value in shown))

    def _within(self, answer: Answer, classes: bool) -> str:
        """Say what holds the truth nine times of ten; "" where nobody knows."""
        if not answer.within:
            return ""
        if classes:
            return self.tr("In nine rows of ten the truth is among: {names}.").format(
                names=", ".join(map(words.cell, answer.within)))
        return self.tr("In nine rows of ten the truth lies from {low} to {high}.").format(
            low=words.figure(answer.within[0]), high=words.figure(answer.within[1]))
