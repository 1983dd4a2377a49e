"""Opening and looking after the library's file: made, brought up to date, checked, backed up."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from mldesk.core import durable, filelock
from mldesk.core.clock import Clock, iso
from mldesk.core.errors import BadInput, DiskFull, MldeskError, WorkFailed
from mldesk.core.paths import Home
from mldesk.library.database import Database, damaged, words
from mldesk.library.schema import HEAD, REVISIONS, metadata
from mldesk.wire.objects import ObjectStore

DAY = 86_400.0              # seconds
BACKUPS = 5
_CHECKED = ".checked"       # its time says when the file was last checked
QUICK = 256 * 1024 * 1024   # bytes; a larger file is checked and backed up by ``maintain`` only, not while it opens


class LibraryTooNew(MldeskError):
    """A newer MLDesk has changed the library in a way this one does not know."""

    code = "library_too_new"


@contextlib.contextmanager
def folder_errors(home: Home) -> Iterator[None]:
    """Turn a home that is a file, that may not be written to, or that nothing can name, into one sentence.

    Raises BadInput, WorkFailed.
    """
    shown = os.fsencode(home.root).decode("utf-8", "backslashreplace")
    if shown != str(home.root):
        raise BadInput(f"The library's folder {shown} has a name that is no UTF-8, which no database can open.",
                       hint="Choose another with --home or MLDESK_HOME.")
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        at = next((path for path in (home.root, *home.root.parents) if path.exists() and not path.is_dir()), None)
        if at is None:
            raise
        where = "" if at == home.root else f" cannot be made: {at}"
        raise BadInput(f"The library's folder {home.root}{where} is a file, not a folder.",
                       hint="Choose a folder with --home or MLDESK_HOME; it is made if it is not there.") from error
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG):
            raise
        raise WorkFailed(f"The library's folder {home.root} cannot be written to: {error.strerror}.",
                         hint="Check who owns that folder, or choose another with --home.") from error


def refuse_emptied(home: Home) -> None:
    """Raise LibraryDamaged for a database of no bytes where objects show that there has been a library.

    SQLite takes such a file for a new database, and everything that is kept would seem to be gone.
    """
    if not home.database.is_file() or home.database.stat().st_size:
        return
    if next(ObjectStore(home.objects).digests(), None) is not None:
        raise damaged(home.database, "it is empty, though there are datasets or models beside it")


def bring_up_to_date(database: Database, home: Home) -> bool:
    """Make the tables, or migrate them; say whether the library is new.

    Raises LibraryTooNew, LibraryDamaged, DiskFull, with the file as it was.
    """
    with database.read() as connection:
        revision = _revision(connection, home.database)
    if revision == HEAD:
        return False
    if revision is None:
        with database.write() as connection:  # another process may be making it too: look again under the lock
            revision = _revision(connection, home.database)
            if revision is None:
                _create(connection)
                return True
    if revision not in REVISIONS:
        raise LibraryTooNew(
            f"The library {home.database} was written by a newer MLDesk (its format {revision!r:.40} is not known).",
            hint="Upgrade MLDesk on this machine, or choose another library with --home.")
    with filelock.locked(home.root / ".migrating"):
        with database.read() as connection:
            revision = _revision(connection, home.database)
        if revision != HEAD:
            _copy(home.database, home.backups / f"library-before-{HEAD}.db")
            from mldesk.library.migrations import upgrade  # Alembic takes longer to import than everything here

            upgrade(home.database)
    return False


def _revision(connection: Connection, path: Path) -> str | None:
    """Return the revision in the file; None for an empty file. Raises LibraryDamaged for another program's database."""
    tables = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise damaged(path, "it holds tables, but not those of a library")
    return str(connection.exec_driver_sql("SELECT max(version_num) FROM alembic_version").scalar_one())


def _create(connection: Connection) -> None:
    # The same as running every migration, without Alembic's import; a test compares the two.
    metadata.create_all(connection)
    connection.exec_driver_sql("CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t"
                               "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)")
    connection.exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))


class Session:
    """A mark in the home while the library is open, so that the next to open it sees whether we ended well."""

    def __init__(self, home: Home) -> None:
        folder = home.root / ".sessions"
        folder.mkdir(exist_ok=True, mode=0o700)
        self.others_died = _bury(folder)  # a process that had the library open was killed, or the machine was
        self._path = folder / secrets.token_hex(8)
        self._file = open(self._path, "xb")  # noqa: SIM115 - open until ``close``: its lock says that we live
        filelock.acquire(self._file.fileno(), wait=False)

    def close(self) -> None:
        """Take the mark away: we ended well."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _bury(folder: Path) -> bool:
    found = False
    for mark in folder.iterdir():
        with contextlib.suppress(OSError):  # removed by its owner just now, or (Windows) held open by it
            with open(mark, "rb") as file:
                dead = os.name == "nt" or filelock.acquire(file.fileno(), wait=False)
            if dead:
                mark.unlink()
                found = True
    return found


def maintain(database: Database, home: Home, *, clock: Clock) -> None:
    """Check the whole file, and back it up unless that was done within a day. Raises LibraryDamaged, DiskFull."""
    with database.read() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise damaged(home.database, str(found))
    backups = daily_backups(home)
    if not backups or clock.now() - backups[-1].stat().st_mtime > DAY * 0.9:
        backup = home.backups / f"library-{iso(clock.now())[:10]}.db"
        _copy(home.database, backup)
        os.utime(backup, (clock.now(), clock.now()))
        for old in daily_backups(home)[:-BACKUPS]:
            old.unlink(missing_ok=True)
    _mark_checked(home, clock)


def _mark_checked(home: Home, clock: Clock) -> None:
    mark = home.root / _CHECKED
    mark.touch()
    os.utime(mark, (clock.now(), clock.now()))


def maintain_if_due(database: Database, home: Home, *, new: bool, killed: bool, clock: Clock) -> None:
    """``maintain`` once a day, and after a process that had the library open was killed; large files wait.

    A backup that finds no room waits as well: what is kept can be read, and the next time it is tried again.
    """
    if home.database.stat().st_size > QUICK:
        return
    try:
        due = clock.now() - (home.root / _CHECKED).stat().st_mtime >= DAY
    except FileNotFoundError:
        due = not new
    if killed or due:
        with contextlib.suppress(DiskFull):
            maintain(database, home, clock=clock)
    elif new:
        _mark_checked(home, clock)


def daily_backups(home: Home) -> list[Path]:
    """Return the rotating backups, oldest first."""
    return sorted(home.backups.glob("library-2*.db"))


def _copy(path: Path, target: Path) -> None:
    """Write one consistent state of the database at ``path`` to ``target``, whole or not at all."""
    with words(path), durable.disk_errors("backing up the library"), durable.draft(target.parent, target.name) as new:
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(new.path)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it to forget
        new.keep_as(target)
