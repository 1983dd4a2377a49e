"""Models and their versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, NotFound
from mldesk.library import codec, stages
from mldesk.library.database import Database
from mldesk.library.names import check_name, fold, tidy_name
from mldesk.library.records import Model, ModelVersion, StageChange
from mldesk.library.schema import dataset_versions, datasets, model_versions, model_words, models, runs
from mldesk.wire.objects import ObjectMissing, ObjectStore

_version = (
    select(model_versions, models.c.name, models.c.folded, runs.c.id.label("run_id"),
           datasets.c.name.label("dataset_now"), dataset_versions.c.number.label("dataset_number"),
           models.c.promoted, model_words.c.stage, model_words.c.tags)
    .join(models, model_versions.c.model == models.c.key)
    .outerjoin(model_words, model_words.c.version == model_versions.c.key)
    .outerjoin(runs, model_versions.c.run == runs.c.key)
    .outerjoin(dataset_versions, model_versions.c.dataset_version == dataset_versions.c.key)
    .outerjoin(datasets, dataset_versions.c.dataset == datasets.c.key))


class ModelStore:
    """Trained models by name. Versions come from runs (see ``RunStore.apply``) and from imported bundles."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database, self._objects, self._clock = database, objects, clock

    def get(self, name: str) -> Model:
        """Return a model. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(_summaries().where(models.c.folded == fold(name))).one_or_none()
            if row is None:
                raise _unknown(name)
            return _with_chosen(connection, _to_model(row))

    def version(self, name: str, number: int | None = None) -> ModelVersion:
        """Return a version by its number, else the promoted one, else the newest. Raises NotFound."""
        with self._database.read() as connection:
            row = _model(connection, name)
            if number is None:
                number = row.promoted or _newest(connection, row.key)
            return _one_version(connection, row.name, row.key, number)

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first. Raises NotFound."""
        with self._database.read() as connection:
            row = _model(connection, name)
            query = _version.where(model_versions.c.model == row.key).order_by(model_versions.c.number)
            return [_to_version(found) for found in connection.execute(query)]

    def add_imported(self, manifest: str, facts: Mapping[str, Any], *, source: str = "",
                     name: str = "") -> ModelVersion:
        """Keep a model that came in a bundle, under ``name`` or the one in its facts.

        ``facts`` as a bundle carries them: name, task, target, estimator, metrics, notes, provenance.dataset. They are
        a stranger's words: a name that cannot be one here is tidied. Raises ObjectMissing, LibraryDamaged, BadInput.
        """
        chosen = check_name(name, "model") if name else _name_in(facts)
        origin = facts.get("provenance")
        notes = codec.clean(facts.get("notes") or (f"Imported from {source}" if source else "Imported"))
        if not self._objects.has(manifest):
            raise ObjectMissing(manifest)
        size = self._objects.manifest(manifest).size
        with self._database.write() as connection:
            key, number = insert_version(connection, chosen, self._clock.now(), {
                "manifest": manifest, "run": None, "dataset_version": None, "size": size, "notes": notes,
                "dataset": codec.clean(origin.get("dataset") or "", 300) if isinstance(origin, Mapping) else "",
                "task": codec.clean(facts.get("task") or "", 100),
                "target": codec.clean(facts.get("target") or "", 1000),
                "estimator": codec.clean(facts.get("estimator") or "", 200),
                "metrics": metrics_text(facts.get("metrics"))})
            return _one_version(connection, chosen, key, number)

    def imported_as(self, facts: Mapping[str, Any], same: Callable[[ModelVersion], bool]) -> ModelVersion | None:
        """Return the newest version that is the ``same`` under the name that ``add_imported`` would give a bundle."""
        try:
            versions = self.versions(_name_in(facts))
        except NotFound:
            return None
        return next((version for version in reversed(versions) if same(version)), None)

    def promote(self, name: str, number: int, note: str = "") -> None:
        """Let the bare name mean version ``number``; the one before is archived. Raises NotFound."""
        with self._database.write() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            stages.promote(connection, row.key, number, note, self._clock.now())

    def rollback(self, name: str, number: int | None = None, note: str = "") -> int:
        """Let the bare name mean an earlier version, None: the one before the last promotion; return its number.

        Raises NotFound; Conflict for a later one, or where none was promoted before.
        """
        with self._database.write() as connection:
            row = _model(connection, name)
            now = row.promoted or _newest(connection, row.key)
            before = stages.before_promotion(stages.history(connection, row.key))
            if number is None and before is None:
                raise Conflict(f"No version of {row.name!r:.80} was promoted before version {now}.",
                               hint="Say which version the name is to mean: mldesk models rollback MODEL VERSION.")
            chosen = before if number is None or number == before else number
            if chosen is None or (chosen > now and chosen != before):
                raise Conflict(f"The model {row.name!r:.80} is at version {now}; {number} is not an earlier one.",
                               hint=f"`mldesk models promote` goes forward to {number}.")
            _one_version(connection, row.name, row.key, chosen)
            stages.promote(connection, row.key, chosen, note, self._clock.now(), back=True)
            return chosen

    def set_stage(self, name: str, number: int, stage: str, note: str = "") -> None:
        """Say at which stage a version is: "", "candidate" or "archived".

        Raises NotFound; BadInput for another word; Conflict for the promoted version, which another one has to follow.
        """
        with self._database.write() as connection:
            row = _model(connection, name)
            version = _one_version(connection, row.name, row.key, number)
            stages.change(connection, row.key, version, stage, note, self._clock.now())

    def stage_changes(self, name: str) -> list[StageChange]:
        """Return how versions went from stage to stage, newest first. Raises NotFound."""
        with self._database.read() as connection:
            return stages.history(connection, _model(connection, name).key)

    def card(self, name: str, number: int) -> str | None:
        """Return the card as a person left it, None where nobody changed it. Raises NotFound."""
        with self._database.read() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            return stages.word(connection, row.key, number, "card")

    def set_card(self, name: str, number: int, card: str | None) -> None:
        """Keep a card instead of the one that was made; None goes back to that. Raises NotFound."""
        with self._database.write() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            stages.set_word(connection, row.key, number, card=None if card is None else codec.clean(card, 1 << 20))

    def threshold(self, name: str, number: int) -> str | None:
        """Return the threshold that a person set (JSON), "" for none, None where nobody did. Raises NotFound."""
        with self._database.read() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            return stages.word(connection, row.key, number, "threshold")

    def set_threshold(self, name: str, number: int, threshold: str) -> None:
        """Keep a threshold (JSON), or "" for none. Raises NotFound."""
        with self._database.write() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            stages.set_word(connection, row.key, number, threshold=threshold)

    def set_notes(self, name: str, number: int, notes: str) -> None:
        """Keep words about a version. Raises NotFound."""
        with self._database.write() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            connection.execute(update(model_versions).where(
                model_versions.c.model == row.key, model_versions.c.number == number).values(notes=codec.clean(notes)))

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags that versions of each model bear, by the model's name; models without any are left out."""
        asked = (select(models.c.name, model_words.c.tags).join(model_versions, model_versions.c.model == models.c.key)
                 .join(model_words, model_words.c.version == model_versions.c.key)
                 .where(model_words.c.tags.is_not(None)).order_by(models.c.key, model_versions.c.number))
        found: dict[str, dict[str, None]] = {}
        with self._database.read() as connection:
            for row in connection.execute(asked):
                found.setdefault(row.name, {}).update(dict.fromkeys(codec.load(row.tags) or ()))
        return {name: tuple(tags) for name, tags in found.items() if tags}

    def set_tags(self, name: str, number: int, tags: Sequence[str]) -> None:
        """Keep the tags of a version. Raises NotFound, BadInput for one that is none."""
        words = list(dict.fromkeys(check_name(tag, "tag") for tag in tags))
        with self._database.write() as connection:
            row = _model(connection, name)
            _one_version(connection, row.name, row.key, number)
            stages.set_word(connection, row.key, number, tags=codec.dump(words))

    def of_tests(self, word: str) -> set[str]:
        """Return the names of models that end in ``-word`` and hold nothing but what runs tagged ``word`` made.

        One that was promoted, and one with a version of any other origin, is not among them.
        """
        others = select(model_versions.c.key).outerjoin(runs, model_versions.c.run == runs.c.key).where(
            model_versions.c.model == models.c.key,
            runs.c.tags.is_(None) | ~runs.c.tags.contains(codec.dump(word), autoescape=True)).correlate(models)
        with self._database.read() as connection:
            return set(connection.execute(select(models.c.name).where(
                models.c.folded.endswith(f"-{word}", autoescape=True), models.c.promoted.is_(None),
                ~others.exists())).scalars())

    # last, because below it ``list`` is this method
    def list(self) -> list[Model]:
        """Return every model by name."""
        with self._database.read() as connection:
            rows = connection.execute(_summaries().order_by(models.c.folded)).all()
            return [_with_chosen(connection, _to_model(row)) for row in rows]


