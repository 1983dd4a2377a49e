"""Alembic's side of the library; imported only when a library is behind the code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

from mldesk.library.database import damaged, words


def configuration() -> Config:
    """Return Alembic's configuration; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", "mldesk.library:migrations")
    return config


def upgrade(path: Path, revision: str = "head") -> None:
    """Bring the database at ``path`` to ``revision`` in one transaction.

    Raises LibraryDamaged, DiskFull, LibraryBusy, with the database as it was.
    """
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
        connection.execute("PRAGMA foreign_keys=OFF")  # tables are rebuilt; the check below stands in for it
        return connection

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", begin)
    with words(path), engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise damaged(path, f"{len(broken)} rows refer to rows that are not there")
