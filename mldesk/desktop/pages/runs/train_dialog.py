"""The Train dialog: what to predict, with which estimator and settings. It says why Train is off, and what to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError, without_options
from mldesk.desktop import words
from mldesk.desktop.pages.asking import asked
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.pages.data.dataset_columns import columns_of
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.room import SideBySide, fitting
from mldesk.desktop.pages.runs.feature_section import FeatureSection
from mldesk.desktop.pages.runs.prepare_section import PrepareSection
from mldesk.desktop.pages.runs.preset_menu import preset_button
from mldesk.desktop.pages.runs.search_form import SearchForm
from mldesk.desktop.pages.runs.train_runner import RunnerSection
from mldesk.desktop.pages.runs.train_split import GuardSection, SplitSection
from mldesk.desktop.pages.runs.when_section import WhenSection, show_begun
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.search import SearchWish
from mldesk.desktop.states.train import TrainState
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ColumnProfileCard,
    ComboBox,
    DecimalBox,
    FormRow,
    ParameterForm,
    ScrollPage,
    Segmented,
    Sheet,
    SpinBox,
    clear,
    form_for,
    make_label,
    row,
    set_icon,
)

if TYPE_CHECKING:
    from mldesk.workbench.orders import TrainCheck

_BESIDE = 660  # width from which the two halves stand beside one another, pixels at 100 %
_PAUSE = 120  # milliseconds after the last change until the order is checked
_CALM = 500   # milliseconds after the last check until runners are asked what it would take


class TrainDialog(Sheet, TaskOwner):
    """Draws a ``TrainState``: the order on the left, what it learns from on the right.

    again(dict): fields of an order that the dialog, closed now, is to be opened with anew.
    """

    again = Signal(object)

    def __init__(self, shell: Shell, state: TrainState) -> None:
        version = state.version
        super().__init__(self.tr("Train a model"), shell.host, primary=self.tr("Train"), width=760,
                         text=f"{version.label} · {words.shape(version.rows, len(version.columns))}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state = shell, state
        self._profile: Mapping[str, Any] | None = None
        self._form: ParameterForm | None = None
        self._task: str | None = None
        self._filling = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._check)
        self._calm = QTimer(self, singleShot=True, interval=_CALM)
        self._calm.timeout.connect(self._estimate)
        self.presets = preset_button(shell, self, state, self._start_from)
        self.body.addLayout(row(self.presets, None))
        self.page = ScrollPage(margin=0)   # one for both halves: two bars side by side are one too many
        self.page.body.setContentsMargins(0, 0, Space.M, 0)
        self.page.body.addWidget(SideBySide(self._make_left(), self._make_right(), least=_BESIDE, shares=(5, 4)))
        self.page.body.addStretch(1)
        self.body.addWidget(self.page, 1)
        self.confirmed.connect(self._on_train)
        self.finished.connect(self.cancel_tasks)
        self.primary.setText(self.tr("Train"))
        set_icon(self.primary, "train", "on_accent")
        self.resize(fitting(self, 980, 720))
        self._fill()
        self._check()
        self._load_profile()
        self._load_runners()

    # Building

    def _make_left(self) -> QWidget:
        order = self.state.order.value
        half, page = _half()
        self.target = ColumnBox(self.state.version.columns)
        self.target.set_value(order.target)
        self.target.changed.connect(self._on_target)
        self._target_row = FormRow(self.tr("Predict"), self.target,
                                   self.tr("The column to be predicted from the others."))
        self.task = Segmented([("tabular_classification", self.tr("a class")),
                               ("tabular_regression", self.tr("a number"))])
        self.task.changed.connect(self._on_task)
        self._task_row = FormRow(self.tr("As"), self.task)
        self.order = QLineEdit(", ".join(order.order))
        self.order.setPlaceholderText(self.tr("low, middle, high"))
        self.order.textChanged.connect(self._on_order)
        self._order_row = FormRow(self.tr("Order of the classes"), self.order, self.tr(
            "From low to high, so that scores say how far off a miss is; sorted takes them as they sort. Empty: they "
            "have no order."))
        self.kind = Segmented([("one", self.tr("One model")), ("search", self.tr("Search for the best"))])
        self._kind_row = FormRow(self.tr("Train"), self.kind)
        self.search = SearchForm(self.state.search or SearchWish())
        self.kind.set_value("one" if self.state.search is None else "search")
        self.kind.changed.connect(lambda _: self._on_search())
        self.search.changed.connect(self._on_search)
        self.estimator = ComboBox([])
        self.estimator.currentIndexChanged.connect(self._on_estimator)
        self._estimator_row = FormRow(self.tr("Estimator"), self.estimator)
        self._form_box = QWidget()
        self._form_place = QVBoxLayout(self._form_box)
        self._form_place.setContentsMargins(0, 0, 0, 0)
        for widget in (self._target_row, self._task_row, self._kind_row, self.search, self._estimator_row,
                       self._order_row, self._form_box):   # few need an order, all how long a search takes
            page.addWidget(widget)
        return half

    def _make_right(self) -> QWidget:
        order = self.state.order.value
        half, page = _half()
        self._target_card = QVBoxLayout()
        self._advice = QVBoxLayout()
        self._advice.setSpacing(Space.S)
        self.name = QLineEdit(order.name)
        self.name.textChanged.connect(lambda text: self._change(name=text.strip()))
        self.model = QLineEdit(order.model)
        self.model.textChanged.connect(lambda text: self._change(model=text.strip()))
        self.test_size = DecimalBox(1.0, 90.0, 100 * order.test_size, 5.0, 0)
        self.test_size.valueChanged.connect(lambda value: self._change(test_size=value / 100))
        self.seed = SpinBox(0, 2**31 - 1, order.seed)
        self.seed.valueChanged.connect(lambda value: self._change(seed=value))
        self.features = FeatureSection()
        self.features.changed.connect(lambda chosen: self._change(features=chosen, without=()))
        self.prepare = PrepareSection(self._shell, self.state.version, order.prepare,
                                      lambda: self.state.order.value.target)
        self.prepare.changed.connect(lambda steps: self._change(prepare=steps))
        self.finished.connect(self.prepare.cancel_tasks)
        self.runners = RunnerSection()
        self.runners.changed.connect(self._on_runner)
        self.runners.adding.connect(self._on_add_runner)
        self.when = WhenSection()
        self.when.changed.connect(self._on_when)
        self.split = SplitSection(self.state.version.columns, order)
        self.split.changed.connect(lambda fields: self._change(**fields))
        self.guard = GuardSection(self._shell, lambda: self.state.order.value)
        self.guard.left.connect(self.reject)
        self.finished.connect(self.guard.cancel_tasks)
        page.addWidget(self.runners)
        page.addWidget(self.when)
        page.addLayout(self._advice)
        page.addLayout(self._target_card)
        for widget in (self.features, self.prepare,
                       FormRow(self.tr("Test rows"), self.test_size,
                               self.tr("Kept aside, to score the model on rows it has never seen."), "%"),
                       self.split, self.guard,
                       FormRow(self.tr("Name of the run"), self.name, self.tr("Made up if left empty.")),
                       FormRow(self.tr("Name of the model"), self.model, self.tr(
                           "Made of the table's and the column's if left empty. A name there is gets a new version.")),
                       FormRow(self.tr("Seed"), self.seed, self.tr("The same seed gives the same split and model."))):
            page.addWidget(widget)
        self._fill_columns()
        self.features.unfold(order.features is not None or bool(order.without))
        return half

    def _fill(self) -> None:
        """Show what the order says that only the check can know: task, estimators, form."""
        check, order = self.state.check.value, self.state.order.value
        task = order.task or (check.task if check is not None else None)
        searches = self.state.search is not None
        several = any(column.name == order.target and column.distinct > 2 for column in self.state.version.columns)
        for part, belongs in ((self._task_row, True), (self._order_row, task == "tabular_classification" and several),
                              (self._kind_row, True), (self.search, searches),
                              (self._estimator_row, not searches), (self._form_box, not searches)):
            part.setVisible(task is not None and belongs)
        self.split.offer_folds(not searches)
        self.set_title(self.tr("Search for the best model") if searches else self.tr("Train a model"))
        self.primary.setText(self.tr("Search") if searches else self.tr("Train"))
        if task is None:
            return
        self._filling = True
        self.task.set_value(task)
        if task != self._task:
            self._task = task
            entries = self.state.estimators(task)
            default = next((entry.name for entry in entries if task in entry.default_for), entries[0].name)
            options = [(entry.name, entry.title + (self.tr("  ·  good default") if entry.name == default else
                                                   self.tr("  ·  not installed here") if entry.lacking else ""))
                       for entry in entries]
            names = [entry.name for entry in entries]
            self.estimator.set_options(options, order.estimator if order.estimator in names else default)
            self._show_form(order.parameters)
            self.search.offer(task, entries)
        self._filling = False

    def _show_form(self, values: Mapping[str, Any]) -> None:
        chosen = self.estimator.value()
        entry = next((entry for entry in self.state.estimators(self._task) if entry.name == chosen), None)
        if entry is None:
            return
        self._estimator_row.set_help(f"{entry.help} {entry.lacking}".strip())
        self.estimator.setToolTip(entry.resuming)
        if self._form is not None:
            self._form_place.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form = form_for(entry.parameters_for(self._task or ""))
        self._form.set_values(values)
        self._form.changed.connect(self._on_form)
        self._form_place.addWidget(self._form)

    def _fill_columns(self) -> None:
        order = self.state.order.value
        self.features.set_columns([column for column in self.state.version.columns if column.name != order.target],
                                  order.features, order.without)

    def _start_from(self, given: Mapping[str, Any]) -> None:
        """Open the dialog anew with the settings of a preset."""
        self.reject()
        self.again.emit(given)

    # Changes

    def _change(self, **fields: Any) -> None:
        self.state.change(**fields)
        self.guard.clear()
        self._pause.start()

    def _on_target(self, name: str) -> None:
        self._filling = True
        self.order.clear()   # it was of the other column's classes
        self._filling = False
        left_out = tuple(column for column in self.state.order.value.without if column != name)
        self._change(target=name, task=None, features=None, without=left_out, order=())
        self._fill_columns()
        self._show_target()

    def _on_task(self, task: str) -> None:
        if not self._filling:
            self._change(task=task, **({} if task == "tabular_classification" else {"order": ()}))
            self._fill()

    def _on_order(self, text: str) -> None:
        if not self._filling:
            self._change(order=tuple(name.strip() for name in text.split(",") if name.strip()))

    def _on_estimator(self, _index: int) -> None:
        if not self._filling and self.estimator.value() is not None:
            self._show_form({})
            self._change(estimator=self.estimator.value(), parameters={})

    def _on_search(self) -> None:
        if not self._filling:
            self.state.search = self.search.wish() if self.kind.value() == "search" else None
            self._fill()
            self._pause.start()

    def _on_form(self) -> None:
        if self._form is not None and not self._form.error():
            self._change(parameters=self._form.changed_values())
        else:
            self._show_check(self.state.check.value)

    @async_slot
    async def _check(self) -> None:
        if self._form is not None and self.estimator.value() is not None:
            self.state.change(estimator=self.estimator.value())
        await self.state.refresh()
        self.search.show_outlook(self.state.outlook.value)
        self._fill()
        self._show_check(self.state.check.value)
        self._calm.start()

    def _show_check(self, check: TrainCheck | None) -> None:
        if check is None:
            return
        form_error = self._form.error() if self._form is not None else ""
        if self.state.search is not None:
            form_error = self.search.error()
        reason = form_error or (f"{check.why_not} {without_options(check.hint)}".strip() if check.why_not else "")
        if not self.target.value():
            reason = self.tr("Choose the column to predict.")
        self.set_primary_enabled(reason or self.runners.why_not() or self.when.why_not())
        guessed = self.state.order.value.task is None
        self._task_row.set_help(self.tr("Guessed from the values of the column.") if guessed else "")
        clear(self._advice)
        for advice in check.advice:
            notice = Notice(self)
            notice.say("warning" if advice.level == "warning" else "info", "", without_options(advice.text))
            self._advice.addWidget(notice)

    # Where it is to run

    @async_slot
    async def _load_runners(self) -> None:
        await self.state.load_runners()
        self.runners.show_runners(self.state.runners.value, self.state.order.value.runner)
        self.when.set_runner(self.runners.runner())
        self.search.offer_runners(self.state.runners.value, self.runners.runner())
        self._show_check(self.state.check.value)

    @async_slot
    async def _estimate(self) -> None:
        self.runners.set_busy(True)
        await self.state.estimate()
        self.runners.set_busy(self.state.estimating.value)
        self.runners.show_estimates(self.state.estimates.value)
        self._show_check(self.state.check.value)

    def _on_runner(self) -> None:
        self.state.change(runner=self.runners.runner(), priority=self.runners.priority.value())
        self.when.set_runner(self.runners.runner())
        self.search.offer_runners(self.state.runners.value, self.runners.runner())
        self._on_search()
        self._show_check(self.state.check.value)

    def _on_when(self) -> None:
        self.state.when = self.when.when()
        self._show_check(self.state.check.value)

    def _on_add_runner(self) -> None:
        self.reject()
        self._shell.add_runner()

    # The target's own values

    @async_slot
    async def _load_profile(self) -> None:
        try:
            self._profile = await in_thread(self._shell.desk.workbench.datasets.profile, self.state.version.label)
        except MldeskError:  # the dialog works without the picture
            return
        self._show_target()

    def _show_target(self) -> None:
        clear(self._target_card)
        name = self.target.value()
        if self._profile is None or not name:
            return
        facts = columns_of(self._profile).get(name)
        if facts is not None:
            self._target_card.addWidget(make_label(self.tr("What is to be predicted"), "strong", "muted"))
            self._target_card.addWidget(ColumnProfileCard(name, facts, self.state.version.rows))

    @async_slot
    async def _on_train(self) -> None:
        self._pause.stop()
        begun = await asked(self, self._shell, self.tr("Sending the run to its runner…"), self.state.start)
        if begun is not None:
            show_begun(self._shell, begun)


def _half() -> tuple[QWidget, QVBoxLayout]:   # of the dialog, and what to put its parts into
    half = QWidget()
    half.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # its share, whatever unfolds
    layout = QVBoxLayout(half)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(Space.L)
    return half, layout
