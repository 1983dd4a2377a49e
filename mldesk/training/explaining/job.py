"""The job that explains a model on rows it was not fitted on: importance, Shapley values, partial dependence."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.training.explaining.dependence import dependence
from mldesk.training.explaining.shapley import Coalitions, Shapley, shapley
from mldesk.training.explaining.tree_models import tree_model
from mldesk.training.importance import importance, metric, weighed_on
from mldesk.training.job import Workplace, announce
from mldesk.training.joined import Encoder, read_encoder
from mldesk.training.model_files import plain
from mldesk.training.split import PARTS
from mldesk.training.table import read_columns
from mldesk.training.target import read_target
from mldesk.training.values import Array, ColumnData, take
from mldesk.wire.explain import ExplainRequest
from mldesk.wire.schema import columns_from_json

_SECONDS = 60.0        # that the Shapley values of all rows may take
_FEWEST = 5            # rows that are explained all the same
_BACKGROUND = 50       # rows that stand for "not known"
_COALITIONS = 512      # drawn, beside two for each column
_PLAYERS = 40          # columns with values of their own; in wide tables the others are taken together
_DEPENDED = 500        # rows of partial dependence
_CURVES = 12           # columns of partial dependence where none is named
_CLASSES = 8           # classes of many that are explained: the commonest
_OTHERS = "(all other columns)"
_NATIVE = "native/"


@dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """What is explained, and the rows it is explained on."""

    model: Mapping[str, Any]           # model.json
    encoder: Encoder
    predict: Callable[[Array], Array]  # (N, F) to (N,) numbers or (N, C) probabilities
    classes: tuple[Any, ...]
    columns: Mapping[str, ColumnData]  # of the rows
    rows: Array                        # their numbers in the dataset version
    x: Array                           # (N, F)
    y: Array
    background: Array                  # (B, F)
    shown: tuple[int, ...]             # classes that are explained; () for numbers


def explain(request: ExplainRequest, work: Workplace) -> dict[str, Any]:
    """Do the job; return the ``result`` of its "succeeded" event. Raises BadInput, DiskFull, Terminated."""
    began = time.monotonic()
    subject = _open(request, work)
    work.report.stage("Weighing the columns")

    def on_column(done: int, total: int) -> None:
        work.control.check()
        work.report.progress(done, total, "columns")

    quantile = None if subject.classes else (subject.model.get("parameters") or {}).get("quantile")
    ranking = importance(subject.encoder, subject.predict, subject.x, subject.y, len(subject.classes), request.seed,
                         on_column, quantile=quantile)
    payload = {
        "model": request.model, "task": subject.model["task"], "target": subject.model["target"],
        "classes": list(subject.classes), "outputs": [subject.classes[code] for code in subject.shown],
        "part": request.part if request.membership is not None else "",   # not known: all rows
        "rows": len(subject.x), "dataset": request.dataset_name,
        "importance": ranking, "importance_metric": metric(len(subject.classes), quantile),
        "importance_on": weighed_on(subject.encoder, subject.x, request.seed),
        "shap": _shap(request, subject, [item["feature"] for item in ranking], work),
        "dependence": _dependence(request, subject, [item["feature"] for item in ranking], work)}
    payload["tree"] = _tree(request, subject, work)
    announce(work, "explanation", work.store.put_bytes(canonical.dumps(payload)), "json")
    return {"task": subject.model["task"], "explained": request.model,
            "seconds": round(time.monotonic() - began, 3)}


def _open(request: ExplainRequest, work: Workplace) -> _Subject:
    work.report.stage("Reading the table")
    files = {entry.path: entry.sha256 for entry in work.store.manifest(request.manifest).entries}
    for name in ("model.json", "preprocessing.json", "model.onnx"):
        if name not in files:
            raise BadInput(f"{request.model} has no {name}, so it cannot be explained.",
                           hint="The log of the run that made it says why; train it again.")
    model: Any = canonical.loads(work.store.read(files["model.json"]))
    encoded: Any = canonical.loads(work.store.read(files["preprocessing.json"]))
    encoder, classes = read_encoder(encoded), tuple(model["classes"] or ())
    by_name = {column.name: column for column in columns_from_json(request.columns)}
    wanted = [by_name.get(column.name) for column in encoder.columns]
    goal = by_name.get(str(model["target"]))
    if goal is None or None in wanted:
        raise BadInput(f"{request.dataset_name} lacks a column that {request.model} was trained with.",
                       hint="Explain it on the version it was trained on.")
    other = next((item for item in encoder.columns if by_name[item.name].type.family != item.type.family), None)
    if other is not None:
        raise BadInput(f"The column {other.name[:60]!r} holds {by_name[other.name].type.value}s in "
                       f"{request.dataset_name}, and {request.model} learned from {other.type.value}s in it.",
                       hint="Explain it on rows like those it was trained on.")
    columns = read_columns(work.store, request.dataset, [*(item for item in wanted if item is not None), goal])
    target = read_target(columns.pop(goal.name), goal, str(model["task"]))
    membership = _membership(request, work, len(target.y))
    y = target.y
    if classes:
        codes = {label: code for code, label in enumerate(classes)}
        renamed = np.array([codes.get(label, -1) for label in target.classes] or [-1])
        y = np.where(target.usable, renamed[np.where(target.usable, target.y, 0).astype(int)], -1)
    usable = target.usable & ((y >= 0) if classes else np.ones(len(y), bool))
    rows = np.flatnonzero(usable & (membership == PARTS[request.part]))
    others = np.flatnonzero(usable & (membership == PARTS["train"]))
    if not len(rows):
        raise BadInput(f"There is no {request.part} row to explain {request.model} on.",
                       hint="Choose another part of the rows.")
    draw = np.random.default_rng(request.seed)
    known = draw.permutation(others if len(others) else rows)[:_BACKGROUND]
    kept = take(columns, rows)
    predict = _graph(work.store.read(files["model.onnx"]), bool(classes), work.threads)
    counts = np.bincount(y[rows].astype(int), minlength=len(classes)) if classes else np.zeros(0)
    shown = (1,) if len(classes) == 2 else _wanted(request, classes, counts)
    return _Subject(model, encoder, predict, classes, kept, rows, encoder.transform(kept), y[rows],
                    encoder.transform(take(columns, known)), shown if classes else ())


def _wanted(request: ExplainRequest, classes: tuple[Any, ...], counts: Array) -> tuple[int, ...]:
    """Return the codes of the classes that are explained: those that were asked for, and the commonest beside them."""
    asked = [code for code, label in enumerate(classes) if str(label) in request.classes]
    common = [code for code in np.argsort(-counts, kind="stable").tolist() if code not in asked]
    return tuple(sorted((asked + common)[:max(_CLASSES, len(asked))]))


def _membership(request: ExplainRequest, work: Workplace, rows: int) -> Array:
    if request.membership is None:
        return np.full(rows, PARTS[request.part], np.uint8)
    membership = np.frombuffer(work.store.read(request.membership), np.uint8)
    if len(membership) != rows:
        raise BadInput(f"The split is for {len(membership)} rows, but the table has {rows}.",
                       hint="Explain the model on the version it was trained on.")
    return membership


def _graph(data: bytes, classifies: bool, threads: int) -> Callable[[Array], Array]:
    import onnxruntime  # slow

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads, options.inter_op_num_threads = 3, threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")   # as in ``bundles.session``
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    output = "probabilities" if classifies else "prediction"

    def predict(x: Array) -> Array:
        raw = np.asarray(session.run([output], {"features": np.ascontiguousarray(x, np.float32)})[0], np.float64)
        return raw if classifies else raw.reshape(len(x))

    return predict


def _players(subject: _Subject, ranked: Sequence[str]) -> tuple[list[str], list[Array]]:
    """Return the names of the players and which outputs are theirs; in wide tables the unimportant are one."""
    names = [column.name for column in subject.encoder.columns]
    own = {name: np.arange(subject.x.shape[1])[subject.encoder.outputs(place)] for place, name in enumerate(names)}
    if len(names) <= _PLAYERS:
        return names, [own[name] for name in names]
    chosen = list(ranked[:_PLAYERS - 1])
    rest = [own[name] for name in names if name not in set(chosen)]
    return [*chosen, _OTHERS], [*(own[name] for name in chosen), np.concatenate(rest)]


def _shap(request: ExplainRequest, subject: _Subject, ranked: Sequence[str], work: Workplace) -> dict[str, Any]:
    work.report.stage("Working out what each column adds")
    players, groups = _players(subject, ranked)
    coalitions = Coalitions.of(len(players), _COALITIONS + 2 * len(players), request.seed)
    order = np.random.default_rng(request.seed).permutation(len(subject.x))[:request.explained]
    began = time.monotonic()

    def on_row(done: int, total: int) -> bool:
        work.control.check()
        spent = max(time.monotonic() - began, 1e-9)
        within = max(_FEWEST, done + int(max(0.0, _SECONDS - spent) / (spent / done)))
        work.report.progress(done, min(total, within), "rows")
        return work.control.finish or (spent > _SECONDS and done >= _FEWEST)

    def predict(x: Array) -> Array:
        answer = subject.predict(x)
        return answer[:, subject.shown] if subject.classes else answer

    found = shapley(predict, subject.x[order], subject.background, groups, coalitions, on_row)
    if len(found.values) < len(order):
        work.report.log(f"{len(found.values)} of {len(order)} rows were explained: this model is slow to answer.")
    order = order[:len(found.values)]
    return {"method": "kernel", "unit": "probability" if subject.classes else "target", "features": players,
            "base": found.base.tolist(), "background": len(subject.background),
            "rows": subject.rows[order].tolist(), "values": np.moveaxis(found.values, 2, 0).tolist(),
            "predictions": found.predictions.T.tolist(), "shown": _shown(subject, order, players),
            "mean": _mean_size(players, found)}


def _mean_size(players: Sequence[str], found: Shapley) -> list[dict[str, Any]]:
    """Return the mean size of what each column adds, over rows and outputs, the largest first."""
    sizes = np.abs(found.values).mean((0, 2))
    return [{"feature": players[place], "value": float(sizes[place])} for place in np.argsort(-sizes, kind="stable")]


def _shown(subject: _Subject, order: Array, players: Sequence[str]) -> list[list[Any]]:
    """Return the rows' own values, column by column as ``players``; nothing for columns taken together."""
    kinds = {column.name: column.type for column in subject.encoder.columns}
    part = take(subject.columns, order)
    return [plain(part[name], kinds[name]) if name in kinds else [None] * len(order) for name in players]


