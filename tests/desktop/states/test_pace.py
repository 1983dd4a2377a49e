"""Remaining times go on falling between two reports of a run."""

from __future__ import annotations

from mldesk.desktop.states.pace import Pace
from mldesk.wire.states import JobState
from tests.desktop.fake_workbench import make_run


def test_what_is_left_falls_until_the_run_says_more_and_stands_while_it_does_not_work() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    progress = {"done": 20.0, "total": 60.0, "unit": "seconds", "eta": 40.0}
    going = make_run(progress=progress)
    pace.look([going])
    now[0] += 15
    assert (pace.left(going), pace.done(going)) == (25.0, 35.0)
    told = make_run(progress={**progress, "done": 30.0, "eta": 30.0})
    assert (pace.left(told), pace.done(told)) == (30.0, 30.0)
    now[0] += 100
    assert (pace.left(told), pace.done(told)) == (0.0, 60.0)
    paused = make_run(state=JobState.INTERRUPTED, progress=progress)
    assert pace.left(paused) is None and pace.done(paused) == 20.0
    rounds = make_run("02", progress={"done": 5, "total": 10, "unit": "rounds", "eta": None})
    now[0] += 3
    assert pace.left(rounds) is None and pace.done(rounds) == 5.0   # how much is done nobody knows in between
    pace.look([rounds])
    assert set(pace._said) == {"02"}
