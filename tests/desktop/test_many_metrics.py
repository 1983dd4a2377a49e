"""Runs with dozens of metrics, in the window: each can be drawn, alone or with others, of one run and in Compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.compare import ComparePage
from mldesk.desktop.pages.runs.metric_picker import MetricsDialog
from mldesk.desktop.pages.runs.report_place import write_csv
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.pages.runs.runs import RunsPage
from mldesk.desktop.widgets import ScrollPage, why_disabled
from tests.desktop.scripted_user import User, dialogs, play

METRICS = ["loss", *(f"layer_{number:02}_norm" for number in range(30))]


def mlruns(folder: Path, runs: int = 13) -> Path:
    """Write an mlruns folder with runs of many metrics, three steps of each."""
    experiment = folder / "mlruns" / "7"
    for place in range(runs):
        name = "abcdefghijklm"[place] * 32
        run = experiment / name
        (run / "metrics").mkdir(parents=True)
        (run / "meta.yaml").write_text(
            f"artifact_uri: file:///x\nend_time: 1700000060000\nentry_point_name: ''\nexperiment_id: '7'\n"
            f"lifecycle_stage: active\nrun_id: {name}\nrun_name: wide {name[0]}\nrun_uuid: {name}\n"
            "start_time: 1700000000000\nstatus: 3\nuser_id: me\n", "utf-8")
        for number, metric in enumerate(METRICS):
            (run / "metrics" / metric).write_text("".join(
                f"170000000{step}000 {(number + 1 + place / 4) / step} {step}\n" for step in (1, 2, 3)), "utf-8")
    (experiment / "meta.yaml").write_text("artifact_location: file:///x\nexperiment_id: '7'\n"
                                          "lifecycle_stage: active\nname: wide\n", "utf-8")
    return folder / "mlruns"


async def taken_over(user: User, folder: Path) -> list[Any]:
    """Take over the runs of ``folder``; return them by name."""
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    window.go("runs")
    page = await user.until(lambda: next(iter(window.findChildren(RunsPage)), None), "the runs")
    page.take_over(folder)
    await user.until(lambda: len(page.state.runs.value or ()) == 13, "the runs")
    return sorted(page.state.runs.value, key=lambda run: run.name)


async def tick(user: User, picker: Any, wanted: str) -> None:
    """Open the list of metrics, look for one, tick it with the keyboard, draw it."""
    QTest.mouseClick(picker.more, Qt.MouseButton.LeftButton)
    dialog = await user.until(lambda: next((one for one in dialogs() if isinstance(one, MetricsDialog)), None),
                              "the list of metrics")
    dialog.metrics._search.setText(wanted)
    dialog.metrics._search._tell()
    left = [item for item in dialog.metrics._items() if not item.isHidden()]
    assert [item.data(Qt.ItemDataRole.UserRole) for item in left] == [wanted]
    dialog.metrics.list.setCurrentItem(left[0])
    QTest.keyClick(dialog.metrics.list, Qt.Key.Key_Space)
    await user.shot(f"list-{wanted}")
    await user.press("Draw these")
    await user.until(lambda: not dialogs(), "the list to close")


def test_every_metric_can_be_drawn_and_the_choice_is_kept(tmp_path: Path, qtbot: QtBot) -> None:
    folder = mlruns(tmp_path)

    async def script(user: User) -> None:
        window = user.window
        runs = await taken_over(user, folder)
        window.open_run(runs[0].id)
        run: RunPage = await user.until(window.run_page, "the run")
        card = run.training.curves
        await user.until(lambda: card.metrics.value() == ("loss",), "its loss")
        assert card.metrics.more.text() == "All 31…" and len(card.chart.names()) == 1
        await user.shot("one")
        await tick(user, card.metrics, "layer_17_norm")
        assert card.metrics.value() == ("loss", "layer_17_norm") and len(card.chart.names()) == 2
        await tick(user, card.metrics, "loss")   # no longer
        assert card.metrics.value() == ("layer_17_norm",) and len(card.chart.names()) == 1
        await tick(user, card.metrics, "layer_29_norm")
        await user.shot("two")
        card.across.set_value("time")
        assert len(card.chart.names()) == 2
        assert "no epochs" in why_disabled(card.across.button("epoch"))   # and its steps are none
        window.compare_runs([run.id for run in runs[:3]])
        compare: ComparePage = await user.until(lambda: next(
            (one for one in window.findChildren(ComparePage) if one.isVisible()), None), "Compare")
        await user.until(lambda: len(compare.chart.names()) == 6, "two curves of each run")
        assert compare.metrics.value() == ("layer_17_norm", "layer_29_norm")
        assert set(compare._drawn.values()) == {run.id for run in runs[:3]} and compare.left_out.isHidden()
        compare._across.set_value("epoch")
        assert compare.chart.names() == []
        assert compare.left_out.text() == "Says no epochs, and so is not drawn: wide a, wide b, wide c."
        assert compare.chart._x_axis.whole
        compare._across.set_value("step")
        assert compare.left_out.isHidden() and compare.unjudged.isHidden()
        compare.against.set_value(runs[1].id)
        await user.until(lambda: [(pair["run"], pair["against"]) for pair in compare.state.pairs] == [
            (runs[0].id, runs[1].id), (runs[2].id, runs[1].id)], "the others set against b")
        await write_csv(window, compare.state.runs, tmp_path / "three")
        assert len((tmp_path / "three.csv").read_text("utf-8").splitlines()) == 4
        for scroll in compare.findChildren(ScrollPage):
            scroll.ensureWidgetVisible(compare.chart)
        await user.shot("compare")
        compare.metrics.first.set_value("loss")   # a segment: that one alone
        assert len(compare.chart.names()) == 3
        window.compare_runs([run.id for run in runs])
        await user.until(lambda: any(one.isVisible() and not one.unjudged.isHidden() and "these are 13" in
                                     one.unjudged.text() for one in window.findChildren(ComparePage)), "why no ROC")
        await user.shot("many")
        window.open_run(runs[1].id)
        other: RunPage = await user.until(lambda: next(
            (one for one in window.findChildren(RunPage) if one.isVisible() and one.state.id == runs[1].id), None), "b")
        await user.until(lambda: other.training.curves.metrics.value() == ("loss",), "the loss of the other")
        other.training.curves.metrics.choose(())
        assert other.training.curves.metrics.value() == ("loss",)

    play(tmp_path / "home", script, patience=90, meet_machine=False)
