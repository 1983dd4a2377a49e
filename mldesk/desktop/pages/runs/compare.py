"""Runs side by side: only what differs, which is best and whether that may be said, and their curves in one chart."""

from __future__ import annotations

import math
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.rows_dialog import RowsDialog
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.runs.compare_rows import CompareRows, fact_name, fact_value, names_of
from mldesk.desktop.pages.runs.five_by_two_card import FiveByTwoCard
from mldesk.desktop.pages.runs.judged_cards import JudgedCards
from mldesk.desktop.pages.runs.metric_picker import MetricPicker
from mldesk.desktop.pages.runs.parallel_card import ParallelCard
from mldesk.desktop.pages.runs.report_place import ask_csv, ask_report, why_no_report
from mldesk.desktop.pages.runs.script_changes import ScriptChanges
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.compare import JUDGED, CompareState
from mldesk.desktop.states.curves import Curve, CurveFeed, family
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.tasks import async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    Chart,
    ComboBox,
    ElidedLabel,
    ElidedLink,
    PageHeader,
    ScrollPage,
    Segmented,
    StateBadge,
    disable,
    enable,
    hairline,
    make_button,
    make_label,
    row,
)
from mldesk.desktop.widgets.legend import series_colour
from mldesk.training.metric_words import ordered, part_of

if TYPE_CHECKING:
    from mldesk.library.records import Run

_THICK = 5     # pixels of the colour of the run that is pointed at
_NAME = 20     # characters of a run's name that are seen: what tells runs apart stands at its end
_LIST = 640    # pixels that the names of runs may take in a list to choose from
_WORD = 18     # characters of a word that a column of the table has room for
_JUDGED = ("validation", "val", "eval")   # parts whose curve says most of a run
_OWN_SCORES = ("script", "imported")   # kinds of runs that say their scores themselves, on whichever rows
_ACROSS = 4    # runs up to which they stand side by side; more are the rows of a table


