"""Why a model predicts what it predicts: what it looks at, what columns add, and how each moves the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.explaining import ExplainState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Bar,
    BarChart,
    Card,
    Chart,
    ComboBox,
    ScrollPage,
    clear,
    disable,
    enable,
    make_button,
    make_label,
)

_MOST = 15      # columns of a chart
_LINES = 30     # single rows behind a curve
_PLOT = 300     # height of a plot, pixels


class ExplainView(ScrollPage, TaskOwner):
    """Draws an ``ExplainState``."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._shell = shell
        self.state = ExplainState(shell.desk)
        self.head = Card(self.tr("Why it predicts what it predicts"), " ")
        self.button = make_button(self.tr("Explain this version"), "secondary", "play")
        self.button.clicked.connect(self.explain)
        self.follow = make_button(self.tr("Open the run"), "secondary", "run")
        self.follow.clicked.connect(self._open_run)
        self.head.add_action(self.follow)
        self.head.add_action(self.button)
        self.body.addWidget(self.head)
        self.cards = QVBoxLayout()
        self.cards.setSpacing(Space.L)
        self.body.addLayout(self.cards)
        self.body.addStretch(1)
        self.state.found.subscribe(lambda found: self._show(found or {}))
        self.state.run.subscribe(lambda _: self._say())

    @async_slot
    async def explain(self) -> None:
        """Begin the job; its run is followed as any other."""
        disable(self.button, self.tr("The job is being sent to its runner."))
        try:
            await self.state.start()
        except MldeskError as error:
            self._shell.say(sentence(error), "danger")
        self._say()

    def _open_run(self) -> None:
        if (run := self.state.run.value) is not None:
            self._shell.open_run(run.id)

    def _say(self) -> None:
        run, found = self.state.run.value, self.state.found.value
        self.follow.setVisible(run is not None)
        enable(self.button)
        self.button.setText(self.tr("Explain again") if found else self.tr("Explain this version"))
        if run is not None and not run.state.ended:
            disable(self.button, self.tr("A run explains it already."))
            text = self.tr("A run is at work on it: {stage}.").format(stage=run.stage or self.tr("waiting"))
        elif run is not None:
            text = run.message or self.tr("The run came to nothing.")
        elif found:
            text = self.tr("Looked at {rows} of {dataset} that it was not fitted on.").format(
                rows=words.counted(int(found["rows"]), self.tr("row"), self.tr("rows")), dataset=found["dataset"])
        else:
            text = self.tr("Shuffles columns, works out what each adds to every prediction, and follows each one's "
                           "values. It takes seconds to minutes, as a run.")
        self.head.set_subtitle(text)

    def _show(self, found: Mapping[str, Any]) -> None:
        clear(self.cards)
        if found:
            for card in (importance(found), shapley(found), DependenceCard(found)):
                self.cards.addWidget(card)
        self._say()


def importance(found: Mapping[str, Any]) -> Card:
    """Return what is lost when a column is shuffled, with its interval."""
    tr = words.tr
    card = Card(tr("What it looks at"), tr(
        "How much {metric} worsens when a column is shuffled; the line is where it lies with 95 % confidence.").format(
            metric=words.metric_name(str(found["importance_metric"]))))
    card.add(BarChart([Bar(str(item["feature"]), float(item["value"]), (item["high"] - item["low"]) / 2)
                       for item in found["importance"]], name=tr("Importance of columns"), most=_MOST))
    return card


def shapley(found: Mapping[str, Any]) -> Card:
    """Return how much each column adds to predictions, on average."""
    tr = words.tr
    about = tr("the chance of {name}").format(name=words.cell(found["outputs"][-1])) if len(
        found["outputs"]) == 1 else tr("the chance of a class") if found["outputs"] else str(found["target"])
    card = Card(tr("What columns add"), tr("By how much a column moves {about}, up or down, on average over {rows} "
                                           "(Shapley values).").format(about=about, rows=words.counted(
                                               len(found["shap"]["rows"]), tr("row"), tr("rows"))))
    card.add(BarChart([Bar(str(item["feature"]), float(item["value"]), slot=1) for item in found["shap"]["mean"]],
                      name=tr("Shapley values of columns"), most=_MOST))
    return card


class DependenceCard(Card):
    """How the prediction moves along the values of a column, on average and for single rows."""

    def __init__(self, found: Mapping[str, Any], parent: QWidget | None = None) -> None:
        outputs = found["outputs"]
        self._about = words.tr("Chance of {name}").format(name=words.cell(outputs[-1])) if outputs else str(
            found["target"])
        super().__init__(words.tr("How a column moves the prediction"), words.tr(
            "The mean over rows when a column is set to each of its values; pale lines are single rows."),
            parent=parent)
        self._curves = {str(curve["feature"]): curve for curve in found["dependence"] if curve["grid"]}
        self.choice = ComboBox([(name, name) for name in self._curves])
        self.choice.setAccessibleName(self.tr("Column"))
        self.choice.currentIndexChanged.connect(lambda _: self._show())
        self.add_action(self.choice)
        self._place = QVBoxLayout()
        self.body.addLayout(self._place)
        self._show()

    def _show(self) -> None:
        clear(self._place)
        curve = self._curves.get(str(self.choice.value()))
        if curve is None:
            self._place.addWidget(make_label(self.tr("No column has more than one value."), "body", "muted"))
            return
        mean, grid = curve["mean"][-1], curve["grid"]
        if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in grid):
            self._place.addWidget(BarChart([Bar(words.cell(value), float(height)) for value, height in zip(
                grid, mean, strict=True)], name=self._about))
            return
        chart = Chart("", str(curve["feature"]), self._about, with_log=False)
        chart.setMinimumHeight(_PLOT)
        for number, line in enumerate(curve["lines"][:_LINES]):
            chart.set_series(f"{self.tr('row')} {number + 1}", grid, line, slot=6, faint=True)
        chart.set_series(self.tr("mean"), grid, mean, slot=0)
        chart.legend.hide()
        self._place.addWidget(chart)
