"""The training part of an installation: the packages brought to the box, unpacked, tried, and switched to.

Wheels go over by their digests; what arrived before, or lies in an environment that is there, does not go again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mldesk.runners.provision.progress import Progress
from mldesk.runners.provision.scripts import program
from mldesk.runners.provision.steps import LONG_STEP, Archive, InstallFailed, Steps, last_line
from mldesk.runners.provision.training_plan import Source, Training

# What must load before a box counts as one that trains; mldesk.training.run names the rest of it.
MODULES = ("torch", "mldesk.training.run", "psutil")
_SENDING, _FETCHING, _UNPACKING, _TRYING = (
    "Sending the training packages", "The machine downloads the training packages", "Setting the training packages up",
    "Trying a training")
_EFFORT = 50_000_000       # of trying it: as long as sending so many bytes takes, roughly
_ASKED = 100               # digests of one question
_FETCH_SECONDS = 7200.0       # seconds; a box may be far from its index


@dataclass(frozen=True, slots=True)
class Supply:
    """What this desktop gives for the training part."""

    wheels: Sequence[Path] = ()       # all that the lock names
    pip: Archive | None = None        # a wheel of pip, for a box with internet and without uv
    uv: Archive | str = ""            # uv to send, or "uv": there is one; "": neither
    index: str = ""                   # the user's own package indexes, spaces between them
    modules: tuple[str, ...] = MODULES

    @staticmethod
    def phases(training: Training) -> list[tuple[str, float]]:
        """Return what will be told of it, with weights."""
        if training.source is Source.THERE:
            return []
        if training.source is Source.DOWNLOAD:
            return [(_FETCHING, training.download), (_TRYING, _EFFORT)]
        return [(_SENDING, training.upload), (_UNPACKING, training.disk / 10), (_TRYING, _EFFORT)]


def install_training(work: Steps, training: Training, supply: Supply, cards: int,
                     progress: Progress) -> tuple[int, str]:
    """Make the environment of a plan, if it is not there; return the bytes sent and what it said when it was tried.

    Raises InstallBusy, InstallFailed with the reason when it does not train, RunnerUnreachable.
    """
    if training.source is Source.THERE or last_line(work.step("begin_environment", training.key)) == "whole":
        return 0, ""
    if training.source is Source.UPLOAD:
        sent = _send_wheels(work, training, supply, progress)
    else:
        sent = _fetch(work, training, supply, progress)
    progress.phase(_TRYING)
    tried = work.step("try_environment", training.key, training.torch.name, str(cards), *supply.modules,
                      stdin=program("try_training").encode(), timeout=LONG_STEP)
    return sent, tried.stdout.decode("utf-8", "replace").strip()


def _send_wheels(work: Steps, training: Training, supply: Supply, progress: Progress) -> int:
    if not supply.wheels:
        raise InstallFailed("The plan sends packages, and none were given.", hint="Make the plan again.")
    wheels = [Archive(path, _digest(path)) for path in supply.wheels]
    absent = _absent(work, wheels)
    part, total, sent, before = progress.phase(_SENDING), sum(item.size for item in absent) or 1, 0, 0
    for wheel in absent:
        sent += work.send(wheel, lambda moved, before=before: part((before + moved) / total))  # type: ignore[misc]
        before += wheel.size
    listing = json.dumps({"wheels": [{"digest": item.digest, "name": item.path.name} for item in wheels]}).encode()
    name = hashlib.sha256(listing).hexdigest()
    sent += work.upload(name, io.BytesIO(listing), len(listing))
    progress.phase(_UNPACKING)
    work.step("fill_environment", training.key, name, stdin=program("unpack").encode(), timeout=LONG_STEP)
    return sent


def _fetch(work: Steps, training: Training, supply: Supply, progress: Progress) -> int:
    sent, tool = 0, "pip"
    progress.phase(_FETCHING)
    if isinstance(supply.uv, Archive):
        sent = work.send(supply.uv)
        tool = last_line(work.step("place_uv", supply.uv.digest))
    elif supply.uv:
        tool = supply.uv
    else:
        if supply.pip is None:
            raise InstallFailed("The plan sends pip, and none was given.", hint="Make the plan again.")
        sent = work.send(supply.pip)
        work.step("place_pip", supply.pip.digest)
    work.values["index"] = supply.index
    work.step("fetch_environment", training.key, tool, timeout=_FETCH_SECONDS,
              stdin=training.lock.requirements(builds=bool(supply.index)).encode())
    return sent


def _absent(work: Steps, wheels: Sequence[Archive]) -> list[Archive]:
    there: set[str] = set()
    for at in range(0, len(wheels), _ASKED):
        asked = [wheel.digest for wheel in wheels[at:at + _ASKED]]
        there.update(work.step("there", *asked).stdout.decode("ascii", "replace").split())
    return [wheel for wheel in wheels if wheel.digest not in there]


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
