"""Ways into the Train dialog: over a table, as another run, on the same rows, on a runner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldesk.desktop import words
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.search import Trial
from mldesk.desktop.states.train import TrainState, fields_of, like, likely_target
from mldesk.desktop.tasks import in_thread, start

if TYPE_CHECKING:
    from mldesk.library.records import Run


def open_train_dialog(shell: Shell, reference: str, given: Mapping[str, Any] | None = None) -> None:
    """Open the dialog over a dataset; ``given`` are fields of an order to begin with."""
    start(_open(shell, reference, dict(given or {})), f"open the Train dialog for {reference}")


def train_again(shell: Shell, run: Run, trial: Trial | None = None) -> None:
    """Open the dialog with the settings of a run; with those of one trial of a search, to train that model alone."""
    open_train_dialog(shell, run.dataset, like(run, trial))


def train_on_same_rows(shell: Shell, run: Run) -> None:
    """Open the dialog for another model of a run's data, whose rows are dealt as there."""
    from mldesk.workbench.orders import OF_RUN

    open_train_dialog(shell, run.dataset, {"target": run.target, "task": run.task, "split": f"{OF_RUN}{run.id}"})


def train_on(shell: Shell, runner: str) -> None:
    """Open the dialog with a runner chosen, over the dataset that was changed last."""
    start(_open_newest(shell, runner), f"open the Train dialog for {runner}")


async def _open_newest(shell: Shell, runner: str) -> None:
    datasets = await in_thread(shell.desk.workbench.datasets.list)
    if not datasets:
        shell.say(words.tr("Import a table first; then choose {runner} in the Train dialog.").format(runner=runner),
                  "info", (words.tr("Import…"), shell.choose_import))
        return
    newest = max(datasets, key=lambda item: item.head.created)
    await _open(shell, newest.name, {"runner": runner})


async def _open(shell: Shell, reference: str, given: dict[str, Any]) -> None:
    from mldesk.workbench.orders import TrainOrder
    from mldesk.workbench.starting import preset_of

    version = await in_thread(shell.desk.workbench.datasets.show, reference)
    wish, jobs = given.pop("search", None), given.pop("jobs", ())
    if jobs:
        service = shell.desk.workbench.runs
        wish = replace(wish, helpers=await in_thread(lambda: tuple(service.get(job).runner for job in jobs)))
    if "target" not in given and (template := await in_thread(shell.desk.workbench.templates.of, version)) is not None:
        given = {**fields_of(preset_of(template), version), **given}
    given.setdefault("target", likely_target(version))
    state = TrainState(shell.desk, version, TrainOrder(dataset=version.label, **given))
    state.search = wish
    dialog = TrainDialog(shell, state)
    dialog.again.connect(lambda fields: open_train_dialog(shell, version.label, fields))
    dialog.open()
