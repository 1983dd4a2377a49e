"""The bin for good: what removed datasets hold, and taking them out of the library so that the space is free.

Rows go first, in one transaction; then the objects that nothing names any more. A crash in between leaves objects that
the next purge frees. What a model, a run, a recipe or another version needs is named elsewhere, and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select, update

from mldesk.core.errors import Conflict, LibraryDamaged, NotFound
from mldesk.library.names import fold
from mldesk.library.schema import dataset_versions, datasets, model_versions, models, runs
from mldesk.wire.objects import DAY, ObjectMissing, ObjectStore

if TYPE_CHECKING:
    from mldesk.core.clock import Clock
    from mldesk.library.database import Database
    from mldesk.library.datasets import DatasetStore
    from mldesk.library.holdings import Holdings

_NAMED = 4        # runs and models that need a version, in a refusal
SETTLED = 600.0   # seconds since somebody put or asked for an object; a writer may be about to name it until then


@dataclass(frozen=True, slots=True)
class Binned:
    """A dataset in the bin."""

    name: str
    key: int
    removed: float     # seconds since the epoch
    versions: int
    size: int          # bytes that purging it would free


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did."""

    datasets: tuple[str, ...]
    freed: int         # bytes
    kept: int          # bytes of theirs that a model, a run or another dataset needs
    shared: int        # of those, bytes that are another dataset's as well, whatever models and runs need
    later: int         # bytes that were used just now; they are freed by a later purge


