"""What a script says to MLDesk while it runs: ``import mldesk.track as track``. Standard library only.

Outside a job of MLDesk every call works too, and says on the terminal what it would have told::

    from mldesk import track

    rate = track.parameter("learning_rate", 0.1)          # chosen at the start of the run, else 0.1
    files = track.input("table").rglob("*.parquet")       # the rows of a dataset
    for step in range(track.resumed_from(), 100):
        track.metrics(step, loss=loss)
        if track.should_stop():                           # Finish now was pressed
            break
    track.image("plot", figure)                           # of matplotlib or Pillow, or a file
"""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
_LOCK = threading.Lock()
_OPEN: dict[str, tuple[int, os.stat_result]] = {}   # of this process, one at most
_KEPT = itertools.count(1)   # files of this process that were copied to be kept
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
STEP_FILE = "step.json"   # in the checkpoint folder: how far it was


def parameters() -> dict[str, Any]:
    """Return the parameters of this run, defaults of ``mldesk.toml`` included; {} outside a job."""
    if "MLDESK_TRACK" in os.environ:
        _say("asked_for_all")
    return _given()


def parameter(name: str, default: T) -> T:
    """Return one parameter in the type of its default, and record it. Raises ValueError for what is none of that."""
    value: Any = _as(type(default), name, _given().get(name, default)) if default is not None else _given().get(name)
    _say("parameters", values={name: value if isinstance(value, (bool, int, float, str)) else str(value)})
    return cast("T", value)


def _as(kind: Any, name: str, given: Any) -> Any:
    """Return a value as ``kind``; nothing is lost on the way: 2.5 is no int, "no" is not True."""
    if type(given) is kind:
        return given
    text = str(given).strip()
    try:
        if kind is bool:
            return _TRUTHS[text.lower()]
        if kind is int and isinstance(given, float) and given.is_integer():
            return int(given)
        return kind(text) if kind in (int, float, str) else kind(given)
    except (KeyError, TypeError, ValueError) as error:
        said = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")
        raise ValueError(f"The parameter {name!r} has to be {said}, not {given!r:.80}.") from error


def _given() -> dict[str, Any]:
    return dict(json.loads(os.environ.get("MLDESK_PARAMETERS", "{}")))


def input(name: str) -> Path | None:  # noqa: A001 - track.input reads as it should
    """Return the folder below which an input's Parquet files lie; None where the run has no such input."""
    found = json.loads(os.environ.get("MLDESK_INPUTS", "{}")).get(name)
    return None if found is None else Path(found)


def metrics(step: int | None = None, values: Mapping[str, float] | None = None, /, *, epoch: float | None = None,
            **more: float) -> None:
    """Report readings after ``step`` (from 0 or 1, growing): they are drawn as curves.

    A name that is no word goes into a mapping: ``track.metrics(step, {"val/loss": 0.3})``.
    """
    given = {**(values or {}), **more}
    if step is None:
        step = cast("int | None", given.pop("step", None))
    if step is None:
        raise TypeError("track.metrics needs the step that the readings were taken after: metrics(step, loss=0.3)")
    _say("metrics", step=int(step), epoch=None if epoch is None else float(epoch),
         values={str(name): float(value) for name, value in given.items()})


def log(text: str) -> None:
    """Say something to who follows the run."""
    _say("log", text=str(text))


def progress(done: float, total: float, unit: str = "steps") -> None:
    """Say how far it is; the remaining time is worked out from it."""
    _say("progress", done=float(done), total=float(total), unit=unit)


def artifact(name: str, path: str | os.PathLike[str]) -> None:
    """Keep a file with the run, as it is now: it may be written over or removed at once."""
    source, place = Path(path).resolve(), _place()
    if place is not None and source.is_file():
        with suppress(OSError):   # no room for two of it: then it is read where it lies
            shutil.copyfile(source, place)
            source = place
    _say("artifact", name=name, path=str(source))


def image(name: str, picture: Any, step: int | None = None) -> None:
    """Keep a picture with the run: a file (PNG, JPEG), or a figure of matplotlib or an image of Pillow.

    With a ``step`` there is one for each, and the newest is shown first. Raises OSError.
    """
    write = getattr(picture, "savefig", None) or getattr(picture, "save", None)   # matplotlib, Pillow
    suffix = Path(picture).suffix if write is None else ".png"
    stem = name.removesuffix(suffix)
    called = f"{stem}/{int(step)}{suffix}" if step is not None else name if write is None else stem + suffix
    if write is None:
        artifact(called, picture)
    elif (place := _place()) is not None:
        write(place, format="png")
        _say("artifact", name=called, path=str(place))
    else:
        _say("image", name=called)


def _place() -> Path | None:
    """Return where a copy of a file waits until it is kept; None outside a job."""
    told = os.environ.get("MLDESK_TRACK")
    return None if told is None else Path(f"{told}.file-{os.getpid()}-{next(_KEPT)}")


def checkpoint_folder() -> Path:
    """Return a folder that the next attempt finds as ``checkpoint`` left it."""
    folder = Path(os.environ.get("MLDESK_CHECKPOINT") or ".mldesk-checkpoint")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def checkpoint(step: int) -> None:
    """Keep what lies in ``checkpoint_folder()`` now: the state after ``step``."""
    (checkpoint_folder() / STEP_FILE).write_text(json.dumps({"step": int(step)}), "utf-8")
    reply = os.environ.get("MLDESK_TRACK")
    if reply is None:
        return
    kept = Path(f"{reply}.checkpoint-{step}")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(checkpoint_folder(), kept)  # so that the script may go on writing while this is being kept
    _say("checkpoint", step=int(step), path=str(kept))


def resumed_from() -> int:
    """Return the step of the checkpoint this attempt goes on from; 0 where it begins anew."""
    try:
        return int(json.loads((checkpoint_folder() / STEP_FILE).read_text("utf-8"))["step"])
    except (OSError, ValueError, KeyError):
        return 0


def should_stop() -> bool:
    """Say whether the user asked to finish now: keep what there is and end."""
    path = os.environ.get("MLDESK_STOP")
    return path is not None and os.path.exists(path)  # noqa: PTH110 - asked at every step


def _say(kind: str, **values: Any) -> None:
    line = json.dumps({"kind": kind, **_finite(values)}, ensure_ascii=False)
    path = os.environ.get("MLDESK_TRACK")
    if path is None:
        print(line, flush=True)  # noqa: T201 - outside a job the terminal is who listens
        return
    with _LOCK:
        os.write(_lines(path), line.encode("utf-8", "replace") + b"\n")


def _lines(path: str) -> int:
    """Return the file that is written to, kept open for programs that say a million lines.

    One that a program closed, as daemons close whatever they have, is opened anew.
    """
    if (kept := _OPEN.get(path)) is not None:
        with suppress(OSError):
            if os.path.samestat(os.fstat(kept[0]), kept[1]):
                return kept[0]
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    file = os.open(path, flags, 0o600)
    _OPEN.clear()
    _OPEN[path] = file, os.fstat(file)
    return file


def _finite(value: Any) -> Any:
    """Write numbers that JSON does not have as text, which the job's process reads back."""
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
