"""Clean: steps on the left, what they give on the right; nothing is kept until the new version is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput, MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.answer_table import columns_of, show_page
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.pages.step_form import StepForm
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.clean import CleanState, Step
from mldesk.desktop.step_words import step_words
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    DataTable,
    ScrollPage,
    Sheet,
    Spinner,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    row,
    set_tone,
)

if TYPE_CHECKING:
    from mldesk.data.steps import StepKind
    from mldesk.library.records import DatasetVersion
    from mldesk.wire.schema import Column

_LEFT = 372  # pixels


class CleanDialog(Sheet, TaskOwner):
    """Draws a ``CleanState``."""

    def __init__(self, shell: Shell, version: DatasetVersion) -> None:
        super().__init__(self.tr("Clean {name}").format(name=version.dataset), shell.host,
                         primary=self.tr("Make the new version"), width=820,
                         text=self.tr("Steps on version {number}. The version stays as it is; the result is a new one.")
                         .format(number=version.number))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell = shell
        self.state = CleanState(shell.desk, version)
        self._editing: int | None = None  # the step in the form, None for a new one
        self._form: StepForm | None = None
        left, right = self._make_left(), self._make_right()
        left.setFixedWidth(_LEFT)
        parts = row(left, right, spacing=Space.XL)
        parts.setStretch(1, 1)
        self.body.addLayout(parts, 1)
        self.confirmed.connect(self._on_apply)
        self.finished.connect(self.cancel_tasks)
        self.state.steps.subscribe(lambda _: self._on_steps())
        self.state.preview.changed.subscribe(lambda _: self._show_preview())
        self.state.problem.changed.subscribe(lambda _: self._show_problem())
        self.state.busy.subscribe(self._spinner.setVisible)
        for keys, slot in ((QKeySequence.StandardKey.Undo, self.state.undo),
                           (QKeySequence.StandardKey.Redo, self.state.redo)):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        self.resize(fitting(self, 1180, 740))

    # Building

    def _make_left(self) -> QWidget:
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_list())
        self._stack.addWidget(self._make_editor())
        return self._stack

    def _make_list(self) -> QWidget:
        from mldesk.data import STEPS

        self._undo = make_icon_button("undo", self.tr("Undo (Ctrl+Z)"))
        self._redo = make_icon_button("redo", self.tr("Redo (Ctrl+Shift+Z)"))
        self._undo.clicked.connect(self.state.undo)
        self._redo.clicked.connect(self.state.redo)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for kind in STEPS:
            action = menu.addAction(kind.title or kind.name)
            action.setToolTip(kind.help)
            action.setObjectName(kind.name)
            action.triggered.connect(lambda _checked=False, kind=kind: self.edit(kind))
        self.add_button = make_button(self.tr("Add a step"), "secondary", "plus", menu=menu)
        self._steps = QVBoxLayout()
        self._steps.setSpacing(Space.S)
        page = ScrollPage(margin=0, spacing=Space.M)
        page.body.addLayout(self._steps)
        page.body.addStretch(1)
        self._none = make_label(self.tr("No steps yet. Add one: drop columns, fill what is missing, filter rows…"),
                                tone="muted", wrap=True)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        layout.addLayout(row(self.add_button, None, self._undo, self._redo, spacing=Space.XS))
        layout.addWidget(self._none)
        layout.addWidget(page, 1)
        return box

    def _make_editor(self) -> QWidget:
        self._form_title = make_label("", "subtitle")
        self._form_help = make_label("", "caption", "muted", wrap=True)
        self._form_error = make_label("", "caption", "danger", wrap=True)
        self._form_page = ScrollPage(margin=0, spacing=Space.L)
        self._form_page.body.setContentsMargins(0, 0, Space.S, 0)
        back = make_button(self.tr("Back"), "secondary")
        back.clicked.connect(self._leave_form)
        self.keep_button = make_button(self.tr("Add this step"), "primary", "check")
        self.keep_button.clicked.connect(self._keep_step)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self._form_title)
        layout.addWidget(self._form_help)
        layout.addWidget(self._form_page, 1)
        layout.addWidget(self._form_error)
        layout.addLayout(row(None, back, self.keep_button))
        return box

    def _make_right(self) -> QWidget:
        self._said = make_label("", tone="muted")
        self._spinner = Spinner(16)
        self.table = DataTable(flush=True)
        card = Card(padding=0)
        card.add(self.table, 1)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        head = row(make_label(self.tr("Preview"), "subtitle"), self._said, None, self._spinner, spacing=Space.M)
        layout.addLayout(head)
        layout.addWidget(card, 1)
        return box

    # The form

    def edit(self, kind: StepKind, index: int | None = None) -> None:
        """Show the form of a step: a new one, or the one at ``index``."""
        self._editing = index
        step = None if index is None else self.state.steps.value[index]
        self._drop_form()
        self._form = StepForm(kind, self._columns(), step)
        self._form.changed.connect(self._check_form)
        self._form_page.body.addWidget(self._form)
        self._form_page.body.addStretch(1)
        self._form_title.setText(kind.title or kind.name)
        self._form_help.setText(kind.help)
        self._form_error.setText("")
        self.keep_button.setText(self.tr("Add this step") if index is None else self.tr("Change this step"))
        self._stack.setCurrentIndex(1)
        self._check_form()
        self.set_primary_enabled(self.tr("Finish the step you are at first."))

    def _columns(self) -> list[Column]:
        """The columns a new step sees: those of the preview."""
        page = self.state.preview.value
        return list(self.state.version.columns) if page is None else columns_of(page, self.state.version.columns)

    def _drop_form(self) -> None:
        body = self._form_page.body
        while body.count():
            item = body.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _check_form(self) -> None:
        try:
            if self._form is not None:
                self._form.step()
        except BadInput as error:
            disable(self.keep_button, error.message)
            return
        enable(self.keep_button)

    def _keep_step(self) -> None:
        if self._form is None:
            return
        step = self._form.step()
        self._leave_form()
        if self._editing is None:
            self.state.add(step)
        else:
            self.state.replace(self._editing, step)

    def _leave_form(self) -> None:
        self._stack.setCurrentIndex(0)
        self._show_primary()

    # Steps

    @async_slot
    async def _on_steps(self) -> None:
        self._show_steps()
        await self.state.refresh()

    def _show_steps(self) -> None:
        while self._steps.count():
            item = self._steps.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        steps = self.state.steps.value
        for index, step in enumerate(steps):
            self._steps.addWidget(self._step_row(index, step, len(steps)))
        self._none.setVisible(not steps)
        self._undo.setEnabled(self.state.can_undo)
        self._redo.setEnabled(self.state.can_redo)
        self._show_primary()

    def _step_row(self, index: int, step: Step, count: int) -> QFrame:
        from mldesk.data.steps import BY_NAME

        frame = QFrame()
        frame.setProperty("surface", "card")
        layout = QHBoxLayout(frame)
        layout.setContentsMargins(Space.M, Space.S, Space.S, Space.S)
        layout.setSpacing(Space.XXS)
        text = make_label(f"{index + 1}.  {step_words(step)}", wrap=True)
        layout.addWidget(text, 1)
        tools = (("chevron-up", self.tr("Move up"), lambda: self.state.move(index, -1), index > 0),
                 ("chevron-down", self.tr("Move down"), lambda: self.state.move(index, 1), index < count - 1),
                 ("edit", self.tr("Change"), lambda: self.edit(BY_NAME[str(step["step"])], index), True),
                 ("close", self.tr("Remove"), lambda: self.state.remove(index), True))
        for icon, name, slot, on in tools:
            button = make_icon_button(icon, name, size=14)
            button.clicked.connect(lambda _checked=False, slot=slot: slot())
            button.setEnabled(on)
            layout.addWidget(button)
        return frame

    # The preview

    def _show_preview(self) -> None:
        page, version = self.state.preview.value, self.state.version
        if page is None:
            return
        self.table.header.rows = len(page.rows)
        show_page(self.table, page, version.columns)
        before, after = words.number(version.rows), words.number(page.total)
        rows = self.tr("{count} rows").format(count=after) if page.total == version.rows else \
            self.tr("{before} → {after} rows").format(before=before, after=after)
        columns = len(page.columns)
        wide = self.tr("{count} columns").format(count=columns) if columns == len(version.columns) else \
            self.tr("{before} → {after} columns").format(before=len(version.columns), after=columns)
        self._said.setText(f"{rows} · {wide}")
        set_tone(self._said, "muted")

    def _show_problem(self) -> None:
        problem = self.state.problem.value
        self.set_error("" if problem is None else f"{problem.message} {problem.hint}".strip())
        self._show_primary()

    def _show_primary(self) -> None:
        if not self.state.steps.value:
            self.set_primary_enabled(self.tr("Add at least one step."))
        elif self.state.problem.value is not None:
            self.set_primary_enabled(self.tr("A step does not fit; change it or take it out."))
        else:
            self.set_primary_enabled("")

    @async_slot
    async def _on_apply(self) -> None:
        self.set_busy(self.tr("Making the new version…"))
        try:
            made = await self.state.apply()
        except MldeskError as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self.set_busy("")
        self.accept()
        before = self.state.version.number
        self._shell.say(self.tr("Made version {number} of {name}.").format(number=made.number, name=made.dataset),
                        "success", (self.tr("Undo"), lambda: _undo(self._shell, made.dataset, before)))
        self._shell.open_dataset(made.dataset)


def _undo(shell: Shell, name: str, number: int) -> None:
    from mldesk.desktop.tasks import in_thread, start

    async def back() -> None:
        await in_thread(shell.desk.workbench.datasets.rollback, name, number)
        shell.desk.nudge()

    start(back(), f"roll {name} back")
