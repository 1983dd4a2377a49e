"""What a script says to MLDesk while it runs: ``import mldesk.track as track``. Standard library only.

Outside a job of MLDesk every call works too, and says on the terminal what it would have told::

    from mldesk import track

    rate = track.parameter("learning_rate", 0.1)          # chosen at the start of the run, else 0.1
    files = track.input("table").rglob("*.parquet")       # the rows of a dataset
    for step in range(track.resumed_from(), 100):
        track.metrics(step, loss=loss)
        if track.should_stop():                           # Finish now was pressed
            break
    track.artifact("plot", "plot.png")
"""

from __future__ import annotations

import json
import math
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
_LOCK = threading.Lock()
_STEP = "step.json"   # in the checkpoint folder: how far it was


def parameters() -> dict[str, Any]:
    """Return the parameters of this run, defaults of ``mldesk.toml`` included; {} outside a job."""
    if "MLDESK_TRACK" in os.environ:
        _say("asked_for_all")
    return _given()


def parameter(name: str, default: T) -> T:
    """Return one parameter in the type of its default, and record it."""
    given = _given().get(name, default)
    kind: Any = type(default)
    value = given if default is None or isinstance(given, kind) else kind(given)
    _say("parameters", values={name: value if isinstance(value, (bool, int, float, str)) else str(value)})
    return cast("T", value)


def _given() -> dict[str, Any]:
    return dict(json.loads(os.environ.get("MLDESK_PARAMETERS", "{}")))


def input(name: str) -> Path | None:  # noqa: A001 - track.input reads as it should
    """Return the folder below which an input's Parquet files lie; None where the run has no such input."""
    found = json.loads(os.environ.get("MLDESK_INPUTS", "{}")).get(name)
    return None if found is None else Path(found)


def metrics(step: int, /, *, epoch: float | None = None, **values: float) -> None:
    """Report readings after ``step`` (from 0 or 1, growing): they are drawn as curves."""
    _say("metrics", step=int(step), epoch=epoch, values={name: float(value) for name, value in values.items()})


def log(text: str) -> None:
    """Say something to who follows the run."""
    _say("log", text=str(text))


def progress(done: float, total: float, unit: str = "steps") -> None:
    """Say how far it is; the remaining time is worked out from it."""
    _say("progress", done=float(done), total=float(total), unit=unit)


def artifact(name: str, path: str | os.PathLike[str]) -> None:
    """Keep a file with the run, as it is now."""
    _say("artifact", name=name, path=str(Path(path).resolve()))


def image(name: str, path: str | os.PathLike[str]) -> None:
    """Keep a picture (PNG, JPEG, SVG) with the run."""
    artifact(name, path)


def checkpoint_folder() -> Path:
    """Return a folder that the next attempt finds as ``checkpoint`` left it."""
    folder = Path(os.environ.get("MLDESK_CHECKPOINT") or ".mldesk-checkpoint")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def checkpoint(step: int) -> None:
    """Keep what lies in ``checkpoint_folder()`` now: the state after ``step``."""
    (checkpoint_folder() / _STEP).write_text(json.dumps({"step": int(step)}), "utf-8")
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
        return int(json.loads((checkpoint_folder() / _STEP).read_text("utf-8"))["step"])
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
    with _LOCK, open(path, "ab", buffering=0) as file:
        file.write(line.encode("utf-8", "replace") + b"\n")


def _finite(value: Any) -> Any:
    """Write numbers that JSON does not have as text, which the job's process reads back."""
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
