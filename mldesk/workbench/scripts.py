"""Scripts: a folder with a Python program becomes a run, on any runner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.clock import Clock
from mldesk.core.errors import BadInput, Conflict, MldeskError, NotFound
from mldesk.core.ids import new_id
from mldesk.core.run_filter import RunFilter
from mldesk.core.scratch import working_folder_in
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.library.run_names import check_run_name
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.manifest import check_path
from mldesk.wire.scripts import KIND, ScriptRequest
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.far_data import FarData
from mldesk.workbench.references import did_you_mean, listed, slug
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.script_diff import script_diff, text_of
from mldesk.workbench.script_settings import files_of, links_left, parameters_of, read_settings
from mldesk.workbench.sending import send

_NUMBER = re.compile(r"-[0-9]{1,6}$")   # that the library gives


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
        parameters = parameters_of(settings, order.parameters)
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
        first, second = (f"{one.name} {one.id[-6:]}" for one in (before, run))
        return script_diff(self._files(before), self._files(run), self._library.objects.read, (first, second))

    def changes(self, reference: str) -> tuple[str, str]:
        """Return the run of a script before this one, in words, and ``diff`` against it. Raises as ``diff`` does."""
        run = self._run(reference)
        before = self.before(run)
        return f"{before.name} {before.id[-6:]}", self.diff(run, before)

    def between(self, references: Sequence[str]) -> str | None:
        """Return ``diff`` from the first to the second of two runs of scripts; None for any others. Raises NotFound."""
        runs = [self._run(reference) for reference in references]
        if len(runs) != 2 or any(run.kind != KIND for run in runs):
            return None
        try:
            return self.diff(runs[1], runs[0])
        except (MldeskError, OSError):   # files of a run that are no longer here
            return None

    def program(self, run: Run) -> tuple[str, str, str]:
        """Return the name and text of a run's program, and the digest of all its files. Raises BadInput, NotFound."""
        files = self._files(run)
        request = ScriptRequest.from_json(JobSpec.from_json(run.spec).payload)
        return request.entry, text_of(files.get(request.entry), self._library.objects.read), request.script

    def settings(self, path: Path, entry: str = "", *, alone: bool = False) -> dict[str, Any]:
        """Return what a script says of itself, as ``read_settings`` does, once it is sure that it may be run.

        "files" and "bytes" say how much goes along, "left_out" which links do not. Raises NotFound, BadInput.
        """
        folder, settings = read_settings(path, entry, alone=alone)
        files = files_of(folder, settings["entry"], alone=alone)
        return {**settings, "files": len(files), "bytes": sum(file.stat().st_size for file in files.values()),
                "left_out": [] if alone else links_left(folder)}

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


def script_name(run: Run) -> str:
    """Return what the script of a run is called: its first name, without the number that made it unlike others."""
    return _NUMBER.sub("", str(run.spec.get("name") or run.name))
