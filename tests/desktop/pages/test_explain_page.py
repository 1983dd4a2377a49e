"""What explains a model in the window, and the form in which a row of one's own is tried."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.explain_view import ExplainView, ShapleyCard
from mldesk.desktop.pages.runs.importance import points
from mldesk.desktop.pages.runs.what_if_view import WhatIfView
from mldesk.desktop.widgets import BarChart, Chart, why_disabled
from mldesk.library.records import DatasetVersion
from mldesk.wire.schema import Column, ColumnType
from mldesk.wire.states import JobState
from mldesk.workbench.explaining import Explainable
from mldesk.workbench.what_if import Answer, Asked
from tests.desktop.fake_workbench import make_run
from tests.desktop.pages.test_run_page import FakeShell

FOUND: dict[str, Any] = {
    "target": "y", "outputs": ["yes"], "dataset": "table@1", "rows": 40, "importance_metric": "log_loss",
    "importance": [{"feature": "x", "value": 0.2, "low": 0.1, "high": 0.3}],
    "shap": {"rows": [1, 2], "mean": [{"feature": "x", "value": 0.05}]},   # as old ones are
    "dependence": [{"feature": "x", "grid": [1.0, 2.0], "mean": [[0.1, 0.4]], "lines": [[0.0, 0.2], [0.2, 0.6]]},
                   {"feature": "kind", "grid": ["a", "b"], "mean": [[0.3, 0.2]], "lines": [[0.3, 0.2]]}]}
FORM = (Asked(Column("x", ColumnType.NUMBER, 0, 9), (), 2.5, 0.0, 9.0),
        Asked(Column("kind", ColumnType.TEXT, 0, 2), ("a", "b"), "b"),
        Asked(Column("on", ColumnType.BOOLEAN, 0, 2), (), True))


@pytest.fixture
def view(qtbot: QtBot, tmp_path: Path) -> ExplainView:
    made = ExplainView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    return made


def test_an_explanation_is_importance_what_columns_add_and_how_they_move_it(view: ExplainView) -> None:
    assert "seconds to minutes" in view.head._subtitle.text()
    view.state.found.value = FOUND
    bars = {bar.accessibleName(): bar.accessibleDescription() for bar in view.findChildren(BarChart)}
    assert bars == {"Importance of columns": "x 0.2000", "Shapley values of columns": "x 0.05"}
    curves = view.cards.itemAt(2).widget()
    assert curves.findChild(Chart).names() == ["row 1", "row 2", "mean"]
    curves.choice.setCurrentIndex(1)
    assert any("a 0.3" in bar.accessibleDescription() for bar in view.findChildren(BarChart))
    assert "40 rows of table@1" in view.head._subtitle.text() and view.button.text() == "Explain again"


def test_of_many_classes_one_is_shown_with_what_raises_and_what_lowers_its_chance(view: ExplainView) -> None:
    shap = {"rows": [1, 2], "features": ["x", "z"], "mean": [],
            "values": [[[0.1, 0.2], [0.1, -0.4]], [[-0.3, 0.0], [0.1, 0.0]]]}
    curve = {"feature": "x", "grid": [1.0, 2.0], "mean": [[0.1, 0.4], [0.3, 0.2]], "lines": [[0.0, 0.9]]}
    view.state.found.value = {**FOUND, "outputs": ["a", "b"], "shap": shap, "dependence": [curve]}
    assert view.about.isVisible() and view.about.currentText() == "b"
    assert "the chance that y is b" in view.head._subtitle.text()

    def added() -> BarChart:
        return view.cards.itemAt(1).widget().findChild(BarChart)

    assert [(bar.name, bar.value, bar.down, bar.words) for bar in added()._bars] == [
        ("x", 0.05, -0.15, "20.0 %"), ("z", 0.0, 0.0, "0.0 %")]
    scale = added()._scale()
    view.about.setCurrentIndex(0)
    assert [(bar.name, bar.words) for bar in added()._bars] == [("z", "30.0 %"), ("x", "10.0 %")]
    assert added()._scale() == scale == (-0.2, 0.1)
    assert view.cards.itemAt(2).widget().findChild(Chart).names() == ["mean"]   # rows are kept of the last class only


def _table(name: str) -> DatasetVersion:
    return DatasetVersion(name, 1, "", 40, (), 0, None, None, "", (), None, 0.0)


def test_a_model_whose_data_are_not_here_is_explained_on_a_dataset_of_its_columns(
        view: ExplainView, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(view, "_explain", lambda *order: begun.append(order))
    view.state.label = "m@1"
    view.state.tables.value = Explainable("", False)
    assert "no dataset here has all its columns" in why_disabled(view.button) == view.head._subtitle.text()
    assert not view.rows.isVisible()
    view.state.tables.value = Explainable("", False, (_table("new"), _table("old")))
    assert view.button.isEnabled() and view.rows.isVisible() and "is not here" in view.rows.accessibleDescription()
    assert [view.rows.itemText(place) for place in range(view.rows.count())] == [
        "new@1  ·  40 rows", "old@1  ·  40 rows"]
    view.rows.set_value("old@1")
    view.state.tables.value = Explainable("", False, (_table("newest"), _table("new"), _table("old")))
    view.button.click()
    view.state.found.value = {**FOUND, "outputs": ["yes", "no"], "classes": ["yes", "no", "rare"], "dependence": []}
    view.about.setCurrentIndex(2)   # on the rows that the others were explained on, whichever are chosen above
    assert begun == [("old@1", ()), ("table@1", ("rare",))]


def test_a_model_is_explained_on_its_test_rows_unless_another_dataset_is_chosen(view: ExplainView) -> None:
    view.state.label = "m@1"
    view.state.tables.value = Explainable("table@1", True)
    assert not view.rows.isVisible() and view.rows.value() == "" and view.button.isEnabled()
    view.state.tables.value = Explainable("table@1", True, (_table("new"),))
    assert view.rows.currentText() == "table@1: its test rows" and view.rows.count() == 2
    view.state.found.value = FOUND
    assert view._same_rows() == ""
    view.state.tables.value = Explainable("table@1", False)   # it came in a bundle
    assert view.rows.currentText() == "table@1: every row"


def test_while_a_run_explains_the_button_says_so(view: ExplainView) -> None:
    view.state.run.value = make_run(kind="explain", stage="Weighing the columns")
    assert "explains it already" in why_disabled(view.button) and view.follow.isVisible()
    assert "Weighing the columns" in view.head._subtitle.text()
    view.state.run.value = make_run(kind="explain", state=JobState.FAILED, message="Out of memory.")
    assert view.button.isEnabled() and view.head._subtitle.text() == "Out of memory."


def test_the_form_has_an_editor_for_every_column_and_reads_what_is_missing(qtbot: QtBot, tmp_path: Path) -> None:
    view = WhatIfView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(view)
    asked: list[int] = []
    view.ask = lambda: asked.append(1)  # type: ignore[method-assign]
    view.model = SimpleNamespace(form=FORM, target="y")  # type: ignore[assignment]
    view._fill()
    assert {name: read() for name, read in view._read.items()} == {"x": "2.5", "kind": "b", "on": True}
    next(field for field in view.findChildren(QLineEdit) if field.text() == "2.5").setText(" ")
    assert view._read["x"]() is None and asked == [1]
    view._fill()
    assert view._read["x"]() == "2.5" and view._fields.count() == 3


def test_a_long_form_beside_its_answer_scrolls_up_and_down_only(qtbot: QtBot, tmp_path: Path) -> None:
    view = WhatIfView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.ask = lambda: None  # type: ignore[method-assign]
    view.model = SimpleNamespace(form=FORM * 5, target="y")  # type: ignore[assignment]
    view.resize(620, 430)
    view.show()
    view._fill()
    qtbot.waitUntil(lambda: view.form.verticalScrollBar().maximum() > 0)
    assert view.form.horizontalScrollBar().maximum() == 0


def test_shapley_values_of_trees_are_shown_where_there_are_any(view: ExplainView) -> None:
    shap = {"rows": [1, 2], "features": ["x", "kind"], "values": [[[0.1, 0.0], [-0.1, 0.2]]], "mean": []}
    tree = {"rows": [1, 2], "features": ["x", "kind"], "values": [[[2.0, 0.0], [1.0, -1.0]]], "unit": "log-odds"}
    view.state.found.value = {**FOUND, "shap": shap}
    card, = view.findChildren(ShapleyCard)
    assert "an older MLDesk made it" in why_disabled(card.method.button("tree"))
    view.state.found.value = {**FOUND, "shap": shap, "tree": {"why_not": "its member mlp is no trees"}}
    assert any("member mlp" in why_disabled(one.method.button("tree")) for one in view.findChildren(ShapleyCard))
    view.state.found.value = {**FOUND, "shap": shap, "tree": tree}
    card = next(one for one in view.findChildren(ShapleyCard) if one.method.button("tree").isEnabled())

    def bars() -> str:
        return next(one.accessibleDescription() for one in card.findChildren(BarChart) if not one.isHidden())

    assert bars() == "x 10.0 %; kind 10.0 %"
    card.method.set_value("tree")
    assert bars() == "x 1.5; kind 0.5" and "log-odds of" in card._subtitle.text()


def test_the_form_takes_the_cells_of_a_row_of_the_data(qtbot: QtBot, tmp_path: Path) -> None:
    view = WhatIfView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.ask = lambda: None  # type: ignore[method-assign]
    view.model = SimpleNamespace(form=FORM, target="y", label="m@1")  # type: ignore[assignment]
    view._fill({"x": 7, "kind": "rare", "on": None, "y": "no"})
    assert {name: read() for name, read in view._read.items()} == {"x": "7", "kind": "rare", "on": None}
    view._fill({"x": 29.0, "kind": "b", "on": True, "y": "no"})
    assert view._read["x"]() == "29"   # as the table writes it
    view._fill()
    assert {name: read() for name, read in view._read.items()} == {"x": "2.5", "kind": "b", "on": True}


def test_an_answer_says_what_holds_the_truth_nine_times_of_ten(qtbot: QtBot, tmp_path: Path) -> None:
    view = WhatIfView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.model = SimpleNamespace(form=FORM, target="y")  # type: ignore[assignment]
    view.show_answer(Answer(3.25, (), None, 3.0, 3.25, (), (1.0, 5.5)))
    assert view.within.text() == "In nine rows of ten the truth lies from 1 to 5.5." and not view.within.isHidden()
    view.show_answer(Answer("yes", (("no", 0.3), ("yes", 0.7)), "yes", 0.5, 0.7, (), ("no", "yes")))
    assert view.within.text() == "In nine rows of ten the truth is among: no, yes."
    view.show_answer(Answer(3.25, (), None, 3.0, 3.25, ()))
    assert view.within.isHidden()


def test_an_answer_is_said_with_what_each_column_adds(qtbot: QtBot, tmp_path: Path) -> None:
    view = WhatIfView(FakeShell(tmp_path))  # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.model = SimpleNamespace(form=FORM, target="y")  # type: ignore[assignment]
    view.show_answer(Answer("yes", (("no", 0.3), ("yes", 0.7)), "yes", 0.5, 0.7, (("x", 0.25), ("kind", -0.05))))
    assert view.answer.text() == "y: yes" and "chance that y is yes is 70.0 %; over rows of the data it is 50.0 %" in (
        view.why.text())
    assert view.parts.accessibleDescription() == "x +25.0 %; kind -5.0 %"
    assert view.chances.accessibleDescription() == "yes 70.0 %; no 30.0 %"
    assert "from 50.0 % to 70.0 %" in view.added._subtitle.text() and view.parts._scale() == (-0.5, 0.5)
    view.show_answer(Answer(3.25, (), None, 3.0, 3.25, ()))
    assert view.answer.text() == "y: 3.25" and view.chances.isHidden()
    view.show_answer(Answer(277330.4, (), None, 204014.0, 277330.4, (("x", 73316.4),), (188908.2, 365752.0)))
    assert view.answer.text() == "y: 277330" and view.within.text().endswith("from 188908 to 365752.")
    assert view.parts.accessibleDescription() == "x +73316"


def test_a_share_that_rounds_to_nothing_has_no_sign() -> None:
    assert [points(value, True, signed=True) for value in (-0.0001, 0.0001, 0.14, -0.019)] == [
        "0.0 %", "0.0 %", "+14.0 %", "-1.9 %"]
