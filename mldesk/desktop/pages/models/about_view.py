"""About a model version: what it came of, its stage and how that changed, its card, and the layers of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QTextBrowser, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.models import prediction_files
from mldesk.desktop.pages.models.card_dialog import CardDialog
from mldesk.desktop.pages.models.layers_card import LayersCard
from mldesk.desktop.pages.models.origins_card import OriginsCard
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import give_menu
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.about import About, AboutState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ComboBox, EmptyState, FormRow, ScrollPage, make_button
from mldesk.workbench.split_words import rows_words, split_words

if TYPE_CHECKING:
    from mldesk.library.records import PredictionRecord, StageChange

_TALL = 260   # pixels of a table within the page, at most
_HEAD, _LINE = 40, 32


def stage_name(stage: str) -> str:
    """Return what people call a stage."""
    return {"": words.tr("none"), "candidate": words.tr("candidate"), "promoted": words.tr("promoted"),
            "archived": words.tr("archived")}.get(stage, stage)


class AboutView(ScrollPage, TaskOwner):
    """Draws an ``AboutState``. Signals: ``run_wanted`` to open the run that made the version."""

    run_wanted = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._shell, self.state = shell, AboutState(shell.desk)
        self.facts = FactGrid()
        self.run = make_button(self.tr("Open the run that made it"), "link")
        self.run.clicked.connect(self.run_wanted)
        self.stage = ComboBox([("", stage_name("")), ("candidate", stage_name("candidate")),
                               ("archived", stage_name("archived"))], "")
        self.stage.activated.connect(lambda _: self._on_stage())
        self.stage.setAccessibleName(self.tr("Stage"))
        self._stage_row = FormRow(self.tr("Stage"), self.stage, self.tr(
            "The promoted version is what the bare name means; Promote above puts this one in its place."))
        self.changes: RecordTable[StageChange] = RecordTable(_change_fields(), lambda item: (item.time, item.number,
                                                             item.after), self.tr("History"), dense=True)
        self.card = QTextBrowser()
        self.card.setOpenLinks(False)   # whoever wrote it may be a stranger
        self.card.setAccessibleName(self.tr("Model card"))
        self.card.setMinimumHeight(theme.px(320))
        edit = make_button(self.tr("Edit…"), "secondary", "edit")
        edit.clicked.connect(self.edit_card)
        self.origins = OriginsCard()
        self.network = LayersCard()
        self.network.notice.connect(shell.say)
        self._lay_out(edit)
        self.state.shown.subscribe(lambda about: self._show(about) if about is not None else None)

    def _lay_out(self, edit: QWidget) -> None:
        version, stages = Card(self.tr("What it came of")), Card(self.tr("Stages"))
        version.add(self.facts)
        version.add(self.run)
        version.body.setAlignment(self.run, Qt.AlignmentFlag.AlignLeft)
        stages.add(self._stage_row)
        stages.add(self.changes)
        card = Card(self.tr("Model card"))
        card.add(self.card)
        card.add(edit)
        card.body.setAlignment(edit, Qt.AlignmentFlag.AlignLeft)
        for item in (version, self.origins, stages, card, self.network):
            self.body.addWidget(item)
        self.body.addStretch(1)

    @async_slot
    async def look(self, label: str) -> None:
        """Read a version anew and show it."""
        try:
            await self.state.look(label)
        except MldeskError as error:
            self._shell.say(sentence(error), "danger")

    def edit_card(self) -> None:
        """Open the card's text."""
        about = self.state.shown.value
        if about is not None:
            CardDialog(self._shell, self.state, about.card, about.edited).open()

    @async_slot
    async def _on_stage(self) -> None:
        try:
            await self.state.set_stage(str(self.stage.value()))
        except MldeskError as error:
            self._shell.say(sentence(error), "danger")

    def _show(self, about: About) -> None:
        self.facts.show_facts(lineage_facts(about))
        self.run.setVisible(about.version.run is not None)
        promoted = about.version.stage == "promoted"
        if not promoted:
            self.stage.set_value(about.version.stage)
        self.stage.setVisible(not promoted)
        self._stage_row.setVisible(not promoted)
        self.changes.set_records(about.changes)
        self.changes.setFixedHeight(theme.px(min(_TALL, _HEAD + _LINE * len(about.changes))))
        self.changes.setVisible(bool(about.changes))
        self.card.setMarkdown(about.card)
        self.origins.show_line(about.lineage["data"]["line"], about.lineage["prepare"])
        self.network.show_layers(about.layers)