class Bin:
    """Removed datasets, and versions whose rows are not wanted any more."""

    def __init__(self, holdings: Holdings, objects: ObjectStore, database: Database, clock: Clock) -> None:
        self._holdings, self._objects, self._database, self._clock = holdings, objects, database, clock

    def list(self) -> list[Binned]:
        """Return what is in the bin, last removed first, with what purging each alone would free."""
        with self._database.read() as connection:
            rows = connection.execute(select(datasets).where(datasets.c.removed.is_not(None))
                                      .order_by(datasets.c.removed.desc(), datasets.c.key.desc())).all()
        found = []
        for row in rows:
            own = self._objects_of([row.key])
            needed = self._reached(self._holdings.named_digests(without=[row.key])) if own else set()
            with self._database.read() as connection:
                count = len(connection.execute(select(dataset_versions.c.key).where(
                    dataset_versions.c.dataset == row.key)).all())
            found.append(Binned(row.name, row.key, row.removed, count,
                                sum(size for digest, size in own.items() if digest not in needed)))
        return found

    def purge(self, names: Collection[str] | None = None, *, settled: float = SETTLED) -> Purged:
        """Take datasets out of the bin for good; None means all of them. There is no way back.

        Raises NotFound for a name that is not in the bin; LibraryDamaged, with nothing gone, where it cannot be told
        what others need.
        """
        chosen = self._chosen(names)
        if not chosen:
            return Purged((), self._sweep(), 0, 0, 0)
        own = self._objects_of(chosen)
        self._reached(self._holdings.named_digests(without=chosen))  # where that cannot be read, nothing goes
        with self._database.write() as connection:
            connection.execute(delete(datasets).where(datasets.c.key.in_(chosen), datasets.c.removed.is_not(None)))
        needed = self._reached(self._holdings.named_digests())
        free = {digest: size for digest, size in own.items() if digest not in needed}
        gone = self._holdings.free(free, settled)
        freed = sum(free[digest] for digest in gone)
        others = self._reached(self._holdings.dataset_digests())
        return Purged(tuple(chosen.values()), freed + self._sweep(), sum(own.values()) - sum(free.values()),
                      sum(size for digest, size in own.items() if digest in others), sum(free.values()) - freed)

    def purge_version(self, name: str, number: int, *, settled: float = SETTLED) -> Purged:
        """Throw the rows of one old version away; what it came of, and what was made of it, stays. There is no way
        back.

        Raises NotFound; Conflict for the current version, one that is purged already, or one that runs or models
        learned from.
        """
        with self._database.read() as connection:
            key = _old_version(connection, name, number)
            row = connection.execute(select(dataset_versions).where(dataset_versions.c.key == key)).one()
        own = dict(self._sizes(self._reached({digest for digest in (row.manifest, row.profile) if digest})))
        self._reached(self._holdings.named_digests())  # where that cannot be read, nothing goes
        with self._database.write() as connection:
            key = _old_version(connection, name, number)
            connection.execute(update(dataset_versions).where(dataset_versions.c.key == key).values(
                purged=self._clock.now(), profile=None))
        needed = self._reached(self._holdings.named_digests())
        free = {digest: size for digest, size in own.items() if digest not in needed}
        gone = self._holdings.free(free, settled)
        freed = sum(free[digest] for digest in gone)
        others = self._reached(self._holdings.dataset_digests())
        return Purged((f"{name}@{number}",), freed, sum(own.values()) - sum(free.values()),
                      sum(size for digest, size in own.items() if digest in others), sum(free.values()) - freed)

    def named(self, names: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the datasets in the bin that are meant, None: all of them. Raises NotFound as ``purge`` does."""
        return tuple(self._chosen(names).values())

    def _sweep(self) -> int:
        """Free what a purge before left, because it was killed or the objects were in use."""
        sizes = dict(self._sizes(self._objects.digests()))
        return sum(sizes.get(digest, 0) for digest in self._holdings.sweep(DAY))

    def _chosen(self, names: Collection[str] | None) -> dict[int, str]:
        with self._database.read() as connection:
            rows = connection.execute(select(datasets.c.key, datasets.c.name, datasets.c.folded).where(
                datasets.c.removed.is_not(None))).all()
        if names is None:
            return {row.key: row.name for row in rows}
        wanted = {fold(name): name for name in names}
        lost = next((name for folded, name in wanted.items() if folded not in {row.folded for row in rows}), None)
        if lost is not None:
            raise NotFound(f"There is no dataset named {lost!r:.80} in the bin.",
                           hint="`mldesk data bin` lists what is in there.")
        return {row.key: row.name for row in rows if row.folded in wanted}

    def _objects_of(self, keys: Iterable[int]) -> dict[str, int]:
        """Return the objects that the versions of datasets name, with their bytes."""
        with self._database.read() as connection:
            rows = connection.execute(select(dataset_versions.c.manifest, dataset_versions.c.profile).where(
                dataset_versions.c.dataset.in_(list(keys)))).all()
        return dict(self._sizes(self._reached({digest for row in rows for digest in row if digest})))

    def _reached(self, digests: Collection[str]) -> set[str]:
        """Return the digests and those of the files of manifests among them."""
        return self._objects.reached(digests)

    def _sizes(self, digests: Iterable[str]) -> Iterable[tuple[str, int]]:
        for digest in digests:
            with suppress(ObjectMissing):
                yield digest, 0 if self._objects.refers(digest) else self._objects.size(digest)


def _old_version(connection: Connection, name: str, number: int) -> int:
    """Return the key of a version whose rows nobody needs. Raises NotFound, Conflict with who does."""
    found = connection.execute(select(datasets.c.head, dataset_versions.c.key, dataset_versions.c.purged)
                               .join(datasets, dataset_versions.c.dataset == datasets.c.key)
                               .where(datasets.c.folded == fold(name), datasets.c.removed.is_(None),
                                      dataset_versions.c.number == number)).one_or_none()
    label = f"{name}@{number}"
    if found is None:
        raise NotFound(f"There is no version {label!r:.100}.", hint="`mldesk data versions` lists those there are.")
    if found.purged is not None:
        raise Conflict(f"The rows of {label} were purged before.")
    if found.head == number:
        raise Conflict(f"{label} is the current version, and its rows are what the name means.",
                       hint="Make another version current first (mldesk data rollback), or remove the whole dataset.")
    learned = [f"the model {model}@{version}" for model, version in connection.execute(
        select(models.c.name, model_versions.c.number).join(models, model_versions.c.model == models.c.key)
        .where(model_versions.c.dataset_version == found.key).order_by(models.c.folded, model_versions.c.number))]
    ran = [f"the run {run}" for run, in connection.execute(
        select(runs.c.name).where(runs.c.dataset_version == found.key).order_by(runs.c.key))]
    if learned or ran:
        shown = [*learned, *ran]
        more = f" and {len(shown) - _NAMED:,} more" if len(shown) > _NAMED else ""
        raise Conflict(f"The rows of {label} stay: {', '.join(shown[:_NAMED])}{more} learned from them.",
                       hint="Their test rows, explanations and reports are read from there.")
    return int(found.key)


def costs(store: DatasetStore, objects: ObjectStore, name: str) -> Mapping[int, tuple[int, int]]:
    """Return by version of a dataset the bytes that it alone holds, and all bytes of its rows."""
    uses: dict[str, int] = {}
    parts: dict[int, dict[str, int]] = {}
    for item in (*store.list(), *store.list(removed=True)):
        if item.removed is None:
            for version in store.versions(item.name):
                with suppress(ObjectMissing, LibraryDamaged):
                    files = {entry.sha256: 0 if objects.refers(entry.sha256) else entry.size
                             for entry in objects.manifest(version.manifest).entries}
                    for digest in files:
                        uses[digest] = uses.get(digest, 0) + 1
                    if item.name == name:
                        parts[version.number] = files
    return {number: (sum(size for digest, size in files.items() if uses[digest] == 1), sum(files.values()))
            for number, files in parts.items()}
