"""A run as plain lines, where stderr is no terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mldesk.cli import progress
from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.following import RunDisplay
from mldesk.cli.progress import Meter
from mldesk.cli.watching import waits_for
from mldesk.core.errors import NotFound
from mldesk.library.records import Run
from mldesk.wire.events import KINDS, Event
from mldesk.wire.runner_view import QueueView, Slot, Waiting
from mldesk.wire.states import JobState
from tests.desktop.fake_workbench import make_run


def _said(capsys: pytest.CaptureFixture[str], *told: tuple[str, float, dict[str, Any]]) -> list[str]:
    with RunDisplay(Face(Globals()), "run") as display:
        for seq, (kind, when, payload) in enumerate(told, start=1):
            display.event(Event(seq, when, kind, payload))
    return capsys.readouterr().err.splitlines()


def test_an_early_stop_is_told_and_no_loss_outlives_its_stage(capsys: pytest.CaptureFixture[str]) -> None:
    progress = {"done": 3, "total": 9, "unit": "rounds", "rate": 2.0, "eta": None}
    said = _said(
        capsys, ("stage", 1.0, {"name": "Training"}),
        ("metrics", 1.0, {"step": 1, "epoch": None, "seconds": 0.1, "values": {"validation_loss": 0.25}}),
        ("progress", 10.0, progress), ("log", 11.0, {"level": "info", "text": "Stopped early at round 3, best at 1."}),
        ("stage", 12.0, {"name": "Weighing the columns"}), ("progress", 30.0, {**progress, "unit": "columns"}))
    assert said == [
        "run: Training", "run: 3/9 rounds · 2.0/s · validation loss 0.2500",
        "run: Stopped early at round 3, best at 1.", "run: Weighing the columns", "run: 3/9 columns · 2.0/s"]


def test_slow_work_is_told_by_the_time_that_one_takes(capsys: pytest.CaptureFixture[str]) -> None:
    said = _said(capsys, ("progress", 10.0, {"done": 13, "total": 40, "unit": "epochs", "rate": 0.1, "eta": 270.0}))
    assert said == ["run: 13/40 epochs · 10 s each · 4:30 left"]


def test_a_runner_that_stays_out_of_reach_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with RunDisplay(Face(Globals()), "run") as display:
        for message in ("No route.", "No route.", "No route.", "Refused.", "Refused.", None, "Refused.", None):
            display.trouble(message)
    again = "Trying again; the run itself goes on."
    assert capsys.readouterr().err.splitlines() == [
        f"run: ! No route. {again}", f"run: ! Refused. {again}", "run: The runner answers again.",
        f"run: ! Refused. {again}", "run: The runner answers again."]


def test_one_row_is_one_and_sizes_have_their_own_unit(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    face = Face(Globals())
    with Meter(face, "Predicting a.csv", "rows") as rows, Meter(face, "Importing", "bytes") as size:
        rows.update(1)
        rows.update(2)
        rows.update(1, 4)
        size.update(2048)
    assert [line.rpartition(", ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "Predicting a.csv: 1 row", "Predicting a.csv: 2 rows", "Predicting a.csv: 1 of 4 (25%)", "Importing: 2 kB"]


ODD: list[Any] = [None, [], {}, "x", 10 ** 400, float("inf"), float("nan"), -1, {"a": {}}, ["\x1b[2J"]]


def test_no_event_of_another_shape_ends_the_following(capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["name", "done", "total", "unit", "rate", "eta", "step", "values", "text", "hint", "score", "seconds",
            "device", "asked", "cause"]
    told = [(kind, 1.0, payload) for kind in KINDS for payload in ({}, *(dict.fromkeys(keys, odd) for odd in ODD))]
    said = _said(capsys, *told)
    assert said[-1] == "run: interrupted"
    assert all(line.isprintable() for line in said)


def test_nothing_that_a_runner_says_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;mine\x07\x9b2J\u202ex\rrun: succeeded"
    said = _said(capsys, ("stage", 1.0, {"name": evil}), ("log", 1.0, {"text": evil}), ("warning", 1.0, {"text": evil}),
                 ("started", 1.0, {"device": evil}),
                 ("metrics", 1.0, {"step": 1, "values": {f"validation_{evil}": 1.0}}),
                 ("progress", 10.0, {"done": 1, "total": 2, "unit": evil}))
    assert len(said) == 5
    assert all(line.isprintable() and line.startswith("run: ") for line in said)


def test_a_pause_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    said = _said(capsys, *(("stopping", 1.0, {"asked": asked}) for asked in ("pause", "finish", "cancel")))
    assert said == ["run: Pausing", "run: Finishing early", "run: Stopping"]


def test_a_search_says_now_and_then_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    trial = {"number": 1, "estimator": "linear", "state": "complete", "metric": "roc_auc", "score": 0.8125,
             "seconds": 9.0}
    said = _said(
        capsys, ("stage", 1.0, {"name": "Searching"}), ("resources", 2.0, {}), ("resources", 20.0, {}),
        ("resources", 32.0, {}), ("trial", 40.0, trial),
        ("metrics", 40.0, {"step": 1, "values": {"best_roc_auc": 0.8125, "trial_roc_auc": 0.8125}}),
        ("progress", 40.0, {"done": 39.0, "total": 300.0, "unit": "seconds"}), ("resources", 60.0, {}),
        ("resources", 70.0, {}), ("stage", 71.0, {"name": "Blending the best"}), ("resources", 200.0, {}))
    best = "best so far: ROC AUC 0.8125"
    assert said == [
        "run: Searching", "run: 0 trials by now, more under way", "run: Trial 1: linear, ROC AUC 0.8125 in 9.0 s",
        f"run: 39/300 seconds · {best}", f"run: 1 trial by now, more under way · {best}", "run: Blending the best"]


def test_a_run_that_waits_says_what_for_once(capsys: pytest.CaptureFixture[str]) -> None:
    why = ["It waits for its turn; 1 job is before it. At work: long.", ""]
    with RunDisplay(Face(Globals()), "run", waits_for=lambda: why.pop(0)) as display:
        for seq in (1, 2):   # the second time it need not wait
            display.event(Event(seq, 1.0, "queued", {"attempt": seq}))
    assert capsys.readouterr().err.splitlines() == [
        "run: Waiting in the queue", "run: It waits for its turn; 1 job is before it. At work: long."]


def test_what_a_run_waits_for_names_the_runs_at_work() -> None:
    runs = {"1": make_run("1", name="long"), "2": make_run("2", state=JobState.QUEUED)}

    class Runs:
        def get(self, reference: str) -> Run:
            if reference not in runs:
                raise NotFound("There is no such run.")
            return runs[reference]

    slots = tuple(Slot("cpu", place, "", 0, job) for place, job in enumerate(("1", "theirs", "")))
    queue = QueueView((Waiting("2", "", 0, 1, "It waits for a free processor slot."),), slots, False, False)
    bench: Any = SimpleNamespace(runs=Runs(), runners=SimpleNamespace(queue=lambda name: queue))
    assert waits_for(bench, "2") == "It waits for a free processor slot. At work: long, theirs."
    assert waits_for(bench, "1") == waits_for(bench, "gone") == ""