def _dependence(request: ExplainRequest, subject: _Subject, ranked: Sequence[str],
                work: Workplace) -> list[dict[str, Any]]:
    work.report.stage("Following each column")
    names = [column.name for column in subject.encoder.columns]
    for name in request.features:
        if name not in names:
            raise BadInput(f"{request.model} does not learn from a column {name[:80]!r}.",
                           hint="Choose among the columns it learns from.")
    draw = np.random.default_rng(request.seed)
    some = np.sort(draw.permutation(len(subject.x))[:_DEPENDED])
    columns, x = take(subject.columns, some), subject.x[some]
    found = []
    chosen = list(request.features) or list(ranked[:_CURVES])

    def predict(rows: Array) -> Array:
        answer = subject.predict(rows)
        return answer[:, subject.shown] if subject.classes else answer

    for done, name in enumerate(chosen, start=1):
        work.control.check()
        found.append(dependence(subject.encoder, predict, columns, x, names.index(name)))
        work.report.progress(done, len(chosen), "columns")
    return found


def _tree(request: ExplainRequest, subject: _Subject, work: Workplace) -> dict[str, Any]:
    """Return TreeSHAP of as many rows as are explained and as time allows; else {"why_not": why it cannot be}.

    The values add up to the log-odds of boosted classes, to the probabilities of forests, to the target for numbers.
    """
    work.report.stage("Following the trees")
    files = {entry.path.removeprefix(_NATIVE): work.store.read(entry.sha256)
             for entry in work.store.manifest(request.manifest).entries if entry.path.startswith(_NATIVE)}
    found = tree_model(str(subject.model["estimator"]), files, work.scratch, len(subject.classes), subject.shown,
                       subject.x.shape[1], work.threads)
    if isinstance(found, str):
        return {"why_not": found}
    order = np.random.default_rng(request.seed).permutation(len(subject.x))[:request.explained]
    table = _in_time(found.values, subject.x[order], work)       # (R, K, F + 1)
    order = order[:len(table)]
    names = [column.name for column in subject.encoder.columns]
    values = np.stack([table[:, :, :-1][:, :, subject.encoder.outputs(place)].sum(2)
                       for place in range(len(names))], 2)       # (R, K, M)
    sizes = np.abs(values).mean((0, 1))
    return {"method": "tree", "unit": found.unit, "features": names,
            "rows": subject.rows[order].tolist(), "base": table[0, :, -1].tolist(),
            "values": np.moveaxis(values, 1, 0).tolist(),
            "mean": [{"feature": names[place], "value": float(sizes[place])}
                     for place in np.argsort(-sizes, kind="stable")]}


def _in_time(values: Callable[[Array], Array], x: Array, work: Workplace) -> Array:
    """Return the values of the first rows, as many as there is time for: deep forests take a second for each."""
    began, done = time.monotonic(), [values(x[:1])]
    while (count := sum(map(len, done))) < len(x):
        work.control.check()
        work.report.progress(count, len(x), "rows")
        spent = time.monotonic() - began
        if work.control.finish or (spent > _SECONDS and count >= _FEWEST):
            work.report.log(f"{count} of {len(x)} rows were followed through the trees: there are very many.")
            break
        more = max(1, min(len(x) - count, int(count / max(spent, 1e-6))))   # about a second of them
        done.append(values(x[count:count + more]))
    return np.concatenate(done)
