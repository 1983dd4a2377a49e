"""The order in which jobs wait, kept on disk."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mldesk.core import durable
from mldesk.core.errors import Conflict, DiskFull
from runner_agent import queueing
from runner_agent.queueing import Found, Queue


def order(queue: Queue) -> str:
    return "".join(place.job for place in queue)


def restored(root: Path, *found: Found) -> str:
    queue = Queue(root)
    queue.restore(found)
    return order(queue)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    queue = Queue(tmp_path)
    for job in "abcd":
        queue.add(job, 0, 1)
    return queue


def left(*jobs: str) -> list[Found]:
    """The jobs as their journals tell of them, dated the wrong way round: a clock may have gone back."""
    return [Found(job, 0, 1, 100.0 - number) for number, job in enumerate(jobs)]


def test_jobs_wait_as_they_came_and_higher_priorities_first(queue: Queue) -> None:
    queue.add("e", 5, 1)
    queue.add("f", -1, 1)
    queue.add("g", 5, 1)
    assert order(queue) == "egabcdf"
    assert [queue.position(job) for job in "eagx"] == [1, 3, 2, 0]


def test_a_job_is_put_before_another_and_takes_its_priority(queue: Queue) -> None:
    queue.prioritize("a", 3)
    queue.reorder("d", "a")
    assert order(queue) == "dabc"
    assert [place.priority for place in queue] == [3, 3, 0, 0]
    queue.reorder("d", "")
    assert order(queue) == "adbc"
    queue.reorder("c", "c")
    assert order(queue) == "adbc"


def test_another_priority_is_last_among_its_equals_and_the_same_one_changes_nothing(queue: Queue) -> None:
    queue.prioritize("a", 1)
    queue.prioritize("b", 1)
    queue.prioritize("a", 1)
    assert order(queue) == "abcd"
    queue.prioritize("a", 0)
    assert order(queue) == "bcda"


def test_only_what_waits_can_be_moved(queue: Queue) -> None:
    for job, before in (("x", "a"), ("a", "x")):
        with pytest.raises(Conflict, match="does not wait"):
            queue.reorder(job, before)
    with pytest.raises(Conflict):
        queue.prioritize("x", 1)
    assert queue.remove("a")
    assert not queue.remove("a")


def test_another_agent_finds_the_very_order_whatever_the_clocks_said(queue: Queue, tmp_path: Path) -> None:
    queue.reorder("d", "b")
    queue.prioritize("c", 2)
    assert order(queue) == "cadb"
    assert restored(tmp_path, *left("a", "b", "c", "d")) == "cadb"
    assert restored(tmp_path, *left("b", "d")) == "db"


def test_what_was_not_written_down_comes_last_of_its_priority_as_its_journal_dates_it(
        queue: Queue, tmp_path: Path) -> None:
    late = [Found("y", 0, 1, 2.0), Found("x", 0, 1, 1.0), Found("z", 4, 1, 3.0)]
    assert restored(tmp_path, *late, *left("a", "b", "c", "d")) == "zabcdxy"


def test_a_job_that_ran_since_does_not_get_its_old_place_back(queue: Queue, tmp_path: Path) -> None:
    assert restored(tmp_path, Found("a", 0, 2, 50.0), *left("b", "c", "d")) == "bcda"


def test_whatever_is_done_to_it_the_next_agent_finds_it_as_it_was(tmp_path: Path) -> None:
    chance, queue = random.Random(2), Queue(tmp_path)
    attempts: dict[str, int] = {}
    for step in range(150):
        waiting = [place.job for place in queue]
        act = chance.choice(["add", "add", "remove", "reorder", "prioritize"])
        if act == "add":
            job = chance.choice([name for name in attempts if name not in waiting] or [f"j{step}"])
            attempts[job] = attempts.get(job, 0) + 1
            queue.add(job, chance.randint(-2, 2), attempts[job])
        elif waiting and act == "remove":
            queue.remove(chance.choice(waiting))
        elif waiting and act == "reorder":
            queue.reorder(chance.choice(waiting), chance.choice([*waiting, ""]))
        elif waiting:
            queue.prioritize(chance.choice(waiting), chance.randint(-2, 2))
        found = [Found(place.job, 0, place.attempt, chance.random()) for place in queue]
        chance.shuffle(found)
        again = Queue(tmp_path)
        again.restore(found)
        assert list(again) == list(queue)
        priorities = [place.priority for place in queue]
        assert priorities == sorted(priorities, reverse=True)


@pytest.mark.parametrize("damage", [b"", b"{", b"[[1]]", b'[["a", "x", 1]]', b"null", b'{"a": 1}'])
def test_a_damaged_file_leaves_the_order_of_the_journals(queue: Queue, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / queueing.NAME).write_bytes(damage)
    assert restored(tmp_path, *left("a", "b")) == "ba"


def test_on_a_full_disk_a_move_changes_nothing_and_a_new_job_waits_all_the_same(
        queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(durable.os, "replace", full)
        with pytest.raises(DiskFull):
            queue.reorder("d", "a")
        with pytest.raises(DiskFull):
            queue.prioritize("d", 9)
        assert order(queue) == "abcd"
        queue.add("e", 0, 1)
        queue.tend()
    assert order(queue) == "abcde"
    assert restored(tmp_path, *left("e", "d")) == "de"
    queue.tend()
    queue.reorder("e", "a")
    assert restored(tmp_path, *left("a", "e")) == "ea"
