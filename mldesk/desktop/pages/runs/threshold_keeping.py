"""A threshold that a person settled on, kept with the version of the model whose evaluation is shown."""

from __future__ import annotations

from collections.abc import Callable

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.runs.evaluation import EvaluationView
from mldesk.desktop.tasks import in_thread


class ThresholdKeeping:
    """Stands between an evaluation and the library: ``model`` says which version is shown, "" for none."""

    def __init__(self, page: Page, view: EvaluationView, model: Callable[[], str]) -> None:
        self._page, self._view, self._model = page, view, model
        view.threshold_wanted.connect(lambda label, at: page.begin(self._keep(label, at), "keep a threshold"))

    def look(self) -> None:
        """Show what is kept now."""
        self._page.begin(self._look(), "look at the threshold")

    async def _look(self) -> None:
        if not (model := self._model()):
            return
        try:
            found = await in_thread(self._page.shell.desk.workbench.models.threshold, model)
        except MldeskError:   # the model is in the bin, or its files are damaged: its page says so
            return
        if model == self._model():
            self._view.show_threshold(None if found is None else (found.label, found.at))

    async def _keep(self, label: object, at: float | None) -> None:
        model, shell = self._model(), self._page.shell
        try:
            await in_thread(shell.desk.workbench.models.set_threshold, model, at, label)
        except MldeskError as error:
            shell.say(sentence(error), "warning")
            return
        await self._look()
        shell.say(words.tr("{model} calls a row the most probable class again.").format(model=model) if at is None else
                  words.tr("{model} calls a row “{label}” from {at} on, wherever it predicts.").format(
                      model=model, label=words.cell(label), at=f"{at:g}"), "success")
