"""The list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.models.model_menu import model_entries
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import give_menu
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.lists import ModelList
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ComboBox, EmptyState, PageHeader, SearchField, make_button
from mldesk.training import metric_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mldesk.library.records import Model

_TAGS = 7   # the column that is there once a version is tagged


def leading(metrics: Mapping[str, float]) -> str:
    """Write the score that speaks for a model."""
    name = metric_words.leading(metrics)
    return words.MISSING if name is None else f"{words.metric_name(name)} {words.metric_value(metrics[name])}"


def fields(state: ModelList) -> list[Field[Model]]:
    """Return the columns of the list."""
    tr = words.tr
    return [
        Field(tr("Name"), lambda item: item.name, strong=True, middle=True, icon=lambda _: "model",
              sort=lambda item: item.name.casefold()),
        Field(tr("Predicts"), lambda item: item.head.target, 140, spare=3),
        Field(tr("Task"), lambda item: words.task_name(item.head.task), 120, muted=True, spare=6),
        Field(tr("Version in use"),
              lambda item: f"{item.meant.number} · {words.estimator_name(item.meant.estimator)}", 180, spare=2),
        Field(tr("Its score"), lambda item: leading(item.meant.metrics), 140, right=True),
        Field(tr("Versions"), lambda item: words.number(item.versions), 88, lambda item: item.versions, right=True,
              muted=True, spare=5),
        Field(tr("Promoted"), lambda item: "" if item.promoted is None else f"@{item.promoted}", 100,
              badge=lambda item: ("" if item.promoted is None else tr("version {number}").format(number=item.promoted),
                                  "success", ""), spare=1),
        Field(tr("Tags"), lambda item: ", ".join(state.tags.get(item.name, ())), 110, muted=True, spare=5),
        Field(tr("Changed"), lambda item: words.when(item.head.created), 110, lambda item: item.head.created,
              muted=True, spare=4),
    ]


class ModelsPage(Page):
    """Every model; where there is none, the way to the first."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state = ModelList(shell.desk)
        self.table: RecordTable[Model] = RecordTable(fields(self.state), lambda item: item.name, self.tr("Models"))
        self.table.opened.connect(lambda item: shell.open_model(item.name))
        give_menu(self.table, lambda item: model_entries(shell, item))
        self._search = SearchField(self.tr("Find a model"))
        self._search.setFixedWidth(240)
        self._search.searched.connect(self.table.set_filter)
        self.tag = ComboBox()
        self.tag.setAccessibleName(self.tr("Only models with this tag"))
        self.tag.setToolTip(self.tr("Only models a version of which bears this tag"))
        self.tag.currentIndexChanged.connect(lambda _: self._show())
        self.tag.hide()
        add = make_button(self.tr("Import a bundle…"), "secondary", "bundle")
        add.clicked.connect(shell.choose_bundle)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        empty = EmptyState("model", self.tr("No models yet"),
                           self.tr("Every run that succeeds leaves a model here, versioned under its name. "
                                   "A bundle from somebody else can be imported, too."),
                           self.tr("Go to the datasets"), action_icon="dataset")
        empty.acted.connect(lambda: shell.go("datasets"))
        self._stack.addWidget(empty)
        card = Card(padding=0)
        card.add(self.table, 1)
        self._stack.addWidget(card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(PageHeader(self.tr("Models"), "", [self.tag, self._search, add]))
        layout.addWidget(self._stack, 1)
        self.keys_to = self.table
        self.keep(self.state.models.subscribe(lambda _: self._show()))

    async def refresh(self) -> None:
        await self.state.refresh()

    def _show(self) -> None:
        models = self.state.models.value
        if models is not None:
            chosen, tags = self._offer_tags(), self.state.tags
            self.table.set_records([item for item in models if not chosen or chosen in tags.get(item.name, ())])
            self.table.leave_out([] if tags else [_TAGS])
        self._search.setVisible(bool(models))
        self._stack.setCurrentIndex(0 if models is None else 2 if models else 1)

    def _offer_tags(self) -> str:
        """Offer the tags that there are; return the chosen one, "" for none."""
        there = sorted({tag for each in self.state.tags.values() for tag in each}, key=str.casefold)
        blocker = QSignalBlocker(self.tag)   # what stays chosen is no choice
        self.tag.set_options([("", self.tr("Any tag")), *((tag, tag) for tag in there)], str(self.tag.value() or ""))
        blocker.unblock()
        self.tag.setVisible(bool(there))
        return str(self.tag.value() or "")
