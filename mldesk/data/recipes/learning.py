"""Steps that learn more than a figure from the rows: segments, components, and categories by what they lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from mldesk.data.engine import free_name, identifier, literal
from mldesk.data.recipes.clusters import cluster, curve, elbow
from mldesk.data.recipes.state import State, Tools, double, settled_sql
from mldesk.data.recipes.steps import Step
from mldesk.data.stopping import check_stopped
from mldesk.wire.schema import ColumnType

_I, _N, _B = ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN
LEARNT_FROM = 20_000   # rows, chosen by chance, that segments and components are learnt from
_MOST_COLUMNS = 200
_MODELS = "Leave this step to the comparison of models if its scores are to be relied on."
_OF_A_MODEL = "Every model encodes categories by itself, from its training rows only."


def segment(tools: Tools, state: State, step: Step) -> State:
    """Say for each row which segment it belongs to: the nearest centre found by k-means, 1 being the largest."""
    columns, scales, points = _standardised(tools, state, step)
    into = tools.fresh(state, [step["into"].strip()])[0]
    seed, count = int(step["seed"]), step.get("segments")
    if count is None:
        sums = tools.found_out(lambda: curve(points(), seed, check_stopped))
        count = elbow(sums)
        shares = ", ".join(f"{number}: {value / sums[0] if sums[0] else 0:.0%}" for number, value in
                           enumerate(sums, start=1))
        tools.note(f"{count} segments were chosen, where the curve of what they leave unexplained bends ({shares}).",
                   into)
    many = int(count)
    centres = tools.found_out(lambda: list(cluster(points(), many, seed, check_stopped)[0].tolist()))
    if len(centres) < many:
        tools.note(f"there are only {len(centres)} segments, as no more rows differ.", into)
    tools.learnt("the segments are", into, _MODELS)
    made = [_score(column, scale) for column, scale in zip(columns, scales, strict=True)]
    names = [free_name(f"_z{number}", [*state.names, tools.row]) for number in range(len(columns))]
    scores = ", ".join(f"{sql} AS {identifier(name)}" for sql, name in zip(made, names, strict=True))
    apart = ", ".join("round(" + " + ".join(f"({identifier(name)} - {literal(float(value))}) ** 2"
                                            for name, value in zip(names, centre, strict=True)) + ", 9)"
                      for centre in centres)
    listed = ", ".join(identifier(name) for name in state.names)
    nearest = f"list_position([{apart}], list_min([{apart}]))"
    return tools.made(
        state, f"SELECT {listed}, CAST({nearest} AS BIGINT) AS {identifier(into)}, {tools.place} "
               f"FROM (SELECT *, {scores} FROM {state.table}) AS data",
        names=[*state.names, into], types=[*state.types, _I])


def reduce(tools: Tools, state: State, step: Step) -> State:
    """Replace columns of numbers by their principal components (K. Pearson, 1901), of standardised values."""
    columns, scales, points = _standardised(tools, state, step)
    found = tools.found_out(lambda: [part.tolist() for part in _axes(points(), len(columns))])
    values, vectors = (np.array(part, np.float64) for part in found)
    shares = values / max(float(values.sum()), 1e-300)
    count = int(step.get("components") or 0) or int(np.searchsorted(np.cumsum(shares), float(step["share"]) - 1e-9)) + 1
    if count > len(columns):
        raise tools.refused(f"{count} components cannot be made of {len(columns)} columns")
    instead = columns if step["columns_go"] == "yes" else []
    kept = replace(state, names=tuple(name for name in state.names if name not in set(instead)))
    names = tools.fresh(kept, [f"{step['into'].strip()}{number}" for number in range(1, count + 1)])
    expressions = {}
    for number, name in enumerate(names):
        vector = vectors[:, number] * np.sign(vectors[np.argmax(np.abs(vectors[:, number])), number])
        terms = (f"{_score(column, scale)} * {literal(float(f'{weight:.10g}'))}"
                 for column, scale, weight in zip(columns, scales, vector, strict=True))
        expressions[name] = f"CAST(format('{{:.10g}}', {' + '.join(terms)}) AS DOUBLE)"
    tools.note(f"{count} components hold {shares[:count].sum():.1%} of the variance of {len(columns)} columns.",
               names[0])
    tools.learnt("the components are", names[0], _MODELS)
    return tools.added(state, expressions, [_N] * count, instead=instead)


def _axes(points: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the variances along the principal axes, greatest first, (D,), and the axes as columns, (D, D)."""
    values, vectors = np.linalg.eigh(np.cov(points, rowvar=False).reshape(count, count))
    return np.maximum(values[::-1], 0), vectors[:, ::-1]


Scale = tuple[float, float]  # mean and deviation


