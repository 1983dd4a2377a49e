"""What steering commands say, over a runner that says what the test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mldesk.cli import runs as commands
from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.run_steering import lost_by_pausing
from mldesk.core.errors import BadInput, Conflict
from mldesk.workbench.orders import TrainOrder
from tests.desktop.fake_workbench import make_run
from tests.workbench.stand_ins import Desk


class DeskFace(Face):
    """Speaks as the command line does, of a desk that is open already."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(Globals())
        self._desk = desk

    @contextmanager
    def workbench(self, secrets: Any = None) -> Iterator[Any]:
        yield self._desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "home")
    yield opened
    opened.close()


def test_a_run_that_is_still_at_work_was_asked_to_stop(desk: Desk, capsys: pytest.CaptureFixture[str],
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    run = desk.runs.start(TrainOrder("shop", "grade", name="one"))
    monkeypatch.setattr(desk.runner, "cancel", lambda job: desk.runner.say(
        job, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None))
    context: Any = SimpleNamespace(obj=DeskFace(desk))
    commands.cancel(context, run.id)
    assert capsys.readouterr().out == "Run one was asked to stop.\n"


def test_an_empty_log_says_so(desk: Desk, capsys: pytest.CaptureFixture[str],
                              monkeypatch: pytest.MonkeyPatch) -> None:
    run = desk.runs.start(TrainOrder("shop", "grade"))
    monkeypatch.setattr(desk.runner, "log", lambda job, offset=0, limit=65536: (b"", 0))
    context: Any = SimpleNamespace(obj=DeskFace(desk))
    commands.logs(context, run.id)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "The trainer printed nothing.\n")


def test_a_training_is_told_of_another_learning_rate(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run = desk.runs.start(TrainOrder("shop", "grade", estimator="lightgbm", name="one"))
    context: Any = SimpleNamespace(obj=DeskFace(desk))
    commands.learning_rate(context, run.id, 0.01)
    assert capsys.readouterr().out.startswith("Run one learns on at 0.01")
    assert [message for message, _ in desk.runner.told.values()] == [{"learning_rate": 0.01}]
    for rate in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(BadInput, match="learning rate cannot be"):
            commands.learning_rate(context, run.id, rate)
    other = desk.runs.start(TrainOrder("shop", "grade", estimator="linear", name="two"))
    with pytest.raises(BadInput, match="a linear model does not learn step by step"):
        commands.learning_rate(context, other.id, 0.01)
    assert len(desk.runner.told) == 1
    desk.runner.say(run.id, "failed", cause="failed", message="No.", hint="")
    with pytest.raises(Conflict, match="has ended"):
        commands.learning_rate(context, run.id, 0.01)


@pytest.mark.parametrize(("kind", "estimator", "said"), [
    ("train", "svm", "no checkpoints: resumed, it is fitted from the beginning"), ("train", "lightgbm", ""),
    ("search", "blend", "those that ended are kept"), ("script", "", "")])
def test_a_pause_says_what_is_done_once_more(kind: str, estimator: str, said: str) -> None:
    found = lost_by_pausing(make_run("01S", kind=kind, estimator=estimator))
    assert said in found and bool(said) == bool(found)
