"""What is in a bundle and who signed it, before anything of it is loaded; Import, Predict or leave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.data.recipes.new_rows import PASSED
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.model import Bundles
from mldesk.desktop.step_words import step_words
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import Card, Sheet, Tabs, make_button
from mldesk.training.metric_words import ordered
from mldesk.workbench.signing_key import OWN

if TYPE_CHECKING:
    from mldesk.bundles import BundleReport

_File = Mapping[str, Any]


class BundleDialog(Sheet, TaskOwner):
    """Shows a bundle's manifest, files and signature as plain text."""

    def __init__(self, shell: Shell, path: Path) -> None:
        super().__init__(path.name, shell.host, primary=self.tr("Import"), width=640,
                         text=self.tr("This is what the file says about itself. Nothing of it has been loaded."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._path = shell, path
        self._bundles = Bundles(shell.desk)
        self._signed = Notice()
        self.facts = FactGrid()
        fields: list[Field[_File]] = [
            Field(self.tr("File"), lambda item: str(item["path"])),
            Field(self.tr("Size"), lambda item: words.size(float(item["size"])), 90, lambda item: item["size"],
                  right=True),
            Field("SHA-256", lambda item: str(item["sha256"])[:16] + "…", 180, muted=True,
                  tip=lambda item: str(item["sha256"])),
        ]
        self.files: RecordTable[_File] = RecordTable(fields, lambda item: item["path"], self.tr("Files"))
        about = Card(padding=0)
        about.setProperty("surface", "")
        about.add(self.facts)
        about.body.addStretch(1)
        listed = Card(padding=0)
        listed.add(self.files, 1)
        self.tabs = Tabs()
        self.tabs.add("about", self.tr("About"), about)
        self.tabs.add("files", self.tr("Files"), listed)
        self.add(self._signed)
        self.body.addWidget(self.tabs, 1)
        self._predict = make_button(self.tr("Predict without importing…"), "ghost", "predict")
        self._predict.clicked.connect(self._on_predict)
        self.extra.addWidget(self._predict)
        self.confirmed.connect(self._on_import)
        self.finished.connect(self.cancel_tasks)
        self.set_busy(self.tr("Looking into the file…"))
        self.resize(fitting(self, 720, 600))
        self._inspect()

    @async_slot
    async def _inspect(self) -> None:
        try:
            report = await self._bundles.inspect(self._path)
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.tabs.hide()
            self._predict.hide()
            self._signed.say("danger", self.tr("This file is refused."), sentence(error))
            self.set_primary_enabled(self.tr("A file that is refused cannot be imported."))
            return
        self.set_busy("")
        self._show(report)

    def _show(self, report: BundleReport) -> None:
        signature = report.signature
        by = str(signature.get("by") or "")
        if signature.get("valid") and signature.get("known"):
            self._signed.say("success", self.tr("Signed by {name}.").format(name=self.tr("you") if by == OWN else by),
                             self.tr("Key {key}. Nothing was changed since it was signed.").format(
                                 key=signature.get("fingerprint")))
        elif signature.get("valid"):
            self._signed.say("info", self.tr("Signed, by somebody this library does not know."),
                             self.tr("Key {key}. Nothing was changed since it was signed.").format(key=by))
        elif by or signature.get("problem"):
            self._signed.say("danger", self.tr("The signature is not valid."), str(signature.get("problem") or ""))
        else:
            self._signed.say("warning", self.tr("Not signed."),
                             self.tr("Nobody vouches for it. Import it only if you trust where it came from."))
        self.facts.show_facts([*manifest_facts(report.manifest), *self._cleaning(report)])
        self.files.set_records(report.files)
        self.tabs.bar.button("files").setText(self.tr("Files ({count})").format(count=len(report.files)))

    def _cleaning(self, report: BundleReport) -> list[tuple[str, str]]:
        """Say how rows can be cleaned before they are predicted, as the model's own were."""
        steps = [step_words(step) for recipe in report.recipes for step in recipe.steps
                 if not step.get("disabled") and step["step"] not in PASSED]
        return [(self.tr("Brings a recipe"), " · ".join(steps)[:600])] if steps else []

    @async_slot
    async def _on_import(self) -> None:
        self.set_busy(self.tr("Checking every file of it…"))
        try:
            version, made = await self._bundles.take_in(self._path)
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self.accept()
        said = self.tr("Imported {model}.") if made else self.tr("The bundle holds what {model} has; nothing was made.")
        self._shell.say(said.format(model=version.label), "success" if made else "neutral")
        self._shell.open_model(version.model, version.number)

    def _on_predict(self) -> None:
        self.accept()
        self._shell.predict(str(self._path))


def _moment(text: str) -> str:
    """Return a moment of a manifest as people write it; whatever else stands there as it stands there."""
    try:
        return words.moment(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        return text


def manifest_facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a manifest says, everything as plain text."""
    tr = words.tr
    facts: list[tuple[str, str]] = []
    writers: dict[str, Callable[[str], str]] = {
        "task": words.task_name, "estimator": words.estimator_name, "created": _moment}
    for key, title in (("name", tr("Name")), ("version", tr("Version")), ("task", tr("Task")),
                       ("target", tr("Predicts")), ("estimator", tr("Estimator")), ("created", tr("Made")),
                       ("notes", tr("Notes"))):
        if manifest.get(key) not in (None, ""):
            facts.append((title, writers.get(key, str)(str(manifest[key]))[:300]))
    metrics = manifest.get("metrics")
    if isinstance(metrics, Mapping):
        facts.append((tr("Scores"), ", ".join(f"{words.metric_name(str(name))} {words.metric_value(metrics[name])}"
                                              for name in ordered(metrics)[:6])))
    provenance = manifest.get("provenance")
    if isinstance(provenance, Mapping) and provenance.get("dataset"):
        facts.append((tr("Learned from"), str(provenance["dataset"])[:200]))
    inputs = manifest.get("inputs") or manifest.get("features")
    if isinstance(inputs, list):
        names = [str(item.get("name", item)) if isinstance(item, Mapping) else str(item) for item in inputs]
        facts.append((tr("Needs the columns"), ", ".join(names)[:600]))
    if manifest.get("licences"):
        facts.append((tr("Licences"), words.cell(manifest["licences"])[:300]))
    return facts
