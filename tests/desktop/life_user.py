"""A user with a messy table: explores, cleans with undo, versions, diffs, checks files, guards, searches, trains,
compares, explains, promotes, reports, predicts.

    python -m tests.desktop.life_user --out DIR [--mode dark] [--size 900x600]

leaves a screenshot of each step in DIR.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QDialog, QWidget

from mldesk.desktop.pages.data.clean_dialog import CleanDialog
from mldesk.desktop.pages.data.contract_check import CheckDialog
from mldesk.desktop.pages.data.dataset import DatasetPage
from mldesk.desktop.pages.data.diff_dialog import DiffDialog
from mldesk.desktop.pages.data.explore_view import ExploreView
from mldesk.desktop.pages.models.model import ModelPage
from mldesk.desktop.pages.models.predict_dialog import PredictDialog
from mldesk.desktop.pages.runs.compare import ComparePage
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.widgets import HistogramChart, ScrollPage
from mldesk.wire.states import JobState
from tests import messy
from tests.desktop.pictures import picture_arguments
from tests.desktop.scripted_user import User, dialogs, play, stop_agent
from tests.messy import ROWS, batch, write

D = TypeVar("D", bound=QDialog)
P = TypeVar("P", bound=QWidget)

async def dialog(user: User, kind: type[D]) -> D:
    """Wait for a dialog of a kind."""
    found: D = await user.until(lambda: next((one for one in dialogs() if isinstance(one, kind)), None), kind.__name__)
    return found


async def page(user: User, kind: type[P]) -> P:
    """Wait for a page of a kind to be what is seen."""
    found: P = await user.until(lambda: next((one for one in user.window.findChildren(kind) if one.isVisible()), None),
                                kind.__name__)
    return found


async def bring_in(user: User, folder: Path) -> DatasetPage:
    """Drop the table on the window."""
    user.drop(await asyncio.to_thread(write, folder / "customers.csv", messy.messy(1, ROWS, 7)))
    seen: DatasetPage = await user.until(user.window.dataset_page, "the dataset")
    await user.until(lambda: seen.state.version.value and seen.table.model() and seen.table.model().rowCount(), "rows")
    return seen


async def explore(user: User, seen: DatasetPage) -> None:
    """Look at the columns and findings; drag over a part of a chart and see its rows in the table."""
    seen.show_tab("columns")
    await user.until(lambda: seen.state.profile.value, "the profile")
    await user.shot("columns")
    seen.show_tab("explore")
    view = seen.findChild(ExploreView)
    assert view is not None
    await user.until(lambda: view.state.statistics.value, "the statistics")
    await user.shot("explore")
    view.target.set_value("stays")
    await user.until(lambda: view.target_card, "the target")
    page_of_it = view.findChild(ScrollPage)
    assert page_of_it is not None
    scroll = page_of_it.verticalScrollBar()
    for number in (1, 2):
        scroll.setValue(scroll.maximum() * number // 2)
        await user.shot(f"explore-{number}")
    before = view.chart.picture   # perhaps a histogram, too
    view.chart.choose("histogram", x="tenure")
    await user.until(lambda: isinstance(view.chart.picture, HistogramChart) and view.chart.picture is not before,
                     "the histogram")
    picture = view.chart.picture
    assert isinstance(picture, HistogramChart)
    picture.set_zoom((59.5, 72.5))
    await user.shot("explore-part")
    view.chart.rows.click()
    await user.until(lambda: seen.tabs.value() == "table" and 0 < seen.table.model().rowCount() < 100, "its rows")
    await user.shot("explore-rows")
    seen.state.picked.value = None
    await user.until(lambda: seen.table.model().rowCount() == ROWS + 1, "all rows")


async def clean(user: User) -> None:
    """Add steps, take them back, bring them back, and make a version."""
    await user.keys("Ctrl+E")
    recipe = await dialog(user, CleanDialog)
    await user.until(lambda: recipe.state.preview.value, "the preview")
    recipe.state.add({"step": "clean_text", "columns": ["city"], "case": "lower"})
    recipe.state.add({"step": "deduplicate"})
    recipe.state.add({"step": "drop", "columns": ["id"]})
    await user.until(lambda: not recipe.state.busy.value and recipe.primary.isEnabled(), "three steps")
    recipe.state.steps.undo()
    recipe.state.steps.undo()
    assert [step["step"] for step in recipe.state.steps.value] == ["clean_text"]
    recipe.state.steps.redo()
    await user.until(lambda: not recipe.state.busy.value and recipe.primary.isEnabled() and
                     len(recipe.state.steps.value) == 2, "two steps")
    await user.shot("clean")
    await user.press("Make the new version")
    await user.until(lambda: not dialogs(), "the Clean dialog to close")


async def versions(user: User) -> DatasetPage:
    """See the new version, and what changed."""
    seen: DatasetPage = await user.until(
        lambda: (now := user.window.dataset_page()) and now.state.version.value and
        now.state.version.value.number == 2 and now, "version 2")
    version = seen.state.version.value
    assert version is not None
    assert version.rows == ROWS
    user.window.toasts.clear()
    seen.show_tab("versions")
    await user.until(lambda: seen.state.lineage.value, "the lineage")
    await user.shot("versions")
    seen.versions.diffed.emit(1, 2)
    told = await dialog(user, DiffDialog)
    await user.until(lambda: told._columns.count(), "what the columns held")
    await user.shot("diff")
    told.reject()
    await user.until(lambda: not dialogs(), "it to close")
    return seen


async def check(user: User, seen: DatasetPage, folder: Path) -> None:
    """Make a contract of the first version's kind of rows, and check a batch of good and bad files."""
    seen.show_tab("contract")
    await user.press("Make one from this version")
    await user.until(lambda: seen.contract.state.kept is not None, "a contract")
    await user.shot("contract")
    files = batch(folder)
    seen.contract.check_files(list(files))
    told = await dialog(user, CheckDialog)
    await user.until(lambda: len(told.state.verdicts.value) == len(files) and told.primary.isEnabled(), "verdicts")
    await user.shot("check")
    assert {Path(item.file): item.status for item in told.state.verdicts.value} == files
    told.primary.click()
    await user.until(lambda: not dialogs() and seen.state.version.value and seen.state.version.value.number == 3,
                     "version 3")
    assert seen.state.version.value is not None
    assert seen.state.version.value.rows == ROWS + 20


