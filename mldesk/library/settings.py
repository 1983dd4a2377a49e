"""Small choices that are kept: JSON by key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from mldesk.library import codec
from mldesk.library.database import Database
from mldesk.library.schema import settings


class SettingStore:
    """Settings by key. What a key means, and its default, is known by whoever asks for it. Never secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value kept under ``key``, else ``default``."""
        with self._database.read() as connection:
            text = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar_one_or_none()
        return default if text is None else codec.load(text)

    def set(self, key: str, value: Any) -> None:
        """Keep plain JSON data under ``key``."""
        with self._database.write() as connection:
            connection.exec_driver_sql("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
                                       (key, codec.dump(value)))

    def delete(self, key: str) -> None:
        """Forget a key; one that is not there is forgotten already."""
        with self._database.write() as connection:
            connection.execute(delete(settings).where(settings.c.key == key))

    def all(self) -> dict[str, Any]:
        """Return every setting."""
        with self._database.read() as connection:
            return {row.key: codec.load(row.value) for row in connection.execute(select(settings))}
