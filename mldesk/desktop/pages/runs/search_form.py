"""How a search is ordered: how long, by which score, among which models, blended or not, where and how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput
from mldesk.desktop import runner_words, words
from mldesk.desktop.states.search import SearchWish
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    DecimalBox,
    FlowBox,
    FormRow,
    Segmented,
    SpinBox,
    clear,
    column,
    make_button,
    make_label,
    row,
    set_icon,
)
from mldesk.training.metric_words import ONE_CLASS, lower_is_better, of_class
from mldesk.training.parameters import Parameter
from mldesk.workbench.runner_choice import cannot_train

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.training.catalogue import EstimatorEntry
    from mldesk.training.search.budget import Estimate

_AUTO = ""
_GOOD_ENOUGH = Parameter("good_enough", "number", None, "", label="Good enough")


class SearchForm(QWidget):
    """Edits a ``SearchWish``. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, wish: SearchWish, parent: QWidget | None = None) -> None:
        from mldesk.workbench.searching import MOST_PARALLEL

        super().__init__(parent)
        self._ticks: dict[str, QCheckBox] = {}
        self._wish = wish
        self._helpers: dict[str, QCheckBox] = {}
        self.ends = Segmented([("time", self.tr("Minutes")), ("trials", self.tr("Trials")),
                               ("either", self.tr("Either"))])
        self.minutes = DecimalBox(0.5, 24 * 60.0, wish.minutes, 1.0, 1)
        self.trials = SpinBox(1, 10_000, wish.trials)
        self.aim = ComboBox([])
        self.of_class = QLineEdit(_class_of(wish.metric))
        self.quantile = DecimalBox(0.01, 0.99, wish.quantile, 0.05, 2)
        self.blend = Segmented([(True, self.tr("A blend")), ("stack", self.tr("A stack")),
                                (False, self.tr("The best one"))])
        self.columns = QCheckBox(self.tr("Its linear model may look at the columns, too"))
        self.refit = QCheckBox(self.tr("Fit it once more at the end, on all but the test rows"))
        self.refit.setToolTip(self.tr("Otherwise the models of the folds are kept, and vote. It takes about as long as "
                                      "one fold of each model that is kept."))
        self.good_enough = QLineEdit("" if wish.good_enough is None else f"{wish.good_enough:g}")
        self.good_enough.setFixedWidth(132)
        self.good_enough.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.parallel = SpinBox(1, MOST_PARALLEL, wish.parallel)
        self.outlook = make_label("", "caption", "muted", wrap=True)
        self._others = QWidget()
        self._other_list = QVBoxLayout(self._others)
        self._other_list.setContentsMargins(0, 0, 0, 0)
        self._other_list.setSpacing(Space.XS)
        self.fold, self._models, self._model_list = _folded("", Space.XS)
        self.more, self._more, self._more_list = _folded(self.tr("How many at once, where, and when to stop early"),
                                                         Space.L)
        self._build()
        self.ends.set_value(wish.ends)
        self.blend.set_value("stack" if wish.stack else wish.blend)
        self.columns.setChecked(wish.stack_columns)
        self.refit.setChecked(wish.refit)
        self._show_end()
        self._show_columns()
        self.blend.changed.connect(lambda _: self._show_columns())
        self.ends.changed.connect(lambda _: self._show_end())
        self.aim.currentIndexChanged.connect(lambda _: self._show_aim())
        self.of_class.textChanged.connect(lambda _: self._show_aim())
        for button, part in ((self.fold, self._models), (self.more, self._more)):
            button.clicked.connect(lambda _=False, button=button, part=part: _unfold(button, part, part.isHidden()))
        for signal in (self.ends.changed, self.minutes.valueChanged, self.trials.valueChanged,
                       self.aim.currentIndexChanged, self.of_class.textChanged, self.quantile.valueChanged,
                       self.blend.changed, self.parallel.valueChanged,
                       self.columns.toggled, self.refit.toggled, self.good_enough.textChanged):
            signal.connect(lambda _: self.changed.emit())

    def _build(self) -> None:
        length = FlowBox(scrolls=True)
        for part in (self.ends, self.minutes, self.trials):
            length.add(part)
        self.minutes.setAccessibleName(self.tr("Minutes"))
        self.trials.setAccessibleName(self.tr("Trials"))
        self._length_row = FormRow(self.tr("How long"), length)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addLayout(column(self._length_row, self.outlook, spacing=Space.XS))
        layout.addWidget(FormRow(self.tr("Strive for"), self.aim, self.tr(
            "The score by which models are compared, on rows they were not fitted on.")))
        self._quantile_row = FormRow(self.tr("Quantile"), self.quantile, self.tr(
            "The share of the rows that stay below what is predicted; 0.5 is the median."))
        layout.addWidget(self._quantile_row)
        self._class_row = FormRow(self.tr("Class"), self.of_class, self.tr(
            "The value of the target that the score is of, as it stands in the table."))
        layout.addWidget(self._class_row)
        layout.addLayout(column(FormRow(self.tr("Keep"), self.blend, self.tr(
            "A blend lets several models vote: mostly better, slower to ask. A stack learns all their weights together "
            "instead of picking one after another, or a linear model over the others where that is better.")),
            self.columns, self.refit, spacing=Space.S))
        layout.addLayout(column(row(self.fold, None), self._models, spacing=Space.S))
        layout.addLayout(column(row(self.more, None), self._more, spacing=Space.S))
        self._build_more()
        _unfold(self.fold, self._models, False)
        _unfold(self.more, self._more, bool(self._wish.parallel > 1 or self._wish.helpers or
                                            self._wish.good_enough is not None))

    def _build_more(self) -> None:
        self._enough_row = FormRow(self.tr("Good enough"), self.good_enough)
        self._others_row = FormRow(self.tr("Spread over"), self._others, self.tr(
            "Runners that try models, too. The search goes on if they fall silent."))
        self._others_row.hide()
        for part in (self._enough_row, FormRow(self.tr("Models at once"), self.parallel, self.tr(
                "On every runner, each on its share of the cores. One alone uses all of them.")), self._others_row):
            self._more_list.addWidget(part)

    def offer(self, task: str, entries: Sequence[EstimatorEntry]) -> None:
        """Offer what suits a task."""
        from mldesk.workbench.searching import METRICS

        names = [entry.name for entry in entries]
        chosen = [name for name in self._wish.estimators if name in names]
        one_class = ONE_CLASS if task == "tabular_classification" else ()
        wanted = of_class(self._wish.metric or "")
        self.aim.set_options([(_AUTO, self.tr("What suits the task")),
                              *((name, words.metric_name(name)) for name in METRICS.get(task, ())),
                              *((f"{name}:", self.tr("{score} of one class").format(score=words.metric_name(name)))
                                for name in one_class)],
                             f"{wanted[0]}:" if wanted else self._wish.metric or _AUTO)
        clear(self._model_list)
        self._ticks = {}
        for entry in entries:
            tick = QCheckBox(entry.title + (self.tr("  ·  not installed here") if entry.lacking else ""))
            tick.setToolTip(f"{entry.help} {entry.lacking}".strip())
            tick.setChecked(not chosen or entry.name in chosen)
            tick.toggled.connect(self._on_tick)
            self._ticks[entry.name] = tick
            self._model_list.addWidget(tick)
        self._say()
        self._show_aim()

    def offer_runners(self, records: Sequence[RunnerRecord], chosen: str) -> None:
        """Offer the runners besides ``chosen`` as helpers; those that are ticked stay so."""
        wanted = self._helpers_wanted() if self._helpers else self._wish.helpers
        clear(self._other_list)
        self._helpers = {}
        for record in records:
            if record.name == chosen:
                continue
            tick = QCheckBox(runner_words.runner_name(record.name))
            why = cannot_train(record)
            tick.setEnabled(not why)
            tick.setToolTip(why or runner_words.devices(record.facts))
            tick.setChecked(not why and record.name in wanted)
            tick.toggled.connect(lambda _: self.changed.emit())
            self._helpers[record.name] = tick
            self._other_list.addWidget(tick)
        self._others_row.setVisible(bool(self._helpers))

    def _helpers_wanted(self) -> tuple[str, ...]:
        return tuple(name for name, tick in self._helpers.items() if tick.isChecked())

    def show_outlook(self, found: Estimate | None) -> None:
        """Say what the search will come to; nothing while that is not known."""
        self.outlook.setText("" if found is None else outlook_words(found))
        self.outlook.setVisible(found is not None)

    def wish(self) -> SearchWish:
        """Return what is asked for now."""
        ticked = [name for name, tick in self._ticks.items() if tick.isChecked()]
        return SearchWish(self.ends.value(), self.minutes.value(), self.trials.value(),
                          self._metric() or None,
                          () if len(ticked) == len(self._ticks) else tuple(ticked), bool(self.blend.value()),
                          self.parallel.value(), self._helpers_wanted() if self._helpers else self._wish.helpers,
                          self.blend.value() == "stack",
                          self.blend.value() == "stack" and self.columns.isChecked(), self.refit.isChecked(),
                          self.quantile.value(), self._good_enough())

    def error(self) -> str:
        """Say what keeps it from being ordered, "" if nothing does."""
        if self._ticks and not any(tick.isChecked() for tick in self._ticks.values()):
            return self.tr("Choose at least one model to try.")
        self._good_enough()
        return self._class_row.error() or self._enough_row.error()

    def _metric(self) -> str:
        metric: str = self.aim.value() or ""
        return metric + self.of_class.text().strip() if metric.endswith(":") else metric

    def _good_enough(self) -> float | None:
        """Return the score that is good enough; None where there is none, or none that is a number."""
        text = self.good_enough.text().strip()
        try:
            found: float | None = _GOOD_ENOUGH.parse(text) if text else None
        except BadInput:
            self._enough_row.set_error(self.tr("Good enough is a number, such as 0.9, or left empty."))
            return None
        self._enough_row.set_error("")
        return found

    def _show_aim(self) -> None:
        metric = self._metric()
        one_class = (self.aim.value() or "").endswith(":")
        self._class_row.setVisible(one_class)
        self._class_row.set_error(self.tr("Name the class.") if one_class and not self.of_class.text().strip() else "")
        self._quantile_row.setVisible(metric == "mean_pinball_loss")
        if not metric:
            text = self.tr("The search ends before its time once a model scores so well in what suits the task. Empty: "
                           "it goes on.")
        else:
            text = (self.tr("The search ends before its time once a model has {metric} this low. Empty: it goes on.")
                    if lower_is_better(metric) else
                    self.tr("The search ends before its time once a model has {metric} this high. Empty: it goes on."))
            text = text.format(metric=words.metric_name(metric))
        self._enough_row.set_help(text)

    def _on_tick(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        ticked = sum(tick.isChecked() for tick in self._ticks.values())
        whole = len(self._ticks)
        self.fold.setText(self.tr("Try all {count} kinds of models").format(count=whole) if ticked == whole else
                          self.tr("Try {count} of {all} kinds of models").format(count=ticked, all=whole))

    def _show_columns(self) -> None:
        self.columns.setVisible(self.blend.value() == "stack")

    def _show_end(self) -> None:
        ends = self.ends.value()
        self.minutes.setVisible(ends != "trials")
        self.trials.setVisible(ends != "time")
        for box, unit in ((self.minutes, self.tr(" min")), (self.trials, self.tr(" trials"))):
            box.setSuffix(unit if ends == "either" else "")
        self._length_row.set_help({
            "time": self.tr("It ends after so many minutes; Finish now ends it sooner and keeps the best so far."),
            "trials": self.tr("It ends after so many trials; Finish now ends it sooner and keeps the best so far."),
            "either": self.tr("It ends after so many minutes or trials, whichever comes first; Finish now ends it "
                              "sooner and keeps the best so far.")}[ends])


def _class_of(metric: str | None) -> str:
    found = of_class(metric or "")
    return "" if found is None else found[1]


def _folded(text: str, spacing: int) -> tuple[QPushButton, QWidget, QVBoxLayout]:
    """Return a button, what it folds away, and where to put its parts."""
    part = QWidget()
    layout = QVBoxLayout(part)
    layout.setContentsMargins(Space.L, 0, 0, 0)
    layout.setSpacing(spacing)
    return make_button(text, "fold", "chevron-right"), part, layout


def _unfold(button: QPushButton, part: QWidget, on: bool) -> None:
    part.setVisible(on)
    set_icon(button, "chevron-down" if on else "chevron-right", "muted", 14)


def outlook_words(found: Estimate) -> str:
    """Write what a search will come to."""
    many = {"time": words.tr("each judged by the last {folds} parts in time"),
            "group": words.tr("each judged by {folds} folds of whole groups")}.get(
                found.split, words.tr("each judged by {folds} folds"))
    judged = many.format(folds=found.folds) if found.folds > 1 else words.tr("each judged by one validation part")
    count = words.counted(found.trials, words.tr("trial"), words.tr("trials"))
    if 0 < found.least < found.trials:
        count = words.tr("{least} to {most}").format(least=words.number(found.least), most=count)
    return words.tr("About {trials} in {time}, {judged}.").format(
        trials=count, time=words.duration(found.seconds), judged=judged)
