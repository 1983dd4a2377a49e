"""The stages a model version goes through, and how it went. Called within a transaction of ``models``.

A new version has no stage. One is "promoted" at most: it is what the bare name means. The one before becomes
"archived", so that the history says what was in use when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from mldesk.core.errors import BadInput, Conflict
from mldesk.library import codec
from mldesk.library.records import ModelVersion, StageChange
from mldesk.library.schema import model_versions, model_words, models, stage_changes

CANDIDATE, PROMOTED, ARCHIVED = "candidate", "promoted", "archived"
SETTABLE = ("", CANDIDATE, ARCHIVED)
_BACK = "Rolled back."   # why a promoted version was archived; nobody else writes a note there


def promote(connection: Connection, model: int, number: int, note: str, time: float, *, back: bool = False) -> None:
    """Let the bare name mean ``number``; nothing changes, and nothing is written, where it does already.

    ``back``: it is a step back, so that the next one goes further back.
    """
    before = connection.execute(select(models.c.promoted).where(models.c.key == model)).scalar_one()
    if before == number:
        return
    if before is not None:
        _note(connection, model, before, time, PROMOTED, ARCHIVED, _BACK if back else "")
        set_word(connection, model, before, stage=ARCHIVED)
    _note(connection, model, number, time, word(connection, model, number, "stage") or "", PROMOTED, note)
    set_word(connection, model, number, stage="")
    connection.execute(update(models).where(models.c.key == model).values(promoted=number))


def change(connection: Connection, model: int, version: ModelVersion, stage: str, note: str, time: float) -> None:
    """Move a version to a stage. Raises BadInput, Conflict."""
    if stage not in SETTABLE:
        raise BadInput(f"There is no stage {stage!r:.40} to set.",
                       hint="A version is a candidate, archived or neither; `models promote` promotes it.")
    if version.stage == PROMOTED:
        raise Conflict(f"{version.label} is promoted: it is what the bare name means.",
                       hint="Promote another version, or roll back, first.")
    if version.stage != stage:
        _note(connection, model, version.number, time, version.stage, stage, note)
        set_word(connection, model, version.number, stage=stage)


def history(connection: Connection, model: int) -> list[StageChange]:
    """Return every change, newest first."""
    rows = connection.execute(select(stage_changes).where(stage_changes.c.model == model)
                              .order_by(stage_changes.c.key.desc()))
    return [StageChange(row.number, row.time, row.before, row.after, row.note) for row in rows]


def before_promotion(changes: Sequence[StageChange]) -> int | None:
    """Return the version that was promoted before the last promotion that holds, whatever its number; None: none.

    ``changes``: the history, newest first.
    """
    line: list[int] = []   # of promotions, each over the one before
    back = False
    for change in reversed(changes):
        if change.after == PROMOTED:
            if back and change.number in line:
                del line[line.index(change.number) + 1:]
            else:
                line.append(change.number)
        elif change.before == PROMOTED and change.number not in line[-1:]:   # promoted before there was a history
            line.append(change.number)
        back = change.before == PROMOTED and change.note == _BACK
    return line[-2] if len(line) > 1 else None


def word(connection: Connection, model: int, number: int, name: str) -> str | None:
    """Return the "stage", "card" or "threshold" that is kept of a version; None where there is none."""
    return connection.execute(select(model_words.c[name]).where(
        model_words.c.version == _version(connection, model, number))).scalar_one_or_none()


def set_word(connection: Connection, model: int, number: int, **values: Any) -> None:
    """Keep a "stage", a "card", "tags" or a "threshold"."""
    key = _version(connection, model, number)
    connection.execute(upsert(model_words).values(version=key, **{"stage": "", "card": None, **values})
                       .on_conflict_do_update(index_elements=["version"], set_=values))


def _version(connection: Connection, model: int, number: int) -> int:
    return int(connection.execute(select(model_versions.c.key).where(
        model_versions.c.model == model, model_versions.c.number == number)).scalar_one())


def _note(connection: Connection, model: int, number: int, time: float, before: str, after: str, note: str) -> None:
    connection.execute(insert(stage_changes).values(model=model, number=number, time=time, before=before, after=after,
                                                    note=codec.clean(note, 2000).strip()))
