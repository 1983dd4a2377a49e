"""Clean: steps on the left, what they give on the right; unfinished, the steps are kept until a version is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.clean_preview import CleanPreview, typed
from mldesk.desktop.pages.data.recipe_menu import RecipeMenu
from mldesk.desktop.pages.data.recipe_notices import RecipeNotices
from mldesk.desktop.pages.data.step_editor import StepEditor
from mldesk.desktop.pages.data.step_list import StepList, report_lines
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.clean import CleanState, Step
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Sheet,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mldesk.data.recipes.steps import StepKind
    from mldesk.library.records import DatasetVersion
    from mldesk.wire.schema import Column

_WIDE = 1080   # width of the dialog from which list, form and preview stand beside one another, pixels at 100 %
_LIST, _LIST_BESIDE, _FORM = 340, 264, 340   # their widths


class CleanDialog(Sheet, TaskOwner):
    """Draws a ``CleanState``. Signals: ``made`` when the new version is there."""

    made = Signal()

    def __init__(self, shell: Shell, version: DatasetVersion, steps: Sequence[Step] = ()) -> None:
        super().__init__(self.tr("Clean {name}").format(name=version.dataset), shell.host,
                         primary=self.tr("Make the new version"), width=780,
                         text=self.tr("Steps on version {number}. The version stays as it is; the result is a new one.")
                         .format(number=version.number))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell = shell
        self.state = CleanState(shell.desk, version)
        self._follow: int | None = None   # the step to be chosen once the steps are shown anew
        self.datasets: dict[str, Sequence[Column]] = {}   # the others, for steps that bring one in
        self.preview = CleanPreview(self.state)
        self.editor = StepEditor()
        self._left = self._make_list()
        self.editor.chosen.connect(self.edit)
        self.editor.opened.connect(self._on_editor)
        self.editor.left.connect(self._on_left)
        self.editor.tried.connect(self._try)
        self.editor.kept.connect(self._keep_step)
        parts = row(self._left, self.editor, self.preview, spacing=Space.XL)
        parts.setStretch(2, 1)
        self.body.addLayout(parts, 1)
        self.confirmed.connect(self._on_apply)
        self.finished.connect(self._on_finished)
        self.state.steps.subscribe(lambda _: self._on_steps())
        self.state.seen.changed.subscribe(lambda _: self._refresh())
        self.state.counts.changed.subscribe(lambda _: self._show_counts())
        self.state.problem.changed.subscribe(lambda _: self._show_problem())
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self).activated.connect(self.state.steps.undo)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Redo), self).activated.connect(self.state.steps.redo)
        self.state.begin(steps)
        self.resize(fitting(self, 1240, 780))
        self._arrange()
        self._load_datasets()
        self._go_on()

    # Building

    def _arrange(self) -> None:
        """Show the list and what is beside it; where there is no room for both, a form takes the list's place."""
        wide = self.width() >= theme.px(_WIDE)
        editing = not self.editor.isHidden()
        self._left.setVisible(wide or not editing)
        self._left.setFixedWidth(theme.px(_LIST_BESIDE if wide and editing else _LIST))
        self.editor.setFixedWidth(theme.px(_FORM))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "editor"):
            self._arrange()

    @async_slot
    async def _load_datasets(self) -> None:
        found = await in_thread(self._shell.desk.workbench.datasets.list)
        self.datasets = {item.name: item.head.columns for item in found}

    @async_slot
    async def _go_on(self) -> None:
        if await self.state.go_on():
            self._shell.say(self.tr("The steps you had not finished are here again; Undo takes them out."), "neutral")

    def _make_list(self) -> QWidget:
        self._undo = make_icon_button("undo", self.tr("Undo (Ctrl+Z)"))
        self._redo = make_icon_button("redo", self.tr("Redo (Ctrl+Shift+Z)"))
        self._undo.clicked.connect(self.state.steps.undo)
        self._redo.clicked.connect(self.state.steps.redo)
        self.add_button = make_button(self.tr("Add a step"), "secondary", "plus")
        self.add_button.clicked.connect(self.editor.pick)
        self.menu = RecipeMenu(self._shell, self.state, self)
        self.menu.wanted_on.connect(self._go_on_with)
        recipe = make_button(self.tr("Recipe"), "secondary", menu=self.menu)
        self.list = StepList()
        self.list.moved.connect(self._move)
        self.list.ticked.connect(lambda index, on: self.state.set_disabled(index, not on))
        self.list.edited.connect(self._edit_at)
        self.list.removed.connect(self.state.remove)
        self.list.doubled.connect(self.state.duplicate)
        self.list.looked.connect(self._on_looked)
        self._none = make_label(self.tr("No steps yet. Add one: drop columns, fill what is missing, filter rows…"),
                                tone="muted", wrap=True)
        self.notices = RecipeNotices(self.state)
        self.notices.refused.connect(self.set_error)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(row(self.add_button, recipe, None, self._undo, self._redo, spacing=Space.XS))
        layout.addWidget(self._none)
        layout.addWidget(self.list, 1)
        layout.addLayout(self._make_tools())
        layout.addWidget(self.notices)
        return box

    def _make_tools(self) -> QHBoxLayout:
        self._tools: list[QWidget] = []
        line = row(spacing=Space.XS)
        for icon, name, act in (
                ("edit", self.tr("Change (Enter)"), self._edit_at),
                ("copy", self.tr("Duplicate (Ctrl+D)"), self.state.duplicate),
                ("chevron-up", self.tr("Move up (Alt+Up)"), lambda index: self._move(index, index - 1)),
                ("chevron-down", self.tr("Move down (Alt+Down)"), lambda index: self._move(index, index + 1)),
                ("trash", self.tr("Remove (Delete)"), self.state.remove)):
            button = make_icon_button(icon, name)
            button.clicked.connect(lambda _checked=False, act=act: act(self.list.chosen()))
            line.addWidget(button)
            self._tools.append(button)
        line.addStretch(1)
        self._all = make_button(self.tr("Show what all give"), "link")
        self._all.clicked.connect(self.list.clearSelection)
        line.addWidget(self._all)
        return line

    # The form

    def _go_on_with(self, version: DatasetVersion, steps: Sequence[Step]) -> None:
        self.reject()
        CleanDialog(self._shell, version, steps).open()

    def _edit_at(self, index: int) -> None:
        from mldesk.data.recipes.steps import BY_NAME

        if 0 <= index < len(self.state.steps.value):
            self.edit(BY_NAME[str(self.state.steps.value[index]["step"])], index)

    def edit(self, kind: StepKind, index: int | None = None) -> None:
        """Show the form of a step: a new one, or the one at ``index``."""
        self.editor.edit(kind, index, None if index is None else self.state.steps.value[index], self._columns(index), {
            name: columns for name, columns in self.datasets.items() if name != self.state.version.dataset})

    def _columns(self, index: int | None) -> list[Column]:
        """The columns a step sees: a new one those of the preview, one that is there those before it."""
        page = self.state.preview.value if index is None else self.state.before.value
        if index is not None and self.state.seen.value != index:
            page = None
        return list(self.state.version.columns) if page is None else typed(page, self.state.version.columns)

    @async_slot
    async def _try(self, index: int | None, step: Step) -> None:
        """Preview the step in the form as if it were there."""
        await self.state.allow([step])   # whoever presses Try it has written it, or seen it
        self.state.trial.value = (index, step)
        await self.state.refresh()

    @async_slot
    async def _keep_step(self, index: int | None, step: Step) -> None:
        await self.state.allow([step])
        self.state.trial.value = None
        self.editor.leave()
        self._put(index, step)

    def _put(self, index: int | None, step: Step) -> None:
        if index is None:
            self.state.add(step)
        else:
            self.state.replace(index, step)

    def _on_editor(self) -> None:
        self._arrange()
        self._show_primary()

    def _on_left(self) -> None:
        self._arrange()
        if self.state.trial.value is not None:
            self.state.trial.value = None
            self._refresh()
        self._show_primary()
        self.list.setFocus()

    # Steps

    @async_slot
    async def _on_steps(self) -> None:
        self.state.seen.value, self._follow = self._follow, None
        self._show_steps()
        start(self.state.keep(), "keep the unfinished recipe")
        await self.state.refresh()

    def _move(self, index: int, place: int) -> None:
        """Move a step, which stays the chosen one, so that it can be moved on."""
        if 0 <= place < len(self.state.steps.value):
            self._follow = place
            self.state.move_to(index, place)

    @async_slot
    async def _refresh(self) -> None:
        await self.state.refresh()

    def _on_looked(self, index: int) -> None:
        self.state.seen.value = None if index < 0 else index
        self._show_tools()

    def _show_steps(self) -> None:
        steps = self.state.steps.value
        self.list.show_steps(steps, report_lines(steps, self.state.counts.value),
                             -1 if self.state.seen.value is None else self.state.seen.value, self.state.wrong())
        self._none.setVisible(not steps)
        self._undo.setEnabled(self.state.steps.can_undo)
        self._redo.setEnabled(self.state.steps.can_redo)
        self._show_tools()
        self.notices.show_notices()
        self._show_primary()

    def _show_tools(self) -> None:
        chosen = self.list.chosen()
        for button in self._tools:
            if chosen < 0:
                disable(button, self.tr("Choose a step first."))
            else:
                enable(button)
        self._all.setVisible(chosen >= 0)

    # The preview

    def _show_counts(self) -> None:
        if self.state.trial.value is None:
            self._show_steps()
        self.notices.show_notices()

    def _show_problem(self) -> None:
        problem = self.state.problem.value
        self.set_error("" if problem is None else f"{problem.message} {problem.advice}".strip())
        if self.state.trial.value is None:
            self._show_steps()
        self._show_primary()

    def _show_primary(self) -> None:
        if not self.editor.isHidden():
            self.set_primary_enabled(self.tr("Finish the step you are at first."))
        elif not any(not step.get("disabled") for step in self.state.steps.value):
            self.set_primary_enabled(self.tr("Add at least one step."))
        elif self.state.problem.value is not None:
            self.set_primary_enabled(self.tr("A step does not fit; change it or take it out."))
        else:
            self.set_primary_enabled("")

    @async_slot
    async def _on_apply(self) -> None:
        self.set_busy(self.tr("Making the new version… Cancel stops it."))
        try:
            made = await self.state.apply()
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        finally:
            self.set_busy("")
        self.made.emit()
        self.accept()
        self._shell.say(self.tr("Made version {number} of {name}.").format(number=made.number, name=made.dataset),
                        "success", (self.tr("Undo"), lambda: _undo(self._shell, self.state.version)))
        self._shell.open_dataset(made.dataset)

    def reject(self) -> None:
        """Close; the steps stay for the next time, with the one in the form if it can be read."""
        if (unfinished := self.editor.unfinished()) is not None:
            self._put(*unfinished)
        start(self.state.keep(), "keep the unfinished recipe")
        if self.state.steps.value and self.state.steps.value != self.state.given:
            self._shell.say(self.tr("The steps are kept: Clean goes on with them."), "neutral")
        super().reject()

    def _on_finished(self) -> None:
        self.editor.timer.stop()
        self.state.stop()
        self.cancel_tasks()


def _undo(shell: Shell, before: DatasetVersion) -> None:
    async def back() -> None:
        await in_thread(shell.desk.workbench.datasets.rollback, before.dataset, before.number)
        shell.desk.nudge()

    start(back(), f"roll {before.dataset} back")
