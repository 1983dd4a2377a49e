"""The library: everything a user keeps, below one home."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Self

from sqlalchemy import select

from mldesk.core.clock import Clock, SystemClock
from mldesk.core.durable import disk_errors
from mldesk.core.paths import Home
from mldesk.core.scratch import sweep
from mldesk.library import codec, keeping
from mldesk.library.bin import Bin
from mldesk.library.contracts import ContractStore
from mldesk.library.database import Database
from mldesk.library.dataset_words import DatasetWords
from mldesk.library.datasets import DatasetStore
from mldesk.library.models import ModelStore
from mldesk.library.prediction_log import PredictionLog
from mldesk.library.runners import RunnerStore
from mldesk.library.runs import RunStore
from mldesk.library.schema import artifacts, dataset_versions, model_versions, runs
from mldesk.library.settings import SettingStore
from mldesk.wire.objects import DAY, ObjectStore, is_digest
from mldesk.wire.states import JobState


class Library:
    """The stores over one database and one object store. Thread-safe; several processes may have it open at once."""

    def __init__(self, home: Home, database: Database, session: keeping.Session, clock: Clock) -> None:
        self.home = home
        self.objects = ObjectStore(home.objects)
        self.datasets = DatasetStore(database, self.objects, clock)
        self.words = DatasetWords(database)
        self.bin = Bin(self, database)
        self.contracts = ContractStore(database, clock)
        self.runs = RunStore(database, clock)
        self.models = ModelStore(database, self.objects, clock)
        self.predictions = PredictionLog(database, clock)
        self.runners = RunnerStore(database)
        self.settings = SettingStore(database)
        self._database, self._session, self._clock = database, session, clock

    @classmethod
    def open(cls, home: Home, *, clock: Clock | None = None) -> Library:
        """Open the library at ``home``, making or migrating it first; check and back it up when that is due.

        Raises LibraryTooNew, LibraryDamaged (its hint says how to get a backup back), LibraryBusy, DiskFull, BadInput
        for a home that is a file, WorkFailed for one that cannot be written to.
        """
        clock = clock or SystemClock()
        with disk_errors("opening the library"), keeping.folder_errors(home):
            home.make()
            keeping.refuse_emptied(home)
            session = keeping.Session(home)
        database = Database(home.database)
        try:
            new = keeping.bring_up_to_date(database, home)
            library = cls(home, database, session, clock)
            if session.others_died:
                library.objects.sweep_staging()
                sweep(home.scratch)
            keeping.maintain_if_due(database, home, new=new, killed=session.others_died, clock=clock)
        except BaseException:
            database.close()
            session.close()
            raise
        return library

    def close(self) -> None:
        """Let go of the files. The library must not be used afterwards."""
        self._database.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def change_token(self) -> int:
        """Return a number that differs from the last one if anyone, here or in another process, has written since."""
        return self._database.change_token()

    def maintain(self) -> None:
        """Check the whole database and back it up if that is due. Raises LibraryDamaged, DiskFull."""
        keeping.maintain(self._database, self.home, clock=self._clock)

    def named_digests(self, without: Collection[int] = ()) -> set[str]:
        """Return the digest of every object the library names; manifests stand for their files.

        What only the datasets with the keys ``without`` name is left out.
        """
        with self._database.read() as connection:
            found: set[object] = set()
            versions = select(dataset_versions.c.manifest, dataset_versions.c.profile, dataset_versions.c.recipe).where(
                dataset_versions.c.dataset.not_in(list(without)))
            for manifest, profile, recipe in connection.execute(versions):
                found.update((manifest, profile))  # and the other datasets that its recipe brought in
                found.update(step.get("digest") for step in codec.load(recipe) or ())
            for column in (model_versions.c.manifest, artifacts.c.digest):
                found.update(digest for (digest,) in connection.execute(select(column).distinct()) if digest)
            for spec, result in connection.execute(select(runs.c.spec, runs.c.result)):
                asked = codec.load(spec)
                split = asked["payload"].get("split")
                found.update(asked["inputs"])
                found.add(split.get("membership") if isinstance(split, dict) else None)
                found.add((codec.load(result) or {}).get("split"))
        return {digest for digest in found if isinstance(digest, str) and is_digest(digest)}

    def sweep(self, grace: float = DAY) -> list[str]:
        """Remove the objects that nothing names and nobody touched for ``grace`` seconds; return their digests.

        While a run has not ended for good, the runner may hold results that the library has not heard of yet:
        nothing newer than the oldest such run is removed.
        """
        return self.objects.sweep(self.named_digests(), self._grace(grace))

    def free(self, digests: Iterable[str], grace: float) -> list[str]:
        """Remove some objects that nothing names any more, with the same care as ``sweep``; return those that went."""
        return self.objects.free(digests, self._grace(grace))

    def _grace(self, grace: float) -> float:
        with self._database.read() as connection:
            final = [state.value for state in JobState if state.final]
            oldest = connection.execute(
                select(runs.c.created).where(runs.c.state.not_in(final)).order_by(runs.c.created).limit(1)
            ).scalar_one_or_none()
        if oldest is not None:
            grace = max(grace, self._clock.now() - oldest)
        return grace
