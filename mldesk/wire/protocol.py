"""What may be asked of a runner's agent: every method, what it takes and gives, and the checks on what a peer sends.

Every method may be repeated: submits by the job's id, commands by their own id. ``check`` is the one door that a
request goes through; what passes it holds nothing but what ``METHODS`` says, ids and digests in their exact shapes.

    hello     what this machine has. Gives {"agent", "protocol": [low, high], "boot_id", "host", "clock", "cores",
              "memory", "devices": [{"name", "memory", "kind"}], "python", "versions": {package: version}, "slots",
              "trains", "training"}: whether there is anything to train with, and the key of that environment or ""
    submit    take a job durably. Gives {"state", "fresh"}; conflict for another spec under a known id, data_missing
              when an input is not in the object store
    events    the journal's lines after a number, waiting up to ``wait`` seconds for the first. Gives {"count",
              "last_seq"} and the lines as the body (see wire.journal); an event is on disk before anybody sees it
    state     Gives {"state", "cause", "attempt", "last_seq", "position"} (position in the queue from 1, else 0)
    cancel    stop and keep nothing; at once if it is still queued. Gives {"state"}
    finish    stop fitting, evaluate, keep the model. Gives {"state"}
    resume    queue an interrupted job again as its next attempt. Gives {"state"}
    log       what the trainer printed, from a byte offset. Gives {"next"} and the bytes as the body
    jobs      Gives {"jobs": [{"id", "name", "state", "position"}]}, newest first
    have      Gives {"missing": [digest]}: those of ``digests`` that are neither objects nor staged chunks here
    put       the body is an object (``chunk`` false: at most 4 MiB) or one chunk of a larger one. Gives {}
    complete  make the files of a manifest from chunks that were put. Gives {}
    get       bytes of an object from an offset. Gives {"size"} and the bytes as the body
    shutdown  end the agent, and its jobs too if ``kill_jobs``. Gives {}

Version 2 adds (a runner that speaks version 1 only is not asked for any of these):

    submit    also takes {"priority"}, -10 to 10
    queue     Gives QueueView as JSON (wire.runner_view)
    reorder   put a waiting job right before another, or ("") last of its priority. Gives {}
    prioritize  give a waiting job another priority, last among its equals. Gives {}
    drain     finish what runs and start nothing new, or go on; kept over restarts. Gives {"draining"}
    settings  Gives {"settings": RunnerSettings as JSON, "zone": name of the runner's time zone}
    configure  keep other settings. Gives as ``settings``
    telemetry  load since sample ``after``, waiting up to ``wait`` seconds. Gives {"samples": [Sample as JSON]}
    agent_log  the agent's own log from a byte offset; a negative one counts from its end. Gives {"next", "size"} and
              the bytes as the body
    release   stop a job so that it can go on elsewhere; its checkpoints stay. Gives {"state"}
    checkpoint  put the newest checkpoint that is whole into the object store. Gives {"digest": of its manifest or null,
              "name", "step", "attempt"}
    take_over  go on with a job that another runner released: its spec, its journal's lines (an object), its checkpoint
              (a manifest or null). Gives {"state", "fresh"}
    forget_job  remove what is left here of a job that has ended. Gives {}
    cache     Gives {"used", "quota", "pinned", "objects", "free"}: bytes, but for ``objects``
    collect   remove from the object store what no job needs. Gives {"freed"}

Version 3 adds:

    pause     stop a job so that it can go on here when it is resumed; what it has is kept. Gives {"state"}
    tell      leave a message (JSON) for a job that has not ended, by a name that makes a repeat the same message; the
              manifests in ``inputs`` must be here. Gives {"fresh"}; data_missing as for submit

Version 4 adds:

    submit    and take_over also take a spec with ``not_before``: the job waits in the queue until then
    start_at  let a waiting job begin at another moment of the runner's clock (seconds since the epoch; 0: at once).
              Gives {"state"}; conflict when it does not wait
    tell      of a training may be another learning rate (training.steering), which an older one passes over in silence
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.core.ids import is_id
from mldesk.wire.jobs import check_moment
from mldesk.wire.manifest import CHUNK, check_digest

PROTOCOL = (1, 4)             # lowest and highest version of this protocol that is spoken here
MAX_WAIT = 25.0               # seconds a long poll may last
MAX_EVENTS = 10_000           # events of one answer
MAX_EVENT_BYTES = CHUNK       # bytes of one answer's events, but always at least one event
MAX_LOG = 1024 * 1024         # bytes of one answer's log
MAX_DIGESTS = 20_000          # of one question
PRIORITIES = (-10, 10)        # lowest and highest of a waiting job

STEERED = 4                   # version of the protocol since which a training takes another learning rate

_MESSAGE = re.compile(r"[A-Za-z0-9-]{1,100}")
Check = Callable[[Any], Any]
_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a request. ``check`` returns the value as it is used, or raises ValueError."""

    check: Check
    default: Any = _REQUIRED