class ComparePage(Page):
    """Draws a ``CompareState``."""

    def __init__(self, shell: Shell, run_ids: Sequence[str]) -> None:
        super().__init__(shell)
        self.state = CompareState(shell.desk, run_ids)
        header = PageHeader(self.tr("Compare"), " ", with_back=True)
        header.back.connect(lambda: shell.go("runs"))
        self.report = make_button(self.tr("Write a report…"), "secondary", "file")
        self.report.clicked.connect(lambda: ask_report(shell, self.state.runs))
        as_csv = make_button(self.tr("Save as CSV…"), "secondary", "export")
        as_csv.clicked.connect(lambda: ask_csv(shell, self.state.runs, self.tr("comparison")))
        self.against = ComboBox()
        self.against.setAccessibleName(self.tr("Set the runs against"))
        self.against.setMinimumContentsLength(_NAME)
        self.against.currentIndexChanged.connect(self._on_against)
        for action in (make_label(self.tr("Against"), "body", "muted"), self.against, as_csv, self.report):
            header.add_action(action)
        self._header = header
        self._notice = Notice()
        self.chart = Chart("", self.tr("step"), "", with_smoothing=True, with_pointing=True)
        self.chart.pointed.connect(lambda name: self._point(self._drawn.get(name, "")))
        self._heads: dict[str, _RunHead] = {}
        self._drawn: dict[str, str] = {}   # name of a curve -> id of its run
        self.chart.setMinimumHeight(340)
        self.chart.set_whole_x(True)
        self.metrics = MetricPicker(shell.preferences)
        self.metrics.changed.connect(lambda _: self._draw_curves(start_over=True))
        self._across = Segmented([("step", self.tr("Step")), ("epoch", self.tr("Epoch")), ("time", self.tr("Time"))])
        self._across.changed.connect(lambda _: self._draw_curves(start_over=True))
        self._curves = Card(self.tr("Learning curves"), actions=[self._across])
        self._curves.add(self.metrics)
        self._curves.add(self.chart, 1)
        self.left_out = make_label("", "caption", "muted", wrap=True)
        self.left_out.hide()
        self._curves.add(self.left_out)
        self.unjudged = make_label(self.tr("Up to {most} runs at once are judged by ROC curves, by class and row by "
                                           "row; these are {count}.").format(most=JUDGED, count=len(run_ids)),
                                   "body", "muted", wrap=True)
        self.unjudged.setVisible(False)
        self._table = Card()
        self.rows = CompareRows()
        self.rows.hide()
        self.rows.pointed.connect(self._point)
        self.rows.opened.connect(shell.open_run)
        self.parallel = ParallelCard()
        self.parallel.hide()
        self.parallel.pointed.connect(self._point)
        self.parallel.opened.connect(shell.open_run)
        self.judged = JudgedCards()
        self.judged.looked.connect(lambda text, dataset, rows: RowsDialog(
            shell, dataset, Picked(text, None, rows), self.window()).open())
        self.five = FiveByTwoCard()
        self.changes = ScriptChanges()
        self.changes.hide()
        if len(run_ids) != 2:
            self.five.hide()
        self._changing = ""   # what is being done to the runs of the 5x2cv test
        self.five.begun.connect(lambda: self.begin(self._test(
            self.state.start_five(), self.tr("Its runs are being started.")), "start a 5x2cv test"))
        self.five.stopped.connect(lambda: self.begin(self._test(
            self.state.stop_five(), self.tr("Its runs are being stopped.")), "stop a 5x2cv test"))
        self.five.looked.connect(self._look_at_its_runs)
        page = ScrollPage(margin=0, spacing=Space.L)
        page.body.setContentsMargins(0, 0, Space.S, Space.L)
        for widget in (self._notice, self._table, self.rows, self._curves, self.parallel, self.unjudged, self.judged,
                       self.changes, self.five):
            page.body.addWidget(widget)
        page.body.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(header)
        layout.addWidget(page, 1)
        self.keep(shell.desk.advanced.subscribe(self._on_advanced))
        self.keep(self.state.comparison.subscribe(self._show))
        self.keep(self.state.advanced.subscribe(lambda _: self._draw_curves()))
        self.keep(self.state.five.changed.subscribe(lambda _: self._show_five()))

    async def refresh(self) -> None:
        await self.state.refresh()
        await self._look_at_five()

    def _on_advanced(self, run: str) -> None:
        test = self.state.five.value
        if run in self.state.ids:
            self.refresh_soon()
        elif test is not None and run in {one.id for one in test.runs}:
            self.begin(self._look_at_five(), "look at a 5x2cv test")

    async def _look_at_five(self) -> None:
        await self.state.look_at_five()
        self._show_five()

    def _show_five(self) -> None:
        self.five.show_test(self.state.five.value, self.state.why_no_five, self._changing)

    async def _test(self, change: Coroutine[Any, Any, None], why: str) -> None:
        self._changing = why
        self._show_five()
        try:
            await change
        except MldeskError as error:
            self.shell.say(sentence(error), "danger")
        finally:
            self._changing = ""
        await self._look_at_five()

    def _look_at_its_runs(self) -> None:
        test = self.state.five.value
        if test is not None and test.runs:
            self.shell.compare_runs([run.id for run in test.runs])

    def _show(self, comparison: Mapping[str, Any] | None) -> None:
        if comparison is None:
            return
        runs = self.state.runs
        self._header.set_subtitle(self.tr("{count} runs").format(count=len(runs)))
        if why := next(filter(None, map(why_no_report, runs)), ""):
            disable(self.report, why)
        else:
            enable(self.report)
        warnings = [str(text) for text in comparison["warnings"]]
        if warnings:
            self._notice.say("warning", self.tr("No best run is named."), " ".join(warnings))
        else:
            self._notice.hide()
        few = len(runs) <= _ACROSS
        self._table.setVisible(few)
        self.rows.setVisible(not few)
        if few:
            self._fill(comparison)
        else:
            self.rows.show_runs(runs, comparison)
        self.parallel.show_runs(runs, comparison)
        self.unjudged.setVisible(len(runs) > JUDGED)
        self._offer_against(runs)
        self._show_judged(comparison)

        if (changes := self.state.changes) is not None:
            self.changes.show_changes(runs[0].name, changes)
            self.changes.show()
            self.five.hide()   # which trains MLDesk's own models

    def _show_judged(self, comparison: Mapping[str, Any]) -> None:
        self.judged.show_runs(self.state.runs, self.state.pairs, self.state.evaluations, comparison["crossed"],
                              self.state.against)

    def _offer_against(self, runs: Sequence[Run]) -> None:
        self.against.set_options(list(names_of(runs).items()), self.state.against)
        self._tell_against()
        choices = self.against.view()   # as wide as the names, which the box itself may cut
        choices.setMinimumWidth(min(_LIST, choices.sizeHintForColumn(0) + 2 * Space.L))
        choices.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        if len(runs) > JUDGED:
            disable(self.against, self.unjudged.text())

    def _tell_against(self) -> None:
        why = self.tr("The run that the others are set against, row by row and class by class")
        self.against.setToolTip(f"{self.against.currentText()}\n{why}")

    @async_slot
    async def _on_against(self, _place: int) -> None:
        self._tell_against()
        try:
            await self.state.set_against(str(self.against.value()))
        except MldeskError as error:
            self.shell.say(sentence(error), "danger")
        if (comparison := self.state.comparison.value) is not None:
            self._show_judged(comparison)

    def _point(self, run: str) -> None:
        """Single out a run everywhere, wherever the pointer found it; "" none."""
        self.chart.point_at(next((name for name, owner in self._drawn.items() if owner == run), ""))
        self.parallel.point_at(run)
        self.rows.point_at(run)
        for owner, head in self._heads.items():
            head.mark(on=owner == run)

    def _fill(self, comparison: Mapping[str, Any]) -> None:
        """Lay out one table: the runs across, their scores and what differs down."""
        while self._table.body.count():
            item = self._table.body.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(Space.XL)
        grid.setVerticalSpacing(Space.S)
        self._heads.clear()
        for column, run in enumerate(self.state.runs, start=1):
            head = self._heads[run.id] = _RunHead(self.shell, run, column - 1)
            head.pointed.connect(self._point)
            grid.addWidget(head, 0, column, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(column, 1)
        metrics = comparison["metrics"]
        names = ordered(metrics)
        best, told = comparison["best"], comparison["verdicts"]
        theirs = any(run.kind in _OWN_SCORES for run in self.state.runs)
        self._add_rows(grid, self.tr("Scores") if theirs else self.tr("Scores on the test rows"), [
            (words.metric_name(name), [words.metric_value(value) for value in metrics[name]],
             best.get(name) if told.get(name) == "clear" else None) for name in names])
        if "clear" in told.values():
            grid.addWidget(make_label(self.tr("★ The best of these runs by more than luck."), "caption", "muted",
                                      wrap=True), grid.rowCount(), 0, 1, -1)
        if luck := [words.metric_name(name) for name in names if told.get(name) == "unclear"]:
            named = self.tr("any score") if len(luck) == len(told) > 1 else ", ".join(luck)
            grid.addWidget(make_label(self.tr("No clear difference between the best two in {metrics}: what there is "
                                              "may be luck.").format(metrics=named), "caption", "muted",
                                      wrap=True), grid.rowCount(), 0, 1, -1)
        differs = [(fact_name(name), [fact_value(name, value) for value in values], None)
                   for name, values in comparison["differs"].items()]
        took = (self.tr("Took"), [words.duration(run.seconds) for run in self.state.runs], None)
        self._add_rows(grid, self.tr("What differs"), [*differs, took])
        self._table.add(table)

    def _add_rows(self, grid: QGridLayout, title: str, rows: Sequence[tuple[str, list[str], str | None]]) -> None:
        """Add a titled block; each row is a name, a value per run, and the id of the best run."""
        line = grid.rowCount()
        grid.addWidget(make_label(title, "subtitle"), line, 0, 1, -1)
        grid.setRowMinimumHeight(line, 36)
        for name, values, best in rows:
            line += 2
            grid.addWidget(hairline(), line - 1, 0, 1, len(values) + 1)
            grid.addWidget(make_label(name, tone="muted"), line, 0)
            for column, (run, value) in enumerate(zip(self.state.runs, values, strict=True), start=1):
                won = run.id == best
                label = _make_value(f"{value}  ★" if won else value, won=won)
                if won:
                    label.setToolTip(self.tr("The best of these runs, by more than luck: 95 % of the bootstrap of its "
                                             "difference to the next leaves out zero"))
                    label.setAccessibleName(self.tr("{value}, the best").format(value=value))
                grid.addWidget(label, line, column)

    def _draw_curves(self, *, start_over: bool = False) -> None:
        before = self.metrics.value()
        self.metrics.offer(list(dict.fromkeys(name for feed in self.state.curves for name in feed.families())))
        chosen = self.metrics.value()
        if start_over or (before and chosen != before):
            self.chart.set_x_label({"epoch": self.tr("epoch"), "time": self.tr("seconds")}.get(
                self._across.value() or "", self.tr("step")))
            self.chart.set_whole_x(self._across.value() != "time")
            self.chart.clear()
            self._drawn.clear()
        across, without = self._across.value() or "step", []
        for slot, (run, feed) in enumerate(zip(self.state.runs, self.state.curves, strict=False)):
            before_it = len(self._drawn)
            for place, metric in enumerate(chosen):
                turn = place * len(theme.palette().series)   # each metric has a kind of line, each run a colour
                for name in _draw(self.chart, run, feed, metric, slot + turn, across, alone=len(chosen) == 1):
                    self._drawn[name] = run.id
            if across == "epoch" and len(self._drawn) == before_it and run.id not in self._drawn.values():
                without.append(run.name)
        self.left_out.setText(self.tr("Says no epochs, and so is not drawn: {names}.").format(
            names=", ".join(dict.fromkeys(without))))
        self.left_out.setVisible(bool(without))


def _draw(chart: Chart, run: Run, feed: CurveFeed, chosen: str, slot: int, across: str, *, alone: bool) -> list[str]:
    """Draw the curves of a run: that of validation, which says most, or of training. Return their names."""
    names: list[str] = []
    curves = {metric: curve for metric, curve in feed.curves.items() if family(metric) == chosen}
    validation = {metric: curve for metric, curve in curves.items() if part_of(metric)[0] in _JUDGED}
    for metric, curve in (validation or curves).items():
        part = "" if validation and alone else f" · {words.metric_name(metric)}"
        name = f"{run.name} · {run.id[-4:]}{part}"
        if (places := _places(curve, across)) is None:
            continue
        chart.set_series(name, places, curve.values, slot=slot)
        names.append(name)
    return names


def _places(curve: Curve, across: str) -> Sequence[float] | None:
    """Return where along the axis its points are; None: it has no epochs, and a step is none."""
    if across == "epoch":
        return None if any(map(math.isnan, curve.epochs)) else curve.epochs
    return curve.seconds if across == "time" else curve.steps


def _make_value(text: str, *, won: bool) -> QLabel:
    """Return a label that wraps; one that has nowhere to break loses its middle where there is no room."""
    if max(map(len, text.split()), default=0) > _WORD:
        return ElidedLabel(text, mode=Qt.TextElideMode.ElideMiddle)
    return make_label(text, "strong" if won else "body", "success" if won else "", selectable=True, wrap=True)


class _RunHead(QWidget):
    """A run's name, its colour, its state. Signals: ``pointed`` (the run's id, "" once the pointer leaves)."""

    pointed = Signal(str)

    def __init__(self, shell: Shell, run: Run, slot: int) -> None:
        super().__init__()
        self._run = run.id
        self._swatch = QWidget()
        self._swatch.setAutoFillBackground(True)
        colours = self._swatch.palette()
        colours.setColor(self._swatch.backgroundRole(), QColor(series_colour(slot)))
        self._swatch.setPalette(colours)
        self.mark(on=False)
        name = ElidedLink(run.name)
        name.clicked.connect(lambda: shell.open_run(run.id))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        line = QWidget()
        line.setFixedHeight(_THICK)   # so that nothing moves when it grows
        line.setLayout(row(self._swatch, None, spacing=0))
        layout.addWidget(line)
        layout.addLayout(row(name, None))
        layout.addWidget(make_label(words.when(run.created), "caption", "muted"))
        layout.addWidget(StateBadge.for_state(run.state))

    def mark(self, *, on: bool) -> None:
        """Single the run out, or no longer."""
        self._swatch.setFixedSize(*((72, _THICK) if on else (28, 3)))

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.pointed.emit(self._run)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit("")
