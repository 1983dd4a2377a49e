"""Look into a dataset: what goes together, charts, what a target depends on, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.pages.data.explore_cards import FindingCard, TargetCard, finding_cards
from mldesk.desktop.pages.data.explore_chart import ChartCard
from mldesk.desktop.pages.data.explore_map import MOST, AssociationMap
from mldesk.desktop.states.dataset import DatasetState, Picked
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.explore import ExploreState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, FlowBox, ScrollPage, Spinner, make_button, make_label, row, set_tone


class ExploreView(QWidget, TaskOwner):
    """The statistics of what the page shows, made when they are first seen; cancelled, they can be made again."""

    def __init__(self, desk: Desk, dataset: DatasetState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset = dataset
        self.state = ExploreState(desk, dataset)
        self._manifest = ""
        self.target = ColumnBox()
        self.target.setAccessibleName(self.tr("Target"))
        self.target.changed.connect(self._on_target)
        self._spinner = Spinner(16)
        self._said = make_label("", tone="muted", wrap=True)
        self.cancel = make_button(self.tr("Cancel"), "secondary", small=True)
        self.cancel.clicked.connect(self.state.cancel)
        self.again = make_button(self.tr("Look again"), "secondary", "refresh", small=True)
        self.again.clicked.connect(lambda: self._load(True))
        head = row(make_label(self.tr("Target"), tone="muted"), self.target, self._spinner, self._said, self.cancel,
                   self.again, spacing=Space.M)
        head.setStretch(3, 1)
        self.map = AssociationMap()
        self.map.chosen.connect(self._on_cell)
        self._map_card = Card(self.tr("What goes together"), " ")
        self._map_card.add(self.map, 1)
        self.chart = ChartCard(self.state)
        self.chart.picked.connect(self._pick)
        self._top = FlowBox(spacing=Space.L, least=476, scrolls=True)
        self._top.add(self._map_card)
        self._top.add(self.chart)
        self._target_place = QVBoxLayout()
        self._findings = FlowBox(spacing=Space.L, least=320, scrolls=True)
        self.findings: list[FindingCard] = []
        self.target_card: TargetCard | None = None
        page = ScrollPage(margin=0, spacing=Space.L)
        page.body.setContentsMargins(0, 0, Space.S, Space.L)
        page.body.addLayout(self._target_place)
        page.body.addWidget(self._top)
        page.body.addWidget(self._findings)
        page.body.addStretch(1)
        self._page = page
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        layout.addLayout(head)
        layout.addWidget(page, 1)
        self.state.busy.subscribe(lambda _: self._show_state())
        self.state.problem.subscribe(lambda _: self._show_state())
        self.state.statistics.subscribe(self._show_statistics)
        self.state.target.subscribe(self._show_target)
        undo = dataset.version.subscribe(lambda _: self._begin())
        self.destroyed.connect(undo)
        self.destroyed.connect(dataset.picked.subscribe(self.chart.show_narrowed))
        self.destroyed.connect(dataset.marked.subscribe(self.chart.show_marked))
        self._show_state()
        self._show_statistics(None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def _begin(self) -> None:
        version = self._dataset.version.value
        if version is None or not self.isVisible() or version.manifest == self._manifest:
            return
        self._manifest = version.manifest
        self.target.set_columns(version.columns)
        self.chart.set_columns(version.columns)
        self._load(False)

    @async_slot
    async def _load(self, again: bool) -> None:
        await self.state.load(again=again)

    def _show_state(self) -> None:
        busy, problem = self.state.busy.value, self.state.problem.value
        self._spinner.setVisible(busy)
        self.cancel.setVisible(busy)
        self.again.setVisible(bool(problem) and not busy)
        set_tone(self._said, "warning" if problem else "muted")
        self._said.setText(problem or (self.tr("Looking at every column and row…") if busy else ""))

    def _show_statistics(self, found: Mapping[str, Any] | None) -> None:
        self._findings.clear()
        self.findings = []
        self._map_card.setVisible(found is not None and len(found["associations"]["columns"]) > 1)
        if found is None:
            return
        associations = found["associations"]
        self.map.show_pairs(associations)
        count = len(associations["columns"])
        self._map_card.set_subtitle(
            self.tr("The {most} of {count} columns that go most together. Press a square to see the pair.").format(
                most=MOST, count=count) if count > MOST else self.tr("Press a square to see the pair."))
        self.findings = finding_cards(found, self._pick)
        for card in self.findings:
            self._findings.add(card)

    def _show_target(self, found: Mapping[str, Any] | None) -> None:
        if self.target_card is not None:
            self._target_place.removeWidget(self.target_card)
            self.target_card.hide()
            self.target_card.deleteLater()
            self.target_card = None
        if found is not None:
            self.target_card = TargetCard(found)
            self.target_card.chosen.connect(lambda name: self._show_beside(name, str(found["target"])))
            self._target_place.addWidget(self.target_card)

    @async_slot
    async def _on_target(self, name: str) -> None:
        await self.state.load_target(name)

    def _on_cell(self, one: int, other: int) -> None:
        self.chart.show_pair(self.map.name(other), self.map.name(one))
        self._page.ensureWidgetVisible(self.chart, 0, 0)   # in a small window it lies below

    def _show_beside(self, name: str, target: str) -> None:
        self.chart.show_pair(name, target)
        self._page.ensureWidgetVisible(self.chart, 0, 0)

    def _pick(self, picked: Picked) -> None:
        self._dataset.picked.value = picked
