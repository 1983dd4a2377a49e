"""One SQLite file through SQLAlchemy Core: units of work, and errors in words.

WAL, so that readers and the one writer at a time do not wait for each other; every writer takes the write lock when it
begins (BEGIN IMMEDIATE), so that what it read first is still true when it writes. ``synchronous=FULL`` for everything,
metric points too: they share a transaction with the cursor and states, and one fsync per batch is not what a batch
costs (see tests/benchmarks).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from mldesk.core.errors import Conflict, DiskFull, LibraryDamaged, MldeskError, WorkFailed

NO_ROOM = 256 * 1024  # bytes; with less free SQLite cannot make the files it needs, and calls that an I/O error
BUSY_SECONDS = 30.0  # how long a writer waits for another process's transaction
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")


_MAYBE_FULL = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class LibraryBusy(WorkFailed):
    """Another process has held the write lock for longer than anyone should."""

    code = "library_busy"


class Database:
    """The library's file. Thread-safe: each unit of work takes a connection of its own from the pool."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool, pool_size=5, max_overflow=20)
        event.listen(self._engine, "begin", _begin)
        event.listen(self._engine, "checkin", _forget_still)
        self._writer = self._engine.execution_options(mldesk_write=True)
        self._watch: sqlite3.Connection | None = None
        self._watch_lock = threading.Lock()

    @property
    def path(self) -> Path:
        return self._path

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the library and changes nothing."""
        with words(self._path), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that alone may write; commits when the block ends well.

        Raises LibraryBusy, DiskFull, LibraryDamaged, with nothing of the block kept.
        """
        with words(self._path), self._writer.begin() as connection:
            yield connection

    def change_token(self) -> int:
        """Return a number that differs whenever any connection of any process has committed since the last call."""
        with words(self._path), self._watch_lock:
            if self._watch is None:
                self._watch = self._connect()
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close every connection. The last one to close writes the log back into the file."""
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        # Pooled connections move between threads, one at a time; transactions are begun by ``_begin`` alone.
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode & 0xFF not in _MAYBE_FULL or not self._may_be_read_still():
                raise
            return sqlite3.connect(f"{self._path.as_uri()}?immutable=1", uri=True, isolation_level=None,
                                   check_same_thread=False, factory=_Still)
        except BaseException:
            connection.close()
            raise
        return connection

    def _may_be_read_still(self) -> bool:
        """Say whether the disk is full, so that nobody writes, and the file alone holds all that was ever committed."""
        log = self._path.with_name(f"{self._path.name}-wal")
        try:
            return _full(self._path.parent) and not (log.exists() and log.stat().st_size)
        except OSError:
            return False


class _Still(sqlite3.Connection):
    """Reads the file as it lies there: WAL needs an index beside it, and a full disk has no room for that.

    Kept for one transaction only: the next one may find room. To write through it is refused by SQLite.
    """


def _forget_still(connection: Any, record: ConnectionPoolEntry) -> None:
    if isinstance(connection, _Still):
        record.invalidate()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("mldesk_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextlib.contextmanager
def words(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the world into errors a user can act on; leave our own mistakes alone."""
    try:
        yield
    except DatabaseError as error:
        known = _known(error.orig, path)
        if known is None:
            raise
        raise known from error
    except sqlite3.DatabaseError as error:
        known = _known(error, path)
        if known is None:
            raise
        raise known from error


def _known(error: Any, path: Path) -> MldeskError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary in _MAYBE_FULL and _full(path.parent)):
        return DiskFull("The disk is full: nothing was written to the library, and it is as it was.",
                        hint="Free some space on that disk, then do it again.")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryBusy("Another MLDesk program keeps the library busy.", hint="Wait for it, or end it; then retry.")
    if primary in _MAYBE_FULL and path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return WorkFailed(f"The library's folder {path.parent} cannot be written to: it is read-only.",
                          hint="Check who owns that folder and how its disk is mounted, or choose another with --home.")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return WorkFailed(f"The library {path} cannot be opened for writing: {error}.",
                          hint="Check who owns that folder and file, or choose another with --home.")
    if primary == sqlite3.SQLITE_IOERR:
        return WorkFailed(f"The disk gave an error while the library was read or written: {error}.",
                          hint="Nothing half-written is kept. Check that disk and its free space, then do it again.")
    return None


def _full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < NO_ROOM
    except OSError:  # the disk itself is gone; SQLite's own words are the better ones
        return False


def damaged(path: Path, why: str) -> LibraryDamaged:
    """Say that the database is damaged, and how to get the newest backup back by hand."""
    backups = sorted((path.parent / "backups").glob("library-*.db"), key=lambda backup: backup.stat().st_mtime)
    if backups:
        hint = (f"Close every MLDesk program, move {path.name}, {path.name}-wal and {path.name}-shm out of "
                f"{path.parent}, and copy {backups[-1]} there as {path.name}. Datasets and models keep their files.")
    else:
        hint = f"There is no backup yet. Move {path.name} away to start anew; the files in objects stay."
    return LibraryDamaged(f"The library's database {path} is damaged: {why[:200]}.", hint=hint)


def taken(what: str, name: str, hint: str) -> Conflict:
    """Say that a name is taken."""
    return Conflict(f"There is a {what} named {name!r:.80} already.", hint=hint)
