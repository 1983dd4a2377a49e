from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mldesk.desktop import tasks
from mldesk.desktop.tasks import async_slot, in_thread, start
from tests.desktop.loops import run, until


def test_an_error_in_a_task_is_heard_with_the_tasks_name() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def main() -> None:
        start(fails(), "a failing task")

    assert [(name, str(error)) for name, error in run(main())] == [("a failing task", "no")]


def test_a_cancelled_task_is_not_an_error_and_cleans_up() -> None:
    cleaned: list[bool] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    async def main() -> None:
        start(waits(), "waiting")
        await asyncio.sleep(0)

    assert run(main()) == []
    assert cleaned == [True]


def test_blocking_work_leaves_the_thread_of_the_loop() -> None:
    seen: list[str] = []

    async def main() -> None:
        seen.append(await in_thread(lambda: threading.current_thread().name))

    run(main())
    assert seen[0].startswith("mldesk-work")


def test_an_error_in_a_thread_comes_back_where_it_was_awaited() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await in_thread(lambda: 1 / 0)

    assert run(main()) == []


def test_the_checked_of_a_click_is_dropped_and_nothing_else() -> None:
    class Button:
        def __init__(self) -> None:
            self.calls: list[Any] = []

        @async_slot
        async def _on_clicked(self) -> None:
            self.calls.append("clicked")

        @async_slot
        async def _on_text(self, text: str) -> None:
            self.calls.append(text)

    async def main() -> None:
        button = Button()
        button._on_clicked(True)
        button._on_text("x")
        with pytest.raises(TypeError):
            button._on_clicked("surplus")
        await asyncio.sleep(0.01)
        assert button.calls == ["clicked", "x"]

    assert run(main()) == []


def test_without_a_window_there_are_no_tasks() -> None:
    with pytest.raises(RuntimeError):
        tasks.current()


def test_a_thread_that_does_not_end_is_left_after_a_while() -> None:
    stuck, released = threading.Event(), threading.Event()

    async def main() -> None:
        own = tasks.current()
        waiting = start(in_thread(lambda: (stuck.set(), released.wait(30))), "stuck", quiet=True)
        await until(stuck.is_set)
        waiting.cancel()
        assert not own.join(patience=0.05)
        released.set()

    assert run(main()) == []


def test_errors_of_a_quiet_task_are_for_whoever_holds_it() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def main() -> None:
        with pytest.raises(ValueError, match="no"):
            await start(fails(), "quiet", quiet=True)

    assert run(main()) == []


def test_the_tasks_of_an_owner_end_with_it() -> None:
    class Page(tasks.TaskOwner):
        ended = False

        @async_slot
        async def _on_asked(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                self.ended = True

    async def main() -> None:
        page = Page()
        page._on_asked()
        await asyncio.sleep(0.01)
        page.cancel_tasks()
        await asyncio.sleep(0.01)
        assert page.ended

    assert run(main()) == []


def test_what_a_thread_worked_for_is_let_go_of_in_the_thread_of_the_loop() -> None:
    """A cancelled dialog's method may be the last that holds the dialog; Qt must not destroy it in a worker."""
    let_go: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    class Widget:
        def work(self) -> None:
            begun.set()
            go_on.wait(60)

        def __del__(self) -> None:
            let_go.append(threading.get_ident())

    async def main() -> None:
        widget = Widget()
        task = start(in_thread(widget.work), "work of a widget")
        del widget
        await until(begun.is_set)
        task.cancel()
        await asyncio.wait([task])
        del task
        assert not let_go
        go_on.set()
        await until(lambda: bool(let_go))

    run(main())
    assert let_go == [threading.get_ident()]
