"""MLflow's two stores of runs: a folder ``mlruns`` of small text files, and an SQLite database.

As MLflow's ``FileStore`` and ``SqlAlchemyStore`` write them; times there are milliseconds. Readings are taken one after
another, and no more of a file than a run may have: it may be larger than the memory.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.workbench.foreign.mlflow_files import files_below, folder_of
from mldesk.workbench.foreign.records import MOST_POINTS, ForeignRun, Point, Readings, Unreadable, possible

_META = "meta.yaml"
_LONGEST = 1 << 20                                        # bytes of a parameter, a tag or a meta.yaml
_LONGEST_LINE = 1000                                      # bytes: a time, a value and a step
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v",
            "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}   # of YAML
_STEPS = 1 << 63                                          # as many as MLflow counts
_PARENT, _NOTE = "mlflow.parentRunId", "mlflow.note.content"
_STATES = {"3": "succeeded", "FINISHED": "succeeded", "4": "failed", "FAILED": "failed"}   # the others never ended well


def is_folder(path: Path) -> bool:
    """Say whether a folder is an ``mlruns``: experiments lie in it."""
    return any((item / _META).is_file() for item in path.iterdir() if item.is_dir() and not item.is_symlink())


def read_folder(path: Path) -> Iterator[ForeignRun | Unreadable]:
    """Give the runs of an ``mlruns`` folder, those in its bin left out and parents first."""
    found = []
    for experiment in sorted(item for item in path.iterdir() if item.is_dir() and not item.is_symlink()):
        if not (experiment / _META).is_file():
            continue
        group = _meta(experiment).get("name", experiment.name)
        for folder in sorted(item for item in experiment.iterdir() if item.is_dir() and not item.is_symlink()):
            if not (folder / _META).exists():
                continue   # the experiment's own tags, models and traces
            meta = _meta(folder) if (folder / _META).is_file() else {}
            if not ("run_id" in meta or "run_uuid" in meta):
                yield Unreadable(folder.name, BadInput(
                    f"The file {_META!r} in MLflow's folder {folder.name!r:.80} names no run.",
                    hint="Mend that file, or take the folder out, and import again."))
            elif meta.get("lifecycle_stage", "active") == "active":
                found.append((folder, meta, group))
    found.sort(key=lambda run: (_seconds(run[1].get("start_time")), (run[0] / "tags" / _PARENT).is_file()))
    for folder, meta, group in found:
        try:
            yield _of_folder(folder, meta, group, path)
        except BadInput as error:
            yield Unreadable(meta.get("run_name") or folder.name, error)


def _of_folder(folder: Path, meta: dict[str, str], group: str, root: Path) -> ForeignRun:
    """Raises BadInput for a reading that is none."""
    tags = {name: _text(path) for name, path in _files(folder / "tags")}
    readings = Readings()
    for name, path in _files(folder / "metrics"):
        readings.add(islice(_points(name, path), MOST_POINTS + 1))   # MLflow appends, so the earliest come first
    key = meta.get("run_id") or meta["run_uuid"]
    kept = folder / "artifacts"
    own = kept.is_dir() and not kept.is_symlink()
    places = [("", kept if own else folder_of(meta.get("artifact_uri", ""), key, root.parent))]
    models = folder.parent / "models"
    for model in sorted(models.iterdir()) if models.is_dir() and not models.is_symlink() else ():
        about = _meta(model) if (model / _META).is_file() and not model.is_symlink() else {}
        if about.get("source_run_id") == key:
            places.append((f"models/{about.get('name', model.name)}/", model / "artifacts"))
    return _run(key, meta.get("run_name") or tags.get("mlflow.runName", ""), group, meta.get("status", ""),
                meta.get("start_time"), meta.get("end_time"),
                {name: _text(path) for name, path in _files(folder / "params")}, tags, readings, places,
                meta.get("artifact_uri", ""))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give files below a folder; a name with slashes was made a folder of."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() and not folder.is_symlink() else ():
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _points(name: str, path: Path) -> Iterator[Point]:
    with open(path, "rb") as file:
        for place, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
            parts = line.split()
            try:
                step = int(parts[2]) if len(parts) > 2 else 0
                if not math.isfinite(float(parts[0])) or abs(step) >= _STEPS:
                    raise ValueError(line)
                yield float(parts[0]) / 1000, step, name, float(parts[1])
            except (IndexError, ValueError) as error:
                raise BadInput(f"MLflow's metric {name!r:.80} cannot be read: line {place} of {path.name!r:.80} is no "
                               "reading.", hint="Take that file out, or mend it, and import again.") from error


def _meta(folder: Path) -> dict[str, str]:
    """Read a meta.yaml: a key and a plain or quoted value each, which goes on in indented lines where it is long."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in _text(folder / _META).splitlines():
        if key and (not line.strip() or line.startswith(" ")):
            found[key].append(line.strip())
            continue
        name, colon, value = line.partition(":")
        key = name.strip() if colon and not name.startswith(("#", "-")) else ""
        if key:
            found[key] = [value.strip()]
    values = {name: _scalar(lines) for name, lines in found.items()}
    return {name: value for name, value in values.items() if value}


