"""A model's page over a real library: where it stands, its card, and a file of predictions that nothing is lost by."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pytestqt.qtbot import QtBot

from mldesk.app import open_workbench
from mldesk.bundles import Predictor
from mldesk.bundles.recipe import to_bytes
from mldesk.bundles.writing import write_bundle
from mldesk.data.recipes.new_rows import Recipe
from mldesk.desktop.pages.models.card_dialog import CardDialog
from mldesk.desktop.pages.models.model import ModelPage
from mldesk.desktop.pages.models.models import ModelsPage
from mldesk.desktop.pages.models.predict_dialog import PredictDialog
from mldesk.desktop.pages.models.prediction_files import entries
from mldesk.desktop.pages.models.predictions import PredictionsPage
from mldesk.desktop.tasks import in_thread
from mldesk.wire.schema import Column
from tests.bundles.making import stored_model
from tests.desktop.scripted_user import User, dialogs, play

D = TypeVar("D")


def _dialog(kind: type[D]) -> D | None:
    return next((one for one in dialogs() if isinstance(one, kind)), None)


def _with_a_model(home: Path, folder: Path, steps: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Put a model, whose table ``steps`` cleaned, into a new library; return a file of rows for it."""
    model = stored_model("linear", "binary", folder)
    came = {after: before for step in steps for before, after in step["names"].items()}
    before = tuple(Column(came.get(column.name, column.name), column.type)
                   for column in Predictor.from_manifest(model.digest, model.store).schema)
    recipe = to_bytes([Recipe("adult@2", "", before, tuple(steps), [])]) if steps else None
    write_bundle(folder / "income.mlbundle", model.digest, model.store, {"name": "income", "version": 1}, None,
                 recipe=recipe)
    with open_workbench(home) as bench:
        bench.models.import_file(folder / "income.mlbundle")
    rows = folder / "rows.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(model.rows)
        writer.writerows(list(zip(*model.rows.values(), strict=True))[:20])
    return rows


def test_models_are_listed_by_tag_and_shown_by_version(tmp_path: Path, qtbot: QtBot) -> None:
    _with_a_model(tmp_path / "home", tmp_path)
    with open_workbench(tmp_path / "home") as bench:
        bench.models.import_file(tmp_path / "income.mlbundle", again=True)
        write_bundle(tmp_path / "b.mlbundle", bench.models.show("income").manifest, bench.library.objects,
                     {"name": "other", "version": 1}, None)
        bench.models.import_file(tmp_path / "b.mlbundle", again=True)
        bench.models.tag("income@1", ["small"])

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.go("models")
        page = await user.until(lambda: next(iter(window.findChildren(ModelsPage)), None), "the page")
        await user.until(lambda: len(page.table.records.records) == 2, "both models")
        page.tag.set_value("small")
        assert [item.name for item in page.table.records.records] == ["income"]
        await page.refresh()
        assert page.tag.value() == "small"
        page.tag.set_value("")
        assert len(page.table.records.records) == 2
        window.open_model("income")
        model = await user.until(lambda: next(iter(window.findChildren(ModelPage)), None), "the model")
        await user.until(lambda: model.changed.text(), "what changed")
        assert model.changed.text() == "Nothing that is known here differs from income@1."
        other = ModelPage(window, "income", 1)
        seen: list[int] = []
        other.keep(other.state.version.subscribe(lambda shown: seen.append(shown.number) if shown else None))
        await other.refresh()
        assert set(seen) == {1}   # not first the newest: what is pressed meanwhile would be about that
        other.deleteLater()

    play(tmp_path / "home", script, meet_machine=False)