def insert_version(connection: Connection, name: str, created: float, values: Mapping[str, Any]) -> tuple[int, int]:
    """Add the next version to the model called ``name``, made if need be; return the model's key and the number."""
    key = connection.execute(select(models.c.key).where(models.c.folded == fold(name))).scalar_one_or_none()
    if key is None:
        connection.execute(insert(models).values(name=name, folded=fold(name), created=created))
        key = connection.execute(select(models.c.key).where(models.c.folded == fold(name))).scalar_one()
    number = 1 + _newest(connection, key)
    connection.execute(insert(model_versions).values(model=key, number=number, created=created, **values))
    return int(key), number


def metrics_text(metrics: object) -> str:
    """Write the numbers among ``metrics`` as JSON; a runner or a bundle may have sent anything."""
    given = metrics.items() if isinstance(metrics, Mapping) else ()
    return codec.dump({codec.clean(name, 200): number for name, value in given
                       if (number := codec.finite(value)) is not None})


def _name_in(facts: Mapping[str, Any]) -> str:
    return tidy_name(str(facts.get("name", "")), "imported model")


def _newest(connection: Connection, key: int) -> int:
    return int(connection.execute(select(func.coalesce(func.max(model_versions.c.number), 0))
                                  .where(model_versions.c.model == key)).scalar_one())


