"""Everything that a list of runs can be narrowed by, over all runs there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.core.run_filter import RunFilter, ScoreBound
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.pages.tick_list import Tickable, TickList
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, Sheet
from mldesk.training.metric_words import METRICS, find_metric

_TAGS = 110   # height of the list of tags, pixels at 100 %
Facets = Mapping[str, Sequence[str]]   # of RunBook.facets, and "group" and "tag"


class RunFilterDialog(Sheet):
    """Edits a RunFilter; ``chosen`` is what it came to once it was accepted."""

    def __init__(self, wanted: RunFilter, facets: Facets, host: QWidget) -> None:
        super().__init__(self.tr("Which runs"), host, primary=self.tr("Show these"), width=560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.chosen = wanted
        self.boxes = {field: self._box(field, getattr(wanted, field), facets)
                      for field in ("dataset", "target", "estimator", "kind", "group")}
        self.scores = QLineEdit(", ".join(wanted.scores))
        self.scores.setPlaceholderText("roc_auc>=0.9, log_loss<0.4")
        self.scores.setToolTip(self.tr("Of the test rows, with commas between them"))
        grid = QGridLayout()   # in two columns, for low screens
        grid.setHorizontalSpacing(Space.L)
        grid.setVerticalSpacing(Space.M)
        for place, (name, editor) in enumerate((
                (self.tr("Dataset"), self.boxes["dataset"]), (self.tr("Target"), self.boxes["target"]),
                (self.tr("Model"), self.boxes["estimator"]), (self.tr("Kind"), self.boxes["kind"]),
                (self.tr("Group"), self.boxes["group"]), (self.tr("Scores on the test rows"), self.scores))):
            grid.addWidget(FormRow(name, editor), place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
        self.body.addLayout(grid)
        self.tags = TickList(self.tr("Find a tag"), self.tr("Tags"))
        self.tags.offer([Tickable(tag, tag) for tag in dict.fromkeys((*facets["tag"], *wanted.tags))])
        self.tags.set_values(wanted.tags)
        self.tags.list.setFixedHeight(min(self.tags.list.height(), theme.px(_TAGS)))
        if self.tags.count():
            self.body.addWidget(FormRow(self.tr("Tags"), self.tags, self.tr("A run must have all of them.")))
        self.resize(fitting(self, 580, 480))
        self.confirmed.connect(self._take)

    def _box(self, field: str, chosen: str, facets: Facets) -> ComboBox:
        names = dict.fromkeys((*facets[field], *([chosen] if chosen else [])))
        said = words.estimator_name if field == "estimator" else str
        return ComboBox([("", self.tr("Any")), *((name, said(name)) for name in names)], chosen)

    def _take(self) -> None:
        try:
            bounds = [ScoreBound.read(part) for part in self.scores.text().split(",") if part.strip()]
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        named = tuple(str(replace(bound, metric=find_metric(bound.metric, tuple(METRICS)) or bound.metric))
                      for bound in bounds)
        asked = {field: str(box.value() or "") for field, box in self.boxes.items()}
        self.chosen = replace(self.chosen, scores=named, tags=tuple(self.tags.values()), **asked)  # type: ignore[arg-type]
        self.accept()
