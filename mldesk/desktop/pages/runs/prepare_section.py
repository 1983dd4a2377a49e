"""Steps that learn, done by the model itself: taken from recipes or made here, learnt from the training rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput, MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.step_form import StepForm
from mldesk.desktop.pages.data.step_list import StepList
from mldesk.desktop.pages.file_choice import choose_files
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.clean import CleanState
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    FormRow,
    ScrollPage,
    Sheet,
    clear,
    make_button,
    make_icon_button,
    make_label,
    row,
    set_icon,
)

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion

Step = Mapping[str, Any]
_TALLEST = 180   # of the steps, pixels at 100 %; more of them scroll


class PrepareSection(QWidget, TaskOwner):
    """Edits ``TrainOrder.prepare``. Signals: ``changed`` (the steps)."""

    changed = Signal(tuple)

    def __init__(self, shell: Shell, version: DatasetVersion, steps: Sequence[Step], target: Callable[[], str],
                 parent: QWidget | None = None) -> None:
        """``target`` is asked for the column that the model is to predict, by which some steps go."""
        super().__init__(parent)
        self._target = target
        self._shell, self._version = shell, version
        self.state = CleanState(shell.desk, version)
        self.offers: list[tuple[str, tuple[Step, ...]]] = []
        self.fold = make_button("", "fold", "chevron-right")
        self.list = StepList()
        self.list.moved.connect(self.state.move_to)
        self.list.ticked.connect(lambda index, on: self.state.set_disabled(index, not on))
        self.list.edited.connect(self.edit)
        self.list.removed.connect(self.state.remove)
        self.list.doubled.connect(self.state.duplicate)
        self._error = make_label("", "caption", "danger", wrap=True)
        self._error.hide()
        self._menu = QMenu(self)
        self._inside = self._make_inside()
        self.fold.clicked.connect(lambda: self.unfold(self._inside.isHidden()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._inside)
        self.state.set_steps(steps)
        self.state.steps.subscribe(lambda _: self._show())
        self.state.steps.changed.subscribe(lambda _: self.changed.emit(self.steps()))
        self.unfold(bool(steps))
        self._load_offers()

    def _make_inside(self) -> QWidget:
        self.take = make_button(self.tr("Take from a recipe"), "secondary", menu=self._menu, small=True)
        add = make_button(self.tr("Add a step…"), "secondary", "plus", small=True)
        add.clicked.connect(lambda: self.edit(None))
        self._edit = make_icon_button("edit", self.tr("Change (Enter)"))
        self._edit.clicked.connect(lambda: self.edit(self.list.chosen()))
        self._remove = make_icon_button("trash", self.tr("Remove (Delete)"))
        self._remove.clicked.connect(lambda: self.state.remove(self.list.chosen()))
        self._undo = make_icon_button("undo", self.tr("Undo"))
        self._undo.clicked.connect(self.state.steps.undo)
        self.list.looked.connect(lambda _: self._show_tools())
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(Space.L, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(make_label(self.tr(
            "Filling, scaling, clipping, binning, encoding, segments and components take something from the rows. Here "
            "the model learns it from its training rows only, and does it again whenever it predicts. Rebalancing "
            "chooses among training rows, and no others."),
            "caption", "muted", wrap=True))
        layout.addWidget(self.list)
        layout.addLayout(row(self.take, add, None, self._undo, self._edit, self._remove, spacing=Space.XS))
        layout.addWidget(self._error)
        return inside

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that are ticked."""
        return tuple(step for step in self.state.steps.value if not step.get("disabled"))

    def unfold(self, on: bool) -> None:
        """Show or fold the steps."""
        self._inside.setVisible(on)
        set_icon(self.fold, "chevron-down" if on else "chevron-right", "muted", 14)

    # Showing

    def _show(self) -> None:
        steps = self.state.steps.value
        self.list.show_steps(steps, [""] * len(steps), min(self.list.chosen(), len(steps) - 1))
        self.list.setVisible(bool(steps))
        lines = sum(self.list.sizeHintForRow(index) + 2 * self.list.spacing() for index in range(len(steps)))
        self.list.setFixedHeight(min(lines + 2 * Space.S, theme.px(_TALLEST)))
        count = len(self.steps())
        left = sum(len(found) for _, found in self.offers)
        if count:
            self.fold.setText(words.counted(count, self.tr("step learnt in the model"),
                                            self.tr("steps learnt in the model")))
        else:
            self.fold.setText(self.tr("Steps learnt in the model: none") + (
                self.tr(" · recipes have {count}").format(count=words.number(left)) if left else ""))
        self._show_tools()

    def _show_tools(self) -> None:
        for button in (self._edit, self._remove):
            button.setVisible(self.list.chosen() >= 0)
        self._undo.setVisible(self.state.steps.can_undo)

    @async_slot
    async def _load_offers(self) -> None:
        service, version = self._shell.desk.workbench.datasets, self._version

        def find() -> list[tuple[str, tuple[Step, ...]]]:
            from mldesk.workbench.preparing import on_offer

            line = service.line_of(version)
            numbers = {item.number for item in line}
            others = [item for item in service.versions(version.dataset) if item.number not in numbers]
            return on_offer(*([(item.label, item.recipe or ()) for item in items] for items in (line, others)))

        try:
            self.offers = await in_thread(find)
        except MldeskError:  # nothing to offer
            return
        self._fill_menu()
        self._show()

    def _fill_menu(self) -> None:
        self._menu.clear()
        for label, steps in self.offers:
            entry = self._menu.addAction(self.tr("{version}: {steps}").format(version=label, steps=words.counted(
                len(steps), self.tr("step"), self.tr("steps"))))
            entry.triggered.connect(lambda _checked=False, steps=steps: self.add(steps))
        if not self.offers:
            none = self._menu.addAction(self.tr("No version of {name} left a step to its models").format(
                name=self._version.dataset))
            none.setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("A recipe in a file…")).triggered.connect(lambda _checked=False: self._choose())

    # Changing

    def add(self, steps: Sequence[Step]) -> None:
        """Add steps below; those that are there already are not added twice."""
        there = self.state.steps.value
        new = [step for step in steps if dict(step) not in [dict(one) for one in there]]
        if new:
            self.state.set_steps([*there, *new])
        self.unfold(True)

    def _choose(self) -> None:
        choose_files(self, self.tr("Take steps from a recipe"), [self.tr("Recipes") + " (*.json)",
                                                                 self.tr("All files") + " (*)"],
                     lambda paths: self.read(paths[0]))

    @async_slot
    async def read(self, path: Path) -> None:
        """Add the steps of a file that a model can learn."""
        from mldesk.data.recipes.steps import parse_recipe
        from mldesk.workbench.preparing import learnable

        try:
            steps = parse_recipe(await in_thread(path.read_text, "utf-8-sig"))
        except (OSError, ValueError) as error:
            self._say(self.tr("{name} cannot be read: {why}").format(name=path.name, why=error))
            return
        except BadInput as error:
            self._say(sentence(error))
            return
        able = learnable(steps)
        self._say("" if len(able) == len(steps) else self.tr(
            "A model can learn {able} of the {all} steps in {name}; clean the table with the others.").format(
                able=len(able), all=len(steps), name=path.name))
        self.add(able)

    def edit(self, index: int | None) -> None:
        """Ask for a new step, or change the one at ``index``."""
        step = self.state.steps.value[index] if index is not None and index >= 0 else None
        sheet = PreparedStepSheet(self.window(), self._version, step, self._target())
        if step is None:
            sheet.made.connect(lambda made: self.add([made]))
        else:
            sheet.made.connect(lambda made: self.state.replace(index or 0, made))
        sheet.open()

    def _say(self, text: str) -> None:
        self._error.setText(text)
        self._error.setVisible(bool(text))