def _scalar(lines: list[str]) -> str:
    """Return what a flow scalar says (YAML 1.2, 7.3): folded lines are one, an empty one is a break."""
    text = ""
    for line in lines:
        breaks = text.endswith("\\") and text[:1] == '"'
        text = text[:-1] + line if breaks else text + "\n" if not line else (
            text + line if text.endswith("\n") or not text else f"{text} {line}")
    text = text.strip()
    if text[:1] == text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        return _ESCAPED.sub(_unescaped, text[1:-1])
    return "" if text == "null" else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(min(int(code, 16), 0x10FFFF)) if code else _ESCAPES.get(found[4], found[4])


def _text(path: Path) -> str:
    with open(path, "rb") as file:
        return file.read(_LONGEST).decode("utf-8", "replace")


def is_database(path: Path) -> bool:
    """Say whether a file is an SQLite database."""
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def read_database(path: Path) -> Iterator[ForeignRun | Unreadable]:
    """Give the runs of MLflow's SQLite store, those in its bin left out. Opened read-only. Raises BadInput."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.text_factory = lambda text: text.decode("utf-8", "replace")   # as texts of a folder are read
            rows = database.execute(
                "SELECT r.run_uuid, r.name, r.status, r.start_time, r.end_time, e.name, r.artifact_uri FROM runs r "
                "JOIN experiments e ON r.experiment_id = e.experiment_id WHERE r.lifecycle_stage = 'active' "
                "ORDER BY r.start_time, EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = r.run_uuid AND t.key = ?)",
                (_PARENT,)).fetchall()
            for row in rows:
                try:
                    yield _of_row(database, row, path.parent)
                except BadInput as error:
                    yield Unreadable(str(row[1] or row[0]), error)
    except sqlite3.Error as error:
        raise _no_database(path, error) from error


def _no_database(path: Path, error: Exception) -> BadInput:
    return BadInput(f"{path.name!r:.80} is no database of MLflow's that can be read: {error!s:.200}.",
                    hint="The file is the one of the tracking URI sqlite:///FILE.")


def _of_row(database: sqlite3.Connection, row: Sequence[Any], around: Path) -> ForeignRun:
    """Raises sqlite3.Error; BadInput for a cell that no MLflow writes."""
    key, name, status, start, end, group, uri = row
    if not isinstance(key, str) or not isinstance(name, str | None):
        raise BadInput(f"MLflow's run {key!r:.80} cannot be read: its id or its name is no text.",
                       hint="Mend its row of the table 'runs', or take it out, and import again.")
    params, tags = ({str(k): str(v)[:_LONGEST] for k, v in database.execute(
        f"SELECT key, value FROM {table} WHERE run_uuid = ?", (key,))}   # noqa: S608 - our two words
        for table in ("params", "tags"))
    readings = Readings()
    readings.add(_point(*cells) for cells in database.execute(
        "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ?", (key,)))
    logs_models = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'logged_models'").fetchone()
    models = database.execute("SELECT name, model_id, artifact_location FROM logged_models WHERE source_run_id = ? "
                              "AND lifecycle_stage = 'active'", (key,)).fetchall() if logs_models else ()
    places = [("", folder_of(str(uri or ""), key, around)),
              *((f"models/{called}/", folder_of(str(location), str(model), around))
                for called, model, location in models)]
    return _run(key, name or tags.get("mlflow.runName", ""), str(group), str(status), start, end,
                params, tags, readings, places, str(uri or ""))


def _point(metric: object, value: Any, time: Any, step: Any, is_nan: object) -> Point:
    """Raises BadInput for a row of metrics that is no reading."""
    try:
        place = int(step or 0)
        if abs(place) >= _STEPS:
            raise ValueError(step)
        return time / 1000, place, str(metric), float("nan") if is_nan else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"MLflow's metric {metric!r:.80} cannot be read: a row of it (step {step!r:.30}, value "
                       f"{value!r:.30}, timestamp {time!r:.30}) is no reading.",
                       hint="Mend that row of the table 'metrics', or take it out, and import again.") from error


def _run(key: str, name: str, group: str, status: str, start: object, end: object, parameters: dict[str, str],
         tags: dict[str, str], readings: Readings, places: list[tuple[str, Path | None]], uri: str) -> ForeignRun:
    points = readings.in_order()
    started = _seconds(start) or (points[0][0] if points else 0.0)
    ended = _seconds(end) or max([started, *(point[0] for point in points[-1:])])
    files, left = files_below((begins, place) for begins, place in places if place is not None)
    away = f"Its files stayed at {uri[:300]}, where MLflow kept them." if places[0][1] is None and _far(uri) else ""
    return ForeignRun(f"mlflow:{key}", name or key[:12], group, "mlflow", _STATES.get(status, "cancelled"), started,
                      max(started, ended), parameters, tags, points, tags.get(_NOTE, ""),
                      f"mlflow:{tags[_PARENT]}" if tags.get(_PARENT) else "", files,
                      tuple(filter(None, (left, away, *readings.left_out))))


def _far(uri: str) -> bool:
    """Say whether an address leads to another machine, so that files may well be there."""
    return "://" in uri and not uri.startswith("file:")


def _seconds(milliseconds: object) -> float:
    """Return seconds since the epoch; 0 for what is no time, or none that a calendar has."""
    try:
        seconds = float(str(milliseconds)) / 1000
    except ValueError:
        return 0.0
    return possible(seconds)
