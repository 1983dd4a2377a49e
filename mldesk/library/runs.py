"""Runs: what was asked for, and everything their journals have said so far."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, NotFound
from mldesk.core.run_filter import RunFilter
from mldesk.library import codec, event_rows, run_facts, run_names
from mldesk.library.database import Database
from mldesk.library.datasets import find_version
from mldesk.library.models import insert_version, metrics_text
from mldesk.library.names import check_name, fold, tidy_name
from mldesk.library.points import Readings
from mldesk.library.records import MetricPoint, Run
from mldesk.library.run_filter import condition
from mldesk.library.schema import (
    artifacts,
    dataset_versions,
    datasets,
    model_versions,
    models,
    runs,
)
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import Cause, JobState

_run = (
    select(runs, models.c.name.label("model_now"), model_versions.c.number.label("model_number"),
           datasets.c.name.label("dataset_now"), dataset_versions.c.number.label("dataset_number"))
    .outerjoin(model_versions, model_versions.c.run == runs.c.key)
    .outerjoin(models, model_versions.c.model == models.c.key)
    .outerjoin(dataset_versions, runs.c.dataset_version == dataset_versions.c.key)
    .outerjoin(datasets, dataset_versions.c.dataset == datasets.c.key))
_METRICS = ("SELECT DISTINCT scores.key FROM runs, json_each(runs.result, '$.metrics') AS scores "
            "WHERE runs.result IS NOT NULL ORDER BY scores.key")


class RunStore:
    """Jobs and their events. Any number of followers may ``apply`` the same events: each is kept once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, spec: JobSpec, runner: str, dataset: str = "", created: float | None = None, *,
            model_name: str = "", priority: int = 0, numbered: bool = False,
            apart: bool = False) -> Run:
        """Keep a job before it is sent. The same job again is the run there is; raises Conflict for another spec.

        ``dataset`` is name@version. The model it makes will be called ``model_name``, else what the payload's
        "model" says, else after dataset and target. ``priority`` is its place in the runner's queue, -10 to 10.
        ``numbered``: the job's name is nobody's choice, and gets a number that no other run of that name has.
        ``apart``: so does a chosen name, if another run bears it.
        """
        with self._database.write() as connection:
            if numbered:
                spec = replace(spec, name=run_names.numbered(connection, spec.name))
            text = codec.dump(spec.to_json())
            known = connection.execute(_run.where(runs.c.id == spec.id)).one_or_none()
            if known is not None:
                if known.spec != text:
                    raise Conflict(f"Run {spec.id} is there already, with another specification.")
                return _to_run(known)
            if apart:
                spec = replace(spec, name=run_names.apart(connection, spec.name))
                text = codec.dump(spec.to_json())
            payload = _ordered(spec)
            target = codec.clean(payload.get("target") or "", 10_000)
            named = model_name or str(payload.get("model") or "")
            name = codec.clean(spec.name, 500)
            connection.execute(insert(runs).values(
                id=spec.id, name=name, folded=fold(name), kind=spec.kind, state=JobState.CREATED.value,
                message="", hint="", runner=runner, dataset=dataset, dataset_version=find_version(connection, dataset),
                task=payload.get("task"), target=target, estimator=codec.clean(payload.get("estimator") or ""),
                model_name=tidy_name(named or f"{dataset.rpartition('@')[0]}-{target}", "model"), last_seq=0,
                created=self._clock.now() if created is None else created, stage="",
                parameters=codec.dump(payload.get("parameters") or {}), priority=priority,
                not_before=spec.not_before or None, spec=text))
            return _to_run(connection.execute(_run.where(runs.c.id == spec.id)).one())

    def get(self, reference: str) -> Run:
        """Return a run by id, by name, or by the start of either. Raises NotFound, BadInput where several are meant."""
        with self._database.read() as connection:
            return _to_run(run_names.find(connection, _run, reference))

    def apply(self, run_id: str, batch: Sequence[Event]) -> int:
        """Keep what is new in ``batch`` and return the cursor: every event up to it is in the library.

        Events, metric points, state, cursor and (on "succeeded") the model version are one transaction. Events that
        are here already are skipped. Raises EventGap with nothing kept, NotFound. Bring artifacts here first.
        """
        with self._database.read() as connection:
            row = _exactly(connection, run_id)
        if max((event.seq for event in batch), default=0) <= row.last_seq:
            return int(row.last_seq)  # another follower was quicker: no need of the write lock
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            fresh = run_facts.new_events(run_id, row.last_seq, batch)
            if not fresh:
                return int(row.last_seq)
            changes = run_facts.fold(fresh, JobState(row.state), row.started)
            _write(connection, row, changes)
            return fresh[-1].seq

    def events(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        """Return the events with a sequence number above ``after``, in order, at most ``limit``. Raises NotFound."""
        with self._database.read() as connection:
            key = _exactly(connection, run_id).key
            return [Event(seq, time, kind, payload)
                    for seq, time, kind, payload in event_rows.stored(connection, key, after, limit)]

    def metrics(self, run_id: str, after: int = 0) -> list[MetricPoint]:
        """Return the points that came in events above ``after``, in order (pass the last point's ``seq`` next time).

        Points that a later attempt superseded are not there; a reader that has drawn some drops those with a step
        above ``resumed_from`` when it meets the "started" event. Raises NotFound.
        """
        with self._database.read() as connection:
            found = event_rows.points(connection, _exactly(connection, run_id).key).in_order()
        return [point for point in found if point.seq > after]

    def curves(self, run_id: str) -> dict[str, Readings]:
        """Return every metric of a run column by column: quicker than ``metrics``. Raises NotFound."""
        with self._database.read() as connection:
            return event_rows.points(connection, _exactly(connection, run_id).key).readings

    def artifacts(self, run_id: str) -> dict[str, Mapping[str, Any]]:
        """Return what the run has put into the object store: {name: {"digest", "size", "kind"}}. Raises NotFound."""
        with self._database.read() as connection:
            key = _exactly(connection, run_id).key
            query = select(artifacts).where(artifacts.c.run == key).order_by(artifacts.c.name)
            return {row.name: {"digest": row.digest, "size": row.size, "kind": row.kind}
                    for row in connection.execute(query)}

    def first_dealt(self, split: str) -> Run | None:
        """Return the oldest run whose rows had these very parts, by their digest; None if none had."""
        query = select(runs.c.id).where(func.json_extract(runs.c.result, "$.split") == split).order_by(
            runs.c.id).limit(1)
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else self.get(found)

    def importer(self, manifest: str) -> str | None:
        """Return the runner that made the table ``manifest`` of a file of its own, the last one; None if none did."""
        query = select(runs.c.runner).where(
            runs.c.kind == "import", runs.c.state == JobState.SUCCEEDED.value,
            func.json_extract(runs.c.result, "$.manifest") == manifest).order_by(runs.c.id.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def mark_submitted(self, run_id: str) -> None:
        """A runner has accepted the job. Changes nothing once its journal has said more. Raises NotFound."""
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            connection.execute(update(runs).where(
                runs.c.key == row.key, runs.c.state == JobState.CREATED.value).values(state=JobState.QUEUED.value))

    def set_state(self, run_id: str, state: JobState, *, cause: Cause | None = None, message: str = "",
                  hint: str = "") -> None:
        """Say what became of a job that has no journal to say it. Raises Conflict once it has ended, NotFound."""
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            if JobState(row.state).final and row.state != state.value:
                raise Conflict(f"Run {row.name} is {row.state} and never changes again.")
            connection.execute(update(runs).where(runs.c.key == row.key).values(
                state=state.value, cause=None if cause is None else cause.value, message=codec.clean(message),
                hint=codec.clean(hint), finished=self._clock.now() if state.ended else None))

    def move(self, run_id: str, runner: str, *, checkpoint: str | None = None, message: str = "") -> None:
        """Give an interrupted run to another runner, which has yet to take it over from ``checkpoint`` (a manifest).

        Again for the runner that has it changes nothing. Raises Conflict unless it is interrupted and nobody else
        has yet to take it over, NotFound.
        """
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            if row.runner == runner:
                return
            if row.state != JobState.INTERRUPTED.value or row.handover is not None:
                raise Conflict(f"Run {row.name} cannot move: it is {row.state}" +
                               ("." if row.handover is None else f" and {row.runner} has yet to take it over."))
            connection.execute(update(runs).where(runs.c.key == row.key).values(
                runner=runner, handover=codec.dump({"from": row.runner, "checkpoint": checkpoint}),
                message=codec.clean(message), hint=""))

    def taken_over(self, run_id: str) -> None:
        """The runner of a run that moved has it now. Raises NotFound."""
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            connection.execute(update(runs).where(runs.c.key == row.key).values(handover=None))

    def mark_lost(self, run_id: str, message: str, runner: str | None = None) -> None:
        """The runner has no trace of the job. Its journal, should it turn up, is still believed. Raises NotFound.

        With ``runner`` nothing is changed if the run has meanwhile moved to another one.
        """
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            if not JobState(row.state).final and runner in (None, row.runner):
                connection.execute(update(runs).where(runs.c.key == row.key).values(
                    state=JobState.LOST.value, message=codec.clean(message), finished=self._clock.now()))

    def annotate(self, run_id: str, *, name: str | None = None, note: str | None = None, group: str | None = None,
                 tags: Sequence[str] | None = None) -> Run:
        """Keep what a person says of a run; None leaves a thing as it is.

        Raises BadInput for a name that is none, Conflict for one that another run bears, NotFound.
        """
        changes: dict[str, Any] = {}
        if name is not None:
            checked = run_names.check_run_name(name)
            changes.update(name=checked, folded=fold(checked))
        if note is not None:
            changes["note"] = codec.clean(note.strip())
        if group is not None:
            changes["collection"] = check_name(group, "group") if group.strip() else ""
        if tags is not None:
            changes["tags"] = json.dumps(list(dict.fromkeys(check_name(tag, "tag") for tag in tags)),
                                         ensure_ascii=False)
        with self._database.write() as connection:
            row = _exactly(connection, run_id)
            if changes.get("folded") not in (None, fold(row.name)) and connection.execute(select(runs.c.key).where(
                    runs.c.folded == changes["folded"])).first() is not None:
                raise Conflict(f"There is a run {changes['name']!r:.80} already.", hint="Choose another name.")
            if changes:
                connection.execute(update(runs).where(runs.c.key == row.key).values(**changes))
            return _to_run(connection.execute(_run.where(runs.c.key == row.key)).one())

    def labels(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the tags and the groups there are, each with the number of its runs, the commonest first."""
        tags: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        with self._database.read() as connection:
            for text, group in connection.execute(select(runs.c.tags, runs.c.collection).where(
                    or_(runs.c.tags != "[]", runs.c.collection != ""))):
                tags.update(codec.load(text))
                if group:
                    groups[group] += 1
        return dict(tags.most_common()), dict(groups.most_common())

    def facets(self) -> dict[str, tuple[str, ...]]:
        """Return what runs may be told apart by: "dataset" (names), "target", "estimator", "kind", "metric"."""
        with self._database.read() as connection:
            found = {name: tuple(str(value) for (value,) in connection.execute(
                select(runs.c[name]).where(runs.c[name] != "").distinct().order_by(runs.c[name])))
                for name in ("dataset", "target", "estimator", "kind")}
            found["metric"] = tuple(str(name) for (name,) in connection.exec_driver_sql(_METRICS))
        found["dataset"] = tuple(dict.fromkeys(name.rpartition("@")[0] or name for name in found["dataset"]))
        return found

    def looks(self, run_id: str) -> tuple[int, int]:
        """Return how many runs have looked at the test rows this run was tested on, and which of them it was.

        The same rows are the same split of the same dataset version. (0, 0) for a run that has looked at none.
        Raises NotFound.
        """
        with self._database.read() as connection:
            row = connection.execute(select(runs.c.key, runs.c.split, runs.c.dataset_version, runs.c.finished,
                                            runs.c.dataset).where(runs.c.id == run_id)).one_or_none()
            if row is None:
                raise NotFound(f"There is no run {run_id!r:.40}.")
            if row.split is None:
                return 0, 0
            same = (runs.c.split == row.split) & (
                runs.c.dataset_version == row.dataset_version if row.dataset_version is not None
                else runs.c.dataset_version.is_(None) & (runs.c.dataset == row.dataset))
            count = select(func.count()).select_from(runs).where(same)
            before = count.where(or_(runs.c.finished < row.finished,
                                     (runs.c.finished == row.finished) & (runs.c.key <= row.key)))
            return connection.execute(count).scalar_one(), connection.execute(before).scalar_one()

    def count(self, wanted: RunFilter | None = None) -> int:
        """Return how many runs there are, or how many of them are wanted."""
        query = select(func.count()).select_from(runs)
        with self._database.read() as connection:
            return int(connection.execute(
                query if wanted is None else query.where(condition(wanted))).scalar_one())

    # last, because below it ``list`` is this method
    def list(self, limit: int | None = None, offset: int = 0, state: JobState | None = None,
             wanted: RunFilter | None = None) -> list[Run]:
        """Return runs, newest first."""
        query = _run.order_by(runs.c.id.desc()).limit(-1 if limit is None else limit).offset(offset)
        if state is not None:
            query = query.where(runs.c.state == state.value)
        if wanted is not None:
            query = query.where(condition(wanted))
        with self._database.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]


def _write(connection: Connection, row: Any, changes: run_facts.Changes) -> None:
    key = int(row.key)
    event_rows.append(connection, key, changes.events, ended=JobState(changes.fields["state"]).ended)
    for name, (digest, size, kind) in changes.artifacts.items():
        connection.exec_driver_sql("INSERT OR REPLACE INTO artifacts (run, name, digest, size, kind) "
                                   "VALUES (?, ?, ?, ?, ?)", (key, name, digest, size, kind))
    connection.execute(update(runs).where(runs.c.key == key).values(**changes.fields))
    if changes.model is not None:
        _add_model(connection, row, changes)


def _add_model(connection: Connection, row: Any, changes: run_facts.Changes) -> None:
    if connection.execute(select(model_versions.c.key).where(model_versions.c.run == row.key)).first() is not None:
        return
    size = connection.execute(select(artifacts.c.size).where(
        artifacts.c.run == row.key, artifacts.c.digest == changes.model).limit(1)).scalar_one_or_none()
    insert_version(connection, row.model_name, changes.ended or 0.0, {
        "manifest": changes.model, "run": row.key, "dataset": row.dataset, "dataset_version": row.dataset_version,
        "task": changes.fields.get("task") or row.task or "", "target": row.target,
        "estimator": changes.fields.get("estimator") or row.estimator, "size": size or 0, "notes": "",
        "metrics": metrics_text(changes.result.get("metrics"))})


def _exactly(connection: Connection, run_id: str) -> Any:  # a Row of the columns that writing needs
    row = connection.execute(select(
        runs.c.key, runs.c.name, runs.c.last_seq, runs.c.state, runs.c.started, runs.c.model_name, runs.c.dataset,
        runs.c.dataset_version, runs.c.task, runs.c.target, runs.c.estimator, runs.c.runner,
        runs.c.handover).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id!r:.40}.")
    return row


def _ordered(spec: JobSpec) -> Mapping[str, Any]:
    """Return what a job says of the model it is to make; a search says it one level below its own wishes."""
    train = spec.payload.get("train")
    if spec.kind != "search" or not isinstance(train, Mapping):
        return spec.payload
    wishes = {name: value for name, value in spec.payload.items() if name != "train" and value not in (None, 0, [])}
    return {**train, "estimator": "search", "parameters": wishes}


def _to_run(row: Row[Any]) -> Run:
    return Run(
        id=row.id, name=row.name, kind=row.kind, state=JobState(row.state),
        cause=None if row.cause is None else Cause(row.cause), message=row.message, hint=row.hint, runner=row.runner,
        dataset=row.dataset if row.dataset_now is None else f"{row.dataset_now}@{row.dataset_number}",
        task=row.task, target=row.target, estimator=row.estimator, parameters=codec.load(row.parameters),
        last_seq=row.last_seq, created=row.created, started=row.started, finished=row.finished,
        result=codec.load(row.result), progress=codec.load(row.progress), stage=row.stage,
        model=None if row.model_now is None else f"{row.model_now}@{row.model_number}", spec=codec.load(row.spec),
        handover=codec.load(row.handover), note=row.note, group=row.collection, tags=tuple(codec.load(row.tags)),
        priority=row.priority, not_before=row.not_before)