class PreparedStepSheet(Sheet):
    """Asks for one step that a model can learn. Signals: ``made`` (the step)."""

    made = Signal(object)

    def __init__(self, host: QWidget, version: DatasetVersion, step: Step | None, target: str) -> None:
        from mldesk.data.recipes.steps import BY_NAME
        from mldesk.training.preparing_check import STEPS

        super().__init__(self.tr("A step learnt in the model"), host, width=520,
                         primary=self.tr("Add this step") if step is None else self.tr("Change this step"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._target = target
        self._version, self._kinds = version, {name: BY_NAME[name] for name in STEPS}
        self.kind = ComboBox([(name, kind.title or name) for name, kind in self._kinds.items()],
                             None if step is None else str(step["step"]))
        self._kind_row = FormRow(self.tr("Step"), self.kind)
        self._page = ScrollPage(margin=0)
        self._page.body.setContentsMargins(0, 0, Space.S, 0)
        self.add(self._kind_row)
        self.body.addWidget(self._page, 1)
        self.kind.currentIndexChanged.connect(lambda _: self._show_form(None))
        self.confirmed.connect(self._on_confirmed)
        self._show_form(step)
        self.resize(theme.px(520), theme.px(520))

    def _show_form(self, step: Step | None) -> None:
        clear(self._page.body)
        kind = self._kinds[str(self.kind.value())]
        self._kind_row.set_help(kind.help)
        usual = {field: self._target for field in ("target", "column") if self._target and kind.field(field)}
        self.form = StepForm(kind, self._version.columns, step or usual)
        self.form.changed.connect(self._check)
        self._page.body.addWidget(self.form)
        self._page.body.addStretch(1)
        self._check()

    def _check(self) -> None:
        from mldesk.data.recipes.steps_leak import learns
        from mldesk.training.preparing_check import why_not

        try:
            step = self.form.step()
        except BadInput as error:
            self.set_primary_enabled(error.message)
            return
        why = why_not(step)
        if not why and not learns(step):
            why = self.tr("so filled in, it learns nothing; do it with Clean")
        self.set_primary_enabled(f"{why[:1].upper()}{why[1:]}." if why else "")

    def _on_confirmed(self) -> None:
        step = self.form.step()
        self.accept()
        self.made.emit(step)
