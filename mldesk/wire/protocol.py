"""What may be asked of a runner's agent: every method, what it takes and gives, and the checks on what a peer sends.

Every method may be repeated: submits by the job's id, commands by their own id. ``check`` is the one door that a
request goes through; what passes it holds nothing but what ``METHODS`` says, ids and digests in their exact shapes.

    hello     what this machine has. Gives {"agent", "protocol": [low, high], "boot_id", "host", "clock", "cores",
              "memory", "devices": [{"name", "memory", "kind"}], "python", "versions": {package: version}, "slots"}
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
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.core.ids import is_id
from mldesk.wire.manifest import CHUNK, check_digest

PROTOCOL = (1, 1)             # lowest and highest version of this protocol that is spoken here
MAX_WAIT = 25.0               # seconds a long poll may last
MAX_EVENTS = 10_000           # events of one answer
MAX_EVENT_BYTES = CHUNK       # bytes of one answer's events, but always at least one event
MAX_LOG = 1024 * 1024         # bytes of one answer's log
MAX_DIGESTS = 20_000          # of one question

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


def check(name: str, payload: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return the request with its defaults filled in. Raises BadInput naming the key that is wrong."""
    method = METHODS[name]
    if len(body) > method.body:
        raise BadInput(f"{name} takes at most {method.body} raw bytes, not {len(body)}.")
    unknown = set(payload) - set(method.fields)
    if unknown:
        raise BadInput(f"{name} does not know {min(unknown)!r:.60}.", hint="Upgrade the older of the two.")
    return {key: _value(name, key, item, payload) for key, item in method.fields.items()}


def shared_version(theirs: Any) -> int:
    """Return the highest version both ends speak. Raises BadInput when there is none."""
    try:
        low, high = theirs
        version = min(int(high), PROTOCOL[1])
        if version >= max(int(low), PROTOCOL[0]):
            return version
    except (TypeError, ValueError):
        pass
    raise BadInput(f"The runner speaks protocol {theirs!r:.40}, this MLDesk {list(PROTOCOL)}: they cannot talk.",
                   hint="Upgrade the older of the two.")


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


def _range(value: Any) -> tuple[int, int]:
    low, high = value
    return _integer(1, 10_000)(low), _integer(1, 10_000)(high)


def _digests(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_DIGESTS:
        raise ValueError(f"at most {MAX_DIGESTS} digests are expected")
    return tuple(check_digest(item) for item in value)


_HUGE = 1 << 53
_A_JOB = {"job": Field(_job)}
_A_COMMAND = {**_A_JOB, "command": Field(_job)}

METHODS: Mapping[str, Method] = {
    "hello": Method({"protocol": Field(_range), "build": Field(_text)}, seconds=15),
    "submit": Method({"spec": Field(_mapping)}, seconds=30),
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
}
