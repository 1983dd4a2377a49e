"""Datasets: bring tables in, look at them, take them out again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mldesk.core import canonical
from mldesk.core.errors import BadInput, Conflict, LibraryDamaged, NotFound
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.names import check_name, fold
from mldesk.library.records import Dataset, DatasetVersion
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import ColumnType, Order
from mldesk.workbench.far_data import refuse_elsewhere
from mldesk.workbench.held_files import CLIPBOARD, STREAM
from mldesk.workbench.imported import Imported, reading_of, same_rows
from mldesk.workbench.pages import Page
from mldesk.workbench.references import listed, parse_reference, which_version
from mldesk.workbench.source_digests import SourceDigests
from mldesk.workbench.sources import Source, clipboard_file, resolved, streamed_file, told

if TYPE_CHECKING:  # duckdb and pyarrow load with mldesk.data: only where a table is really touched
    from mldesk.data import ImportOptions, ImportPreview, Table, TableView
    from mldesk.data.query_process import QueriedTable
    from mldesk.data.statistics.nearly_numbers import NearlyNumbers
    from mldesk.workbench.row_reader import RowReader

Progress = Callable[[float, float], None]  # done, total; in bytes or rows, whichever the step counts
Cancelled = Callable[[], bool]


class DatasetService:
    """What can be done with tables. Every change is a new version; nothing is ever altered in place."""

    def __init__(self, library: Library, home: Home) -> None:
        self._library, self._home = library, home
        self._nearly: dict[str, tuple[NearlyNumbers, ...]] = {}   # by manifest, which never changes

    def import_files(self, paths: Sequence[Source], name: str, *, options: ImportOptions | None = None,
                     progress: Progress | None = None, cancelled: Cancelled | None = None,
                     rejects: Path | None = None, again: bool = False) -> Imported:
        """Read sources as one table, as a new dataset or the next version of one.

        Where a version of it has the same rows, none is made unless ``again``; see ``Imported``. A source is a path
        (of a file, folder or archive), a URL, ``sample:NAME`` or ``template:NAME``. Rows that are left out go to the
        CSV file ``rejects``. Raises BadInput (ImportRefused), NotFound, WorkFailed, ImportCancelled, DiskFull.
        """
        from mldesk.data import ImportOptions, import_table

        name = check_name(name, "dataset")
        with resolved(paths, self._home.scratch) as found, SourceDigests(paths) as digests:
            table = import_table(found, self._library.objects, self._home.scratch,
                                 options or ImportOptions(), progress=progress, cancelled=cancelled, rejects=rejects,
                                 seen=digests.see)
            reading = reading_of(paths, table, digests.found())
        return self._imported(name, table, again, source=told(paths, table.source), reading=reading)

    def register(self, path: Source, name: str, *, progress: Progress | None = None,
                 cancelled: Cancelled | None = None, again: bool = False) -> Imported:
        """Make a Parquet file, or a folder of them, a version whose rows stay where they lie, see ``registering``."""
        from mldesk.workbench.registering import registered_table

        name = check_name(name, "dataset")
        with resolved([path], self._home.scratch) as found:
            table, files = registered_table(Path(found[0]), self._library.objects, self._home.scratch, progress,
                                            cancelled)
        return self._imported(name, table, again, source=table.source, reading=reading_of([path], table, files))

    def preview_import(self, paths: Sequence[Source], *, options: ImportOptions | None = None, rows: int = 50,
                       progress: Progress | None = None, cancelled: Cancelled | None = None) -> ImportPreview:
        """Return what ``import_files`` would make of the sources; of long ones the beginning is read. Keeps nothing.

        Raises as ``import_files`` does; an ImportRefused may name ``fixes``.
        """
        from mldesk.data import preview_import

        with resolved(paths, self._home.scratch) as found:
            return preview_import(found, options, self._home.scratch, rows=rows, progress=progress,
                                  cancelled=cancelled)

    def import_text(self, text: str, name: str, *, options: ImportOptions | None = None,
                    progress: Progress | None = None, cancelled: Cancelled | None = None,
                    rejects: Path | None = None, again: bool = False) -> Imported:
        """Read a table from the clipboard: HTML, or lines of cells. Raises as ``import_files`` does."""
        from mldesk.data import ImportOptions, import_table

        name = check_name(name, "dataset")
        with clipboard_file(text, self._home.scratch) as path:
            table = import_table([path], self._library.objects, self._home.scratch, options or ImportOptions(),
                                 progress=progress, cancelled=cancelled, rejects=rejects)
        return self._imported(name, table, again, source=CLIPBOARD)

    def import_stream(self, stream: BinaryIO, name: str, *, options: ImportOptions,
                      progress: Progress | None = None, cancelled: Cancelled | None = None,
                      rejects: Path | None = None, again: bool = False) -> Imported:
        """Read a table from a stream, which cannot be read again. Raises as ``import_files`` does."""
        from mldesk.data import import_table

        name = check_name(name, "dataset")
        with streamed_file(stream, options.format, self._home.scratch) as path:
            table = import_table([path], self._library.objects, self._home.scratch, options, progress=progress,
                                 cancelled=cancelled, rejects=rejects)
        return self._imported(name, table, again, source=STREAM)

    def preview_stream(self, stream: BinaryIO, *, options: ImportOptions, rows: int = 50,
                       progress: Progress | None = None, cancelled: Cancelled | None = None) -> ImportPreview:
        """Return what ``import_stream`` would make of a stream, which is read to its end. Raises as it does."""
        from mldesk.data import preview_import

        with streamed_file(stream, options.format, self._home.scratch) as path:
            return preview_import([path], options, self._home.scratch, rows=rows, progress=progress,
                                  cancelled=cancelled)

    def preview_text(self, text: str, *, options: ImportOptions | None = None, rows: int = 50,
                     cancelled: Cancelled | None = None) -> ImportPreview:
        """Return what ``import_text`` would make of a text. Raises as it does."""
        from mldesk.data import preview_import

        with clipboard_file(text, self._home.scratch) as path:
            return preview_import([path], options, self._home.scratch, rows=rows, cancelled=cancelled)

    def import_again(self, name: str, *, progress: Progress | None = None, cancelled: Cancelled | None = None,
                     rejects: Path | None = None, without_merged: bool = False) -> Imported:
        """Read the sources of a dataset's last import anew, with its options.

        Raises Conflict if it knows none, or if rows of other files were merged since, which the next version would
        not have, unless ``without_merged`` says that this is meant.
        """
        from mldesk.data import ImportOptions

        imported = [version for version in self.versions(name) if version.reading is not None]
        if not imported:
            raise Conflict(f"{name} was not imported from files that are known.", hint="Import its file again by name.")
        line = {version.number for version in self.line_of(self.show(name))}
        merged = [file for file in self._library.contracts.accepted(imported[-1].dataset) if file.version in line]
        if merged and not without_merged:
            files = f"{merged[0].name} and {len(merged) - 1:,} more" if merged[1:] else merged[0].name
            raise Conflict(f"{name} has {sum(file.rows for file in merged):,} rows that were merged ({files:.120}); "
                           "reading its files again would leave them out.",
                           hint="Merge new files instead (`mldesk data check --merge`), or give --without-merged: the "
                           "version that has those rows stays, and they can be merged into the next one.")
        last = imported[-1].reading or {}
        if imported[-1].outside is not None:
            return self.register(imported[-1].outside, imported[-1].dataset, progress=progress, cancelled=cancelled,
                                 again=bool(merged))
        return self.import_files(list(last["sources"]), imported[-1].dataset, progress=progress, cancelled=cancelled,
                                 options=ImportOptions.from_json(last["options"]), rejects=rejects,
                                 again=bool(merged))

    def show(self, reference: str) -> DatasetVersion:
        """Return the version that ``N`` or ``N@V`` means. Raises NotFound, with the nearest names."""
        name, number = parse_reference(reference)
        try:
            return self._library.datasets.version(name, number)
        except NotFound as error:
            names = [item.name for item in self._library.datasets.list()]
            hint = error.hint if name.rpartition("@")[0] in names else which_version(
                name, names, lambda: (item.number for item in self._library.datasets.versions(name)), error.hint)
            raise type(error)(error.message, hint=hint or f"Datasets here: {listed(names) or 'none yet'}.") from error

    def versions(self, name: str) -> list[DatasetVersion]:
        """Return every version, oldest first. Raises NotFound."""
        return self._library.datasets.versions(self.show(name).dataset)

    def line_of(self, version: DatasetVersion) -> Sequence[DatasetVersion]:
        """Return a version and those it came of, the newest first, back to an import."""
        known = {item.number: item for item in self._library.datasets.versions(version.dataset)}
        line: dict[int, DatasetVersion] = {}
        number: int | None = version.number
        while number is not None and number in known and number not in line:
            line[number] = known[number]
            number = known[number].parent
        return tuple(line.values())

    def preview(self, reference: str, *, rows: int = 20, offset: int = 0, order_by: Order | None = None,
                where: str | None = None, search: str | None = None, only: Sequence[int] | None = None,
                total: int | None = None) -> Page:
        """Return some rows. ``order_by`` are (column, descending) pairs; ``where`` is SQL; ``only`` the places of rows;
        ``total`` how many fit, where that was said before. Raises NotFound, BadInput.
        """
        if rows < 0 or offset < 0:
            raise BadInput("The number of rows and the offset cannot be negative.")
        version = self.show(reference)
        with self.view(version) as view:
            if total is None:
                total = view.count(where=where, search=search, only=only)
            got, places = view.placed_rows(offset, rows, order_by=order_by, where=where, search=search, only=only)
        return Page(tuple(column.name for column in version.columns), got, offset, total, places=places)

    def reader(self, version: DatasetVersion) -> RowReader:
        """Return what pages of a version are read with one after another, to be closed after use."""
        from mldesk.workbench.row_reader import RowReader

        return RowReader(version, self.view)

    def preview_numbered(self, reference: str, *, rows: int = 20, offset: int = 0, where: str | None = None,
                         only: Sequence[int] | None = None) -> Page:
        """Return some rows as ``preview`` does, each with its place, which is known for rows that fit as well."""
        version = self.show(reference)
        with self.view(version) as view:
            if where:
                places, total = view.places(offset, rows, where, only=only), view.count(where=where, only=only)
            else:
                fitting: Sequence[int] = range(version.rows) if only is None else \
                    [place for place in only if place < version.rows]
                places, total = list(fitting[offset:offset + rows]), len(fitting)
            whole = only is None and not where
            got = view.rows(offset, rows) if whole else view.rows(0, len(places), only=places)
        return Page(tuple(column.name for column in version.columns), got, offset, total, places=places)

    def query(self, reference: str, sql: str, *, limit: int = 1000, cancelled: Cancelled | None = None) -> Page:
        """Answer a read-only SQL query over table ``data`` (also known by the dataset's name).

        Raises BadInput; WorkFailed for what needs too much memory; ImportCancelled soon after ``cancelled`` says so,
        which is asked in this thread.
        """
        from mldesk.data.stopping import stoppable

        asked = self._queried(self.show(reference))
        columns, rows, truncated = stoppable(lambda: asked.page(sql, limit), cancelled, "The query")
        return Page(tuple(columns), rows, 0, len(rows), truncated)

    def keep_query(self, reference: str, sql: str, name: str = "", *,
                   cancelled: Cancelled | None = None) -> DatasetVersion:
        """Keep all rows that a query over a version gives: as the dataset's next version, or as dataset ``name``.

        Raises as ``query`` does, and DiskFull. The version says the query as its source.
        """
        from mldesk.workbench.queries import answer_as_table

        version = self.show(reference)
        name = check_name(name, "dataset") if name else version.dataset
        table = answer_as_table(self._queried(version), sql, self._library.objects, self._home.scratch, cancelled)
        own = name == version.dataset
        return self.keep(name, table, parent=version.number if own else None,
                          source=f"SQL over {version.label}: {' '.join(sql.split())[:500]}")

    def export_query(self, reference: str, sql: str, path: Path, *, cancelled: Cancelled | None = None) -> int:
        """Write all rows that a query gives as a file, whose extension says the format; return how many.

        Raises as ``query`` and ``export`` do.
        """
        from mldesk.data.stopping import stoppable

        asked = self._queried(self.show(reference))
        return stoppable(lambda: asked.export(sql, path), cancelled, "The query")

    def profile(self, reference: str, *, cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Return the profile of every column; made once per version and kept in the library.

        Raises ImportCancelled soon after ``cancelled`` says so, which is asked in this thread.
        """
        version = self.show(reference)
        if version.profile is not None:
            with suppress(ObjectMissing, LibraryDamaged):  # it can be made again, and is mended by that
                kept: Mapping[str, Any] = json.loads(self._library.objects.read(version.profile))
                return kept
        from mldesk.data import profile

        with self.intact(version):
            made = profile(self._library.objects, version.manifest, version.columns, scratch=self._home.scratch,
                           cancelled=cancelled)
        digest = self._library.objects.put_bytes(canonical.dumps(made))
        self._library.datasets.set_profile(version.dataset, version.number, digest)
        fresh: Mapping[str, Any] = json.loads(self._library.objects.read(digest))
        return fresh

    def rollback(self, name: str, number: int) -> DatasetVersion:
        """Make an earlier version the one the bare name means; no version is lost. Raises NotFound."""
        version = self.show(f"{name}@{number}")
        self._library.datasets.set_head(version.dataset, version.number)
        return version

    def export(self, reference: str, path: Path, *, table: str = "", replace: bool = False) -> DatasetVersion:
        """Write the table as a file; the extension says which kind. Raises BadInput, OSError.

        In a SQLite or DuckDB file it is a table called ``table``, else as the dataset; other tables in there stay.
        Raises Conflict where that table is there, unless ``replace``.
        """
        from mldesk.data.export_database import database_kind

        version = self.show(reference)
        if table and not database_kind(path):
            raise BadInput(f"{path.name:.80} is no database, and has no tables of its own.",
                           hint="Name the file with .sqlite or .duckdb, or leave the table out.")
        with self.view(version) as view:
            if database_kind(path):
                view.export_to_database(path, table or version.dataset, replace=replace)
            else:
                view.export(path)
        return version

    def remove(self, name: str) -> None:
        """Put a dataset in the bin. Raises NotFound."""
        self._library.datasets.remove(self.show(name).dataset)

    def restore(self, name: str) -> Dataset:
        """Take a dataset out of the bin. Raises NotFound when it is not in there."""
        self._library.datasets.restore(name)
        return self._library.datasets.get(name)

    def rename(self, name: str, new: str) -> Dataset:
        """Give a dataset another name. Raises NotFound, Conflict, BadInput for the name of a version."""
        new, known = check_name(new, "dataset"), self.show(name).dataset
        if fold(name) != fold(known):
            raise BadInput(f"{name!r:.80} is a version, and versions have no names of their own.",
                           hint=f"Tags do: mldesk data tag {name} TAG. To rename the whole dataset, write {known}.")
        self._library.datasets.rename(known, new)
        return self._library.datasets.get(new)

    def used_by(self, name: str) -> list[str]:
        """Return the labels of the models that were trained on any version of it."""
        return self._library.datasets.used_by(name)

    def diff(self, name: str, first: int, second: int, *, keys: Sequence[str] | None = (), distributions: bool = False,
             cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Say what differs between two versions: what ``data.diff`` finds, and {"dataset", "from", "to", "missing"
        (the columns whose count of missing cells differs), "recipe"}. ``keys`` are columns that tell rows apart,
        None: one that does, see ``row_keys.keys_of``, and "rows" says whether it was guessed ("key_guessed").
        ``distributions`` adds those, see ``mldesk.data.statistics.shifts``, from the profiles of both.

        Raises NotFound, BadInput for keys that do not, ImportCancelled.
        """
        from mldesk.workbench.version_diff import version_diff

        old, new = self.show(f"{name}@{first}"), self.show(f"{name}@{second}")
        with self.intact(old), self.intact(new):
            found = version_diff(self._library.objects, self._home.scratch, old, new, keys, cancelled)
        if distributions:
            from mldesk.data.statistics.shifts import shifts

            before, after = (self.profile(version.label, cancelled=cancelled) for version in (old, new))
            found["distributions"] = shifts(before, after)
        return found

    def nearly_numbers(self, version: DatasetVersion) -> tuple[NearlyNumbers, ...]:
        """Return the columns of text that are numbers but for a few cells; counted once for each version.

        Raises DataElsewhere, ObjectMissing, LibraryDamaged, DiskFull.
        """
        if not any(column.type is ColumnType.TEXT for column in version.columns):
            return ()   # without what reads tables
        from mldesk.data.parts import part_paths
        from mldesk.data.statistics.nearly_numbers import nearly_numbers

        if version.manifest not in self._nearly:
            with self.intact(version):
                self._nearly[version.manifest] = nearly_numbers(
                    part_paths(self._library.objects, version.manifest), version.columns, self._home.scratch)
        return self._nearly[version.manifest]

    def view(self, version: DatasetVersion) -> TableView:
        """Return the rows of a version, to be closed after use. Raises DataElsewhere, ObjectMissing, LibraryDamaged."""
        from mldesk.data import TableView

        refuse_elsewhere(self._library, version)
        return TableView(self._library.objects, version.manifest, version.columns, name=version.dataset,
                         label=version.label, scratch=self._home.scratch)

    def _queried(self, version: DatasetVersion) -> QueriedTable:
        """Return a version for queries that a user wrote. Raises DataElsewhere."""
        from mldesk.data.query_process import QueriedTable

        refuse_elsewhere(self._library, version)
        return QueriedTable(self._library.objects, version.manifest, version.columns, version.dataset, version.label,
                            self._home.scratch)

    def intact(self, version: DatasetVersion) -> AbstractContextManager[None]:
        """Say of rows that turn out missing or damaged within the block whose they are. Raises DataElsewhere,
        LibraryDamaged.
        """
        from mldesk.data.damage import intact

        refuse_elsewhere(self._library, version)
        return intact(self._library.objects, version.manifest, f"the dataset {version.label}")

    def _imported(self, name: str, table: Table, again: bool, **facts: Any) -> Imported:
        found = None if again else same_rows(self._library, name, table.manifest)
        version = self.keep(name, table, **facts) if found is None else found
        now = self._library.datasets.get(name)
        return Imported(now.name, version, now.versions, now.created, now.removed, made=found is None)

    def keep(self, name: str, table: Table, *, source: str, parent: int | None = None,
             recipe: Sequence[Mapping[str, Any]] | None = None,
             reading: Mapping[str, Any] | None = None) -> DatasetVersion:
        """Write a table down as the dataset's next version. Raises Conflict, DiskFull."""
        return self._library.datasets.add(
            name, manifest=table.manifest, rows=table.rows, columns=table.columns, size=table.size, parent=parent,
            recipe=None if recipe is None else tuple(recipe), source=source,
            problems=tuple(problem.to_json() for problem in table.problems), reading=reading)

    # last, because below it ``list`` is this method
    def list(self, *, removed: bool = False) -> list[Dataset]:
        """Return the datasets by name; with ``removed`` those in the bin instead."""
        return self._library.datasets.list(removed=removed)
