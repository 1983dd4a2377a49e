"""Taking over runs that MLflow or TensorBoard kept: their curves, parameters and tags become runs of the library."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.ids import id_for
from mldesk.library import Library
from mldesk.library.names import tidy_name
from mldesk.library.records import Run
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.manifest import check_path
from mldesk.wire.scripts import file_name
from mldesk.workbench.foreign import mlflow, tensorboard
from mldesk.workbench.foreign.records import ForeignRun, Unreadable

KIND = "imported"
_MOST_TAGS, _LONGEST_TAG, _LONGEST_GROUP = 20, 60, 100
_ODD = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')   # what a file of some system may not hold
_LONGEST_PART = 60      # letters, of four bytes at most
_BATCH = 5000   # events in one transaction


@dataclass(frozen=True, slots=True)
class RunsImported:
    """What came in."""

    runs: tuple[Run, ...]        # new ones
    known: int                   # that were here already
    unreadable: tuple[Unreadable, ...] = ()   # that are damaged


class RunImport:
    """Reads stores of other programs. The same run read twice is one run."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def take(self, path: Path) -> RunsImported:
        """Take over the runs at ``path``: an ``mlruns`` folder (or the one around it), MLflow's SQLite file, or a
        folder or file of TensorBoard's.

        A run that is damaged holds up no other. Raises NotFound; BadInput where there is no run that can be read, or
        for a damaged database, with the runs before the damage taken over.
        """
        new, ids, known, unreadable = [], dict[str, str](), 0, list[Unreadable]()
        for found in _found(path):
            if isinstance(found, Unreadable):
                unreadable.append(found)
                continue
            spec = _spec(found, ids.get(found.parent, ""))
            ids[found.key] = spec.id
            try:
                run = self._library.runs.get(spec.id)
            except NotFound:
                run = self._library.runs.add(spec, "local", "", found.started)
            if run.state.final:
                known += 1
                continue
            for batch in _batches(_events(found, self._kept(found))):
                self._library.runs.apply(run.id, batch)
            tags = [found.program, *(f"{name}={value}" for name, value in found.tags.items()
                                     if not name.startswith("mlflow."))]
            new.append(self._library.runs.annotate(   # MLflow's names may hold / and @, as in /Shared/me@home/churn
                run.id, group=tidy_name(found.group, "")[:_LONGEST_GROUP], note=found.note, tags=[
                    name for tag in tags if len(tag) <= _LONGEST_TAG and (name := tidy_name(tag, ""))][:_MOST_TAGS]))
        if not new and not known:
            if unreadable:
                raise unreadable[0].why
            raise BadInput(f"{path.name!r:.120} holds no runs.", hint="An mlruns folder, MLflow's SQLite file, or a "
                           "folder with TensorBoard's event files can be imported.")
        return RunsImported(tuple(new), known, tuple(unreadable))

    def _kept(self, found: ForeignRun) -> Iterator[tuple[str, str, int]]:
        """Take in the files of a run; give name, digest and size of each. Nothing in them is looked at."""
        objects, taken = self._library.objects, set[str]()
        for name, what in found.files.items():
            digest = objects.put_bytes(what) if isinstance(what, bytes) else objects.put_file(what)
            called = file_name(_plain(name))
            if called in taken:   # it was not before it was made plain
                called = f"{digest[:12]}/{PurePosixPath(called).name}"
            taken.add(called)
            yield called, digest, objects.size(digest)


def _found(path: Path) -> Iterator[ForeignRun | Unreadable]:
    if not path.exists():
        raise NotFound(f"There is no file or folder {str(path)!r:.300}.")
    if path.is_file():
        if mlflow.is_database(path):
            return mlflow.read_database(path)
        if tensorboard.is_log(path):
            return tensorboard.read_logs(path)
        raise BadInput(f"{path.name!r:.120} is neither a database of MLflow's nor an event file of TensorBoard's.")
    for folder in (path, path / "mlruns"):
        if folder.is_dir() and mlflow.is_folder(folder):
            return mlflow.read_folder(folder)
    return tensorboard.read_logs(path)


def _plain(name: str) -> str:
    """Return a file's name as one that means the same file everywhere, so that it can be written again."""
    with suppress(BadInput):
        return check_path(name)
    parts = [_ODD.sub("-", part)[:_LONGEST_PART].strip(" .") for part in unicodedata.normalize("NFC", name).split("/")]
    with suppress(BadInput):
        return check_path("/".join(filter(None, parts)))
    return f"file-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:12]}"   # a device's name, or too long


def _spec(found: ForeignRun, parent: str) -> JobSpec:
    digest = hashlib.sha256(found.key.encode()).digest()
    return JobSpec(id_for(found.started, digest[:10]), KIND, found.name[:200] or found.program, (), {
        "program": found.program, "key": found.key, "group": found.group, "parameters": dict(found.parameters),
        "tags": dict(found.tags), "parent": parent})


def _events(found: ForeignRun, kept: Iterator[tuple[str, str, int]]) -> Iterator[Event]:
    numbers = itertools.count(1)
    yield Event(next(numbers), found.started, "started", {"attempt": 1, "pid": 0, "host": found.program, "device": "",
                                                          "resumed_from": None})
    last: dict[str, float] = {}
    for (time, step), points in itertools.groupby(found.points, key=lambda point: point[:2]):
        values = {name: value for _, _, name, value in points}
        last.update(values)
        yield Event(next(numbers), time, "metrics", {
            "step": step, "epoch": None, "seconds": max(0.0, time - found.started), "values": values})
    for name, digest, size in kept:
        yield Event(next(numbers), found.ended, "artifact", {"name": name, "digest": digest, "size": size,
                                                             "type": "bytes"})
    for text in found.left_out:
        yield Event(next(numbers), found.ended, "warning", {"text": text, "hint": ""})
    if found.state == "succeeded":
        yield Event(next(numbers), found.ended, "succeeded", {"result": {
            "metrics": last, "parameters": dict(found.parameters), "seconds": max(0.0, found.ended - found.started)}})
    elif found.state == "failed":
        yield Event(next(numbers), found.ended, "failed", {
            "cause": "internal", "message": f"It failed where {found.program} kept it.", "hint": ""})
    else:
        yield Event(next(numbers), found.ended, "cancelled", {
            "cause": "cancelled", "message": f"It never ended, as far as {found.program} knows."})


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    while batch := list(itertools.islice(events, _BATCH)):
        yield batch
