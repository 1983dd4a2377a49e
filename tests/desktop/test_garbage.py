"""Garbage of the window goes in its own thread, and all of it before Python takes over again."""

from __future__ import annotations

import gc
import threading
import weakref

from pytestqt.qtbot import QtBot

from mldesk.desktop.garbage import GarbageCollector


class Knot:
    """Garbage that only the collector can find; notes in which thread it went."""

    def __init__(self, gone: list[str]) -> None:
        self.myself = self
        weakref.finalize(self, lambda: gone.append(threading.current_thread().name))


def test_garbage_of_a_worker_thread_is_collected_in_the_ui_thread(qtbot: QtBot) -> None:
    collector, gone = GarbageCollector(), []  # type: GarbageCollector, list[str]
    gc.enable()   # as a process begins
    collector.start()
    try:
        worker = threading.Thread(target=lambda: [Knot(gone) for _ in range(5000)], name="a worker")
        worker.start()
        worker.join()
        assert gone == []
        qtbot.waitUntil(lambda: len(gone) == 5000, timeout=10_000)
        assert set(gone) == {threading.main_thread().name}
    finally:
        collector.stop()
    assert gc.isenabled()


def test_python_gets_its_collector_back(qtbot: QtBot) -> None:
    collector, gone = GarbageCollector(), []  # type: GarbageCollector, list[str]
    gc.enable()
    collector.start()
    collector.settle()
    assert not gc.isenabled() and gc.get_freeze_count() > 0
    Knot(gone)
    collector.stop()
    assert gone == [threading.main_thread().name]   # nothing waits for Python's own collector
    assert gc.isenabled() and gc.get_freeze_count() == 0
    collector.start()
    gc.freeze()   # by somebody else
    collector.stop()
    assert gc.get_freeze_count() > 0
