"""A run as plain lines, where stderr is no terminal."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.following import RunDisplay
from mldesk.wire.events import Event


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
