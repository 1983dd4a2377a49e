"""What a model's page says of a newer version than the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.models.newer_notice import NewerNotice
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.model import ModelState
from mldesk.library.records import Model, ModelVersion
from tests.desktop.loops import run


def version(number: int, score: float) -> ModelVersion:
    return ModelVersion("m", number, "", f"RUN{number}", "t@1", "tabular_classification", "y", "linear",
                        {"roc_auc": score}, 1, 0.0, "")


def better(one: ModelVersion, others: Sequence[ModelVersion]) -> tuple[ModelVersion, str] | None:
    """As the workbench's: a score of 0 was found on other rows."""
    found = max(others, key=lambda item: item.metrics["roc_auc"])
    return (found, "roc_auc") if found.metrics["roc_auc"] > one.metrics["roc_auc"] > 0 else None


def told(scores: Sequence[float], promoted: int | None, shown: int) -> NewerNotice:
    bench = SimpleNamespace(judging=SimpleNamespace(better=better))
    desk = Desk(lambda: bench)  # type: ignore[arg-type,return-value]
    desk._workbench = bench  # type: ignore[assignment]
    state = ModelState(desk, "m")
    state.versions.value = tuple(version(number, score) for number, score in enumerate(scores, start=1))
    state.model.value = Model("m", state.versions.value[-1], promoted, len(scores), 0.0)
    state.version.value = state.versions.value[shown - 1]
    assert run(state.look_at_newest()) == []
    notice = NewerNotice(state)
    notice.refresh()
    return notice


@pytest.mark.parametrize(("scores", "promoted", "shown", "said", "button"), [
    ((0.9, 0.8), 1, 2, ("Version 2 is newer, but scored worse than version 1, which is promoted. "
                        "ROC AUC 0.8000 against 0.9000, on the same test rows."), "Compare both…"),
    ((0.9, 0.8), 1, 1, "Version 2 is newer, but scored worse than version 1", "Show version 2"),
    ((0.8, 0.9), 1, 1, "Version 2 scored better than version 1, which is promoted.", "Show version 2"),
    ((0.8, 0.9), 1, 2, "Version 2 scored better than version 1, which is promoted.", "Compare both…"),
    ((0.7, 0.9, 0.8), None, 3, "Version 3 is in use, as the newest, but scored worse than version 2.", "Compare both…"),
    ((0.8, 0.9), None, 2, "Version 2 is newer than version 1. Is it better, too?", "Compare both…"),
    ((0.8, 0.0), 1, 2, "Version 2 is newer than version 1. Is it better, too?", "Compare both…")])
def test_both_pages_say_how_the_newer_version_stands(qtbot: QtBot, scores: Sequence[float], promoted: int | None,
                                                     shown: int, said: str, button: str) -> None:
    notice = told(scores, promoted, shown)
    qtbot.addWidget(notice)
    assert notice.accessibleName().startswith(said) and notice.button.text() == button


@pytest.mark.parametrize(("scores", "promoted", "shown"), [
    ((0.9,), None, 1), ((0.8, 0.9), 2, 2), ((0.8, 0.9), 2, 1), ((0.7, 0.8, 0.9), 2, 1), ((0.8, 0.0), 1, 1)])
def test_nothing_is_said_where_the_newest_is_in_use_or_nobody_knows(
        qtbot: QtBot, scores: Sequence[float], promoted: int | None, shown: int) -> None:
    notice = told(scores, promoted, shown)
    qtbot.addWidget(notice)
    assert notice.isHidden()


def test_the_button_leads_to_the_newer_version_or_to_both(qtbot: QtBot) -> None:
    notice = told((0.8, 0.9), 1, 1)
    qtbot.addWidget(notice)
    with qtbot.waitSignal(notice.wanted) as wanted:
        notice.button.click()
    assert wanted.args == [2]
    notice = told((0.9, 0.8), 1, 2)
    qtbot.addWidget(notice)
    assert notice._state.rival() == 1
    with qtbot.waitSignal(notice.compared):
        notice.button.click()
