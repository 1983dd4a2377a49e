"""What people say about datasets and their versions: notes and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import codec
from mldesk.library.database import Database
from mldesk.library.names import fold
from mldesk.library.schema import dataset_versions, dataset_words, datasets

MOST_TAGS = 50
_LONGEST_TAG, _LONGEST_NOTE = 60, 20_000  # characters


@dataclass(frozen=True, slots=True)
class Words:
    """What is said about one version, or about the dataset as a whole."""

    note: str = ""
    tags: tuple[str, ...] = ()


class DatasetWords:
    """Notes and tags by version; number 0 is the dataset itself. They never change what a version is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> dict[int, Words]:
        """Return what is said about a dataset (0) and its versions. Raises NotFound."""
        with self._database.read() as connection:
            rows = connection.execute(select(dataset_words).where(dataset_words.c.dataset == _key(connection, name, 0)))
            return {row.number: Words(row.note, tuple(codec.load(row.tags))) for row in rows}

    def all_tags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags of every dataset in use and of its versions, each once, by the dataset's name."""
        found: dict[str, dict[str, None]] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(datasets.c.name, dataset_words.c.tags)
                                      .join(datasets, dataset_words.c.dataset == datasets.c.key)
                                      .where(datasets.c.removed.is_(None)).order_by(dataset_words.c.number))
            for name, tags in rows:
                found.setdefault(name, {}).update(dict.fromkeys(codec.load(tags)))
        return {name: tuple(tags) for name, tags in found.items()}

    def set(self, name: str, number: int, *, note: str | None = None, tags: Sequence[str] | None = None,
            move: bool = False) -> Words:
        """Keep a note, tags, or both; None leaves what is there. ``move`` takes new tags from the versions that bear
        them. Raises NotFound; BadInput for too much of it, a new tag that is a number or on another version.
        """
        if note is not None and len(note) > _LONGEST_NOTE:
            raise BadInput(f"A note has {_LONGEST_NOTE:,} characters at most.")
        clean = [codec.clean(tag).strip() for tag in tags or ()]
        chosen = None if tags is None else tuple(dict.fromkeys(filter(None, clean)))
        if chosen is not None and (len(chosen) > MOST_TAGS or any(len(tag) > _LONGEST_TAG for tag in chosen)):
            raise BadInput(f"There may be {MOST_TAGS} tags of {_LONGEST_TAG} characters each.")
        with self._database.write() as connection:
            key = _key(connection, name, number)
            row = connection.execute(select(dataset_words).where(
                dataset_words.c.dataset == key, dataset_words.c.number == number)).one_or_none()
            before = Words() if row is None else Words(row.note, tuple(codec.load(row.tags)))
            now = Words(before.note if note is None else codec.clean(note).strip(),
                        before.tags if chosen is None else chosen)
            fresh = [tag for tag in now.tags if tag not in before.tags]
            _refuse_numbers(name, fresh)
            if number:
                _only_here(connection, key, f"{name}@{{}}", fresh, move)
            values = {"note": now.note, "tags": codec.dump(list(now.tags))}
            connection.execute(insert(dataset_words).values(dataset=key, number=number, **values)
                               .on_conflict_do_update(index_elements=["dataset", "number"], set_=values))
        return now


def _refuse_numbers(name: str, tags: Sequence[str]) -> None:
    """Raise BadInput for a tag that would look like a version's number: ``N@3`` is the third version."""
    number = next((tag for tag in tags if tag.isdecimal()), None)
    if number is not None:
        raise BadInput(f"{number!r} looks like the number of a version, and cannot be a tag.",
                       hint=f"To tag that version: mldesk data tag {name}@{number} TAG.")


def _only_here(connection: Connection, dataset: int, label: str, tags: Sequence[str], move: bool) -> None:
    """See that no version bears these tags, so that each names one: take them away, or raise BadInput."""
    rows = connection.execute(select(dataset_words.c.number, dataset_words.c.tags).where(
        dataset_words.c.dataset == dataset, dataset_words.c.number > 0)).all()
    for row in rows:
        borne = codec.load(row.tags)
        shared = [tag for tag in borne if tag in tags]
        if shared and not move:
            raise BadInput(f"The tag {shared[0]!r} is on {label.format(row.number)} already; a tag names one version.",
                           hint="Take it away there, or have it moved: `mldesk data tag` with --move.")
        if shared:
            connection.execute(update(dataset_words).where(
                dataset_words.c.dataset == dataset, dataset_words.c.number == row.number)
                .values(tags=codec.dump([tag for tag in borne if tag not in tags])))


def _key(connection: Connection, name: str, number: int) -> int:
    key = connection.execute(select(datasets.c.key).where(
        datasets.c.folded == fold(name), datasets.c.removed.is_(None))).scalar_one_or_none()
    if key is None:
        raise NotFound(f"There is no dataset named {name!r:.80}.")
    if number and connection.execute(select(dataset_versions.c.key).where(
            dataset_versions.c.dataset == key, dataset_versions.c.number == number)).scalar_one_or_none() is None:
        raise NotFound(f"The dataset {name!r:.80} has no version {number}.")
    return int(key)