async def guard_and_search(user: User, *, minutes: float, trials: int) -> RunPage:
    """Ask the guard, search, see the leaderboard grow, and take what there is after some trials."""
    user.window.toasts.clear()
    await user.press("Train…")
    order = await dialog(user, TrainDialog)
    await user.until(lambda: order.state.check.value, "the check")
    order.target.set_value("stays")
    order._on_target("stays")
    order.guard.check()
    await user.until(lambda: order.guard.found, "what the guard found")
    await user.shot("guard")
    order.kind.set_value("search")
    order._on_search()
    order.search.minutes.setValue(minutes)
    await user.until(lambda: order.primary.isEnabled() and order.primary.text() == "Search", "Search to be on")
    await user.settle(1.0)
    await user.shot("search-dialog")
    await user.press("Search")
    live = await page(user, RunPage)
    await user.until(lambda: live.state.run.value and len([one for one in live.state.trials if one.rank]) >= trials,
                     "trials on the leaderboard")
    await user.settle(1.0)
    assert live.state.run.value is not None
    assert not live.state.run.value.state.ended, "the leaderboard is there while the search goes on"
    assert live.training.leaderboard.table.model().rowCount() >= trials
    await user.shot("search-live")
    await user.press("Finish now")
    return await ended(user, live, "search-done")


async def ended(user: User, seen: RunPage, shot: str) -> RunPage:
    """Wait until a run has its model and its evaluation."""
    await user.until(lambda: seen.state.run.value and seen.state.run.value.state.ended, "its end")
    run = seen.state.run.value
    assert run is not None
    assert run.state is JobState.SUCCEEDED, f"{run.message} {run.hint}"
    await user.until(lambda: seen.state.evaluation.value and seen.evaluation.complete, "the evaluation")
    await user.shot(f"{shot}-evaluation")
    seen.tabs.set_value("training")
    await user.shot(shot)
    return seen


