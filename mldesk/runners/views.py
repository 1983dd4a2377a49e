"""Reading what a runner says of its queue, settings, load and cache; see mldesk.runners.answers for the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Literal

from mldesk.core.errors import BadInput
from mldesk.core.ids import is_id
from mldesk.runners.answers import BadAnswer, plain
from mldesk.wire.jobs import FAREST
from mldesk.wire.manifest import is_digest
from mldesk.wire.protocol import PRIORITIES
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

_MANY = 10_000             # entries of one list that are read
_HUGE = 1 << 53


def queue(answer: Mapping[str, Any]) -> QueueView:
    """Read the queue and the slots. Raises BadAnswer."""
    waiting = [Waiting(_job(item), plain(item.get("name")), _priority(item.get("priority")), position,
                       plain(item.get("why")), _moment(item.get("starts")))
               for position, item in enumerate(_objects(answer, "waiting"), start=1)]
    slots = [Slot(_kind(item.get("kind")), _count(item.get("index")), plain(item.get("name")),
                  _count(item.get("memory")), _job(item, needed=False))
             for item in _objects(answer, "slots")]
    return QueueView(tuple(waiting), tuple(slots), answer.get("draining") is True, answer.get("quiet") is True)


def settings(answer: Mapping[str, Any]) -> RunnerSettings:
    """Read settings. Raises BadAnswer."""
    value = answer.get("settings")
    if not isinstance(value, Mapping):
        raise BadAnswer
    try:
        return RunnerSettings.from_json(value)
    except BadInput as error:
        raise BadAnswer from error


def samples(answer: Mapping[str, Any]) -> list[Sample]:
    """Read samples of a runner's load, oldest first. Raises BadAnswer."""
    found = [_sample(item) for item in _objects(answer, "samples")]
    if any(later.seq <= earlier.seq for earlier, later in itertools.pairwise(found)):
        raise BadAnswer
    return found


def cache(answer: Mapping[str, Any]) -> CacheView:
    """Read what a runner's object store holds."""
    return CacheView(*(_count(answer.get(key)) for key in ("used", "quota", "pinned", "objects", "free")))


def freed(answer: Mapping[str, Any]) -> int:
    """Read how many bytes a collection freed."""
    return _count(answer.get("freed"))


def digest(answer: Mapping[str, Any]) -> str | None:
    """Read the digest of a checkpoint's manifest; None when there is no checkpoint. Raises BadAnswer."""
    value = answer.get("digest")
    if value is None:
        return None
    if not isinstance(value, str) or not is_digest(value):
        raise BadAnswer
    return value


def log_end(answer: Mapping[str, Any], text: bytes) -> int:
    """Read where a log that was asked for from its end goes on. Raises BadAnswer."""
    end = answer.get("next")
    if type(end) is not int or not len(text) <= end < _HUGE:
        raise BadAnswer
    return end


def _sample(item: Mapping[str, Any]) -> Sample:
    jobs = item.get("jobs")
    return Sample(
        _count(item.get("seq")), _number(item.get("time")), min(1.0, _number(item.get("cpu"))),
        _count(item.get("memory_used")), _count(item.get("memory_total")), _count(item.get("disk_used")),
        _count(item.get("disk_total")), tuple(_gpu(card) for card in _objects(item, "gpus", missing=True)[:64]),
        {job: JobSample(_number(load.get("cpu")), _count(load.get("memory")), _count(load.get("gpu_memory")))
         for job, load in list(jobs.items() if isinstance(jobs, Mapping) else ())[:_MANY]
         if isinstance(job, str) and is_id(job) and isinstance(load, Mapping)})


def _gpu(item: Mapping[str, Any]) -> GpuSample:
    def told(key: str) -> float | None:
        return None if item.get(key) is None else _number(item.get(key))

    share = told("utilization")
    return GpuSample(_count(item.get("index")), plain(item.get("name")), None if share is None else min(1.0, share),
                     _count(item.get("memory_used")), _count(item.get("memory_total")), told("temperature"),
                     told("power"))


def _objects(answer: Mapping[str, Any], key: str, *, missing: bool = False) -> list[Mapping[str, Any]]:
    found = answer.get(key, [] if missing else None)
    if not isinstance(found, (list, tuple)) or not all(isinstance(item, Mapping) for item in found):
        raise BadAnswer
    return list(found[:_MANY])


def _job(item: Mapping[str, Any], *, needed: bool = True) -> str:
    job = item.get("job")
    if job == "" and not needed:
        return ""
    if not isinstance(job, str) or not is_id(job):
        raise BadAnswer
    return job


def _kind(value: Any) -> Literal["cpu", "gpu"]:
    return "gpu" if value == "gpu" else "cpu"


def _priority(value: Any) -> int:
    return max(PRIORITIES[0], min(PRIORITIES[1], value)) if type(value) is int else 0


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < _HUGE else 0


def _moment(value: Any) -> float:
    return found if (found := _number(value)) < FAREST else 0.0   # no calendar holds what is later


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    number = float(value) if abs(value) < _HUGE else 0.0
    return number if math.isfinite(number) and number >= 0 else 0.0

