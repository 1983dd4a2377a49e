"""Scripts: a folder with a Python program becomes a run, on any runner."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.clock import Clock
from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.ids import new_id
from mldesk.core.run_filter import RunFilter
from mldesk.core.scratch import working_folder_in
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.library.run_names import check_run_name
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.manifest import check_path
from mldesk.wire.scripts import KIND, ScriptRequest, check_parameter
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.far_data import FarData
from mldesk.workbench.references import did_you_mean, listed, slug
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.sending import send

SETTINGS = "mldesk.toml"
_NUMBER = re.compile(r"-[0-9]{1,6}$")   # that the library gives
# Folders that no program needs to run; nor what begins with a dot.
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "venv", "env", "mlruns", "lightning_logs"})
_MOST_FILES = 10_000
_MOST_BYTES = 1_000_000_000
_KEYS = {"entry", "parameters", "inputs", "requirements", "name"}


@dataclass(frozen=True, slots=True)
class ScriptOrder:
    """One press of Run."""

    folder: Path                                  # or the program itself
    parameters: Mapping[str, Any] = field(default_factory=dict)   # over those of mldesk.toml
    inputs: Mapping[str, str] = field(default_factory=dict)       # name -> dataset, over those of mldesk.toml
    runner: str = "local"
    name: str = ""
    resources: Resources = field(default_factory=Resources)
    entry: str = ""                               # the program, over that of mldesk.toml
    alone: bool = False                           # of a program, that file and nothing beside it
    not_before: float = 0.0                       # moment that it waits for, seconds since the epoch; 0: none


class ScriptService:
    """Starts scripts, and says what changed in them from run to run."""

    def __init__(self, library: Library, datasets: DatasetService, runners: RunnerService, clock: Clock,
                 scratch: Path | None = None) -> None:
        self._library, self._datasets, self._runners, self._clock = library, datasets, runners, clock
        self._far = FarData(library, runners, clock)
        self._scratch = scratch   # where files are laid out again

    def start(self, order: ScriptOrder) -> Run:
        """Take a copy of the folder and run its program.

        Raises NotFound (folder, dataset), BadInput (mldesk.toml, a parameter it does not have), RunnerUnreachable.
        """
        folder, settings = read_settings(order.folder, order.entry, alone=order.alone)
        files = files_of(folder, settings["entry"], alone=order.alone)
        parameters = _parameters(settings, order.parameters)
        versions = {name: self._datasets.show(reference)
                    for name, reference in {**settings["inputs"], **order.inputs}.items()}
        runner = self._runners.choose(order.runner)
        inputs = {name: version.manifest for name, version in versions.items()}
        self._far.ready_for(list(inputs.values()), runner)
        script = self._library.objects.put_manifest(files)
        request = ScriptRequest(script, settings["entry"], parameters, inputs,
                                {name: version.label for name, version in versions.items()},
                                tuple(settings["requirements"]))
        name = check_run_name(order.name) if order.name else slug(str(settings["name"] or folder.name)) or "script"
        spec = JobSpec(new_id(), KIND, name, (script, *inputs.values()),
                       ScriptRequest.from_json(request.to_json()).to_json(), order.resources,
                       not_before=order.not_before)
        run = self._library.runs.add(spec, runner, next((version.label for version in versions.values()), ""),
                                     self._clock.now(), numbered=not order.name, apart=bool(order.name))
        return send(self._library, self._runners, run)

    def diff(self, run: Run, other: Run | None = None) -> str:
        """Return what changed in a script since another run of it (by default the last one before), as a unified diff.

        Raises BadInput for runs that are no scripts, NotFound where there is none before.
        """
        before = other or self.before(run)
        old, new = self._files(before), self._files(run)
        lines: list[str] = []
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                first, second = (f"{path}\t{one.name} {one.id[-6:]}" for one in (before, run))
                lines += difflib.unified_diff(self._text(old.get(path)), self._text(new.get(path)), first, second)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def changes(self, reference: str) -> tuple[str, str]:
        """Return the run of a script before this one, in words, and ``diff`` against it. Raises as ``diff`` does."""
        run = self._run(reference)
        before = self.before(run)
        return f"{before.name} {before.id[-6:]}", self.diff(run, before)

    def settings(self, path: Path, entry: str = "", *, alone: bool = False) -> dict[str, Any]:
        """Return what a script says of itself, as ``read_settings`` does, once it is sure that it may be run.

        "files" and "bytes" say how much goes along. Raises NotFound, BadInput.
        """
        folder, settings = read_settings(path, entry, alone=alone)
        files = files_of(folder, settings["entry"], alone=alone)
        return {**settings, "files": len(files), "bytes": sum(file.stat().st_size for file in files.values())}

    def lay_out(self, reference: str) -> Path:
        """Return a new folder with the files of a run, to run them once more; it is swept away at a later start.

        Raises NotFound, BadInput, OSError.
        """
        run = self._run(reference)
        files = self._files(run)
        folder = working_folder_in(self._scratch, "script") / (slug(script_name(run)) or "script")
        for path, digest in files.items():
            target = folder.joinpath(*path.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self._library.objects.read(digest))
        return folder

    def kept(self, reference: str) -> dict[str, Mapping[str, Any]]:
        """Return what a run has kept so far: {name: {"digest", "size", "kind"}}. Raises NotFound."""
        return self._library.runs.artifacts(self._run(reference).id)

    def artifact_path(self, reference: str, name: str) -> Path:
        """Return where a file that a run kept lies in the object store; it must not be changed. Raises NotFound."""
        return self._library.objects.path(str(self.kept(reference)[name]["digest"]))

    def _run(self, reference: str) -> Run:
        return self._library.runs.get(reference)

    def save_artifact(self, run: Run, name: str, path: Path) -> Path:
        """Write a file that a run kept to ``path``. Raises NotFound, BadInput."""
        artifacts = self._library.runs.artifacts(run.id)
        if name not in artifacts:
            raise NotFound(f"Run {run.name} kept no {name!r:.60}.",
                           hint=did_you_mean(name, artifacts) or f"It kept: {listed(sorted(artifacts)) or 'nothing'}.")
        check_target(path)
        from mldesk.core.durable import replacing

        with replacing(path) as file:
            file.write(self._library.objects.read(str(artifacts[name]["digest"])))
        return path

    def save_all(self, reference: str, folder: Path) -> list[Path]:
        """Write all that a run kept below a folder that is new or empty. Raises NotFound, BadInput, Conflict, OSError.

        A name that no file of this machine may have is refused, with those before it written.
        """
        kept = self.kept(reference)
        if not kept:
            raise NotFound(f"Run {self._run(reference).name} kept no files.")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(f"There is something called {folder.name!r:.120} already.",
                           hint="Name a new or an empty folder.")
        written = []
        for name in kept:
            path = folder.joinpath(*check_path(name).split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(self.save_artifact(self._run(reference), name, path))
        return written

    def changed(self, run: Run) -> bool:
        """Say whether a run's files differ from those of the run of it before; False for the first one."""
        try:
            return self._files(self.before(run)) != self._files(run)
        except NotFound:
            return False

    def before(self, run: Run) -> Run:
        """Return the last run of a script before this one. Raises NotFound."""
        runs = self._library.runs.list(limit=1000, wanted=RunFilter(kind=KIND))
        same = (item for item in runs if item.id < run.id and script_name(item) == script_name(run))
        if (found := next(same, None)) is None:
            raise NotFound(f"There is no earlier run of the script {run.name}.")
        return found

    def _files(self, run: Run) -> dict[str, str]:
        if run.kind != KIND:
            raise BadInput(f"Run {run.name} is no script.")
        manifest = self._library.objects.manifest(ScriptRequest.from_json(JobSpec.from_json(run.spec).payload).script)
        return {entry.path: entry.sha256 for entry in manifest.entries}

    def _text(self, digest: str | None) -> list[str]:
        if digest is None:
            return []
        try:
            return self._library.objects.read(digest).decode("utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:
            return [f"(not text, SHA-256 {digest})\n"]


def script_name(run: Run) -> str:
    """Return what the script of a run is called: its first name, without the number that made it unlike others."""
    return _NUMBER.sub("", str(run.spec.get("name") or run.name))


def read_settings(path: Path, entry: str = "", *, alone: bool = False) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a script and its settings, those of ``mldesk.toml`` filled up.

    ``path`` is the folder, or the program in it; ``entry`` the program if it is not as mldesk.toml says; ``alone``
    takes the program without what is beside it. Raises NotFound, BadInput naming what is wrong in mldesk.toml.
    """
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        raise NotFound(f"There is no folder or program {str(path)!r:.200}.")
    if path.is_file() and path.suffix != ".py":
        raise BadInput(f"{path.name!r:.80} is no Python program: its name does not end in .py.",
                       hint="Name a program, or the folder that holds it.")
    if alone and not path.is_file():
        raise BadInput(f"{path.name!r:.80} is a folder: there is no one file of it to take alone.",
                       hint="Name the program in it.")
    given: dict[str, Any] = {}
    file = folder / SETTINGS
    if file.is_file() and not alone:
        try:
            given = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise BadInput(f"{SETTINGS} cannot be read: {error}.") from error
        except RecursionError as error:
            raise BadInput(f"{SETTINGS} cannot be read: it is nested too deep.") from error
    if unknown := sorted(set(given) - _KEYS):
        raise BadInput(f"{SETTINGS} says {listed(unknown)}, which is nothing a script has.",
                       hint=f"It may say {listed(sorted(_KEYS))}.")
    shapes = {"entry": str, "parameters": dict, "inputs": dict, "requirements": list, "name": str}
    for key, value in given.items():
        if not isinstance(value, shapes[key]):
            raise BadInput(f"In {SETTINGS}, {key!r} has to be a {_SHAPE_WORDS[shapes[key]]}.")
    settings = {"entry": "", "parameters": {}, "inputs": {}, "requirements": [], "name": "", **given}
    settings["entry"] = path.name if path.is_file() else entry or settings["entry"] or _only_program(folder)
    settings["name"] = settings["name"] or (path.stem if path.is_file() else "")
    for name, value in settings["parameters"].items():
        check_parameter(name, value)
    return folder, settings


_SHAPE_WORDS = {str: "text", dict: "table", list: "list"}


def files_of(folder: Path, entry: str, *, alone: bool = False) -> dict[str, Path]:
    """Return the files of a script's folder by their path in it, those left out that no program needs.

    Of a program in a folder of many other things (more than ten thousand files or 1 GB) nothing is taken. Raises
    BadInput for that, and for a folder without ``entry``.
    """
    if alone:
        return {check_path(entry): folder / entry}
    found: dict[str, Path] = {}
    size = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            found[check_path(path.relative_to(folder).as_posix())] = path
            size += path.stat().st_size
            if len(found) > _MOST_FILES or size > _MOST_BYTES:
                raise BadInput(f"The folder {folder.name!r:.80} holds too much to be a script: more than "
                               f"{_MOST_FILES:,} files or 1 GB.",
                               hint="Take the program alone, or put it into a folder of its own; bring tables in as "
                                    "datasets.")
    if entry not in found:
        raise BadInput(f"The folder {folder.name!r:.80} has no program {entry!r:.80}.",
                       hint=did_you_mean(entry, [name for name in found if name.endswith(".py")]))
    return found


def _only_program(folder: Path) -> str:
    programs = sorted(path.name for path in folder.glob("*.py"))
    for usual in ("train.py", "main.py"):
        if usual in programs:
            return usual
    if len(programs) == 1:
        return programs[0]
    raise BadInput(f"Which program of {folder.name!r:.80} shall run? It has {listed(programs) or 'none'}.",
                   hint=f'Name it, or write entry = "train.py" into {SETTINGS}.')


def _parameters(settings: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was chosen over the defaults, in their types."""
    defaults: Mapping[str, Any] = settings["parameters"]
    found = dict(defaults)
    for name, value in chosen.items():
        if defaults and name not in defaults:
            raise BadInput(f"The script has no parameter {name!r:.60}.",
                           hint=did_you_mean(name, defaults) or f"It has: {listed(sorted(defaults))}.")
        found[name] = _typed(name, value, defaults.get(name))
    for name, value in found.items():
        check_parameter(name, value)
    return found


def _typed(name: str, value: Any, default: Any) -> Any:
    """Return a value as the type of its default; without one as what it looks like."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    if isinstance(default, bool) or (default is None and value in ("true", "false")):
        if value.lower() not in ("true", "false"):
            raise BadInput(f"The parameter {name!r:.60} is true or false, not {value!r:.40}.")
        return value.lower() == "true"
    for kind in (int, float) if default is None or isinstance(default, int) else (float,):
        try:
            return kind(value)
        except ValueError:
            continue
    if default is None:
        return value
    raise BadInput(f"The parameter {name!r:.60} is a number, not {value!r:.40}.")
