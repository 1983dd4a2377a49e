"""Files that were checked against contracts: what was said of each, and who took it in spite of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from mldesk.core.clock import Clock
from mldesk.core.errors import NotFound
from mldesk.library import codec
from mldesk.library.contracts import dataset_key
from mldesk.library.database import Database
from mldesk.library.schema import checked_files

_WHO, _WHY, _PATH = 200, 2000, 4000   # characters


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be written down of one file."""

    path: str                      # as it was given; of a file in an archive the archive's path and its name in there
    digest: str
    status: str                    # "accepted", "rejected" or "unchanged"
    rows: int
    bad_rows: int
    findings: Sequence[Mapping[str, Any]]   # as of ``Verdict``
    version: int | None = None     # that its rows went into
    aside: str = ""                # where it was copied to
    by_hand: tuple[str, str] | None = None  # who took it in spite of what is wrong, and why


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One file of one check, as it was written down."""

    number: int                    # from 1, of the dataset
    batch: int                     # number of the check
    time: float                    # seconds since the epoch
    contract: int                  # number of the one it was held to
    path: str
    digest: str                    # SHA-256 of its bytes
    status: str
    rows: int
    bad_rows: int
    version: int | None            # of the dataset, that its rows went into
    aside: str                     # where it was copied to, "" for nowhere
    decided: float | None          # when somebody took it by hand
    who: str
    why: str
    findings: tuple[Mapping[str, Any], ...]


class CheckLog:
    """Grows only. The files themselves are the user's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, name: str, contract: int, files: Sequence[Checked]) -> None:
        """Write down one check of files. Raises NotFound for the dataset."""
        now = self._clock.now()
        with self._database.write() as connection:
            key = dataset_key(connection, name)
            last, batch = connection.execute(select(
                func.coalesce(func.max(checked_files.c.number), 0), func.coalesce(func.max(checked_files.c.batch), 0))
                .where(checked_files.c.dataset == key)).one()
            values = [{
                "dataset": key, "number": last + place, "batch": batch + 1, "time": now, "contract": contract,
                "path": codec.clean(file.path, _PATH), "digest": file.digest, "status": file.status,
                "rows": file.rows, "bad_rows": file.bad_rows, "version": file.version,
                "aside": codec.clean(file.aside, _PATH), "decided": None if file.by_hand is None else now,
                "who": codec.clean((file.by_hand or ("", ""))[0], _WHO),
                "why": codec.clean((file.by_hand or ("", ""))[1], _WHY),
                "findings": codec.dump([dict(finding) for finding in file.findings]),
            } for place, file in enumerate(files, start=1)]
            if values:
                connection.execute(insert(checked_files), values)

    def take(self, name: str, number: int, version: int, who: str, why: str) -> None:
        """Note that somebody took a rejected file, whose rows went into a version. Raises NotFound."""
        with self._database.write() as connection:
            connection.execute(update(checked_files).where(
                checked_files.c.dataset == dataset_key(connection, name), checked_files.c.number == number).values(
                version=version, decided=self._clock.now(), who=codec.clean(who, _WHO), why=codec.clean(why, _WHY)))

    def put_aside(self, name: str, places: Mapping[str, str]) -> None:
        """Note where files (by digest) of the dataset's checks were copied to. Raises NotFound."""
        with self._database.write() as connection:
            key = dataset_key(connection, name)
            for digest, place in places.items():
                connection.execute(update(checked_files).where(
                    checked_files.c.dataset == key, checked_files.c.digest == digest,
                    checked_files.c.status == "rejected").values(aside=codec.clean(place, _PATH)))

    def get(self, name: str, number: int) -> CheckRecord:
        """Return one file of one check. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(checked_files).where(
                checked_files.c.dataset == dataset_key(connection, name),
                checked_files.c.number == number)).one_or_none()
        if row is None:
            raise NotFound(f"No checked file of {name!r:.80} has the number {number}.",
                           hint="`mldesk data checks` lists them.")
        return _record(row)

    # last, because below it ``list`` is this method
    def list(self, name: str, *, status: str = "", limit: int = 1000) -> list[CheckRecord]:
        """Return what was checked, the newest first; of one status only, if that is given. Raises NotFound."""
        with self._database.read() as connection:
            query = (select(checked_files).where(checked_files.c.dataset == dataset_key(connection, name))
                     .order_by(checked_files.c.number.desc()).limit(limit))
            if status:
                query = query.where(checked_files.c.status == status)
            return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> CheckRecord:
    return CheckRecord(row.number, row.batch, row.time, row.contract, row.path, row.digest, row.status, row.rows,
                       row.bad_rows, row.version, row.aside, row.decided, row.who, row.why,
                       tuple(codec.load(row.findings)))
