"""What a job says about itself, one numbered event at a time.

An event's payload keys by kind (all plain JSON; floats that are not finite travel as strings, see core.canonical):

    queued       {"attempt": 1.., "priority": int?, "by": "reboot"?}    the last: nobody asked, the runner's policy did
    scheduled    {"not_before": moment it waits for, seconds since the epoch, or 0}   instead of what its spec says
    staged       {"device": name of the graphics card or "cpu", "card": its index or null}
    started      {"attempt": 1.., "pid": int, "host": str, "device": str, "resumed_from": step or null}
                 a second attempt supersedes every metric point with a step above ``resumed_from``
    stage        {"name": str}                              words for people: "Reading the table"
    progress     {"done": float, "total": float, "unit": str, "eta": seconds or null, "rate": per second or null,
                 "rows": that are learned from per second?}
    metrics      {"step": int, "epoch": float or null, "seconds": since start, "values": {metric: float}}
                 metric names: "train_loss", "validation_loss", "validation_accuracy", ...
    log          {"level": "debug|info|warning|error", "text": str}
    resources    {"cpu": percent of one core, "memory": bytes, "gpu": percent?, "gpu_memory": bytes?, "threads": int}
    checkpoint   {"step": int, "name": str}                 name below the job's checkpoints folder
    artifact     {"name": str, "digest": sha256, "size": bytes, "type": "manifest|json|table|text|bytes"}
                 name "model" is the manifest of the model's files, "evaluation" the evaluation payload (JSON)
    warning      {"text": str, "hint": str}
    stopping     {"asked": "cancel|finish|release|pause"}
    succeeded    {"result": {...}}                          see TrainResult below
    failed       {"cause": Cause, "message": str, "hint": str}
    cancelled    {"cause": "cancelled", "message": str}
    interrupted  {"cause": Cause, "message": str, "hint": str, "resumes": bool?}   it is about to go on by itself

``result`` of a training job: {"task", "metrics": {name: float} on the test part, "validation_metrics", "rows":
{"train","validation","test"}, "seconds": float, "finished_early": bool, "model": manifest digest, "estimator": str,
"parameters": {...}, "split": membership digest}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mldesk.core.clock import iso
from mldesk.wire.states import JobState

KINDS = (
    "queued", "scheduled", "staged", "started", "stage", "progress", "metrics", "log", "resources", "checkpoint",
    "artifact", "warning", "stopping", "trial", "succeeded", "failed", "cancelled", "interrupted",
)
TERMINAL = frozenset({"succeeded", "failed", "cancelled", "interrupted"})
DURABLE = TERMINAL | {   # fsync before going on
    "queued", "scheduled", "staged", "started", "checkpoint", "artifact", "stopping"}

_STATE_OF = {
    "queued": JobState.QUEUED,
    "staged": JobState.PREPARING,
    "started": JobState.RUNNING,
    "stopping": JobState.STOPPING,
    "succeeded": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "interrupted": JobState.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a job's journal."""

    seq: int                     # 1, 2, 3, ... without a gap within one job, over all its attempts
    time: float                  # wall clock of the runner, seconds since the epoch
    kind: str                    # one of KINDS
    payload: Mapping[str, Any]   # by kind, as above

    def to_json(self) -> dict[str, Any]:
        """Return the flat form that ``runs events --json`` prints; time as ISO 8601."""
        return {**self.payload, "seq": self.seq, "time": iso(self.time), "kind": self.kind}


def state_after(kind: str, before: JobState) -> JobState:
    """Return the state a job is in once an event of ``kind`` is in its journal."""
    return _STATE_OF.get(kind, before)
