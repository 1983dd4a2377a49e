"""Datasets and their versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from mldesk.core.clock import Clock
from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.library import codec
from mldesk.library.database import Database, taken
from mldesk.library.names import check_name, fold
from mldesk.library.records import Dataset, DatasetVersion
from mldesk.library.schema import dataset_versions, dataset_words, datasets, model_versions, models, runs
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.schema import Column, columns_from_json

_version = select(dataset_versions, datasets.c.name).join(datasets, dataset_versions.c.dataset == datasets.c.key)


class DatasetStore:
    """Tables by name. A version never changes; the name's head says which of them the bare name means."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database, self._objects, self._clock = database, objects, clock

    def add(self, name: str, *, manifest: str, rows: int, columns: Iterable[Column], size: int, source: str,
            parent: int | None = None, recipe: Sequence[Mapping[str, Any]] | None = None,
            problems: Iterable[Mapping[str, Any]] = (), reading: Mapping[str, Any] | None = None,
            new: bool = False) -> DatasetVersion:
        """Make a dataset, or the next version of the one that has the name, and its head.

        The manifest must be in the object store. Raises BadInput for a bad name, Conflict if ``new`` and the name
        is taken, NotFound if ``parent`` is no version of it, ObjectMissing.
        """
        name = check_name(name, "dataset")
        if not self._objects.has(manifest):
            raise ObjectMissing(manifest)
        now = self._clock.now()
        with self._database.write() as connection:
            row = connection.execute(_named(name)).one_or_none()
            if row is not None and new:
                raise taken("dataset", row.name, "Choose another name, or leave it to become its next version.")
            if row is None:
                connection.execute(insert(datasets).values(name=name, folded=fold(name), head=1, created=now))
                row = connection.execute(_named(name)).one()
            key = row.key
            if parent is not None:
                _one_version(connection, name, key, parent)
            number = 1 + connection.execute(select(func.coalesce(func.max(dataset_versions.c.number), 0))
                                            .where(dataset_versions.c.dataset == key)).scalar_one()
            connection.execute(insert(dataset_versions).values(
                dataset=key, number=number, manifest=manifest, rows=rows, size=size, parent=parent,
                source=codec.clean(source), created=now, recipe=None if recipe is None else codec.dump(list(recipe)),
                reading=None if reading is None else codec.dump(dict(reading)), problems=codec.dump(list(problems)),
                columns=codec.dump([column.to_json() for column in columns])))
            connection.execute(update(datasets).where(datasets.c.key == key).values(head=number))
            return _one_version(connection, name, key, number)

    def get(self, name: str) -> Dataset:
        """Return a dataset that is not in the bin. Raises NotFound."""
        with self._database.read() as connection:
            found = connection.execute(_summaries().where(
                datasets.c.folded == fold(name), datasets.c.removed.is_(None))).one_or_none()
            if found is None:
                raise _unknown(connection, name)
            return _to_dataset(found)

    def version(self, name: str, number: int | None = None) -> DatasetVersion:
        """Return a version by its number, or the head; without a number ``name`` may be NAME@TAG.

        Raises NotFound, BadInput for a tag that several versions bear.
        """
        with self._database.read() as connection:
            if number is None:
                name, number = _tagged(connection, name)
            row = _dataset(connection, name)
            return _one_version(connection, row.name, row.key, row.head if number is None else number)

    def versions(self, name: str) -> list[DatasetVersion]:
        """Return every version, oldest first. Raises NotFound."""
        with self._database.read() as connection:
            row = _dataset(connection, name)
            query = _version.where(dataset_versions.c.dataset == row.key).order_by(dataset_versions.c.number)
            return [_to_version(found) for found in connection.execute(query)]

    def with_manifest(self, manifest: str) -> list[DatasetVersion]:
        """Return the versions of datasets in use that hold these very rows, oldest first."""
        with self._database.read() as connection:
            query = _version.where(dataset_versions.c.manifest == manifest, datasets.c.removed.is_(None))
            return [_to_version(row) for row in connection.execute(query.order_by(dataset_versions.c.key))]

    def set_head(self, name: str, number: int) -> None:
        """Let the bare name mean version ``number``. Raises NotFound, Conflict for one whose rows are gone."""
        with self._database.write() as connection:
            row = _dataset(connection, name)
            if _one_version(connection, row.name, row.key, number).purged is not None:
                raise Conflict(f"The rows of {row.name}@{number} were purged.", hint="Choose another version.")
            connection.execute(update(datasets).where(datasets.c.key == row.key).values(head=number))

    def set_profile(self, name: str, number: int, digest: str) -> None:
        """Name the object that holds a version's profile. Raises NotFound, ObjectMissing."""
        if not self._objects.has(digest):
            raise ObjectMissing(digest)
        with self._database.write() as connection:
            row = _dataset(connection, name)
            _one_version(connection, row.name, row.key, number)
            connection.execute(update(dataset_versions).where(
                dataset_versions.c.dataset == row.key, dataset_versions.c.number == number).values(profile=digest))

    def remove(self, name: str) -> None:
        """Put a dataset with all its versions into the bin; its name is free again. Raises NotFound."""
        with self._database.write() as connection:
            row = _dataset(connection, name)
            connection.execute(update(datasets).where(datasets.c.key == row.key).values(removed=self._clock.now()))

    def restore(self, name: str) -> None:
        """Bring back what was last removed under a name. Raises NotFound; Conflict if the name is in use again."""
        with self._database.write() as connection:
            row = connection.execute(
                select(datasets).where(datasets.c.folded == fold(name), datasets.c.removed.is_not(None))
                .order_by(datasets.c.removed.desc(), datasets.c.key.desc()).limit(1)).one_or_none()
            if row is None:
                raise NotFound(f"There is no dataset named {name!r:.80} in the bin.")
            try:
                connection.execute(update(datasets).where(datasets.c.key == row.key).values(removed=None))
            except IntegrityError as error:
                raise taken("dataset", row.name, "Rename or remove that one first.") from error

    def rename(self, name: str, new: str) -> None:
        """Give a dataset another name; its versions, runs and models follow. Raises NotFound, BadInput, Conflict."""
        new = check_name(new, "dataset")
        with self._database.write() as connection:
            row = _dataset(connection, name)
            try:
                connection.execute(update(datasets).where(datasets.c.key == row.key).values(name=new, folded=fold(new)))
            except IntegrityError as error:
                raise taken("dataset", new, "Choose another name.") from error

    def used_by(self, name: str) -> list[str]:
        """Return the models (name@version) that were trained on any version of it. Raises NotFound."""
        with self._database.read() as connection:
            row = _dataset(connection, name)
            query = (select(models.c.name, model_versions.c.number)
                     .join(models, model_versions.c.model == models.c.key)
                     .join(dataset_versions, model_versions.c.dataset_version == dataset_versions.c.key)
                     .where(dataset_versions.c.dataset == row.key)
                     .order_by(models.c.folded, model_versions.c.number))
            return [f"{model}@{number}" for model, number in connection.execute(query)]

    def tasks(self) -> dict[str, tuple[str, ...]]:
        """Return the tasks of the runs on any version of each dataset in use, by its name."""
        with self._database.read() as connection:
            query = (select(datasets.c.name, runs.c.task).distinct()
                     .join(dataset_versions, dataset_versions.c.dataset == datasets.c.key)
                     .join(runs, runs.c.dataset_version == dataset_versions.c.key)
                     .where(datasets.c.removed.is_(None), runs.c.task.is_not(None), runs.c.task != "")
                     .order_by(datasets.c.name, runs.c.task))
            found: dict[str, tuple[str, ...]] = {}
            for name, task in connection.execute(query):
                found[name] = (*found.get(name, ()), task)
            return found

    # last, because below it ``list`` is this method
    def list(self, removed: bool = False) -> list[Dataset]:
        """Return the datasets in use by name, or those in the bin, last removed first."""
        if removed:
            query = _summaries().where(datasets.c.removed.is_not(None)).order_by(datasets.c.removed.desc())
        else:
            query = _summaries().where(datasets.c.removed.is_(None)).order_by(datasets.c.folded)
        with self._database.read() as connection:
            return [_to_dataset(row) for row in connection.execute(query)]


