"""Recipes, orders and imports in the making."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.desktop.states.clean import CleanState
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.imports import Import, Imports, free_name, name_for
from mldesk.desktop.states.train import TrainState, likely_target
from mldesk.desktop.tasks import start
from mldesk.workbench.orders import TrainOrder
from tests.desktop.fake_workbench import FakeWorkbench, make_version
from tests.desktop.loops import run, until


def desk_over(bench: FakeWorkbench) -> Desk:
    desk = Desk(lambda: bench)  # type: ignore[arg-type,return-value]
    desk._workbench = bench  # type: ignore[assignment]
    return desk


def test_every_change_to_a_recipe_can_be_undone_and_done_again() -> None:
    state = CleanState(desk_over(FakeWorkbench()), make_version())
    state.add({"step": "a"})
    state.add({"step": "b"})
    state.move_to(1, 0)
    state.remove(0)
    assert [step["step"] for step in state.steps.value] == ["a"]
    for expected in (["b", "a"], ["a", "b"], ["a"], []):
        state.steps.undo()
        assert [step["step"] for step in state.steps.value] == expected
    assert not state.steps.can_undo
    state.steps.redo()
    assert [step["step"] for step in state.steps.value] == ["a"]
    state.add({"step": "c"})
    assert not state.steps.can_redo


def test_a_step_cannot_move_beyond_the_ends() -> None:
    state = CleanState(desk_over(FakeWorkbench()), make_version())
    state.add({"step": "a"})
    state.move_to(0, -1)
    state.move_to(0, 1)
    state.steps.undo()
    assert not state.steps.can_undo   # of the one change there was


def test_steps_are_left_out_doubled_and_moved_and_all_of_it_can_be_undone() -> None:
    state = CleanState(desk_over(FakeWorkbench()), make_version())
    state.set_steps([{"step": "a"}, {"step": "b"}, {"step": "c"}])
    state.move_to(2, 0)
    state.set_disabled(0, True)
    state.replace(0, {"step": "c", "columns": ["x"]})
    state.duplicate(1)
    assert [step["step"] for step in state.steps.value] == ["c", "a", "a", "b"]
    assert state.steps.value[0] == {"step": "c", "columns": ["x"], "disabled": True}
    state.set_disabled(0, False)
    assert "disabled" not in state.steps.value[0]
    while state.steps.can_undo:
        state.steps.undo()
    assert state.steps.value == ()


def test_a_step_is_looked_at_with_what_comes_before_it_and_tried_before_it_is_kept() -> None:
    state = CleanState(desk_over(FakeWorkbench()), make_version())
    a, b, c = {"step": "a"}, {"step": "b"}, {"step": "c"}
    state.set_steps([a, b])
    assert state.looked_at() == ((), (a, b))
    state.seen.value = 1
    assert state.looked_at() == ((a,), (a, b))
    state.trial.value = (None, c)
    assert state.looked_at() == ((a, b), (a, b, c))
    state.trial.value = (0, c)
    assert state.looked_at() == ((), (c,))


def test_a_step_that_does_not_fit_is_named_and_the_last_preview_stays() -> None:
    async def main() -> None:
        state = CleanState(desk_over(FakeWorkbench()), make_version())
        await state.refresh()
        before = state.preview.value
        state.add({"step": "wrong"})
        await state.refresh()
        assert state.problem.value is not None and "Step 1" in state.problem.value.message
        assert state.preview.value == before
        state.steps.undo()
        await state.refresh()
        assert state.problem.value is None

    assert run(main()) == []


def test_a_slow_preview_never_covers_a_newer_one() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        state = CleanState(desk_over(bench), make_version())
        bench.datasets.slow.clear()
        state.add({"step": "a"})
        old = start(state.refresh(), "old")
        await until(lambda: bench.datasets.previewed)
        state.steps.undo()
        await state.refresh()
        newest = state.preview.value
        bench.datasets.slow.set()
        await old
        assert state.preview.value == newest
        assert not state.busy.value

    assert run(main()) == []


def test_an_answer_to_an_older_order_is_dropped() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        state = TrainState(desk_over(bench), make_version(), TrainOrder("table", ""))
        old = start(state.refresh(), "old")
        await until(lambda: bench.runs.checked)
        state.change(target="y")
        await state.refresh()
        bench.runs.first_check_waits.set()
        await old
        assert state.check.value is not None and state.check.value.why_not is None
        assert state.start().runs[0].target == "y"

    assert run(main()) == []


def test_the_likely_target_is_a_telling_name_or_the_last_usable_column() -> None:
    assert likely_target(make_version()) == "y"


def test_an_import_shows_how_far_it_is_and_ends_when_it_is_cancelled() -> None:
    async def main() -> None:
        imports = Imports(desk_over(FakeWorkbench()))
        task = start(imports.run([Path("big.csv")], "big"), "import")
        one: Import = (await until(lambda: imports.running.value))[0]
        await until(lambda: (one.look(), one.share.value)[1] == 0.25)
        one.cancel()
        assert await task is None
        assert imports.running.value == ()

    assert run(main()) == []


def test_closing_the_window_ends_an_import() -> None:
    async def main() -> None:
        imports = Imports(desk_over(FakeWorkbench()))
        start(imports.run([Path("big.csv")], "big"), "import", quiet=True)
        await until(lambda: imports.running.value)

    assert run(main()) == []


def test_an_error_that_is_no_cancellation_is_not_hidden() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.datasets.import_files = lambda *a, **k: (_ for _ in ()).throw(BadInput("No."))  # type: ignore[method-assign]
        with pytest.raises(BadInput):
            await Imports(desk_over(bench)).run([Path("x.csv")], "x")
        await asyncio.sleep(0)

    assert run(main()) == []


@pytest.mark.parametrize(("file", "name"), [
    ("telco_churn.csv", "telco_churn"), ("flights.csv.gz", "flights"), ("a@b.parquet", "a_b"),
    ("서울 자전거.csv", "서울 자전거"), (".csv", "csv"), ("   .xlsx", "table"),
])
def test_a_dataset_is_named_after_its_file(file: str, name: str) -> None:
    assert name_for([Path(file)]) == name


def test_a_free_name_counts_up() -> None:
    assert free_name("t", []) == "t"
    assert free_name("t", ["t", "t-2"]) == "t-3"
