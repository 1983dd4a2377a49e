"""Reading what a runner answers. It may be damaged, another version, or hostile; what comes out of here is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.core.errors import RunnerUnreachable
from mldesk.core.ids import is_id
from mldesk.wire.events import Event
from mldesk.wire.journal import decode
from mldesk.wire.states import JobState

_HUGE = 1 << 53           # above what any machine has, and below what a database or a chart cannot hold
_NAME = 200               # characters of a job's name
_COUNTS = ("cores", "memory", "slots")
_TEXTS = ("agent", "boot_id", "host", "python", "system", "training")


class BadAnswer(RunnerUnreachable):
    """The runner answered, but not what the protocol says."""

    def __init__(self) -> None:
        super().__init__("The runner's answer makes no sense to this MLDesk.",
                         hint="Upgrade the older of the two; if both are new, end the agent and try again.")


def state(answer: Mapping[str, Any]) -> JobState:
    """Read the state of a job. Raises BadAnswer."""
    try:
        return JobState(answer["state"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadAnswer from error


def events(lines: bytes, job: str, after: int) -> list[Event]:
    """Read journal lines, which must go on right after number ``after``. Raises LibraryDamaged."""
    return [decode(line + b"\n", number, f"of job {job}")[0]
            for number, line in enumerate(lines.split(b"\n")[:-1], start=after + 1)]


def offset(answer: Mapping[str, Any], text: bytes, before: int) -> int:
    """Read where a log goes on. Raises BadAnswer."""
    if answer.get("next") != before + len(text):
        raise BadAnswer
    return before + len(text)


def jobs(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Read a list of jobs, leaving out what is none. Raises BadAnswer."""
    found = answer.get("jobs")
    if not isinstance(found, list):
        raise BadAnswer
    return [{"id": item["id"], "name": plain(item.get("name")), "state": state(item).value,
             "position": _count(item.get("position"))}
            for item in found if isinstance(item, dict) and isinstance(item.get("id"), str) and is_id(item["id"])]


def facts(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a hello."""
    devices = answer.get("devices")
    versions = answer.get("versions")
    trains = answer.get("trains")
    return {
        **({"trains": trains} if isinstance(trains, bool) else {}),
        **{key: _count(answer.get(key)) for key in _COUNTS}, **{key: plain(answer.get(key)) for key in _TEXTS},
        "protocol": answer.get("protocol"),
        "devices": [{"name": plain(item.get("name")), "kind": plain(item.get("kind")),
                     "memory": _count(item.get("memory")), "index": _count(item.get("index")),
                     "uuid": plain(item.get("uuid"))}
                    for item in (devices if isinstance(devices, list) else [])[:64] if isinstance(item, dict)],
        "versions": {plain(key): plain(value)
                     for key, value in list(versions.items() if isinstance(versions, dict) else [])[:64]},
    }


def plain(value: Any) -> str:
    """Return a short text that no terminal or widget takes for anything but text."""
    return "".join(letter for letter in value[:_NAME] if letter.isprintable()) if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < _HUGE else 0
