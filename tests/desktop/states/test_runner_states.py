"""What pages show of runners, without Qt and without a runner."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from mldesk.core.errors import Conflict, RunnerUnreachable
from mldesk.desktop.states import runner_watch
from mldesk.desktop.states.add_runner import AddRunner, Step
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.runner import RunnerState, before_at
from mldesk.desktop.states.runner_watch import Condition, RunnerList
from mldesk.desktop.states.telemetry import KEPT, Telemetry, gpu, memory
from mldesk.desktop.tasks import start
from mldesk.wire.runner_view import GpuSample, RunnerSettings, Sample, Slot, Waiting
from tests.desktop.fake_runners import FakeRunners, machine
from tests.desktop.fake_workbench import FakeWorkbench
from tests.desktop.loops import run, until

WAITING = tuple(Waiting(f"j{number}", f"job {number}", 0, number, "") for number in (1, 2, 3))
Script = Callable[[Desk, FakeRunners], Coroutine[Any, Any, Any]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds."""
    for name in ("EVERY", "FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(runner_watch, name, 0.005)


def with_runners(script: Script, *machines: Any) -> None:
    """Run a script over a desk whose workbench has these runners; no task may fail."""
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runners = FakeRunners(machine("local"), *machines)
        desk = Desk(lambda: bench, meet_machine=False)  # type: ignore[arg-type,return-value]
        start(desk.open(), "open")
        await until(lambda: desk.ready.value)
        await script(desk, bench.runners)

    assert run(main()) == []


def sample(seq: int, time: float, **fields: Any) -> Sample:
    return Sample(seq, time, 0.5, 1, 4, 1, 2, **fields)


def test_samples_are_kept_for_ten_minutes_and_a_new_life_of_the_agent_goes_on() -> None:
    seen = Telemetry()
    assert seen.add(sample(number, 1000.0 + number) for number in range(1, KEPT + 51))
    assert len(seen.samples) == KEPT and seen.after == KEPT + 50
    assert not seen.add([])
    assert seen.add([sample(1, 1000.0 + KEPT), sample(2, 2000.0)])  # the first is older than what is known
    assert seen.after == 2 and seen.ages()[-2:] == [2000.0 - 1000.0 - KEPT - 50, 0.0]


def test_what_a_driver_does_not_say_is_a_gap() -> None:
    card = GpuSample(0, "card", None, 1, 2, None, None)
    other = replace(card, index=1, utilization=0.4)
    assert gpu(sample(1, 1.0, gpus=(card, other))) == 0.4
    assert gpu(sample(1, 1.0, gpus=(card,))) is None
    assert memory(replace(sample(1, 1.0), memory_total=0)) is None
    seen = Telemetry()
    seen.add([sample(1, 1.0, gpus=(card,)), sample(2, 2.0)])
    assert [value != value for value in seen.of_card(0, lambda one: one.memory_used)] == [False, True]


@pytest.mark.parametrize(("job", "row", "before"), [
    ("j3", 0, "j1"), ("j1", 3, ""), ("j1", 2, "j3"), ("j2", 2, None), ("j2", 1, None), ("gone", 0, None)])
def test_a_job_dropped_above_a_row_goes_before_the_job_there(job: str, row: int, before: str | None) -> None:
    assert before_at(WAITING, job, row) == before


def test_a_watched_runner_tells_how_it_stands() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        state = RunnerState(desk, "box")
        assert state.condition is Condition.UNKNOWN
        task = start(state.watch(0.005), "watch")
        await until(lambda: state.condition is Condition.CONNECTED)
        assert state.telemetry.after and state.queue.value is not None
        runners.machines["box"].queue = replace(state.queue.value, draining=True)
        await until(lambda: state.condition is Condition.DRAINING)
        runners.machines["box"].down = "The machine is off."
        await until(lambda: state.condition is Condition.UNREACHABLE)
        assert state.why == "The machine is off." and state.since.value
        since = state.since.value
        await until(lambda: runners.show("box") and state.since.value == since)  # the first failure counts
        runners.machines["box"].down = ""
        await until(lambda: state.condition is Condition.DRAINING)
        too_old = Conflict("The agent is too old.")
        too_old.code = "runner_too_old"  # type: ignore[misc]
        runners.machines["box"].error = too_old
        await until(lambda: state.condition is Condition.OLD)
        task.cancel()

    with_runners(script, machine("box", "me@box"))


def test_a_runner_out_of_reach_since_yesterday_is_not_out_of_reach_since_now() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        state = RunnerState(desk, "box")
        await state.look()           # before the record is read
        await state.refresh()
        assert state.since.value == 1234.0
        with pytest.raises(RunnerUnreachable):
            await state.check()
        assert state.since.value == 1234.0
        runners.machines["box"].down = ""
        await state.check()
        assert state.since.value is None and state.condition is Condition.CONNECTED

    with_runners(script, machine("box", "me@box", down="Off.", since=1234.0))


def test_the_list_keeps_its_watches_when_a_runner_comes_or_goes() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        listed = RunnerList(desk)
        await listed.refresh()
        first = {watch.name: watch for watch in listed.watches.value or ()}
        assert list(first) == ["local", "aster", "box"]
        runners.forget("aster")
        await listed.refresh()
        assert [watch is first[watch.name] for watch in listed.watches.value or ()] == [True, True]

    with_runners(script, machine("box", "me@box"), machine("aster", "me@aster"))


def test_the_queue_is_reordered_and_the_settings_are_kept_there() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        state = RunnerState(desk, "box")
        await state.look()
        await state.reorder("j3", "j1")
        assert state.queue.value and [item.job for item in state.queue.value.waiting] == ["j3", "j1", "j2"]
        await state.prioritize("j2", 7)
        assert state.queue.value.waiting[0].job == "j2"
        await state.configure(RunnerSettings(cpu_slots=4, quiet=((0, 60),)))
        await state.load_settings()
        assert state.settings.value == RunnerSettings(cpu_slots=4, quiet=((0, 60),))
        await state.load_cache()
        assert await state.free_space() == 19 * 10**9 and state.cache.value and state.cache.value.used == 2 * 10**9
        await state.drain(True)
        assert state.condition is Condition.DRAINING

    with_runners(script, machine("box", "me@box", waiting=WAITING))


def test_a_runner_with_jobs_is_removed_only_if_they_may_be_ended() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        state = RunnerState(desk, "box")
        with pytest.raises(Conflict):
            await state.remove(kill_jobs=False, keep_data=False)
        assert "box" in runners.machines and state.doing.value is None
        assert await state.remove(kill_jobs=True, keep_data=True) == ""
        assert "box" not in runners.machines

    with_runners(script, machine("box", "me@box", slots=(Slot("cpu", 0, "", 1, "j1"),)))


def test_a_machine_becomes_a_runner_step_by_step() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        state = AddRunner(desk, ["local", "box"])
        assert state.suggest("ssh -p 22 me@box.lab") == "box-2"
        assert state.why_not("me@box", "box") and state.why_not("no address", "x") and not state.why_not("me@b", "b")
        await state.connect("ssh -p 2222 me@box.lab", "box-2")
        assert state.step.value is Step.KEY and state.asked.key.fingerprint.startswith("SHA256:")
        await state.accept()
        assert state.step.value is Step.PLAN and state.preparation is not None
        runners.failing = 1
        await state.install(at_boot=False)
        assert state.step.value is Step.PLAN and state.problem.value  # told in place, and can be tried again
        await state.install(at_boot=False)
        assert state.step.value is Step.DONE and state.record and state.record.name == "box-2"
        assert state.done.value[:2] == ("Sending the agent", "Fetching Python")
        assert runners.calls[-1] == ("add", ("box-2", "me@box.lab:2222", False, False))

    with_runners(script)


def test_a_changed_key_stops_everything_and_a_broken_card_offers_the_processor() -> None:
    async def script(desk: Desk, runners: FakeRunners) -> None:
        runners.changed.add("evil")
        runners.known.add("sick")
        runners.broken_gpu.add("sick")
        state = AddRunner(desk)
        await state.connect("me@evil", "evil")
        assert state.step.value is Step.STOPPED
        await state.accept()  # there is no way on from here
        assert state.step.value is Step.STOPPED and ("accept", "evil") not in runners.calls
        state.back()
        await state.connect("me@sick", "sick")
        assert state.step.value is Step.ADDRESS and state.offers_processor_only
        await state.without_gpu()
        assert state.step.value is Step.PLAN and not state.problem.value
        await state.install(at_boot=True)
        assert runners.calls[-1] == ("add", ("sick", "me@sick", True, True))

    with_runners(script)
