"""Retrain on new data: the same order as before over other rows, as a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import runner_words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.models.new_data_field import NewDataField
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.new_data import ANEW, BLEND, SEARCH, WARM, NewDataState
from mldesk.desktop.states.runner_watch import LOCAL
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import ComboBox, FormRow, Segmented, Sheet

if TYPE_CHECKING:
    from mldesk.library.records import ModelVersion


class RetrainDialog(Sheet, TaskOwner):
    """Asks which rows, how and which machine, then leads to the run."""

    def __init__(self, shell: Shell, version: ModelVersion, dataset: str = "") -> None:
        super().__init__(self.tr("Retrain {model} on new data").format(model=version.label), shell.host, width=520,
                         primary=self.tr("Retrain"), text=self.tr(
                             "Trains with the same estimator, settings and split as before. It becomes the next "
                             "version of {model}, which its page sets beside the one in use. That one stays in use "
                             "until another is promoted.").format(model=version.model))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state, self._wanted = shell, NewDataState(shell.desk, version), dataset
        self.source = NewDataField(self.tr("Learn from"), files=False)
        self.source.changed.connect(self._on_source)
        self.runner = ComboBox([(LOCAL, runner_words.runner_name(LOCAL))])
        self.add(FormRow(self.tr("Learn from"), self.source, self.tr("Last time: {dataset}.").format(
            dataset=version.dataset) if version.dataset else ""))
        self.how = Segmented(self._ways(version))
        if self.how.value() is not None:
            self.add(FormRow(self.tr("How"), self.how, self.tr(
                "What it blended is fitted and blended anew, or models are searched for as they were then.")
                if version.estimator == BLEND else self.tr(
                "Going on keeps what it has learned; rows it knows already will not test it.")))
        self.add(FormRow(self.tr("Train on"), self.runner))
        self.confirmed.connect(self._start)
        self.finished.connect(self.cancel_tasks)
        self._on_source()
        self._load()

    def _ways(self, version: ModelVersion) -> list[tuple[str, str]]:
        """Return the ways there are to train it again; none where there is but one."""
        from mldesk.training.catalogue import ESTIMATORS

        if version.estimator == BLEND:
            return [(ANEW, self.tr("What it blended")), (SEARCH, self.tr("Search again"))]
        entry = ESTIMATORS.get(version.estimator)
        if entry is None or not entry.iterative:
            return []
        return [(ANEW, self.tr("From the beginning")), (WARM, self.tr("Go on from its weights"))]

    @async_slot
    async def _load(self) -> None:
        self.source.offer(await self.state.tables(), self._wanted)
        names = await self.state.runners()
        self.runner.set_options([(name, runner_words.runner_name(name)) for name in names], self.runner.value())

    def _on_source(self) -> None:
        self.set_error("")
        self.set_primary_enabled("" if self.source.value() else self.tr("There is no dataset to learn from."))

    @async_slot
    async def _start(self) -> None:
        self.set_error("")
        self.set_busy(self.tr("Starting…"))
        try:
            run = await self.state.retrain(self.source.value(), str(self.runner.value()),
                                           str(self.how.value() or ANEW))
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self.accept()
        self._shell.open_run(run.id)
