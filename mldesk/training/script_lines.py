"""What a user's program said, line by line, as events. The program is the user's, its lines may be anything."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mldesk.training.checkpoints import Checkpoints
from mldesk.wire.batch import Batch
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.scripts import file_name

STATE = "state.tar"        # of a checkpoint: what the script had left in its folder
_LONGEST = 1 << 20          # bytes of one line
_AT_ONCE = 1 << 20          # bytes read at a look
_TURN = 0.5                 # seconds at a look: who says more than can be taken in holds nobody else up
_MOST_METRICS = 1000        # names
_LARGEST_STEP = 1 << 53
_SMALL = 1 << 20            # bytes of a file that waits for others, to be written with them
_TEXT = 10_000              # letters
_EPOCHS = frozenset({"epoch", "train/epoch"})   # in event files: no reading, but when it was taken
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Lines:
    """Follows the file that ``mldesk.track`` writes. ``last``, ``parameters`` and ``artifacts`` are what came of it."""

    def __init__(self, path: Path, report: Report, store: ObjectStore, checkpoints: Checkpoints) -> None:
        self._path, self._report, self._store, self._checkpoints = path, report, store, checkpoints
        self._read = 0
        self._rest = b""
        self._warned: set[str] = set()
        self._batch = Batch(store)
        self._waiting: dict[str, tuple[str, int]] = {}   # files that are about to be kept: digest, size
        self._names: set[str] = set()   # of metrics
        self._told: set[str] = set()    # of those that the program told by mldesk.track
        self.last: dict[str, float] = {}
        self.parameters: dict[str, Any] = {}
        self.asked_for_all = False   # the program took all parameters at once
        self.artifacts: set[str] = set()

    def read(self, *, last: bool = False) -> None:
        """Take in lines that are whole by now: so many that others have their turn, or at the ``last`` look all."""
        until = time.monotonic() + _TURN
        while (last or time.monotonic() < until) and (piece := self._piece()):
            *whole, self._rest = (self._rest + piece).split(b"\n")
            self._rest = b"" if len(self._rest) > _LONGEST else self._rest
            with Batch(self._store) as self._batch:
                for line in whole:
                    self._take(line)
            self._tell_kept()

    def _piece(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._read)
                piece = file.read(_AT_ONCE)
        except OSError:  # nothing was said yet
            return b""
        self._read += len(piece)
        return piece

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            action = getattr(self, f"_on_{said['kind']}") if said["kind"] in _KINDS else None
            if action is None:
                raise ValueError(f"there is no kind {said['kind']!r:.40}")
            action(said)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError, AttributeError) as error:
            self._warn("line", f"A line that the script wrote for MLDesk cannot be read ({str(error)[:100]}).",
                       "Use the functions of mldesk.track; the log is for everything else.")

    def _warn(self, about: str, text: str, hint: str = "") -> None:
        """Warn once of each kind of trouble: a program may repeat it at every step."""
        if about not in self._warned:
            self._warned.add(about)
            self._report.warning(text, hint)

    def _on_metrics(self, said: Mapping[str, Any]) -> None:
        epoch, values = said.get("epoch"), dict(said["values"])
        self._told.update(values)
        self.metrics(int(said["step"]), values, None if epoch is None else float(epoch))

    def metrics_of_events(self, step: int, given: Mapping[str, float]) -> None:
        """Report readings of an event file, but for those that the program, or a callback in it, tells by itself.

        Lightning and Trainer write both, under names a little different. Raises as ``metrics``.
        """
        epoch = next((value for name, value in given.items() if name in _EPOCHS), None)
        values = {name: value for name, value in given.items() if name not in _EPOCHS and self._told.isdisjoint(
            (name, name.replace("/", "_"), name.removeprefix("train/")))}
        if values:
            self.metrics(step, values, epoch if epoch is not None and math.isfinite(epoch) else None)

    def metrics(self, step: int, given: Mapping[str, Any], epoch: float | None = None) -> None:
        """Report readings, of so many names at most. Raises ValueError, TypeError for what are none."""
        if not -_LARGEST_STEP <= step <= _LARGEST_STEP:
            raise ValueError(f"{step!r:.30} is no step")
        read = {_name(name): float(value) for name, value in given.items() if self._nameable(name)}
        values = {name: value for name, value in read.items() if self._known(name)}
        if len(values) < len(read):
            self._warn("metrics", f"The script reports more than {_MOST_METRICS:,} metrics; only the first are kept.",
                       "Use one name for a reading, and steps for its course.")
        if values or not given:
            self._report.metrics(step, values, epoch)
        self.last |= {name: value for name, value in values.items() if math.isfinite(value)}

    def _nameable(self, name: object) -> bool:
        """Say whether a reading may be called so; one that may not costs the others of its step nothing."""
        if isinstance(name, str) and _NAME.fullmatch(name):
            return True
        self._warn("name", f"The script reports a metric as {name!r:.80}, which is no name; it is not kept.",
                   "A name has 1 to 200 letters, and no line breaks.")
        return False

    def _known(self, name: str) -> bool:
        """Say whether a metric of that name is kept: one that was before, or while there are few."""
        if len(self._names) < _MOST_METRICS:
            self._names.add(name)
        return name in self._names

    def _on_parameters(self, said: Mapping[str, Any]) -> None:
        for name, value in dict(said["values"]).items():
            if not isinstance(value, (bool, int, float, str)):
                continue
            if name not in self.parameters and len(self.parameters) >= _MOST_METRICS:
                self._warn("parameters", f"The script has more than {_MOST_METRICS:,} parameters; only the first are "
                           "kept.")
                continue
            self.parameters[_name(name)] = value if not isinstance(value, str) else _text(value)

    def _on_asked_for_all(self, _said: Mapping[str, Any]) -> None:
        self.asked_for_all = True

    def _on_log(self, said: Mapping[str, Any]) -> None:
        self._report.log(_text(said["text"]))

    def _on_progress(self, said: Mapping[str, Any]) -> None:
        done, total = float(said["done"]), float(said["total"])
        if not (math.isfinite(done) and math.isfinite(total) and total > 0):
            raise ValueError("progress without an end")
        self._report.progress(done, total, _text(said.get("unit", "steps"))[:40])

    def _on_artifact(self, said: Mapping[str, Any]) -> None:
        given, path = _name(said["name"]), Path(str(said["path"]))
        name = _inside(given)
        if name != given:
            self._warn("artifact", f"The script's file {given!r:.80} is kept as {name!r:.80}: a name may not lead out "
                       "of a folder.")
        if not path.is_file():
            self._report.warning(f"The script said to keep {name!r:.80}, but there is no such file.")
            return
        copy = path.parent == self._path.parent and path.name.startswith(f"{self._path.name}.file-")
        try:
            if copy and path.stat().st_size <= _SMALL:
                self._put_aside(name, path)
                return
            digest = self._store.put_file(path, move=copy)   # a copy that mldesk.track made for this
        except OSError as error:
            self._report.warning(f"The script said to keep {name!r:.80}, but it cannot be read ({error.strerror}).")
            return
        self._keep(name, digest)

    def _put_aside(self, name: str, path: Path) -> None:
        """Let a small file wait until those said together with it are written, which is much faster."""
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if not self._batch.holds(digest) and not self._store.has(digest):
            self._batch.add(digest, self._store.stage(digest, data))
        path.unlink(missing_ok=True)
        self._waiting[file_name(name)] = (digest, len(data))

    def _tell_kept(self) -> None:
        for name, (digest, size) in self._waiting.items():
            self.artifacts.add(name)
            self._report.event("artifact", name=name, digest=digest, size=size, type="bytes")
        self._waiting.clear()

    def keep(self, name: str, data: bytes) -> None:
        """Keep what came in another way with the run. Raises ValueError for a name that is none."""
        self._keep(_inside(_name(name)), self._store.put_bytes(data))

    def _keep(self, name: str, digest: str) -> None:
        name = file_name(name)
        self.artifacts.add(name)
        self._report.event("artifact", name=name, digest=digest, size=self._store.size(digest), type="bytes")

    def _on_checkpoint(self, said: Mapping[str, Any]) -> None:
        kept, step = Path(str(said["path"])), int(said["step"])
        if kept.parent != self._path.parent:
            raise ValueError("a checkpoint that is not the script's own")
        self._checkpoints.save(step, {"step": step}, lambda folder: _pack(kept, folder / STATE))
        shutil.rmtree(kept, ignore_errors=True)


_KINDS = frozenset(name.removeprefix("_on_") for name in vars(Lines) if name.startswith("_on_"))


def _pack(source: Path, target: Path) -> None:
    """Write a folder as one file, since a checkpoint is a flat folder of files; links and the like stay out."""
    with tarfile.open(target, "w") as archive:
        archive.add(source, arcname=".", filter=lambda item: item if item.isfile() or item.isdir() else None)


def unpack(packed: Path, folder: Path) -> None:
    """Lay out what ``_pack`` wrote below ``folder``, and nothing outside it. Raises ValueError for what it never wrote.

    By hand, since ``tarfile`` has a filter for that from Python 3.11.4 on only, and Debian 12 has 3.11.2.
    """
    with tarfile.open(packed) as archive:
        for item in archive:
            name = PurePosixPath(item.name)
            if name.is_absolute() or ".." in name.parts or not (item.isfile() or item.isdir()):
                raise ValueError(f"{item.name!r:.80} is nothing that a checkpoint holds")
            target = folder / name
            if item.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif (source := archive.extractfile(item)) is not None:
                with source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
                target.chmod(item.mode & 0o755 | 0o600)
                os.utime(target, (item.mtime, item.mtime))


def _text(said: object) -> str:
    """Return what was said, at most so long, with halves of letters (JSON can hold them) written out."""
    return str(said)[:_TEXT].encode("utf-8", "backslashreplace").decode()


def _inside(name: str) -> str:
    """Return the name of a file as a path that stays within the folder it is written to. Raises ValueError."""
    parts = re.sub(r"^[A-Za-z]:", "", name).replace("\\", "/").split("/")
    clean = "/".join(part for part in parts if part.strip() not in ("", ".", ".."))
    if not clean:
        raise ValueError(f"{name!r:.60} is no name of a file")
    return clean


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name")
    return _text(name)
