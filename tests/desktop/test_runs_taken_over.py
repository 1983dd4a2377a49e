"""Runs that another program kept, in the window: how they come in, and a page without a model, a machine or a log."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.runs import RunsPage
from mldesk.desktop.widgets import why_disabled
from tests.desktop.scripted_user import User, play


def mlruns(folder: Path) -> Path:
    """Write an mlruns folder with one run that has curves, and one that kept nothing."""
    experiment = folder / "mlruns" / "42"
    for name, metrics in (("a" * 32, True), ("b" * 32, False)):
        run = experiment / name
        for part in ("metrics", "params", "tags"):
            (run / part).mkdir(parents=True)
        (run / "meta.yaml").write_text(
            f"artifact_uri: file:///x\nend_time: 1700000060000\nentry_point_name: ''\nexperiment_id: '42'\n"
            f"lifecycle_stage: active\nrun_id: {name}\nrun_name: run {name[0]}\nrun_uuid: {name}\n"
            "start_time: 1700000000000\nstatus: 3\nuser_id: me\n", "utf-8")
        if metrics:
            (run / "metrics" / "loss").write_text("1700000001000 0.9 1\n1700000002000 0.5 2\n", "utf-8")
            (run / "params" / "depth").write_text("6", "utf-8")
    (experiment / "meta.yaml").write_text("artifact_location: file:///x\nexperiment_id: '42'\n"
                                          "lifecycle_stage: active\nname: houses\n", "utf-8")
    return folder / "mlruns"


def test_runs_of_another_program_come_in_and_have_a_tidy_page(tmp_path: Path, qtbot: QtBot) -> None:
    folder = mlruns(tmp_path)

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.go("runs")
        page = await user.until(lambda: next(iter(window.findChildren(RunsPage)), None), "the runs")
        assert [entry.icon for entry in page.import_entries()] == ["folder", "file"]
        page.take_over(folder)
        await user.until(lambda: len(page.state.runs.value or ()) == 2, "both runs")
        assert any("Took over 2 runs from mlruns" in text for text in window.toasts.texts())
        page.take_over(folder)
        await user.until(lambda: any("2 were here already" in text for text in window.toasts.texts()), "the answer")
        (folder / "42" / ("a" * 32) / "metrics" / "loss").write_text("half a li", "utf-8")
        page.take_over(folder)   # the damaged one is told of, and holds up no other
        told = await user.until(lambda: next((text for text in window.toasts.texts() if "not be read" in text), ""),
                                "the damage")
        assert "1 was here already. 1 run could not be read. run a: MLflow" in told
        assert "line 1 of 'loss' is no reading" in told
        await user.shot("damaged")
        page.take_over(tmp_path / "nowhere")
        await user.until(lambda: any("There is no file or folder" in text for text in window.toasts.texts()), "why not")
        by_name = {run.name: run for run in page.state.runs.value}
        for name, kept in (("run a", True), ("run b", False)):
            window.open_run(by_name[name].id)
            shown = await user.until(window.run_page, "the run")
            await user.until(lambda shown=shown, name=name: shown.state.run.value and
                             shown.state.run.value.name == name, "its facts")
            cards = shown.training
            await user.until(cards.last.isVisible, "its last values")
            assert cards.machine.isHidden() and cards.progress.isHidden() and cards.curves.isHidden() is not kept
            assert "not kept by MLflow" in why_disabled(shown.tabs.bar.button("log"))
            assert "evaluation" in why_disabled(shown.tabs.bar.button("evaluation"))
            await user.shot(f"imported-{name[-1]}")

    play(tmp_path / "home", script, patience=90, meet_machine=False)
