"""The library: everything a user keeps, below one home."""

from __future__ import annotations

from typing import Self

from mldesk.core.clock import Clock, SystemClock
from mldesk.core.durable import disk_errors
from mldesk.core.paths import Home
from mldesk.core.scratch import sweep
from mldesk.library import keeping
from mldesk.library.bin import Bin
from mldesk.library.checks import CheckLog
from mldesk.library.contracts import ContractStore
from mldesk.library.database import Database
from mldesk.library.dataset_words import DatasetWords
from mldesk.library.datasets import DatasetStore
from mldesk.library.holdings import Holdings
from mldesk.library.models import ModelStore
from mldesk.library.prediction_log import PredictionLog
from mldesk.library.runners import RunnerStore
from mldesk.library.runs import RunStore
from mldesk.library.settings import SettingStore
from mldesk.wire.objects import ObjectStore


class Library:
    """The stores over one database and one object store. Thread-safe; several processes may have it open at once."""

    def __init__(self, home: Home, database: Database, session: keeping.Session, clock: Clock) -> None:
        self.home = home
        self.objects = ObjectStore(home.objects)
        self.datasets = DatasetStore(database, self.objects, clock)
        self.words = DatasetWords(database)
        self.holdings = Holdings(database, self.objects, clock)
        self.bin = Bin(self.holdings, self.objects, database, clock)
        self.contracts = ContractStore(database, clock)
        self.checks = CheckLog(database, clock)
        self.runs = RunStore(database, clock)
        self.models = ModelStore(database, self.objects, clock)
        self.predictions = PredictionLog(database, clock)
        self.runners = RunnerStore(database)
        self.settings = SettingStore(database)
        self._database, self._session, self._clock = database, session, clock

    @classmethod
    def open(cls, home: Home, *, clock: Clock | None = None) -> Library:
        """Open the library at ``home``, making or migrating it first; check and back it up when that is due.

        On a full disk one that needs neither is opened all the same: what is kept can be read.

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
