"""How a search keeps to its seconds: the end begins the earlier, the less of the machine there is for it."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mldesk.training.search import timing
from mldesk.training.search.finale import small_enough
from mldesk.training.search.timing import Clock, End, final_seconds


class _Machine:
    """A clock of which a thread gets a share: each look at its own time costs it a millisecond."""

    def __init__(self, share: float) -> None:
        self.now, self.own, self.share = 1000.0, 0.0, share

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        self.own += 0.001
        self.now += 0.001 / self.share
        return self.own


@pytest.mark.parametrize(("share", "seconds", "needs"), [
    (1.0, 60.0, final_seconds(60)), (0.8, 60.0, final_seconds(60) / 0.8), (0.1, 60.0, 18.0), (0.5, 300.0, 46.0)])
def test_the_end_begins_earlier_where_other_work_slows_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, seconds: float, needs: float) -> None:
    machine = _Machine(share)
    monkeypatch.setattr(timing, "time", machine)
    end = End(Clock(tmp_path / "used.json"), seconds)
    began = machine.now
    for _ in range(8):
        end.look()
        machine.now += seconds / 20
    assert end.needs == pytest.approx(needs, rel=0.12)   # a look is short, and its edges count
    assert end.begins == pytest.approx(began + seconds - end.needs)
    assert end.begins < end.late < began + seconds
    assert end.weighing == pytest.approx(0.05 * seconds)
    machine.now = began + seconds      # all of it is used: the least that says anything
    assert end.weighing < 1
    end.seconds += 100                 # extended
    assert end.begins > began + seconds


def test_a_search_without_a_limit_has_time_for_its_end(tmp_path: Path) -> None:
    end = End(Clock(tmp_path / "used.json"), 0)
    end.look()
    assert end.begins == end.late == end.weighing == end.nodes == math.inf


def test_forests_that_there_is_no_time_to_write_are_left_out_of_the_blend(tmp_path: Path) -> None:
    assert End(Clock(tmp_path / "used.json"), 600).nodes > End(Clock(tmp_path / "used.json"), 60).nodes > 1e6
    said: list[str] = []
    work: Any = SimpleNamespace(report=SimpleNamespace(log=said.append))
    trials: Any = [SimpleNamespace(number=number, facts=facts) for number, facts in (
        (1, {"trees": 100, "nodes": 9_000_000}), (2, {"rounds": 50}), (3, {"trees": 100, "nodes": 1_000_000}))]
    assert [item.number for item in small_enough(trials, 2e6, work)] == [2, 3]
    assert "the forests of trial 1." in said[0]
    assert small_enough(trials, math.inf, work) == trials
    assert small_enough(trials[:1], 2e6, work) == trials[:1], "a search ends with something"
    assert len(said) == 1
