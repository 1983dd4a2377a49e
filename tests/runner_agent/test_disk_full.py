"""A disk that fills up: the job ends with that as its reason, written down, and nothing that was there is lost."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import DiskFull
from mldesk.wire.states import JobState
from runner_agent import ballast
from runner_agent.ballast import Ballast, require_space
from tests.runner_agent.bench import Bench, dense, steps

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.fixture
def small(small_disk: Path) -> Iterator[Bench]:
    bench = Bench(small_disk)
    yield bench
    bench.close()


def _fill(place: Path) -> Path:
    path = place / "filler"
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while file.write(b"\0" * 65536):
            pass
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while file.write(b"\0"):
            pass
    return path


def test_a_job_whose_disk_fills_up_ends_with_that_written_down_and_can_go_on(small: Bench, small_disk: Path) -> None:
    job = small.submit(steps=400, delay=0.01, checkpoints=True)
    first = small.follow(job, until=lambda event: event.seq == 10)
    filler = _fill(small_disk)
    events = first + small.follow(job, after=first[-1].seq)
    assert dense(events)
    assert (events[-1].kind, events[-1].payload["cause"]) == ("interrupted", "disk_full")
    assert "The disk is full" in events[-1].payload["message"]
    filler.unlink()
    small.runner.resume(job)
    assert small.follow(job, after=events[-1].seq)[-1].kind == "succeeded"


def test_a_job_is_not_taken_when_the_disk_is_full_and_nothing_half_made_stays(small: Bench, small_disk: Path) -> None:
    small.runner.hello()
    filler = _fill(small_disk)
    spec = small.spec(steps=1)
    with pytest.raises(DiskFull, match="nearly full"):
        small.runner.submit(spec)
    assert list((small.home.runner / "jobs").iterdir()) == []
    filler.unlink()
    assert small.runner.submit(spec) is JobState.QUEUED
    assert steps(small.follow(spec.id)) == [1]


def test_the_ballast_is_made_again_only_where_there_is_room(small_disk: Path) -> None:
    weight = Ballast(small_disk, 1 << 20)
    weight.restore()
    assert (small_disk / "ballast").stat().st_size == 1 << 20
    assert weight.release()
    assert not weight.release()
    filler = _fill(small_disk)
    weight.restore()
    assert not (small_disk / "ballast").exists()
    with pytest.raises(DiskFull):
        require_space(small_disk)
    assert ballast.nearly_full(small_disk)
    filler.unlink()
    weight.restore()
    require_space(small_disk)
    assert weight.release()
