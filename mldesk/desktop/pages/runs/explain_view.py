"""Why a model predicts what it predicts: what it looks at, what columns add, and how each moves the prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.runs.importance import MOST, explained, points, weighed, worsening
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
    FormRow,
    ScrollPage,
    Segmented,
    clear,
    disable,
    enable,
    make_button,
    make_label,
    swatches,
)
from mldesk.training.metric_words import weighed_in_words
from mldesk.workbench.explained import KERNEL, TREE, has_tree, pushes, why_no_tree

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
        self.button.clicked.connect(lambda _checked: self.explain())
        self.follow = make_button(self.tr("Open the run"), "secondary", "run")
        self.follow.clicked.connect(self._open_run)
        self.about = ComboBox([])
        self.about.setAccessibleName(self.tr("Class that is explained"))
        self.about.setToolTip(self.tr("The class whose chance the charts below are about"))
        self.about.currentIndexChanged.connect(self._on_about)
        self.about.hide()
        self.head.add_action(self.about)
        self.head.add_action(self.follow)
        self.head.add_action(self.button)
        self.rows = ComboBox([])
        self.rows.setMinimumContentsLength(30)
        self._on_rows = FormRow(self.tr("Explain it on"), self.rows)
        self._on_rows.hide()
        self.head.add(self._on_rows)
        self.body.addWidget(self.head)
        self.cards = QVBoxLayout()
        self.cards.setSpacing(Space.L)
        self.body.addLayout(self.cards)
        self.body.addStretch(1)
        self.state.found.subscribe(lambda found: self._show(found or {}))
        self.state.run.subscribe(lambda _: self._say())
        self.state.tables.subscribe(lambda _: self._offer())

    def _offer(self) -> None:
        """Offer what the version learned from, where that is here, and other datasets that have its columns."""
        tables = self.state.tables.value
        options = []
        if tables is not None and tables.own:
            own = self.tr("{table}: its test rows") if tables.tested else self.tr("{table}: every row")
            options.append(("", own.format(table=tables.own)))
        for table in () if tables is None else tables.others:
            count = words.counted(table.rows, self.tr("row"), self.tr("rows"))
            options.append((table.label, f"{table.label}  ·  {count}"))
        self.rows.set_options(options, self.rows.value())
        self._on_rows.set_help("" if tables is None or tables.own else self.tr(
            "What it learned from is not here. These datasets have its columns; every row of them is taken."))
        self._on_rows.setVisible(len(options) > 1 or bool(options and options[0][0]))
        self._say()

    def _why_not(self) -> str:
        """Say why the version cannot be explained now; "" where it can."""
        tables, run = self.state.tables.value, self.state.run.value
        if run is not None:
            return "" if run.state.ended else self.tr("A run explains it already.")
        if not self.state.label or tables is None:
            return self.tr("The version is being read.")
        return "" if tables.own or tables.others else self.tr(
            "What it learned from is not here, and no dataset here has all its columns, the predicted one among them. "
            "Import one to explain it on.")

    def _on_about(self, index: int) -> None:
        outputs = (self.state.found.value or {}).get("outputs") or []
        if index < max(1, len(outputs)):
            self._draw()
            return
        wanted = str(self.about.itemData(index))
        self.about.setCurrentIndex(len(outputs) - 1)
        self._explain(self._same_rows(), (wanted,))

    def _same_rows(self) -> str:
        """Return the dataset that what is shown was made on; "" for what the version learned from."""
        tables, made_on = self.state.tables.value, str((self.state.found.value or {}).get("dataset", ""))
        return "" if tables is not None and made_on == tables.own else made_on

    def explain(self) -> None:
        """Begin the job; its run is followed as any other."""
        self._explain(str(self.rows.value() or ""), ())

    @async_slot
    async def _explain(self, dataset: str, classes: tuple[str, ...]) -> None:
        disable(self.button, self.tr("The job is being sent to its runner."))
        try:
            await self.state.start(dataset, classes)
        except MldeskError as error:
            self._shell.say(sentence(error), "danger")
        self._say()

    def _open_run(self) -> None:
        if (run := self.state.run.value) is not None:
            self._shell.open_run(run.id)

    def _say(self) -> None:
        run, found = self.state.run.value, self.state.found.value
        self.follow.setVisible(run is not None)
        why_not = self._why_not()
        if why_not:
            disable(self.button, why_not)
        else:
            enable(self.button)
        self.button.setText(self.tr("Explain again") if found else self.tr("Explain this version"))
        if run is not None and not run.state.ended:
            text = self.tr("A run is at work on it: {stage}.").format(stage=run.stage or self.tr("waiting"))
        elif run is not None:
            text = run.message or self.tr("The run came to nothing.")
        elif found:
            seen = {"": self.tr("It explains {what}, on {rows} of {dataset}; whether it was fitted on some of them "
                                "is not known."),
                    "train": self.tr("It explains {what}, on {rows} of {dataset} that it was fitted on.")}
            text = seen.get(str(found.get("part", "test")), self.tr(
                "It explains {what}, on {rows} of {dataset} that it was not fitted on.")).format(
                what=explained(found, self._output()), dataset=found["dataset"],
                rows=words.counted(int(found["rows"]), self.tr("row"), self.tr("rows")))
        elif why_not and self.state.tables.value is not None:
            text = why_not
        else:
            text = self.tr("Shuffles columns, works out what each adds to every prediction, and follows each one's "
                           "values. It takes seconds to minutes, as a run.")
        self.head.set_subtitle(text)

    def _output(self) -> int:
        """Return the place of the class that is shown among those that were explained."""
        return max(0, self.about.currentIndex())

    def _show(self, found: Mapping[str, Any]) -> None:
        outputs = found.get("outputs") or []
        self.about.blockSignals(True)  # it is drawn below
        self.about.clear()
        for place, label in enumerate(outputs):
            self.about.addItem(words.cell(label), place)
        for label in (found.get("classes") or ()) if len(outputs) > 1 else ():
            if label not in outputs:   # of very many classes the commonest were explained
                self.about.addItem(self.tr("{label} (explain it, too)").format(label=words.cell(label)), str(label))
        self.about.setCurrentIndex(len(outputs) - 1)
        self.about.blockSignals(False)
        self.about.setVisible(len(outputs) > 1)
        self._draw()

    def _draw(self) -> None:
        clear(self.cards)
        found = self.state.found.value
        if found:
            for card in (importance(found), ShapleyCard(found, self._output()), DependenceCard(found, self._output())):
                self.cards.addWidget(card)
        self._say()


def importance(found: Mapping[str, Any]) -> Card:
    """Return what is lost when a column is shuffled, with its interval."""
    tr = words.tr
    card = Card(tr("What it looks at"), tr("{how} when the values of a column are shuffled among the rows. The line is "
                                           "its 95 % interval; at zero or left of it the column is of no use.").format(
                                               how=worsening(str(found["importance_metric"])))
                + f" {weighed_in_words(found.get('importance_on'), tr)}".rstrip())
    card.add(weighed(found["importance"]))
    return card


class ShapleyCard(Card):
    """How far each column moves the predictions of one output, up and down, on average, by either way there is."""

    def __init__(self, found: Mapping[str, Any], output: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(words.tr("What columns add"), " ", parent=parent)
        self._found, self._output = found, output
        self.method = Segmented([(KERNEL, self.tr("Any model")), (TREE, self.tr("TreeSHAP"))])
        self.method.setAccessibleName(self.tr("How Shapley values are worked out"))
        self.method.button(KERNEL).setToolTip(self.tr("By asking the model, in the unit of its prediction"))
        self.method.button(TREE).setToolTip(self.tr("By the trees themselves, exactly, in the unit of their scores"))
        if not has_tree(found):
            self.method.set_enabled(TREE, why_no_tree(found))
        self.method.changed.connect(lambda _: self._show())
        self.add_action(self.method)
        self._place = QVBoxLayout()
        self.body.addLayout(self._place)
        self._show()

    def _show(self) -> None:
        clear(self._place)
        found, method = self._found, str(self.method.value())
        about = explained(found, self._output)
        tree = method == TREE
        shares = bool(found["outputs"]) and not (tree and found["tree"]["unit"] == "log-odds")
        if tree and found["tree"]["unit"] == "log-odds":
            about = self.tr("the log-odds of {what}").format(what=about)
        rows = found["tree" if tree else "shap"]["rows"]
        self.set_subtitle(self.tr(
            "By how much a column moves {about}, on average over {rows} (Shapley values). The number is up and down "
            "together, and orders the columns.").format(about=about, rows=words.counted(
                len(rows), self.tr("row"), self.tr("rows"))))
        made = pushes(found, self._output, method)
        if made:
            self._place.addWidget(swatches([(0, self.tr("raises {about}").format(about=about)),
                                            (1, self.tr("lowers it"))]))
            bars = [Bar(push.feature, push.up, words=points(push.size, shares), down=push.down) for push in made]
        else:
            bars = [Bar(str(item["feature"]), float(item["value"])) for item in found["shap"]["mean"]]
        chart = BarChart(name=self.tr("Shapley values of columns"), most=MOST)
        chart.set_bars(bars, _scale(found, method))
        self._place.addWidget(chart)


def _scale(found: Mapping[str, Any], method: str) -> tuple[float, float] | None:
    """Return one scale for all classes, so that their bars may be compared."""
    every = [push for place in range(max(1, len(found["outputs"]))) for push in pushes(found, place, method)]
    return (min(push.down for push in every), max(push.up for push in every)) if any(
        push.size for push in every) else None


class DependenceCard(Card):
    """How the prediction moves along the values of a column, on average and for single rows; all columns share a scale.
    """

    def __init__(self, found: Mapping[str, Any], output: int = 0, parent: QWidget | None = None) -> None:
        outputs = found["outputs"]
        self._about = words.tr("Chance of {name}").format(name=words.cell(outputs[output])) if outputs else str(
            found["target"])
        super().__init__(words.tr("How a column moves the prediction"), words.tr(
            "The mean of {about} over rows when a column is set to each of its values; pale lines are single rows. "
            "All columns have one scale.").format(about=explained(found, output)), parent=parent)
        self._output = output
        self._last = output == max(0, len(outputs) - 1)   # of which alone older explanations have single rows
        self._curves = {str(curve["feature"]): curve for curve in found["dependence"] if curve["grid"]}
        self._span = self._whole()
        self.choice = ComboBox([(name, name) for name in self._curves])
        self.choice.setAccessibleName(self.tr("Column"))
        self.choice.currentIndexChanged.connect(lambda _: self._show())
        self.add_action(self.choice)
        self._place = QVBoxLayout()
        self.body.addLayout(self._place)
        self._show()

    def _lines(self, curve: Mapping[str, Any]) -> Sequence[Sequence[float]]:
        """Return the lines of single rows, of the output that is shown."""
        lines: Sequence[Sequence[float]] = curve["lines_of"][self._output] if "lines_of" in curve else (
            curve["lines"] if self._last else ())
        return lines[:_LINES]

    def _whole(self) -> tuple[float, float]:
        """Return the lowest and the highest value that any column's curve has."""
        values = [float(value) for curve in self._curves.values()
                  for line in (curve["mean"][self._output], *self._lines(curve))
                  for value in line]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        room = 0.04 * ((high - low) or abs(high) or 1.0)
        return low - room, high + room

    def _show(self) -> None:
        clear(self._place)
        curve = self._curves.get(str(self.choice.value()))
        if curve is None:
            self._place.addWidget(make_label(self.tr("No column has more than one value."), "body", "muted"))
            return
        mean, grid = curve["mean"][self._output], curve["grid"]
        if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in grid):
            bars = BarChart(name=self._about)
            bars.set_bars([Bar(words.cell(value), float(height)) for value, height in zip(grid, mean, strict=True)],
                          (min(0.0, self._span[0]), max(0.0, self._span[1])))
            self._place.addWidget(bars)
            return
        chart = Chart("", str(curve["feature"]), self._about, with_log=False, y_range=self._span)
        chart.setMinimumHeight(_PLOT)
        for number, line in enumerate(self._lines(curve)):
            chart.set_series(f"{self.tr('row')} {number + 1}", grid, line, slot=6, faint=True)
        chart.set_series(self.tr("mean"), grid, mean, slot=0)
        chart.legend.hide()
        self._place.addWidget(chart)