def test_a_model_is_marked_described_and_used(tmp_path: Path, qtbot: QtBot) -> None:
    rows = _with_a_model(tmp_path / "home", tmp_path)
    output = tmp_path / "out.csv"
    output.write_text("mine\n", "utf-8")

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.open_model("income")
        page = await user.until(lambda: next(iter(window.findChildren(ModelPage)), None), "the page")
        page.tabs.set_value("about")
        about = page.about
        await user.until(lambda: about.state.shown.value, "what it came of")
        await user.shot("model-about")
        about.stage.set_value("candidate")
        about.stage.activated.emit(about.stage.currentIndex())
        await user.until(lambda: about.changes.model().rowCount() == 1, "the history")
        about.edit_card()
        editing = await user.until(lambda: _dialog(CardDialog), "the card")
        editing.text.setPlainText("# Mine")
        editing.primary.click()
        await user.until(lambda: about.state.shown.value.edited, "the new card")
        await user.until(lambda: about.card.toPlainText().strip() == "Mine", "it is shown")
        page._export_as("native", tmp_path / "native")
        await user.until(lambda: any("Wrote native" in text for text in window.toasts.texts()), "the folder")
        page._export_as("native", tmp_path / "native")
        await user.until(lambda: any("native" in text and "Wrote" not in text for text in window.toasts.texts()),
                         "that it is there already")
        await _predict(user, page, rows, output)

    play(tmp_path / "home", script, patience=90, meet_machine=False)
    with output.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 20
    assert list(written[0])[-3] == "prediction"


def test_rows_that_are_cleaned_already_are_not_offered_to_be_cleaned(tmp_path: Path, qtbot: QtBot) -> None:
    cleaned = _with_a_model(tmp_path / "home", tmp_path, [{"step": "rename", "names": {"Sex of it": "sex"}}])
    raw = tmp_path / "raw.csv"
    raw.write_text(cleaned.read_text("utf-8").replace("sex", "Sex of it", 1), "utf-8")
    output = tmp_path / "out.csv"

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.window.predict("income")
        dialog = await user.until(lambda: _dialog(PredictDialog), "Predict")
        await user.until(dialog.clean.isVisible, "the offer")
        dialog.source.setText(str(cleaned))
        await user.until(lambda: dialog.cleaned.isVisible() and not dialog.clean.isVisible(), "the hint")
        assert "no column Sex of it" in dialog.cleaned.accessibleName()
        await user.shot("model-predict-cleaned")
        dialog.source.setText(str(raw))
        await user.until(lambda: dialog.clean.isVisible() and not dialog.cleaned.isVisible(), "the offer again")
        dialog.clean.setChecked(True)
        dialog.output.setText(str(output))
        dialog.primary.click()
        await user.until(lambda: dialog._done, "the predictions")
        dialog.reject()
        await in_thread(user.window.desk.workbench.datasets.import_files, [raw], "fresh")
        user.window.predict("income")
        again = await user.until(lambda: next((one for one in dialogs() if isinstance(one, PredictDialog)
                                               and one is not dialog), None), "Predict")
        await user.until(lambda: again._tables == ("fresh@1",) and again.clean.isVisible(), "what is in the library")
        again.source.setText("fresh@1")
        again.clean.setChecked(True)
        again.output.setText(str(tmp_path / "of-dataset.csv"))
        await user.until(again.primary.isEnabled, "Predict")
        again.primary.click()
        await user.until(lambda: again._done, "the predictions")
        again.reject()

    play(tmp_path / "home", script, patience=90, meet_machine=False)
    assert len(output.read_text("utf-8").splitlines()) == 21
    assert (tmp_path / "of-dataset.csv").read_text("utf-8") == output.read_text("utf-8")


async def _predict(user: User, page: ModelPage, rows: Path, output: Path) -> None:
    page.predict()
    dialog = await user.until(lambda: _dialog(PredictDialog), "Predict")
    dialog.source.setText(str(rows))
    dialog.output.setText(str(output))
    dialog.keep.setCurrentIndex(dialog.keep.findData("all"))
    await user.shot("model-predict")
    dialog.primary.click()
    await user.until(lambda: dialog.primary.text() == "Replace it", "the question")
    assert await in_thread(output.read_text, "utf-8") == "mine\n"
    dialog.primary.click()
    await user.until(lambda: dialog._done, "the predictions")
    await user.shot("model-predicted")
    dialog.reject()
    page.tabs.set_value("predictions")
    await user.until(lambda: page.predictions.table.model().rowCount() == 1, "the history of predictions")
    await user.shot("model-predictions")


