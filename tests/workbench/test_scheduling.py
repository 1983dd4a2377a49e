"""When runs begin: at moments, several times, and by whose clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import BadInput, Conflict
from mldesk.library.records import Run
from mldesk.runners.calls import RunnerTooOld
from mldesk.wire.states import JobState
from mldesk.workbench.orders import LARGEST_SEED, TrainOrder
from mldesk.workbench.run_book import RunBook
from mldesk.workbench.scheduling import MOST, ScheduleService, When, spread
from mldesk.workbench.scripts import ScriptOrder, ScriptService
from mldesk.workbench.searching import SearchOrder
from tests.workbench.stand_ins import Desk

DAY, HOUR = 86_400.0, 3600.0
ORDER = TrainOrder("shop", "grade", seed=3)


class Now(SystemClock):
    """It is always the same moment, the second before 1 March 2026 in UTC unless a test says another."""

    at = 1772323199.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def schedule(desk: Desk) -> ScheduleService:
    scripts = ScriptService(desk.library, desk.datasets, desk.runners, SystemClock())
    return ScheduleService(desk.runs, desk.searches, scripts, RunBook(desk.library), desk.runners, Now())


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_run_waits_for_its_moment_and_begins_sooner_when_told(desk: Desk, schedule: ScheduleService) -> None:
    moment = Now.at + HOUR
    run = schedule.begin(ORDER, When(moment)).runs[0]
    assert (run.state, run.not_before, run.group) == (JobState.QUEUED, moment, "")
    assert desk.runner.specs[run.id].not_before == moment
    assert (run.due(Now.at), run.due(moment)) == (moment, None)
    later = schedule.start_at(run.id, moment + DAY)
    assert later.due(Now.at) == moment + DAY
    now = schedule.start_at(run.id, None)
    assert (now.not_before, now.due(Now.at)) == (None, None)
    desk.finish_job(run.id)
    with pytest.raises(Conflict, match="has ended"):
        schedule.start_at(run.id, None)


def test_runs_that_are_repeated_differ_by_their_seed_and_are_a_group(desk: Desk, schedule: ScheduleService) -> None:
    begun = schedule.begin(ORDER, When(repeat=3))
    assert [desk.runner.specs[run.id].payload["seed"] for run in begun.runs] == [3, 4, 5]
    assert len({run.name for run in begun.runs}) == 3
    assert {run.group for run in begun.runs} == {begun.group} == {f"{begun.runs[0].name} ×3"}
    assert [run.not_before for run in begun.runs] == [None] * 3
    for run, score in zip(begun.runs, (0.8, 0.9, 1.0), strict=True):
        desk.finish_job(run.id, accuracy=score)
        desk.runs.refresh(run.id)
    found = spread([desk.runs.get(run.id) for run in begun.runs])
    assert found["accuracy"] == {"mean": pytest.approx(0.9), "std": pytest.approx(0.1)}


def test_who_is_killed_while_runs_are_begun_leaves_them_in_their_group(
        desk: Desk, schedule: ScheduleService, monkeypatch: pytest.MonkeyPatch) -> None:
    start, groups = desk.runs.start, list[str]()

    def killed(order: TrainOrder) -> Run:
        groups.extend(run.group for run in desk.library.runs.list())   # as a kill at this moment would leave them
        if groups:
            raise BadInput("No more of them.")
        return start(order)

    monkeypatch.setattr(schedule._runs, "start", killed)
    with pytest.raises(BadInput):
        schedule.begin(ORDER, When(repeat=3))
    (only,) = desk.library.runs.list()
    assert groups == [f"{only.name} ×3"] and only.group == f"{only.name} ×1"


def test_a_search_begins_again_and_again_with_the_same_seed(desk: Desk, schedule: ScheduleService) -> None:
    begun = schedule.begin(SearchOrder(ORDER, trials=2), When(repeat=3, every=HOUR))
    specs = [desk.runner.specs[run.id] for run in begun.runs]
    assert [spec.payload["train"]["seed"] for spec in specs] == [3, 3, 3]
    assert [spec.not_before for spec in specs] == [0.0, Now.at + HOUR, Now.at + 2 * HOUR]


@pytest.mark.usefixtures("berlin")
def test_a_day_later_is_at_the_same_hour_though_the_clocks_change() -> None:
    evening = time.mktime((2026, 3, 28, 22, 0, 0, 0, 0, -1))
    days = When(evening, 2, DAY).moments(Now.at)
    assert [time.strftime("%d %H:%M", time.localtime(moment)) for moment in days] == ["28 22:00", "29 22:00"]
    assert days[1] - days[0] == 23 * HOUR
    hours = When(evening, 2, 24.5 * HOUR).moments(Now.at)
    assert hours[1] - hours[0] == 24.5 * HOUR


@pytest.mark.parametrize(("when", "why"), [
    (When(Now.at - 61), "is in the past"), (When(Now.at + 400 * DAY), "more than a year"), (When(repeat=0), "not 0"),
    (When(repeat=MOST + 1), "1 to 100 times"), (When(every=HOUR), "need a number"),
    (When(repeat=2, every=1.0), "a minute to a year"), (When(repeat=100, every=7 * DAY), "more than a year")])
def test_what_cannot_be_meant_is_refused_before_anything_begins(desk: Desk, schedule: ScheduleService, when: When,
                                                                why: str) -> None:
    with pytest.raises(BadInput, match=why):
        schedule.begin(ORDER, when)
    assert desk.runs.list() == []


def test_the_first_of_several_begins_at_once_whatever_fraction_of_a_second_it_is() -> None:
    for part in range(100):
        now = Now.at + part / 100 + 3e-7
        assert When(repeat=2, every=DAY).moments(now)[0] == 0.0


def test_a_moment_that_has_just_passed_is_now(schedule: ScheduleService) -> None:
    assert schedule.begin(ORDER, When(Now.at - 59)).runs[0].not_before is None


def test_a_runner_that_is_too_old_is_asked_for_nothing(desk: Desk, schedule: ScheduleService) -> None:
    desk.runner.facts = {"protocol": [1, 3]}
    with pytest.raises(RunnerTooOld):
        schedule.begin(ORDER, When(Now.at + HOUR))
    assert desk.runs.list() == []
    assert schedule.begin(ORDER, When(repeat=2)).group   # which needs no moments
    desk.runner.facts = {"protocol": [1, 4]}             # it was upgraded meanwhile
    assert schedule.begin(ORDER, When(Now.at + HOUR)).runs


@pytest.mark.parametrize(("ahead", "said"), [
    (59.0, ""), (-59.0, ""), (180.0, "is 3 minutes ahead of"), (-61.0, "is 1 minute behind"),
    (7300.0, "is 2 hours ahead")])
def test_a_clock_that_differs_is_named(desk: Desk, schedule: ScheduleService, ahead: float, said: str) -> None:
    desk.library.runners.set_facts("local", {"clock": 1000.0 + ahead}, 1000.0)
    note = schedule.clock_note("local")
    assert said in note if said else note == ""


def test_a_script_counts_on_its_seed_where_it_has_one(desk: Desk, schedule: ScheduleService, tmp_path: Path) -> None:
    program = tmp_path / "job.py"
    program.write_text("print('hello')\n")
    plain = schedule.begin(ScriptOrder(program), When(repeat=2)).runs
    assert [desk.runner.specs[run.id].payload["parameters"] for run in plain] == [{}, {}]
    (tmp_path / "mldesk.toml").write_text("[parameters]\nseed = 7\n")
    seeded = schedule.begin(ScriptOrder(program), When(repeat=2)).runs
    assert [int(desk.runner.specs[run.id].payload["parameters"]["seed"]) for run in seeded] == [7, 8]


def test_seeds_that_cannot_be_counted_on_from_are_refused_before_anything_begins(desk: Desk, schedule: ScheduleService,
                                                                                 tmp_path: Path) -> None:
    program = tmp_path / "job.py"
    program.write_text("print('hello')\n")
    for order in (ScriptOrder(program, {"seed": "9" * 18}), ScriptOrder(program, {"seed": "9" * 5000}),
                  replace(ORDER, seed=LARGEST_SEED - 1)):
        with pytest.raises(BadInput, match="seed"):
            schedule.begin(order, When(repeat=3))
    with pytest.raises(BadInput, match="from 0 to 2147483647"):
        schedule.begin(replace(ORDER, seed=2**32), When())
    assert desk.runs.list() == []
