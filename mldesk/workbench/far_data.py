"""Tables whose rows lie on a runner only: made there of a file that was there, described here, brought when wanted.

The library holds such a table's manifest and columns; that its parts are elsewhere shows in their absence. Which runner
has them is what the import's own run says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core import canonical
from mldesk.core.clock import Clock
from mldesk.core.errors import BadInput, Conflict, LibraryDamaged, MldeskError, NotFound
from mldesk.core.ids import new_id
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.records import DatasetVersion, Run
from mldesk.wire.events import Event
from mldesk.wire.imports import KIND, ImportedTable, ImportRequest
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.manifest import is_digest
from mldesk.wire.objects import ObjectMissing
from mldesk.workbench.references import slug
from mldesk.workbench.runner_asking import AskedRunners
from mldesk.workbench.sending import send

if TYPE_CHECKING:
    from mldesk.data import ImportOptions

_LARGEST = 256 * 1024 * 1024   # bytes of a table's description
Report = Callable[[str, float], None]
log = logging.getLogger("mldesk.data")


class DataElsewhere(NotFound):
    """A table's rows are on a runner and not in this library."""

    code = "data_elsewhere"

    def __init__(self, version: DatasetVersion, runner: str) -> None:
        super().__init__(f"The data of {version.label} are on the runner {runner}, not on this machine.",
                         hint=f"Bring them here: mldesk data fetch {version.label}.")
        self.runner = runner


class DataPurged(NotFound):
    """A version's rows were thrown away."""

    code = "data_purged"

    def __init__(self, version: DatasetVersion) -> None:
        super().__init__(f"The rows of {version.label} were purged; only what it came of is known.",
                         hint=f"`mldesk data versions {version.dataset}` lists those that have rows.")


def is_here(library: Library, manifest: str) -> bool:
    """Say whether every file of a table is in this library. Raises ObjectMissing, LibraryDamaged."""
    return all(library.objects.has(entry.sha256) for entry in library.objects.manifest(manifest).entries)


def refuse_elsewhere(library: Library, version: DatasetVersion) -> None:
    """Raise DataElsewhere for a table whose rows are on a runner only, DataPurged for one that has none any more.

    One that is damaged is not for us to say.
    """
    if version.purged is not None:
        raise DataPurged(version)
    runner = library.runs.importer(version.manifest)
    if runner is None:
        return
    try:
        here = is_here(library, version.manifest)
    except (ObjectMissing, LibraryDamaged):
        return
    if not here:
        raise DataElsewhere(version, runner)


def keep_imported(library: Library, run: Run, events: Sequence[Event]) -> None:
    """Make the dataset version that an import on a runner gave; a second time changes nothing.

    Called before the run's end is kept, so that a crash in between repeats this. A description that makes no sense
    makes no dataset, and the log says so.
    """
    for event in events:
        result = event.payload.get("result")
        if event.kind == "succeeded" and event.seq > run.last_seq and isinstance(result, Mapping):
            try:
                _keep(library, run, result)
            except (BadInput, LibraryDamaged, ObjectMissing) as error:
                log.warning("the import %s gave no dataset: %s", run.id, error)


def _keep(library: Library, run: Run, result: Mapping[str, Any]) -> None:
    digest = result.get("table")
    if not isinstance(digest, str) or not is_digest(digest) or library.objects.size(digest) > _LARGEST:
        raise BadInput("The runner does not say what it made.")
    try:
        table = ImportedTable.from_json(canonical.loads(library.objects.read(digest)))
    except ValueError as error:
        raise BadInput("The runner's description of the table cannot be read.") from error
    request = ImportRequest.from_json(JobSpec.from_json(run.spec).payload)
    manifest = library.objects.put_bytes(table.manifest.to_bytes())
    try:
        if any(version.manifest == manifest for version in library.datasets.versions(request.name)):
            return
    except NotFound:
        pass  # its first version
    library.datasets.add(request.name, manifest=manifest, rows=table.rows, columns=table.columns,
                         size=table.manifest.size, source=f"{request.path} on {run.runner}", problems=table.problems)


class FarData:
    """Imports on runners, and their data. Holds nothing between calls."""

    def __init__(self, library: Library, runners: AskedRunners, clock: Clock) -> None:
        self._library, self._runners, self._clock = library, runners, clock

    def import_on(self, runner: str, path: str, name: str, options: ImportOptions | None = None, *,
                  link: bool = True) -> Run:
        """Have a runner make a table of a file that lies there; return the run that does it, to be followed.

        Once it has succeeded, ``name`` has a version with that table. Raises NotFound, BadInput, Conflict for the
        runner of this machine, RunnerUnreachable (then it is sent when the runner answers).
        """
        name = check_name(name, "dataset")
        if self._runners.show(runner).kind == "local":
            raise Conflict(f"The runner {runner} is this machine itself.",
                           hint="Import the file without naming a runner.")
        request = ImportRequest(path, name, {} if options is None else options.to_json(), link)
        payload = ImportRequest.from_json(request.to_json()).to_json()
        spec = JobSpec(new_id(), KIND, f"import-{slug(name) or 'table'}", (), payload, Resources(device="cpu"))
        run = self._library.runs.add(spec, runner, "", self._clock.now(), numbered=True)
        return send(self._library, self._runners, run)

    def where(self, version: DatasetVersion) -> str | None:
        """Return the runner that alone has a table's rows; None when they are here."""
        try:
            refuse_elsewhere(self._library, version)
        except DataElsewhere as error:
            return error.runner
        return None

    def fetch(self, manifest: str, runner: str) -> None:
        """Bring a table's files here. Raises NotFound, RunnerUnreachable, DiskFull."""
        if not any(record.name == runner for record in self._runners.list()):
            raise NotFound(f"The data are on the runner {runner}, which this library does not know any more.",
                           hint=f"Add that machine again under this name: mldesk runners add {runner} USER@HOST")
        with self._runners.asking(runner) as client:
            client.fetch(manifest, self._library.objects)
        if not is_here(self._library, manifest):
            raise NotFound(f"The runner {runner} no longer has these data whole.", hint="Import the file there again.")

    def ready_for(self, manifests: Sequence[str], runner: str, report: Report = lambda _what, _part: None) -> None:
        """See that a runner can have some tables: those that only another one has are brought here first.

        Raises as ``fetch``.
        """
        for manifest in manifests:
            home = self._library.runs.importer(manifest)
            if home is None or home == runner:
                continue
            try:
                here = is_here(self._library, manifest)
            except MldeskError:  # said when it is sent
                continue
            if not here:
                report(f"The data come here from {home}", 0.0)
                self.fetch(manifest, home)
