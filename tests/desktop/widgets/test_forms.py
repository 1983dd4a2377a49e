"""Forms from declared parameters: typed values, words for what is refused, the way back to defaults."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from mldesk.core.errors import BadInput
from mldesk.desktop.widgets import ComboBox, FormRow, ParameterForm, Segmented, SpinBox, Switch, form_for
from mldesk.training.parameters import Parameter

PARAMETERS = (
    Parameter("learning_rate", "number", 0.05, "How much each tree adds.", low=1e-4, high=1.0, log=True),
    Parameter("trees", "integer", 400, "Rounds at most.", low=1, high=20_000, unit="trees"),
    Parameter("max_depth", "integer", None, "How deep.", low=1, high=64, nullable=True),
    Parameter("limit", "number", None, "Cut off.", low=0, nullable=True),
    Parameter("loss", "choice", "log", "What is made small.", choices=("log", "hinge")),
    Parameter("optimiser", "choice", "adamw", "How.", choices=("adamw", "sgd", "lion", "adafactor", "rprop")),
    Parameter("penalty", "choice", None, "Which.", choices=("l1", "l2"), nullable=True),
    Parameter("early", "boolean", True, "Stop early."),
    Parameter("seed", "integer", 0, "Any number.", low=0),
    Parameter("dropout", "number", 0.1, "Left out.", low=0, high=0.9, advanced=True),
)


@pytest.fixture
def form(qtbot: QtBot) -> ParameterForm:
    made = form_for(PARAMETERS)
    qtbot.addWidget(made)
    made.resize(500, 900)
    made.show()
    return made


def test_a_fresh_form_holds_the_defaults(form: ParameterForm) -> None:
    assert form.values() == {parameter.name: parameter.default for parameter in PARAMETERS}
    assert form.changed_values() == {}
    assert form.error() == ""


def test_every_value_comes_back_as_it_was_set_and_typed(form: ParameterForm) -> None:
    wanted = {"learning_rate": 0.001, "trees": 12, "max_depth": 7, "limit": 2.5, "loss": "hinge", "optimiser": "lion",
              "penalty": "l2", "early": False, "seed": 5_000_000_000, "dropout": 0.5}
    form.set_values(wanted)
    got = form.values()
    assert got == wanted
    assert [type(value) for value in got.values()] == [type(got[name]) for name in wanted]
    assert type(got["trees"]) is int and type(got["learning_rate"]) is float and type(got["early"]) is bool
    form.reset()
    assert form.changed_values() == {}


@pytest.mark.parametrize(("typed", "value"), [("1e-3", 0.001), (" 0.5 ", 0.5), ("1", 1.0)])
def test_numbers_may_be_typed_in_any_way(form: ParameterForm, typed: str, value: float) -> None:
    field = form.editor("learning_rate").field
    assert isinstance(field, QLineEdit)
    field.setText(typed)
    assert form.values()["learning_rate"] == value


@pytest.mark.parametrize("typed", ["", "often", "7", "0", "nan", "-1e-3"])
def test_a_refused_value_says_what_is_allowed_and_is_never_handed_out(form: ParameterForm, typed: str) -> None:
    field = form.editor("learning_rate").field
    assert isinstance(field, QLineEdit)
    field.setText(typed)
    assert form.row("learning_rate").error() == "Must be a number from 0.0001 to 1."
    assert form.error().startswith("Learning rate: Must be")
    assert form.row("learning_rate").editor.accessibleDescription().startswith("Must be")
    with pytest.raises(BadInput):
        form.values()
    field.setText("0.1")
    assert form.error() == ""


def test_none_is_a_tick_and_the_field_rests_meanwhile(form: ParameterForm, qtbot: QtBot) -> None:
    editor = form.editor("max_depth")
    assert editor._none is not None and editor._none.isChecked() and not editor.field.isEnabled()
    assert isinstance(editor.field, SpinBox) and editor.field.text() == ""
    with qtbot.waitSignal(form.changed):
        editor._none.click()
    assert editor.field.isEnabled() and form.values()["max_depth"] == 1
    editor.field.setValue(9)
    editor._none.click()
    assert form.values()["max_depth"] is None


def test_the_way_back_to_the_default_is_shown_where_it_leads_somewhere(form: ParameterForm) -> None:
    entry = form.row("trees")
    assert entry._reset.isHidden()
    form.set_values({"trees": 3})
    assert not entry._reset.isHidden()
    entry._reset.click()
    assert form.values()["trees"] == 400 and entry._reset.isHidden()


def test_advanced_settings_are_folded_until_asked_for_or_wrong(form: ParameterForm) -> None:
    assert form._advanced.isHidden() and "(1)" in form._fold.text()
    form.set_values({"dropout": 0.3})
    assert "1 changed" in form._fold.text()
    form._fold.click()
    assert not form._advanced.isHidden()
    form.set_unfolded(False)
    form.set_values({"dropout": 4})
    assert not form._advanced.isHidden()


def test_edits_are_told_once_each(form: ParameterForm, qtbot: QtBot) -> None:
    told: list[int] = []
    form.changed.connect(lambda: told.append(1))
    form.set_values({"trees": 5, "early": False, "unknown": 1})
    assert len(told) == 1


def test_short_choices_lie_side_by_side_and_long_ones_fold(form: ParameterForm) -> None:
    assert isinstance(form.editor("loss").field, Segmented)
    assert isinstance(form.editor("optimiser").field, ComboBox)
    assert form.values()["penalty"] is None


def test_every_editor_is_named_for_screen_readers(form: ParameterForm) -> None:
    for parameter in PARAMETERS:
        editor = form.row(parameter.name).editor
        assert editor.accessibleName() == parameter.title
        assert editor.accessibleDescription() .startswith(parameter.help)


def test_a_form_without_parameters_stands(qtbot: QtBot) -> None:
    empty = form_for(())
    qtbot.addWidget(empty)
    assert empty.values() == {} and empty.error() == ""


def test_a_form_row_tells_help_unit_and_error(qtbot: QtBot) -> None:
    line = QLineEdit()
    entry = FormRow("Rows", line, "How many.", "rows")
    qtbot.addWidget(entry)
    assert line.accessibleName() == "Rows (rows)" and line.accessibleDescription() == "How many."
    entry.set_error("Must be a number.")
    assert line.property("invalid") is True and line.accessibleDescription() == "Must be a number."
    entry.set_error("")
    assert not line.property("invalid") and line.accessibleDescription() == "How many."


def test_the_wheel_scrolls_past_a_field_without_focus(qtbot: QtBot, qapp: QApplication) -> None:
    box = SpinBox(0, 10, 5)
    qtbot.addWidget(box)
    box.show()
    event = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    box.wheelEvent(event)
    assert box.value() == 5 and not event.isAccepted()


def test_a_switch_turns_by_mouse_and_space(qtbot: QtBot) -> None:
    switch = Switch("Stop early")
    qtbot.addWidget(switch)
    switch.show()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert switch.isChecked()
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()


def test_a_choice_tells_one_from_true(qtbot: QtBot) -> None:
    box = ComboBox([(True, "yes"), (1, "one"), (None, "none")])
    qtbot.addWidget(box)
    box.set_value(1)
    assert box.value() == 1 and box.value() is not True
    box.set_value("unknown")
    assert box.value() == 1