def _standardised(tools: Tools, state: State,
                  step: Step) -> tuple[list[str], list[Scale], Callable[[], npt.NDArray[np.float64]]]:
    """Return the columns, their scales over all rows, and what gives sampled rows' standardised values, (N, D)."""
    given = step.get("columns") or [name for name, kind in zip(state.names, state.types, strict=True) if kind.numeric]
    columns = tools.numeric(state, given, "distances")
    if not columns:
        raise tools.refused("there is no column of numbers", hint="Encode categories as numbers first.")
    if len(columns) > _MOST_COLUMNS:
        raise tools.refused(f"it takes {_MOST_COLUMNS} columns at most, not {len(columns)}")
    scales: list[Scale] = []
    for name in columns:
        middle, width = tools.figures(state, name, ["favg({0})", "coalesce(stddev_samp({0}), 0)"])
        scales.append((middle, width or 1.0))
    total = int(tools.one(state.select("count(*)"))[0])
    if total > LEARNT_FROM:
        tools.note(f"learnt from {LEARNT_FROM:,} of {total:,} rows, chosen by chance.", columns[0])
    chosen = f" ORDER BY {tools.chance(int(step['seed']))}, {tools.place} LIMIT {LEARNT_FROM}"
    scores = ", ".join(_score(name, scale) for name, scale in zip(columns, scales, strict=True))

    @cache
    def points() -> npt.NDArray[np.float64]:
        rows = tools.arrow(state.select(scores) + chosen)
        return np.column_stack([np.asarray(pc.fill_null(column, 0.0), np.float64) for column in rows.columns])

    return columns, scales, points


def _score(name: str, scale: Scale) -> str:
    """Return SQL for a standardised value; what is missing or infinite lies in the middle."""
    value = f"(({double(name)} - {literal(scale[0])}) / {literal(scale[1])})"
    return f"CASE WHEN isfinite({double(name)}) THEN {value} ELSE 0::DOUBLE END"


def encode_target(tools: Tools, state: State, step: Step) -> State:
    """Replace categories by the target's mean among their rows, drawn towards the overall mean, without the row's own.

    D. Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes" (2001), with the weight
    n / (n + smoothing) for a category of n rows. Out of fold: each row sees the rows of the other folds only, so that
    its own target is not in its encoding; a row without target sees all.
    """
    columns = tools.columns(state, step["columns"])
    target = tools.columns(state, [step["target"]])[0]
    if target in columns:
        raise tools.refused(f"{target!r} cannot be encoded by itself")
    aim, smooth = _aim(tools, state, target, step.get("value")), literal(float(step["smoothing"]))
    fold = f"CASE WHEN ({aim}) IS NULL THEN -1 ELSE {tools.chance(int(step['seed']))} % {int(step['folds'])} END"
    taken = [*state.names, tools.row]
    y, f = (identifier(free_name(name, taken)) for name in ("_y", "_fold"))
    state = tools.made(state, f"SELECT *, {aim} AS {y}, {fold} AS {f} FROM {state.table} AS data")
    base, joins, made = state.table, "", {}
    everything = f"(SELECT {f} AS f, sum({y}) AS s, count({y}) AS n FROM {base} GROUP BY {f})"
    for number, name in enumerate(columns):
        column, t = identifier(name), f"t{number}"
        folds = f"SELECT {column} AS v, {f} AS f, sum({y}) AS s, count({y}) AS n FROM {base} GROUP BY {column}, {f}"
        others = (f"SELECT v, f, sum(s) OVER (PARTITION BY v) - CASE WHEN f < 0 THEN 0 ELSE coalesce(s, 0) END AS s, "
                  f"sum(n) OVER (PARTITION BY v) - CASE WHEN f < 0 THEN 0 ELSE n END AS n FROM ({folds})")
        joins += f" LEFT JOIN ({others}) AS {t} ON data.{column} IS NOT DISTINCT FROM {t}.v AND data.{f} = {t}.f"
        made[name] = settled_sql(f"(coalesce({t}.s, 0) + {smooth} * m.mean) / ({t}.n + {smooth})")
        tools.learnt(f"what the values of {name!r} lead to is", name, "It is out of fold, so no row knows its own "
                     f"target, but rows that test a model have shaped it. {_OF_A_MODEL}")
    means = (f"SELECT f, ((SELECT sum(s) FROM {everything}) - CASE WHEN f < 0 THEN 0 ELSE s END) / nullif((SELECT "
             f"sum(n) FROM {everything}) - CASE WHEN f < 0 THEN 0 ELSE n END, 0) AS mean FROM {everything}")
    pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in made.items())
    after = tools.made(state, f"SELECT data.* EXCLUDE ({y}, {f}) REPLACE ({pairs}) FROM {base} AS data{joins} "
                       f"LEFT JOIN ({means}) AS m ON data.{f} = m.f",
                       types=[_N if name in made else kind for name, kind in
                              zip(state.names, state.types, strict=True)])
    changed = " + ".join(f"count({identifier(name)})" for name in columns)
    return replace(after, changed=changed, ordered=False)


def _aim(tools: Tools, state: State, target: str, value: object) -> str:
    """Return SQL for the target as a number, NULL where there is none; ``value`` counts as 1, any other as 0."""
    kind, column = state.type_of(target), f"data.{identifier(target)}"
    if value is not None:
        return f"CASE WHEN {column} IS NOT NULL THEN CAST({column} = {tools.value(value, kind, target)} AS BIGINT) END"
    if kind is _B:
        return f"CAST({column} AS BIGINT)"
    if not kind.numeric:
        raise tools.refused(f"{target!r} is {kind.value} and has no mean",
                            hint='Write "value": the value of the target that counts as 1.')
    return f"CASE WHEN isfinite(CAST({column} AS DOUBLE)) THEN CAST({column} AS DOUBLE) END"