def test_the_predict_page_predicts_and_tells_what_became_of_the_files(tmp_path: Path, qtbot: QtBot) -> None:
    rows = _with_a_model(tmp_path / "home", tmp_path)
    output = tmp_path / "out.csv"

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.go("predict")
        page = await user.until(lambda: next(iter(window.findChildren(PredictionsPage)), None), "the page")
        await user.until(lambda: page.model.value() == "income" and page.file.isEnabled(), "its model")
        await user.shot("predict-empty")
        page.file.click()
        dialog: PredictDialog = await user.until(lambda: _dialog(PredictDialog), "the dialog")
        dialog.source.setText(str(rows))
        dialog.output.setText(str(output))
        await user.until(dialog.primary.isEnabled, "Predict")
        dialog.primary.click()
        await user.until(lambda: dialog._done, "the predictions")
        dialog.close()

        def said(what: str) -> bool:
            page.refresh_soon()
            model = page.table.model()
            return bool(model.rowCount() == 1 and what in {
                model.index(0, place).data() for place in range(model.columnCount())})

        await user.until(lambda: said("as written"), "the file in the list")
        await user.shot("predict-list")
        output.write_text(output.read_text("utf-8") + "\n", "utf-8")
        await user.until(lambda: said("changed since"), "that it was changed")
        record = page.state.made.value[0]
        assert not any(entry.why_not for entry in entries(window, record) if entry.title)
        output.unlink()
        await user.until(lambda: said("not there"), "that it is gone")
        off = {entry.title for entry in entries(window, record) if entry.why_not}
        assert off == {"Open the file", "Show in its folder", "Import as a dataset"}
        page.one.click()
        model_page = await user.until(window.model_page, "the model")
        assert model_page.tabs.value() == "try"

    play(tmp_path / "home", script, patience=60, meet_machine=False)


def test_where_there_is_no_model_the_predict_page_says_where_they_come_from(tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.window.go("predict")
        page = await user.until(lambda: next(iter(user.window.findChildren(PredictionsPage)), None), "the page")
        await user.until(lambda: not page.file.isEnabled(), "the buttons to be off")
        assert "no model" in page.file.toolTip()
        await user.press("Go to the datasets")
        assert user.window.sidebar.current() == "datasets"

    play(tmp_path / "home", script, patience=60, meet_machine=False)


def test_the_last_promotion_is_rolled_back_at_one_click_and_that_undone(tmp_path: Path, qtbot: QtBot) -> None:
    _with_a_model(tmp_path / "home", tmp_path)
    with open_workbench(tmp_path / "home") as bench:
        bench.models.import_file(tmp_path / "income.mlbundle", again=True)
        for number in (2, 1):
            bench.models.promote("income", number)

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.open_model("income")
        page = await user.until(lambda: next(iter(window.findChildren(ModelPage)), None), "the page")
        await user.until(lambda: page._back.isVisible() and not page._promote.isVisible(), "the way back")
        assert "version 2 again" in page._back.toolTip()
        await user.shot("model-roll-back")
        page._back.click()
        await user.until(lambda: page.state.version.value.number == page.state.model.value.promoted == 2, "version 2")
        await user.until(lambda: any("means version 2 again" in text for text in window.toasts.texts()), "the word")
        entry = next(item for item in page.entries() if "Roll back" in item.title)
        assert entry.why_not and not page._back.isVisible() and page._promote.isVisible()
        page._promote_again(1)   # what Undo does
        await user.until(lambda: page.state.model.value.promoted == 1 and page._back.isVisible(), "version 1")

    play(tmp_path / "home", script, patience=90, meet_machine=False)
