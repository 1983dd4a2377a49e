"""Files of predictions that were written: by which model, from which rows, when, and where they went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, insert, select

from mldesk.core.clock import Clock
from mldesk.library import codec
from mldesk.library.database import Database
from mldesk.library.names import fold
from mldesk.library.records import PredictionRecord
from mldesk.library.schema import model_versions, models, predictions


class PredictionLog:
    """Grows only. The files themselves are the user's; a digest tells whether one still is what was written."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, *, model: str, manifest: str, source: str, source_digest: str, output: str, output_digest: str,
            rows: int, left_out: int, options: Mapping[str, Any]) -> PredictionRecord:
        """Write down one file. ``model`` is a bundle's name or name@version."""
        name, _, number = model.rpartition("@")
        with self._database.write() as connection:
            version = connection.execute(
                select(model_versions.c.key).join(models, model_versions.c.model == models.c.key)
                .where(models.c.folded == fold(name), model_versions.c.number == int(number))
            ).scalar_one_or_none() if number.isdecimal() else None
            values = {"time": self._clock.now(), "model": codec.clean(model, 400), "version": version,
                      "manifest": manifest, "source": codec.clean(source), "source_digest": source_digest,
                      "output": codec.clean(output), "output_digest": output_digest, "rows": rows,
                      "left_out": left_out, "options": codec.dump(dict(options))}
            return _record(connection.execute(insert(predictions).values(**values).returning(predictions)).one())

    # last, because below it ``list`` is this method
    def list(self, model: str = "", limit: int = 1000) -> list[PredictionRecord]:
        """Return what was written, newest first; of the model called ``model`` only, if that is given."""
        query = select(predictions).order_by(predictions.c.key.desc()).limit(limit)
        if model:
            query = (query.join(model_versions, predictions.c.version == model_versions.c.key)
                     .join(models, model_versions.c.model == models.c.key).where(models.c.folded == fold(model)))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> PredictionRecord:
    return PredictionRecord(row.key, row.time, row.model, row.manifest, row.source, row.source_digest, row.output,
                            row.output_digest, row.rows, row.left_out, codec.load(row.options))
