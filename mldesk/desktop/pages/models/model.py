"""One model: its versions with their scores, the evaluation of one of them, Export, Predict, Promote and Retrain."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout

from mldesk.core.errors import MldeskError, NotFound
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_place, open_folder
from mldesk.desktop.pages.models.about_view import AboutView, PredictionsView, stage_name
from mldesk.desktop.pages.models.challenge_dialog import ChallengeDialog
from mldesk.desktop.pages.models.drift_dialog import DriftDialog
from mldesk.desktop.pages.models.models import leading
from mldesk.desktop.pages.models.newer_notice import NewerNotice
from mldesk.desktop.pages.models.retrain_dialog import RetrainDialog
from mldesk.desktop.pages.models.version_words import VersionWords
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import LINE, Entry, popup
from mldesk.desktop.pages.runs.evaluation import EvaluationView
from mldesk.desktop.pages.runs.explain_view import ExplainView
from mldesk.desktop.pages.runs.predicted_dialog import open_cell
from mldesk.desktop.pages.runs.run_notice import say_doubts
from mldesk.desktop.pages.runs.threshold_keeping import ThresholdKeeping
from mldesk.desktop.pages.runs.what_if_view import WhatIfView
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.model import ModelState
from mldesk.desktop.tasks import async_slot, in_thread
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import (
    Badge,
    Card,
    PageHeader,
    Tabs,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mldesk.library.records import ModelVersion


class ModelPage(Page):
    """Draws a ``ModelState``."""

    def __init__(self, shell: Shell, name: str, number: int | None = None) -> None:
        super().__init__(shell)
        self.state = ModelState(shell.desk, name)
        self._wanted = number
        self.header = PageHeader(name, " ", with_back=True)
        self.header.back.connect(lambda: shell.go("models"))
        self._badge = Badge("", "info")
        self._promoted = Badge(self.tr("promoted"), "success", icon="check")
        self.header.add_badge(self._badge)
        self.header.add_badge(self._promoted)
        self._make_buttons()
        self.table: RecordTable[ModelVersion] = RecordTable(self._fields(), lambda item: item.number,
                                                            self.tr("Versions"))
        self.table.chosen.connect(self._on_chosen)
        self.table.opened.connect(lambda item: self._show_evaluation_of(item.number))
        self.evaluation = EvaluationView()
        self.evaluation.row_opened.connect(self._open_row)
        self.evaluation.cell_chosen.connect(self._open_cell)
        self._thresholds = ThresholdKeeping(self, self.evaluation, lambda: "" if self.state.version.value is None else
                                            self.state.version.value.label)
        self.about, self.predictions = AboutView(shell), PredictionsView(shell)
        self.about.run_wanted.connect(self._open_run)
        self.predictions.wanted.connect(self.predict)
        self.tabs = Tabs()
        versions = Card(padding=0)
        versions.add(self.table, 1)
        self.changed = make_label("", "body", "muted", wrap=True, selectable=True)
        self.changed.setAccessibleName(self.tr("What changed since the version before"))
        self.changed.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        self.changed.hide()
        versions.add(self.changed)
        self.tabs.add("evaluation", self.tr("Evaluation"), self.evaluation, "chart")
        self.explain, self.what_if = ExplainView(shell), WhatIfView(shell)
        self.tabs.add("explain", self.tr("Explain"), self.explain, "search")
        self.tabs.add("try", self.tr("Try"), self.what_if, "predict")
        self.tabs.changed.connect(lambda _: self._look_closer())
        self.tabs.add("versions", self.tr("Versions"), versions, "versions")
        self.tabs.add("predictions", self.tr("Predictions"), self.predictions, "predict")
        self.tabs.add("about", self.tr("About"), self.about, "info")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(self.header)
        self.newer, self.doubts = NewerNotice(self.state), Notice()
        self.newer.compared.connect(self.compare)
        self.newer.wanted.connect(lambda number: self.begin(self.state.show(number), "show a version"))
        layout.addWidget(self.newer)
        layout.addWidget(self.doubts)
        layout.addWidget(self.tabs, 1)
        self.keep(self.about.state.shown.subscribe(
            lambda about: self.predictions.show_made(about.made) if about is not None else None))
        self.keep(self.state.model.subscribe(lambda _: self._show()))
        self.keep(self.state.versions.subscribe(lambda _: self._show()))
        self.keep(self.state.version.subscribe(lambda _: self._show()))
        self.keep(self.state.changes.subscribe(lambda _: self._show()))
        self.keep(self.state.standing.subscribe(lambda _: self.newer.refresh()))
        self.keep(self.state.evaluation.subscribe(
            lambda payload: self._show_payload(payload) if payload is not None else None))

    def _fields(self) -> list[Field[ModelVersion]]:
        def stage(item: ModelVersion) -> tuple[str, Tone, str]:
            used = item.stage == "promoted"
            return stage_name(item.stage) if item.stage else "", "success" if used else "info", "check" if used else ""

        return [
            Field(self.tr("Version"), lambda item: words.number(item.number), 80, lambda item: item.number,
                  strong=True),
            Field(self.tr("Stage"), lambda item: stage(item)[0], 120, badge=stage),
            Field(self.tr("Estimator"), lambda item: words.estimator_name(item.estimator)),
            Field(self.tr("Score"), lambda item: leading(item.metrics), 150, right=True),
            Field(self.tr("What changed"), lambda item: ", ".join(self._change_of(item.number)), 170,
                  muted=True, spare=1),
            Field(self.tr("Learned from"), lambda item: item.dataset, 150, muted=True, spare=3),
            Field(self.tr("Size"), lambda item: words.size(item.size), 90, lambda item: item.size, right=True,
                  muted=True, spare=4),
            Field(self.tr("Made"), lambda item: words.when(item.created), 110, lambda item: item.created, muted=True,
                  spare=2),
        ]

    def _change_of(self, number: int) -> list[str]:
        """Return the names of what differs from the version before."""
        change = self.state.changes.value.get(number)
        return [] if change is None else list(change.parts)

    def _make_buttons(self) -> None:
        self._promote = make_button(self.tr("Promote"), "secondary", "check")
        self._promote.clicked.connect(self.promote)
        self._back = make_button(self.tr("Roll back"), "secondary", "undo")
        self._back.clicked.connect(self.roll_back)
        self._back.hide()
        export = make_button(self.tr("Export…"), "secondary", "bundle")
        export.clicked.connect(self.export)
        predict = make_button(self.tr("Predict…"), "primary", "predict")
        predict.clicked.connect(self.predict)
        self._more = make_icon_button("more", self.tr("More for this model"))
        self._more.clicked.connect(lambda: popup(self, self.entries(), self._more.mapToGlobal(
            self._more.rect().bottomLeft())))
        for button in (self._promote, self._back, export, predict, self._more):
            self.header.add_action(button)

    async def refresh(self) -> None:
        wanted, self._wanted = self._wanted, None
        try:
            await self.state.refresh(wanted)   # at once: a press must not mean the version that would be shown else
            self._look_closer()
            await self.state.look_at_newest()
            await self.state.look_at_changes()
        except NotFound as error:
            self.shell.say(sentence(error), "neutral")
            self.shell.go("models")

    def _look_closer(self) -> None:
        """Read what the tabs of Explain and Try show, once they are looked at."""
        version = self.state.version.value
        if version is not None and self.tabs.value() == "explain":
            self.begin(self.explain.state.look(version.label), "read what explains a model")
        elif version is not None and self.tabs.value() == "try":
            self.what_if.open(version.label)
        elif version is not None and self.tabs.value() in ("about", "predictions"):
            self.about.look(version.label)

    def grow_older(self) -> None:
        super().grow_older()
        self._show()

    def _show(self) -> None:
        version, model = self.state.version.value, self.state.model.value
        if version is None or model is None:
            return
        self._badge.set(self.tr("version {number} of {all}").format(number=version.number, all=model.versions))
        promoted = model.promoted == version.number
        self._promoted.setVisible(promoted)
        back = promoted and self.state.before is not None   # one stands where the other would say that it is done
        self._promote.setVisible(not back)
        self._back.setVisible(back)
        self._back.setToolTip(self._what_comes_back())
        if promoted:
            disable(self._promote, self.tr("This version is promoted: the bare name means it already."))
        else:
            enable(self._promote)
        self.header.set_subtitle(self.tr("{estimator} predicts {target} · learned from {dataset} · {when}").format(
            estimator=words.estimator_name(version.estimator), target=version.target,
            dataset=version.dataset or self.tr("somewhere else"), when=words.when(version.created)))
        self.table.set_records(list(reversed(self.state.versions.value)))
        change = self.state.changes.value.get(version.number)
        self.changed.setText("" if change is None else change.words)
        self.changed.setVisible(change is not None)
        self.newer.refresh()
        self._look_closer()

    def _show_payload(self, payload: Mapping[str, Any]) -> None:
        self.evaluation.show_evaluation(payload)
        if payload:
            self._thresholds.look()
        if doubts := payload.get("doubts"):
            say_doubts(self.doubts, doubts)
        else:
            self.doubts.hide()

    def _on_chosen(self) -> None:
        chosen = self.table.selected()
        current = self.state.version.value
        if chosen and (current is None or chosen[0].number != current.number):
            self.begin(self.state.show(chosen[0].number), "show a version")

    def _show_evaluation_of(self, number: int) -> None:
        self.begin(self.state.show(number), "show a version")
        self.tabs.set_value("evaluation")

    def _open_run(self) -> None:
        version = self.state.version.value
        if version is not None and version.run is not None:
            self.shell.open_run(version.run)

    def _open_row(self, row: int) -> None:
        version = self.state.version.value
        if version is not None and version.run is not None and version.dataset:
            self.shell.open_row(version.dataset, row)
        else:
            self._say_elsewhere()

    def _open_cell(self, actual: object, predicted: object) -> None:
        version = self.state.version.value
        if version is not None and version.run is not None:
            open_cell(self.shell, version.run, version.dataset, actual, predicted)
        else:
            self._say_elsewhere()

    def _say_elsewhere(self) -> None:
        self.shell.say(self.tr("This model came as a bundle: the rows it was tested on are not here."), "neutral")

    # Doing

    @async_slot
    async def promote(self) -> None:
        """Make this version what the bare name means."""
        version = self.state.version.value
        if version is None:
            return
        before = await self.state.promote(version.number)
        undo = None if before is None else (self.tr("Undo"), self.roll_back)
        text = self.tr("Version {number} of {name} is promoted: the bare name means it.")
        self.shell.say(text.format(name=self.state.name, number=version.number), "success", undo)

    @async_slot
    async def roll_back(self) -> None:
        """Let the bare name mean what it meant before the last promotion."""
        model = self.state.model.value
        try:
            number = await self.state.roll_back()
        except MldeskError as error:
            self.shell.say(sentence(error), "danger")
            return
        left = None if model is None else model.promoted
        text = self.tr("{name} means version {number} again.")
        self.shell.say(text.format(name=self.state.name, number=number), "success",
                       None if left is None else (self.tr("Undo"), partial(self._promote_again, left)))

    @async_slot
    async def _promote_again(self, number: int) -> None:
        await self.state.promote(number)
        await self.state.show(number)

    def _what_comes_back(self) -> str:
        return "" if self.state.before is None else self.tr(
            "Let the bare name mean version {number} again, as before the last promotion").format(
                number=self.state.before)

    def entries(self) -> list[Entry]:
        """Return what the More menu holds."""
        version, old = self.state.version.value, self.state.rival()
        away = "" if version is not None and version.run is not None else self.tr(
            "It came as a bundle: what it learned from is not here.")
        return [Entry("edit", self.tr("Note and tags…"), self.edit_words),
                LINE,
                Entry("chart", self.tr("Check for drift…"), self.check_drift, away),
                Entry("train", self.tr("Retrain on new data…"), self.retrain, away),
                LINE,
                Entry("compare", self.tr("Compare with another version…") if old is None else
                      self.tr("Compare with version {number}…").format(number=old), self.compare, away or
                      ("" if old is not None else self.tr("There is no version before this one."))),
                Entry("undo", self.tr("Roll back the last promotion") if self.state.before is None else
                      self.tr("Roll back to version {number}").format(number=self.state.before), self.roll_back,
                      "" if self.state.before is not None else self.tr("No version was promoted before.")),
                LINE,
                *(Entry("export", title, partial(self.export_as, form)) for form, title in (
                    ("onnx", self.tr("Export as ONNX…")), ("native", self.tr("Export as a folder of native files…")),
                    ("mlflow", self.tr("Export as an MLflow model…"))))]

    def edit_words(self) -> None:
        """Open what a person says of this version."""
        version = self.state.version.value
        if version is not None:
            dialog = VersionWords(self.shell, version)
            dialog.accepted.connect(self.refresh_soon)
            dialog.open()

    def check_drift(self) -> None:
        """Open the check of new rows against the training rows."""
        version = self.state.version.value
        if version is not None:
            DriftDialog(self.shell, version).open()

    def retrain(self) -> None:
        """Open the dialog that trains this version again on other rows."""
        version = self.state.version.value
        if version is not None:
            RetrainDialog(self.shell, version).open()

    def compare(self) -> None:
        """Set this version beside the one it may replace, on the same test rows."""
        version, old, model = self.state.version.value, self.state.rival(), self.state.model.value
        if version is not None and old is not None and model is not None:
            dialog = ChallengeDialog(self.shell, version, old, in_use=model.promoted == version.number)
            dialog.promoted.connect(self.promote)
            dialog.open()

    def export(self) -> None:
        """Ask where to, then write the bundle."""
        version = self.state.version.value
        if version is not None:
            choose_place(self, self.tr("Export as a bundle"), [self.tr("Model bundles") + " (*.mlbundle)"],
                         f"{version.model}-{version.number}.mlbundle", self._export)

    @async_slot
    async def _export(self, path: Path) -> None:
        version = self.state.version.value
        if version is None:
            return
        try:
            report, unsigned = await self.state.export(version.number, path)
        except (MldeskError, OSError) as error:
            self.shell.say(sentence(error), "danger")
            return
        size = words.size(sum(int(item["size"]) for item in report.files))
        text = self.tr("Wrote {name}: {count} files, {size}, {signed}.").format(
            name=path.name, count=len(report.files), size=size,
            signed=self.tr("not signed") if unsigned else self.tr("signed"))
        self.shell.say(f"{text} {unsigned}".strip(), "warning" if unsigned else "success",
                       (self.tr("Open its folder"), lambda: open_folder(path)))

    def export_as(self, form: str) -> None:
        """Ask where to, then write the model for other programs: "onnx" (a file), "native" or "mlflow" (folders)."""
        version = self.state.version.value
        if version is None:
            return
        name = f"{version.model}-{version.number}"
        title, kind, name = {
            "onnx": (self.tr("Export as ONNX"), "ONNX (*.onnx)", f"{name}.onnx"),
            "native": (self.tr("Export native files into a new folder"), self.tr("A new folder") + " (*)", name),
            "mlflow": (self.tr("Export as an MLflow model, a new folder"), self.tr("A new folder") + " (*)",
                       f"{name}-mlflow")}[form]
        choose_place(self, title, [kind], name, partial(self._export_as, form))

    @async_slot
    async def _export_as(self, form: str, path: Path) -> None:
        version = self.state.version.value
        if version is None:
            return
        try:
            await in_thread(self.shell.desk.workbench.models.export_as, version.label, path, form)
        except (MldeskError, OSError) as error:
            self.shell.say(sentence(error), "danger")
            return
        self.shell.say(self.tr("Wrote {name}.").format(name=path.name), "success",
                       (self.tr("Open its folder"), lambda: open_folder(path)))

    def predict(self) -> None:
        """Open the Predict dialog."""
        version = self.state.version.value
        if version is not None:
            self.shell.predict(version.label)
