"""What a runner says of its queue, load and cache is checked before anybody uses it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mldesk.core import canonical
from mldesk.core.errors import RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.runners import views
from mldesk.wire.runner_view import (
    CacheView,
    GpuSample,
    JobSample,
    QueueView,
    RunnerSettings,
    Sample,
    Slot,
    Waiting,
)

JOB = new_id()
QUEUE = QueueView((Waiting(JOB, "a job", -3, 1, "It starts at 2096-10-02 07:06.", 4e9),),
                  (Slot("cpu", 0, "", 5, JOB), Slot("gpu", 1, "NVIDIA H200", 140 * 10**9, "")), True, False)
SAMPLE = Sample(3, 12.5, 0.25, 5, 10, 20, 30, (GpuSample(1, "NVIDIA H200", 0.5, 7, 9, 61.0, None),),
                {JOB: JobSample(1.5, 100, 0)})


def sent(value: Any) -> Any:
    """What arrives of it."""
    return json.loads(canonical.dumps(value))


def test_what_an_honest_runner_says_arrives_as_it_was() -> None:
    settings = RunnerSettings(2, 0, ((1320, 420),), "wait", 5)
    assert views.queue(sent(QUEUE.to_json())) == QUEUE
    assert views.settings({"settings": sent(settings.to_json())}) == settings
    assert views.samples({"samples": [sent(SAMPLE.to_json())]}) == [SAMPLE]
    assert views.cache(sent(CacheView(1, 2, 3, 4, 5).to_json())) == CacheView(1, 2, 3, 4, 5)
    assert views.freed({"freed": 7}) == 7
    assert QUEUE.free == QUEUE.slots[1:]


@pytest.mark.parametrize("answer", [
    {}, {"waiting": 5, "slots": []}, {"waiting": [], "slots": ["x"]}, {"waiting": [{"job": "../x"}], "slots": []},
    {"waiting": [{"job": ""}], "slots": []}, {"waiting": [], "slots": [{"job": 5}]},
])
def test_a_queue_that_is_none_is_not_believed(answer: dict[str, Any]) -> None:
    with pytest.raises(RunnerUnreachable, match="makes no sense"):
        views.queue(answer)


def test_a_queue_holds_plain_text_and_numbers_in_their_range_only() -> None:
    found = views.queue({
        "waiting": [{"job": JOB, "name": "a\x1b[2J", "priority": 99, "why": "x\n" * 500, "position": 12,
                     "starts": 1e15}],
        "slots": [{"kind": "tpu", "index": -1, "name": None, "memory": 1 << 80, "job": ""}],
        "draining": 1, "quiet": "yes"})
    assert found.waiting == (Waiting(JOB, "a[2J", 10, 1, "x" * 100),)
    assert found.slots == (Slot("cpu", 0, "", 0, ""),)
    assert (found.draining, found.quiet) == (False, False)


@pytest.mark.parametrize("value", [None, [], {"cpu_slots": 0}, {"quiet": "night"}, {"quiet": [[1, 2, 3]]},
                                   {"on_reboot": "explode"}, {"surprise": 1}, {"quota": -1}, {"gpu_slots": True}])
def test_settings_that_are_none_are_not_believed(value: Any) -> None:
    with pytest.raises(RunnerUnreachable):
        views.settings({"settings": value})


def test_a_sample_of_nonsense_becomes_a_harmless_one() -> None:
    wild: dict[str, Any] = {
        "seq": 1, "time": -5, "cpu": 9e300, "memory_used": -1, "memory_total": "x", "disk_used": 1 << 70,
        "disk_total": None, "gpus": [{"index": "0", "name": 5, "utilization": 7, "memory_used": None,
                                      "temperature": float("inf"), "power": None}],
        "jobs": {"../x": {}, JOB: {"cpu": "fast", "memory": -1, "gpu_memory": 2}}}
    sample, = views.samples({"samples": [wild]})
    assert sample == Sample(1, 0.0, 0.0, 0, 0, 0, 0, (GpuSample(0, "", 1.0, 0, 0, 0.0, None),),
                            {JOB: JobSample(0.0, 0, 2)})


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1)])
def test_samples_out_of_order_are_not_believed(numbers: tuple[int, int]) -> None:
    with pytest.raises(RunnerUnreachable):
        views.samples({"samples": [{"seq": number} for number in numbers]})


def test_the_digest_of_a_checkpoint_is_one_or_there_is_none() -> None:
    assert views.digest({"digest": None}) is None
    assert views.digest({"digest": "a" * 64}) == "a" * 64
    for wrong in ("../../etc/passwd", "A" * 64, 5, ""):
        with pytest.raises(RunnerUnreachable):
            views.digest({"digest": wrong})


@pytest.mark.parametrize("end", [None, 2, -1, "9", 1 << 60, True])
def test_a_log_that_ends_before_its_own_text_is_not_believed(end: Any) -> None:
    assert views.log_end({"next": 3}, b"abc") == 3
    with pytest.raises(RunnerUnreachable):
        views.log_end({"next": end}, b"abc")