def find_version(connection: Connection, label: str) -> int | None:
    """Return the key of the version called ``name@number`` now, or None."""
    name, _, number = label.rpartition("@")
    if not name or not number.isdecimal():
        return None
    return connection.execute(
        select(dataset_versions.c.key).join(datasets, dataset_versions.c.dataset == datasets.c.key)
        .where(datasets.c.folded == fold(name), datasets.c.removed.is_(None),
               dataset_versions.c.number == int(number))).scalar_one_or_none()


def _named(name: str) -> Select[Any]:
    return select(datasets).where(datasets.c.folded == fold(name), datasets.c.removed.is_(None))


def _dataset(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(_named(name)).one_or_none()
    if row is None:
        raise _unknown(connection, name)
    return row


def _tagged(connection: Connection, reference: str) -> tuple[str, int | None]:
    """Return the name and number that NAME@TAG means; anything else as it is. Digits are a number, never a tag."""
    name, mark, tag = reference.rpartition("@")
    if not mark or tag.isdecimal() or connection.execute(_named(reference)).one_or_none() is not None:
        return reference, None
    row = connection.execute(_named(name)).one_or_none()
    if row is None:
        return reference, None
    rows = connection.execute(select(dataset_words.c.number, dataset_words.c.tags).where(
        dataset_words.c.dataset == row.key, dataset_words.c.number > 0).order_by(dataset_words.c.number)).all()
    tags = {int(found.number): codec.load(found.tags) for found in rows}
    numbers = [number for number, those in tags.items() if tag in those]
    if len(numbers) > 1:
        raise BadInput(f"The tag {tag!r:.60} is on several versions of {row.name!r:.80}: "
                       f"{', '.join(map(str, numbers))}.", hint=f"Write one of them, like {row.name}@{numbers[-1]}.")
    if not numbers:
        known = ", ".join(dict.fromkeys(one for those in tags.values() for one in those))
        raise NotFound(f"No version of {row.name!r:.80} has the tag {tag!r:.60}.",
                       hint=f"Its versions have these: {known:.400}." if known else "None of its versions has a tag.")
    return str(row.name), numbers[0]


def _unknown(connection: Connection, name: str) -> NotFound:
    binned = connection.execute(select(datasets.c.key).where(
        datasets.c.folded == fold(name), datasets.c.removed.is_not(None)).limit(1)).one_or_none()
    hint = "It is in the bin: `mldesk data restore` brings it back." if binned is not None else ""
    return NotFound(f"There is no dataset named {name!r:.80}.", hint=hint)


def _one_version(connection: Connection, name: str, key: int, number: int) -> DatasetVersion:
    row = connection.execute(_version.where(
        dataset_versions.c.dataset == key, dataset_versions.c.number == number)).one_or_none()
    if row is None:
        raise NotFound(f"The dataset {name!r:.80} has no version {number}.",
                       hint="`mldesk data versions` lists those it has.")
    return _to_version(row)


def _summaries() -> Select[Any]:
    counted = (select(func.count()).where(dataset_versions.c.dataset == datasets.c.key)
               .correlate(datasets).scalar_subquery().label("versions"))
    query = select(dataset_versions, datasets.c.name, datasets.c.created.label("made"), datasets.c.removed, counted)
    return query.join(datasets, (dataset_versions.c.dataset == datasets.c.key)
                      & (dataset_versions.c.number == datasets.c.head))


def _to_dataset(row: Row[Any]) -> Dataset:
    return Dataset(name=row.name, head=_to_version(row), versions=row.versions, created=row.made, removed=row.removed)


def _to_version(row: Row[Any]) -> DatasetVersion:
    recipe = codec.load(row.recipe)
    return DatasetVersion(
        dataset=row.name, number=row.number, manifest=row.manifest, rows=row.rows,
        columns=columns_from_json(codec.load(row.columns)), size=row.size, parent=row.parent,
        recipe=None if recipe is None else tuple(recipe), source=row.source,
        problems=tuple(codec.load(row.problems)), profile=row.profile, created=row.created,
        reading=codec.load(row.reading), purged=row.purged)