def _model(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(models).where(models.c.folded == fold(name))).one_or_none()
    if row is None:
        raise _unknown(name)
    return row


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no model named {name!r:.80}.")


def _one_version(connection: Connection, name: str, key: int, number: int) -> ModelVersion:
    row = connection.execute(_version.where(
        model_versions.c.model == key, model_versions.c.number == number)).one_or_none()
    if row is None:
        raise NotFound(f"The model {name!r:.80} has no version {number}.", hint="`mldesk models show` lists them.")
    return _to_version(row)


def _summaries() -> Select[Any]:
    newest = select(func.max(model_versions.c.number)).where(
        model_versions.c.model == models.c.key).correlate(models).scalar_subquery()
    counted = select(func.count()).where(
        model_versions.c.model == models.c.key).correlate(models).scalar_subquery().label("versions")
    return _version.add_columns(models.c.created.label("made"), counted).where(
        model_versions.c.number == newest)


def _to_model(row: Row[Any]) -> Model:
    return Model(name=row.name, head=_to_version(row), promoted=row.promoted, versions=row.versions, created=row.made)


def _with_chosen(connection: Connection, model: Model) -> Model:
    """Return the model with its promoted version, where that is not the newest."""
    if model.promoted in (None, model.head.number):
        return model
    row = connection.execute(_version.where(models.c.folded == fold(model.name),
                                            model_versions.c.number == model.promoted)).one_or_none()
    return model if row is None else replace(model, chosen=_to_version(row))


def _to_version(row: Row[Any]) -> ModelVersion:
    dataset = row.dataset if row.dataset_now is None else f"{row.dataset_now}@{row.dataset_number}"
    return ModelVersion(
        model=row.name, number=row.number, manifest=row.manifest, run=row.run_id, dataset=dataset, task=row.task,
        target=row.target, estimator=row.estimator, metrics=codec.load(row.metrics), size=row.size,
        created=row.created, notes=row.notes,
        stage=stages.PROMOTED if row.promoted == row.number else row.stage or "",
        tags=tuple(codec.load(row.tags) or ()))
