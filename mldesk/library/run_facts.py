"""What a batch of a run's events changes, worked out without any I/O.

The events come from a runner, which may be wrong or hostile: a payload of another shape than ``wire.events`` says
changes nothing but is kept as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import WorkFailed
from mldesk.library import codec
from mldesk.wire.events import KINDS, TERMINAL, Event, state_after
from mldesk.wire.jobs import check_moment
from mldesk.wire.manifest import is_digest
from mldesk.wire.shapes import readable
from mldesk.wire.states import Cause, JobState

_CAUSES = frozenset(cause.value for cause in Cause)
_ASKED = {"finish": Cause.FINISHING.value, "pause": Cause.PAUSED.value, "cancel": Cause.CANCELLED.value}
_OBJECTS = ("metrics", "validation_metrics", "rows", "parameters")
EventRow = tuple[int, float, str, str]   # seq, time, kind, payload as JSON


class EventGap(WorkFailed):
    """Events are missing between what the library holds and what came; ask again from ``expected``."""

    code = "event_gap"

    def __init__(self, run: str, expected: int, got: int) -> None:
        super().__init__(f"Run {run} goes on at event {expected}, but event {got} came.",
                         hint="Fetch its events again; nothing of this batch was kept.")
        self.expected, self.got = expected, got


@dataclass(slots=True)
class Changes:
    """What to write, in one transaction."""

    fields: dict[str, Any] = field(default_factory=dict)     # columns of the run's row
    events: list[EventRow] = field(default_factory=list)
    artifacts: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # name -> digest, size, kind
    model: str | None = None                                 # manifest of the model it made
    result: Mapping[str, Any] = field(default_factory=dict)  # of the "succeeded" event
    ended: float | None = None                               # when it succeeded


def new_events(run: str, cursor: int, batch: Sequence[Event]) -> list[Event]:
    """Return the events after ``cursor``, dense and each once. Raises EventGap."""
    fresh: list[Event] = []
    for event in batch:
        if event.seq <= cursor:
            continue
        if event.seq != cursor + 1:
            raise EventGap(run, cursor + 1, event.seq)
        fresh.append(event)
        cursor = event.seq
    return fresh


def fold(events: Sequence[Event], state: JobState, started: float | None) -> Changes:
    """Work out what ``events`` change in a run that was in ``state`` and first started at ``started``."""
    changes = Changes()
    fields = changes.fields
    for event in events:
        payload, kind = event.payload, event.kind if event.kind in KINDS else codec.clean(event.kind, 100)
        time = codec.wall_clock(event.time)
        changes.events.append((event.seq, time, kind, codec.dump(payload)))
        if kind == "metrics":  # nearly every event of a run is one; ``points`` reads them where they are asked for
            continue
        state = state_after(kind, state)
        match kind:
            case "started":
                started = time if started is None else started
                fields.update(started=started, finished=None, cause=None, message="", hint="")
            case "scheduled":
                fields["not_before"] = _moment(payload.get("not_before"))
            case "stopping":
                fields["cause"] = _ASKED.get(str(payload.get("asked")))
            case "stage":
                fields["stage"] = codec.clean(payload.get("name", ""), 500)
            case "progress" if readable(event):   # every list draws it
                fields["progress"] = codec.dump(payload)
            case "artifact":
                _add_artifact(changes, payload)
            case "succeeded":
                _succeed(changes, time, payload.get("result"))
        if kind in TERMINAL:
            fields["finished"] = time
            fields["cause"] = _cause(kind, payload.get("cause"))
            fields["message"] = codec.clean(payload.get("message", ""))
            fields["hint"] = codec.clean(payload.get("hint", ""))
    fields["state"] = state.value
    fields["last_seq"] = events[-1].seq
    return changes


def _add_artifact(changes: Changes, payload: Mapping[str, Any]) -> None:
    digest, size = payload.get("digest"), codec.whole(payload.get("size"))
    if isinstance(digest, str) and is_digest(digest) and size is not None:
        name = codec.clean(payload.get("name", ""), 200)
        changes.artifacts[name] = (digest, size, codec.clean(payload.get("type", ""), 100))


def _succeed(changes: Changes, time: float, result: object) -> None:
    if not isinstance(result, Mapping):
        return
    # Everybody who shows a run takes these for objects.
    result = {key: item for key, item in result.items() if key not in _OBJECTS or isinstance(item, Mapping)}
    if codec.finite(result.get("seconds", 0.0)) is None:
        del result["seconds"]
    if any(codec.whole(rows) is None for rows in result.get("rows", {}).values()):
        del result["rows"]
    changes.result, changes.ended = result, time
    changes.fields["result"] = codec.dump(result)
    if isinstance(split := result.get("split"), str) and is_digest(split):
        changes.fields["split"] = split
    if isinstance(result.get("task"), str):
        changes.fields["task"] = codec.clean(result["task"], 100)
    if isinstance(result.get("estimator"), str):
        changes.fields["estimator"] = codec.clean(result["estimator"], 200)
    if isinstance(result.get("parameters"), Mapping):
        changes.fields["parameters"] = codec.dump(result["parameters"])
    model = result.get("model")
    if isinstance(model, str) and is_digest(model):
        changes.model = model


def _moment(value: object) -> float | None:
    try:
        return check_moment(value) or None
    except ValueError:
        return None


def _cause(kind: str, cause: object) -> str | None:
    """Return the cause as it is kept; one that is not known is ours to mend."""
    if kind == "succeeded":
        return None
    if isinstance(cause, str) and cause in _CAUSES:
        return str(cause)
    return "cancelled" if kind == "cancelled" else "internal"