@dataclass(frozen=True, slots=True)
class Method:
    """What one method takes."""

    fields: Mapping[str, Field] = field(default_factory=dict)
    body: int = 0             # most bytes of raw body it takes
    seconds: float = 10.0     # a caller waits so long for the answer, and ``wait`` seconds more
    since: int = 1            # version of the protocol that it came with


def check(name: str, payload: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return the request with its defaults filled in. Raises BadInput naming the key that is wrong."""
    method = METHODS[name]
    if len(body) > method.body:
        raise BadInput(f"{name} takes at most {method.body} raw bytes, not {len(body)}.")
    unknown = set(payload) - set(method.fields)
    if unknown:
        raise BadInput(f"{name} does not know {min(unknown)!r:.60}.", hint="Upgrade the older of the two.")
    return {key: _value(name, key, item, payload) for key, item in method.fields.items()}


def shared_version(theirs: Any, ours: tuple[int, int] = PROTOCOL, *, peer: str = "runner") -> int:
    """Return the highest version both ends speak. Raises BadInput, which says which end to upgrade, if there is none.

    ``peer`` is what the other end is: the "runner", or the "MLDesk" that asks a runner.
    """
    try:
        low, high = (int(end) for end in theirs)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The {peer} does not say which protocol it speaks ({theirs!r:.40}): they cannot talk.",
                       hint=_UPGRADE[peer]) from error
    version = min(high, ours[1])
    if version >= max(low, ours[0]):
        return version
    older = peer if high < ours[0] else next(end for end in _UPGRADE if end != peer)
    raise BadInput(f"The {older} is too old: one end speaks protocol {_versions(ours)}, the {peer} "
                   f"{_versions((low, high))}, so they cannot talk.", hint=_UPGRADE[older])


_UPGRADE = {"runner": "Upgrade the runner: mldesk runners upgrade NAME.", "MLDesk": "Upgrade MLDesk on the desktop."}


def _versions(pair: tuple[int, int]) -> str:
    return f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"


def _value(name: str, key: str, item: Field, payload: Mapping[str, Any]) -> Any:
    if key not in payload:
        if item.default is _REQUIRED:
            raise BadInput(f"{name} needs {key!r}.")
        return item.default
    try:
        return item.check(payload[key])
    except (ValueError, TypeError, BadInput) as error:
        raise BadInput(f"{name}: {key!r} cannot be {payload[key]!r:.60} ({error!s:.100}).") from error


def _job(value: Any) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise ValueError("a ULID is expected")
    return value


def _integer(low: int, high: int) -> Check:
    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is expected")
        return value
    return read


def _seconds(most: float) -> Check:
    def read(value: Any) -> float:
        if type(value) not in (int, float) or not 0 <= value <= most:
            raise ValueError(f"seconds from 0 to {most:g} are expected")
        return float(value)
    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise ValueError("a short text is expected")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object is expected")
    return value


def _job_or_none(value: Any) -> str:
    return value if value == "" else _job(value)


def _digest_or_none(value: Any) -> str | None:
    return None if value is None else check_digest(value)


def _range(value: Any) -> tuple[int, int]:
    low, high = value
    return _integer(1, 10_000)(low), _integer(1, 10_000)(high)


def _message_name(value: Any) -> str:
    if not isinstance(value, str) or not _MESSAGE.fullmatch(value):
        raise ValueError("a short name of letters, digits and hyphens is expected")
    return value


def _digests(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_DIGESTS:
        raise ValueError(f"at most {MAX_DIGESTS} digests are expected")
    return tuple(check_digest(item) for item in value)


_HUGE = 1 << 53
_A_JOB = {"job": Field(_job)}
_A_COMMAND = {**_A_JOB, "command": Field(_job)}

METHODS: Mapping[str, Method] = {
    "hello": Method({"protocol": Field(_range), "build": Field(_text)}, seconds=15),
    "submit": Method({"spec": Field(_mapping), "priority": Field(_integer(*PRIORITIES), 0)}, seconds=30),
    "events": Method({**_A_JOB, "after": Field(_integer(0, _HUGE)), "limit": Field(_integer(1, MAX_EVENTS), 1000),
                      "wait": Field(_seconds(MAX_WAIT), 0.0)}),
    "state": Method(_A_JOB),
    "cancel": Method(_A_COMMAND),
    "finish": Method(_A_COMMAND),
    "resume": Method(_A_COMMAND),
    "log": Method({**_A_JOB, "offset": Field(_integer(0, _HUGE), 0), "limit": Field(_integer(1, MAX_LOG), 65536)}),
    "jobs": Method(),
    "have": Method({"digests": Field(_digests)}, seconds=30),
    "put": Method({"digest": Field(check_digest), "chunk": Field(_flag, False)}, body=CHUNK, seconds=60),
    "complete": Method({"manifest": Field(check_digest)}, seconds=600),
    "get": Method({"digest": Field(check_digest), "offset": Field(_integer(0, _HUGE), 0),
                   "limit": Field(_integer(1, CHUNK), CHUNK)}, seconds=60),
    "shutdown": Method({"kill_jobs": Field(_flag, False)}, seconds=30),
    "queue": Method(since=2),
    "reorder": Method({**_A_JOB, "before": Field(_job_or_none)}, since=2),
    "prioritize": Method({**_A_JOB, "priority": Field(_integer(*PRIORITIES))}, since=2),
    "drain": Method({"on": Field(_flag)}, since=2),
    "settings": Method(since=2),
    "configure": Method({"settings": Field(_mapping)}, since=2),
    "telemetry": Method({"after": Field(_integer(0, _HUGE), 0), "wait": Field(_seconds(MAX_WAIT), 0.0)}, since=2),
    "agent_log": Method({"offset": Field(_integer(-_HUGE, _HUGE), -65536), "limit": Field(_integer(1, MAX_LOG), 65536)},
                        since=2),
    "release": Method(_A_COMMAND, since=2),
    "checkpoint": Method(_A_JOB, seconds=600, since=2),
    "take_over": Method({"spec": Field(_mapping), "history": Field(check_digest),
                         "checkpoint": Field(_digest_or_none, None)}, seconds=600, since=2),
    "forget_job": Method(_A_JOB, seconds=60, since=2),
    "cache": Method(seconds=60, since=2),
    "collect": Method(seconds=600, since=2),
    "pause": Method(_A_COMMAND, since=3),
    "tell": Method({**_A_JOB, "name": Field(_message_name), "message": Field(_mapping),
                    "inputs": Field(_digests, ())}, seconds=30, since=3),
    "start_at": Method({**_A_COMMAND, "moment": Field(check_moment)}, since=4),
}
