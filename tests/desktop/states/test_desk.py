from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mldesk.core.errors import DiskFull, LibraryDamaged
from mldesk.desktop.states import desk as desk_module
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import start
from mldesk.wire.states import JobState
from tests.desktop.fake_workbench import FakeWorkbench, make_run
from tests.desktop.loops import run, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks and pauses of milliseconds."""
    for name in ("TICK", "SHORTEST", "FIRST_PAUSE", "SETTLED"):
        monkeypatch.setattr(desk_module, name, 0.005)


def opened(bench: Any) -> Desk:
    desk = Desk(lambda: bench)
    start(desk.open(), "open")
    return desk


def test_a_run_started_elsewhere_is_followed_to_its_end() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        desk = opened(bench)
        advanced: list[str] = []
        desk.advanced.subscribe(advanced.append)
        await until(lambda: desk.ready.value)
        bench.runs.add(make_run())
        await until(lambda: desk.active.value)
        bench.runs.push("01RUN", "metrics", {"step": 1, "values": {"train_loss": 1.0}})
        await until(lambda: len(bench.runs.stored["01RUN"]) == 1)
        bench.runs.push("01RUN", "succeeded", {"result": {}})
        await until(lambda: not desk.active.value)
        assert set(advanced) == {"01RUN"}
        assert bench.runs.runs["01RUN"].state is JobState.SUCCEEDED

    assert run(main()) == []


def test_every_change_of_the_library_is_noticed_once() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        desk = opened(bench)
        changes: list[None] = []
        desk.changed.subscribe(changes.append)
        await until(lambda: len(changes) == 1)  # the first look
        await asyncio.sleep(0.05)
        assert len(changes) == 1
        bench.runs.token += 1
        await until(lambda: len(changes) == 2)

    assert run(main()) == []


def test_silence_of_a_runner_is_shown_and_ends_nothing() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        bench.runs.reachable = False
        desk = opened(bench)
        await until(lambda: "01RUN" in desk.unreachable.value)
        assert bench.runs.runs["01RUN"].state is JobState.RUNNING
        bench.runs.reachable = True
        await until(lambda: not desk.unreachable.value)
        bench.runs.push("01RUN", "succeeded", {"result": {}})
        await until(lambda: not desk.active.value)

    assert run(main()) == []


def test_a_library_that_cannot_be_opened_says_why() -> None:
    def refuse() -> Any:
        raise LibraryDamaged("The library is damaged.", hint="Restore a backup.")

    async def main() -> None:
        desk = Desk(refuse)
        await desk.open()
        assert not desk.ready.value
        assert desk.failed.value is not None
        assert desk.failed.value.hint == "Restore a backup."

    assert run(main()) == []


def test_closing_lets_go_of_the_library_and_leaves_the_runs_alone() -> None:
    bench = FakeWorkbench()
    bench.runs.add(make_run())

    async def main() -> None:
        from mldesk.desktop.tasks import current

        desk = opened(bench)
        await until(lambda: desk.active.value)
        await current().cancel()
        await desk.close()

    assert run(main()) == []
    assert bench.closed
    assert bench.runs.runs["01RUN"].state is JobState.RUNNING
    assert bench.runs.commands == []


def test_what_keeps_a_run_from_being_read_is_told_and_tried_again() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        full, pump, told = [True], bench.runs.pump, []

        def pump_when_there_is_room(run_id: str, wait: float) -> bool:
            if full[0]:
                raise DiskFull("The disk is full.")
            return pump(run_id, wait)

        bench.runs.pump = pump_when_there_is_room  # type: ignore[method-assign]
        desk = opened(bench)
        desk.troubled.subscribe(lambda error: told.append(error.message))
        await until(lambda: told)
        full[0] = False
        bench.runs.push("01RUN", "succeeded", {"result": {}})
        await until(lambda: not desk.active.value and desk.ready.value)
        assert set(told) == {"The disk is full."}

    assert run(main()) == []
