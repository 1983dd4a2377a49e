"""Contracts of datasets, every edit kept, and which files were accepted into which version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from mldesk.core.clock import Clock
from mldesk.core.errors import NotFound
from mldesk.library import codec
from mldesk.library.database import Database
from mldesk.library.names import fold
from mldesk.library.schema import accepted_files, contracts, datasets


@dataclass(frozen=True, slots=True)
class KeptContract:
    """One edit of a dataset's contract."""

    dataset: str
    number: int                    # from 1; a contract is never changed, only followed by the next
    created: float
    document: Mapping[str, Any]
    version: int = 1               # of the dataset, that it was made for: it holds for that one and those made of it


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A file whose rows are in a version of a dataset."""

    name: str
    digest: str                    # SHA-256 of its bytes
    rows: int
    version: int


class ContractStore:
    """What the files of a dataset must be like."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, name: str, document: Mapping[str, Any], version: int = 1) -> KeptContract:
        """Keep a contract, made for a version, as the dataset's newest. Raises NotFound for the dataset."""
        with self._database.write() as connection:
            key = dataset_key(connection, name)
            number = 1 + connection.execute(select(func.coalesce(func.max(contracts.c.number), 0))
                                            .where(contracts.c.dataset == key)).scalar_one()
            connection.execute(insert(contracts).values(dataset=key, number=number, created=self._clock.now(),
                                                        document=codec.dump(dict(document)), version=version))
        return self.get(name)

    def get(self, name: str) -> KeptContract:
        """Return the newest contract of a dataset. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(
                select(contracts, datasets.c.name).join(datasets, contracts.c.dataset == datasets.c.key)
                .where(contracts.c.dataset == dataset_key(connection, name))
                .order_by(contracts.c.number.desc()).limit(1)).one_or_none()
        if row is None:
            raise NotFound(f"The dataset {name!r:.80} has no contract.",
                           hint=f"`mldesk data contract {name} --infer` makes one of its rows.")
        return KeptContract(row.name, row.number, row.created, codec.load(row.document), row.version)

    def history(self, name: str) -> list[KeptContract]:
        """Return every contract of a dataset, the newest first. Raises NotFound for the dataset."""
        with self._database.read() as connection:
            query = (select(contracts).where(contracts.c.dataset == dataset_key(connection, name))
                     .order_by(contracts.c.number.desc()))
            return [KeptContract(name, row.number, row.created, codec.load(row.document), row.version)
                    for row in connection.execute(query)]

    def accept(self, name: str, version: int, files: Sequence[tuple[str, str, int]]) -> None:
        """Note that files (name, digest, rows) are in a version."""
        if not files:
            return
        with self._database.write() as connection:
            key = dataset_key(connection, name)
            connection.execute(insert(accepted_files).prefix_with("OR REPLACE"), [
                {"dataset": key, "digest": digest, "version": version, "name": codec.clean(file, 1000), "rows": rows}
                for file, digest, rows in files])

    def accepted(self, name: str) -> list[AcceptedFile]:
        """Return the files that were accepted, by version and name. Raises NotFound for the dataset."""
        with self._database.read() as connection:
            query = (select(accepted_files).where(accepted_files.c.dataset == dataset_key(connection, name))
                     .order_by(accepted_files.c.version, accepted_files.c.name))
            return [AcceptedFile(row.name, row.digest, row.rows, row.version) for row in connection.execute(query)]


def dataset_key(connection: Connection, name: str) -> int:
    """Return the key of a dataset that is not in the bin. Raises NotFound."""
    key = connection.execute(select(datasets.c.key).where(
        datasets.c.folded == fold(name), datasets.c.removed.is_(None))).scalar_one_or_none()
    if key is None:
        raise NotFound(f"There is no dataset named {name!r:.80}.")
    return int(key)