class PredictionsView(QStackedWidget):
    """Files of predictions by any version of a model. Signals: ``wanted`` where there is none and one shall be made."""

    wanted = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table: RecordTable[PredictionRecord] = RecordTable(
            prediction_files.fields(), lambda item: item.key, self.tr("Predictions"))
        self.table.opened.connect(lambda item: prediction_files.open_file(shell, item))
        give_menu(self.table, lambda item: prediction_files.entries(shell, item))
        card = Card(padding=0)
        card.add(self.table, 1)
        empty = EmptyState("predict", self.tr("No predictions yet"), self.tr(
            "Every file that a version of this model predicts is listed here: from which rows, when, and where to."),
            self.tr("Predict a file…"), action_icon="predict")
        empty.acted.connect(self.wanted)
        self.addWidget(card)
        self.addWidget(empty)

    def show_made(self, made: Sequence[PredictionRecord]) -> None:
        """List the files, the newest first; say what will be here while there is none."""
        self.table.set_records(made)
        self.setCurrentIndex(0 if made else 1)


def _change_fields() -> list[Field[StageChange]]:
    tr = words.tr
    return [Field(tr("When"), lambda item: words.moment(item.time), 215, lambda item: item.time, muted=True),
            Field(tr("Version"), lambda item: words.number(item.number), 80, lambda item: item.number, strong=True),
            Field(tr("From"), lambda item: stage_name(item.before), 110),
            Field(tr("To"), lambda item: stage_name(item.after), 110),
            Field(tr("Note"), lambda item: item.note, muted=True)]


def lineage_facts(about: About) -> list[tuple[str, str]]:
    """Return a lineage as names and values."""
    tr, version, found = words.tr, about.version, about.lineage
    data, split = found["data"], found["split"]
    recipe = "" if not data["recipe"] else words.counted(len(data["recipe"]), tr("step"), tr("steps"))
    return [(tr("Name"), version.label), (tr("Predicts"), version.target), (tr("Task"), words.task_name(version.task)),
            (tr("Estimator"), words.estimator_name(version.estimator)),
            (tr("Parameters"), _pairs(found["parameters"])),
            *([(tr("Blended from"), _members(found["members"]))] if found["members"] else []),
            (tr("Learned from"), ", ".join(filter(None, (data["version"], data["source"], recipe)))),
            (tr("Its digest"), data["manifest"] or ""),
            (tr("Rows"), _rows(split)),
            (tr("Split"), split_words(split, split.get("search"))),
            (tr("Seed"), "" if found["seed"] is None else str(found["seed"])),
            (tr("Run"), version.run or tr("none: it came from a bundle")), (tr("Code"), found["code"]),
            (tr("Environment"), _pairs(found["environment"])), (tr("Size"), words.size(version.size)),
            (tr("Made"), words.moment(version.created)), (tr("Notes"), version.notes),
            (tr("Tags"), ", ".join(version.tags)),
            (tr("Digest"), version.manifest)]


def _members(members: Sequence[Mapping[str, Any]]) -> str:
    """Write what a blend is made of, a line each: 61 % LightGBM (trial 3): leaves 8, learning rate 0.05."""
    lines = [words.tr("{share} {name} (trial {trial})").format(
        share=words.share(item["weight"]), name=words.estimator_name(str(item["estimator"])),
        trial=item.get("trial", "")) + (
            f": {_pairs(item['parameters'])}" if item.get("parameters") else "") for item in members]
    return "\n".join(lines)


def _rows(split: Mapping[str, Any]) -> str:
    """Write how many rows each part has: 4,789 to train, 845 to validate, 1,409 to test; of a search as the command
    line does: 5,634 rows in 5 folds, 1,409 test.
    """
    tr, parts = words.tr, split["rows"]
    if int((split.get("search") or {}).get("folds") or 0) > 1:
        return rows_words(parts, split["search"])
    names = {"train": tr("{rows} to train"), "validation": tr("{rows} to validate"), "test": tr("{rows} to test")}
    return ", ".join(text.format(rows=words.number(int(parts[part]))) for part, text in names.items() if part in parts)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {words.cell(value)}" for name, value in values.items())