async def train(user: User) -> RunPage:
    """Train one model beside it."""
    user.window.open_dataset("customers")
    await user.until(lambda: (now := user.window.dataset_page()) and now.state.version.value, "the dataset")
    await user.press("Train…")
    order = await dialog(user, TrainDialog)
    await user.until(lambda: order.state.check.value and order._form is not None, "the check")
    order.target.set_value("stays")
    order._on_target("stays")
    await user.until(order.primary.isEnabled, "Train to be on")
    order.estimator.set_value("linear")
    await user.until(lambda: order.primary.isEnabled() and order.state.order.value.estimator == "linear", "the order")
    before = user.window.run_page()   # the press may be over when the new one is there
    await user.press("Train")
    seen: RunPage = await user.until(
        lambda: (now := user.window.run_page()) and now is not before and now.state.run.value and now, "the run")
    return await ended(user, seen, "train")


async def compare(user: User, folder: Path) -> None:
    """Set both runs side by side, and write a report of them."""
    user.window.go("runs")
    user.window.go("runs")
    listed = user.window.stack.currentWidget().list_page  # type: ignore[union-attr]
    await user.until(lambda: len(listed.state.runs.value or ()) == 2, "two runs")
    await user.shot("runs")
    listed.table.select([run.id for run in listed.state.runs.value])
    await user.keys("Ctrl+D")
    seen = await page(user, ComparePage)
    await user.until(lambda: seen.state.comparison.value, "its figures")
    await user.settle(0.5)
    await user.shot("compare")
    await user.press("Write a report…")
    await user.answer_file_dialog(folder / "both.html")
    await user.until((folder / "both.html").exists, "the report")
    await user.shot("reported")


async def explain(user: User, model: str) -> ModelPage:
    """Open the model, explain it by a job, promote it."""
    user.window.toasts.clear()
    name, _, number = model.rpartition("@")
    user.window.open_model(name, int(number), "explain")
    seen = await page(user, ModelPage)
    await user.press("Explain this version")
    await user.until(lambda: seen.explain.state.run.value, "the run that explains")
    await user.shot("explaining")
    await user.until(lambda: seen.explain.state.found.value, "the explanation")
    await user.shot("explained")
    seen.explain.verticalScrollBar().setValue(100_000)
    await user.shot("explained-more")
    await user.press("Promote")
    await user.until(lambda: seen.state.model.value and seen.state.model.value.promoted == int(number), "promoted")
    for tab in ("try", "about"):
        seen.tabs.set_value(tab)
        await user.settle(1.5)
        await user.shot(f"model-{tab}")
    return seen


async def predict(user: User, folder: Path) -> Path:
    """Predict rows of which some break the contract, and see them in the history."""
    user.window.toasts.clear()
    await user.press("Predict…")
    asked = await dialog(user, PredictDialog)
    asked.source.setText(str(write(folder / "new.csv", messy.clean(2000, 30, 13))))
    asked.output.setText(str(folder / "out.csv"))
    await user.shot("predict")
    await user.press("Predict")
    await user.until((folder / "out.csv").exists, "the predictions")
    await user.until(lambda: asked._table.model() and asked._table.model().rowCount(), "their first rows")
    await user.shot("predicted")
    asked.reject()
    await user.until(lambda: not dialogs(), "it to close")
    return folder / "out.csv"


async def life(user: User, folder: Path, *, minutes: float = 5.0, trials: int = 2) -> dict[str, Any]:
    """Do all of it; return the files and runs that came of it."""
    await user.until(lambda: user.window.desk.ready.value, "the library")
    seen = await bring_in(user, folder)
    await explore(user, seen)
    await clean(user)
    await check(user, await versions(user), folder)
    search = (await guard_and_search(user, minutes=minutes, trials=trials)).state.run.value
    single = (await train(user)).state.run.value
    assert search is not None
    assert single is not None
    await compare(user, folder)
    await explain(user, str(search.model))
    return {"search": search, "single": single, "report": folder / "both.html",
            "predictions": await predict(user, folder)}


def run(arguments: list[str] | None = None) -> None:
    """Play it, leaving screenshots."""
    parser = argparse.ArgumentParser("life_user")
    parser.add_argument("--trials", type=int, default=8, help="of the search, before it is finished")
    given, how = picture_arguments(parser, arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            play(folder / "home", lambda user: life(user, folder, trials=given.trials), meet_machine=False, **how)
        finally:
            stop_agent(folder / "home")
    print(f"The screenshots are in {given.out}.")


if __name__ == "__main__":
    run()
