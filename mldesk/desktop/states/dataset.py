"""One dataset as its page shows it: a version of it, its rows by the page, its profile, its history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.hand_edits import Changes, HandEdits
from mldesk.desktop.states.table_layout import TableLayout
from mldesk.desktop.tasks import current, in_thread
from mldesk.wire.schema import Column, Order
from mldesk.workbench.row_keys import keys_of

if TYPE_CHECKING:
    from mldesk.library.bin import Purged
    from mldesk.library.dataset_words import Words
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.history import Ancestry
    from mldesk.workbench.pages import Page
    from mldesk.workbench.row_reader import RowReader

QUERY_LIMIT = 10_000  # rows of a query's answer that are shown
EDITS = "hand_edits:{manifest}"       # the setting that holds what was changed by hand in a version and not kept yet
QUERIES = "sql_history"               # the setting that holds the queries that were run, the newest last
LAYOUT = "table_layout:{name}"  # the setting that holds how a dataset's table is laid out


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows that the table is narrowed to: by an SQL condition or by their places from 0, and what they are."""

    words: str
    where: str | None = None
    only: tuple[int, ...] | None = None


class DatasetState:
    """Shows one version of one dataset; the head unless ``show`` chose another."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self.name = desk, name
        self._pinned: int | None = None
        self._named = asyncio.Lock()   # nothing is read under a name that is being changed or taken away
        self.version: Observable[DatasetVersion | None] = Observable(None)
        self.head: Observable[DatasetVersion | None] = Observable(None)
        self.versions: Observable[tuple[DatasetVersion, ...]] = Observable(())
        self.profile: Observable[Mapping[str, Any] | None] = Observable(None)  # of ``version``; None while it is made
        self.lineage: Observable[tuple[Ancestry, ...]] = Observable(())   # oldest first, once it was asked for
        self.about: Observable[Words | None] = Observable(None)   # what is said of it as a whole, once it was asked for
        self.used_by: Observable[tuple[str, ...]] = Observable(())
        self.picked: Observable[Picked | None] = Observable(None)
        self.marked: Observable[frozenset[int]] = Observable(frozenset())   # places of the rows selected in the table
        self.layout: Observable[TableLayout] = Observable(TableLayout())
        self._edits: dict[str, HandEdits] = {}   # by the manifest of the version they were made on
        self._kept_edits: dict[str, Changes] = {}   # as the library has them
        self._keeping_edits = False
        self._kept: TableLayout | None = None   # the layout that the library has; None before it was read
        self._keeping = False
        self._reader: RowReader | None = None   # of the version that is shown, once rows of it were asked for

    @property
    def reference(self) -> str:
        """``name@version`` of what is shown."""
        version = self.version.value
        return self.name if version is None else version.label

    @property
    def edits(self) -> HandEdits:
        """What was changed by hand in the version that is shown. Only once there is one."""
        return self._edits[self.version.value.manifest] if self.version.value is not None else HandEdits()

    async def refresh(self) -> None:
        """Read the versions again; a new head is shown at once unless an older version was chosen. Raises NotFound."""
        service = self._desk.workbench.datasets
        async with self._named:
            head = await in_thread(service.show, self.name)
            versions = tuple(await in_thread(service.versions, self.name))
            used_by = tuple(await in_thread(service.used_by, self.name))
        if self._kept is None:
            await self._load_layout()
        await self._load_edits(versions)
        self.head.value, self.versions.value, self.used_by.value = head, versions, used_by
        self._show(next((item for item in versions if item.number == self._pinned), head))

    def show(self, number: int | None) -> None:
        """Show version ``number``; None follows the head."""
        head = self.head.value
        self._pinned = None if head is not None and number == head.number else number
        chosen = next((item for item in self.versions.value if item.number == self._pinned), head)
        if chosen is not None:
            self._show(chosen)

    def _show(self, version: DatasetVersion) -> None:
        before = self.version.value
        if before is None or before.manifest != version.manifest:
            self.profile.value = None
            self.marked.value = frozenset()
            if before is not None:   # those picked before anything was shown are of this one
                self.picked.value = None
        self.version.value = version

    async def _load_layout(self) -> None:
        value = await in_thread(self._desk.workbench.settings.get, LAYOUT.format(name=self.name))
        self._kept = self.layout.value = TableLayout.from_json(value)

    async def keep_layout(self) -> None:
        """Keep how the table is laid out, with the dataset; one write at a time, so that the last one holds."""
        if self._keeping:
            return
        self._keeping = True
        try:
            while self._kept is not None and self._kept != (layout := self.layout.value):
                await in_thread(self._desk.workbench.settings.set, LAYOUT.format(name=self.name), layout.to_json())
                self._kept = layout
        finally:
            self._keeping = False

    async def _load_edits(self, versions: Sequence[DatasetVersion]) -> None:
        """Read what was changed by hand in versions that were not seen yet, in this window or another time."""
        new = [version.manifest for version in versions if version.manifest not in self._edits]
        settings = self._desk.workbench.settings

        def read() -> list[Changes]:
            return [Changes.from_json(settings.get(EDITS.format(manifest=manifest))) for manifest in new]

        for manifest, changes in zip(new, await in_thread(read) if new else (), strict=True):
            self._edits[manifest], self._kept_edits[manifest] = HandEdits(changes), changes

    async def keep_edits(self) -> None:
        """Keep what was changed by hand, so that neither a crash nor another page loses it."""
        if self._keeping_edits:
            return
        self._keeping_edits = True
        try:
            while (found := self._unkept_edits()) is not None:
                manifest, changes = found
                settings, key = self._desk.workbench.settings, EDITS.format(manifest=manifest)
                if changes:
                    await in_thread(settings.set, key, changes.to_json())
                else:
                    await in_thread(settings.delete, key)
                self._kept_edits[manifest] = changes
        finally:
            self._keeping_edits = False

    def _unkept_edits(self) -> tuple[str, Changes] | None:
        return next(((manifest, edits.changes.value) for manifest, edits in self._edits.items()
                     if edits.changes.value != self._kept_edits.get(manifest)), None)

    async def make_version_of_edits(self) -> DatasetVersion:
        """Make the next version with what was changed by hand. Raises BadInput, DiskFull, ImportCancelled."""
        reference, edits, closing = self.reference, self.edits, current().closing
        step = edits.changes.value.step()
        made = await in_thread(lambda: self._desk.workbench.cleaning.clean(
            reference, [step], cancelled=closing.is_set))
        edits.forget()
        await self.keep_edits()
        self._pinned = None
        self._desk.nudge()
        return made

    async def load_lineage(self) -> None:
        """Read how the versions came of one another."""
        history = self._desk.workbench.history
        self.about.value = await in_thread(history.words, self.name)
        self.lineage.value = tuple(await in_thread(history.lineage, self.name))

    async def load_profile(self) -> None:
        """Make or read the profile of what is shown."""
        version = self.version.value
        if version is None or self.profile.value is not None:
            return
        profile = await in_thread(self._desk.workbench.datasets.profile, version.label)
        if self.version.value is not None and self.version.value.manifest == version.manifest:
            self.profile.value = profile

    async def page(self, offset: int, limit: int, order: Order | None, search: str = "") -> Page:
        """Return rows of what is shown. ``order`` are (column, descending) pairs. Raises BadInput.

        A page that is not wanted any more, as other rows are, raises WorkFailed soon.
        """
        version, picked = self.version.value, self.picked.value or Picked("")
        assert version is not None  # noqa: S101 - nothing is shown before there is one
        if self._reader is None or self._reader.version.manifest != version.manifest:
            self.close()
            self._reader = self._desk.workbench.datasets.reader(version)
        reader = self._reader
        return await in_thread(lambda: reader.page(offset, limit, order_by=order, search=search,
                                                   where=picked.where or "", only=picked.only))

    async def try_filter(self, picked: Picked) -> None:
        """See whether a condition can be read. Raises BadInput that says what is wrong with it."""
        service, reference = self._desk.workbench.datasets, self.reference
        await in_thread(lambda: service.preview(reference, rows=1, where=picked.where, total=0))

    def close(self) -> None:
        """Let go of the table's files, until a page of it is asked for again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def query(self, sql: str, cancelled: Callable[[], bool] = bool) -> Page:
        """Answer a query over what is shown. Raises BadInput with what the engine says, ImportCancelled."""
        reference, closing = self.reference, current().closing
        return await in_thread(lambda: self._desk.workbench.datasets.query(
            reference, sql, limit=QUERY_LIMIT, cancelled=lambda: cancelled() or closing.is_set()))

    async def past_queries(self) -> list[str]:
        """Return the queries that were run over any dataset, the newest last."""
        found = await in_thread(self._desk.workbench.settings.get, QUERIES, [])
        return [sql for sql in found if isinstance(sql, str)] if isinstance(found, list) else []

    async def keep_queries(self, queries: Sequence[str]) -> None:
        """Keep them."""
        await in_thread(self._desk.workbench.settings.set, QUERIES, list(queries))

    async def keep_query(self, sql: str, name: str, cancelled: Callable[[], bool] = bool) -> DatasetVersion:
        """Keep a query's answer as the next version, or as dataset ``name``. Raises as ``query`` does, DiskFull."""
        reference, closing = self.reference, current().closing
        made = await in_thread(lambda: self._desk.workbench.datasets.keep_query(
            reference, sql, name, cancelled=lambda: cancelled() or closing.is_set()))
        self._desk.nudge()
        return made

    async def annotate(self, number: int, note: str, tags: Sequence[str]) -> None:
        """Keep a note and tags of a version, 0: of the dataset as a whole. Raises BadInput, NotFound."""
        reference = f"{self.name}@{number}" if number else self.name
        await in_thread(lambda: self._desk.workbench.history.annotate(reference, note=note, tags=tags))
        self._desk.nudge()
        await self.load_lineage()

    async def purge_version(self, number: int) -> Purged:
        """Throw the rows of an old version away for good. Raises NotFound, Conflict with who needs them."""
        done = await in_thread(self._desk.workbench.history.purge_version, f"{self.name}@{number}")
        if self._pinned == number:
            self._pinned = None
        self._desk.nudge()
        await self.refresh()
        await self.load_lineage()
        return done

    async def roll_back(self, number: int) -> int:
        """Make ``number`` the head; return the number of the head before. Raises NotFound."""
        before = self.head.value.number if self.head.value is not None else number
        await in_thread(self._desk.workbench.datasets.rollback, self.name, number)
        self._pinned = None
        self._desk.nudge()
        await self.refresh()
        return before

    async def diff(self, first: int, second: int, keys: Sequence[str] | None = None) -> Mapping[str, Any]:
        """Say what differs between two versions, by the columns ``keys`` (none: whole rows); None: one that tells rows
        apart, where there is one.

        Raises NotFound, BadInput for keys that do not.
        """
        service, by = self._desk.workbench.datasets, self.keys(first, second)[:1] if keys is None else tuple(keys)
        return await in_thread(lambda: service.diff(self.name, first, second, keys=by))

    async def profiles(self, first: int, second: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the profiles of two versions. Raises NotFound, DataElsewhere."""
        service = self._desk.workbench.datasets
        return (await in_thread(service.profile, f"{self.name}@{first}"),
                await in_thread(service.profile, f"{self.name}@{second}"))

    def keys(self, first: int, second: int) -> tuple[str, ...]:
        """Return the columns that tell the rows of both versions apart."""
        both = [version for version in self.versions.value if version.number in (first, second)]
        return keys_of(both[0], both[1]) if len(both) == 2 else ()

    def shared(self, first: int, second: int) -> tuple[Column, ...]:
        """Return the columns that both versions have, with one type."""
        one, two = ({column.name: column for column in version.columns} for version in sorted(
            (version for version in self.versions.value if version.number in (first, second)),
            key=lambda version: version.number != first))
        return tuple(column for name, column in one.items() if name in two and two[name].type is column.type)

    async def export(self, path: Path, *, table: str = "", replace: bool = False) -> None:
        """Write what is shown as a file; its ending says which kind. Raises BadInput, DiskFull.

        Of a database file ``table`` is its name in there. Raises Conflict where it is there, unless ``replace``.
        """
        service, reference = self._desk.workbench.datasets, self.reference
        await in_thread(lambda: service.export(reference, path, table=table, replace=replace))

    async def remove(self) -> None:
        """Put the dataset in the bin. Raises NotFound."""
        async with self._named:
            await in_thread(self._desk.workbench.datasets.remove, self.name)

    async def rename(self, new: str) -> None:
        """Give the dataset another name. Raises BadInput, Conflict."""
        async with self._named:
            renamed = await in_thread(self._desk.workbench.datasets.rename, self.name, new)
            before, self.name, self._kept = self.name, renamed.name, TableLayout()
        await in_thread(self._desk.workbench.settings.delete, LAYOUT.format(name=before))
        await self.keep_layout()
        self._desk.nudge()
        await self.refresh()
