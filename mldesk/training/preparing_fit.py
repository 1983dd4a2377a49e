"""Learning the steps that a model does by itself: from the rows given, which are its training rows, and no others.

The steps are those of a recipe, filled in (``mldesk.data.recipes.steps``); the figures are taken as recipes take them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.preparing import Binned, Clipped, Fill, Learnt, Placed, Scaled, Spread, after, apply_all
from mldesk.training.preparing_check import (
    OF_TARGET,
    Step,
    Types,
    beside,
    filled,
    named,
    refuse_balance,
    refuse_target,
    refuse_unfit,
    why_not,
)
from mldesk.training.preparing_groups import MOST_PLACES, GroupFilled, Known, combined, plain
from mldesk.training.preparing_rows import MOST_ROWS, Neighboured
from mldesk.training.preparing_spaces import LEARNT_FROM, Reduced, Segmented, standardised
from mldesk.training.preparing_target import DIGITS, Truth, aimed, free, rebalanced, settled
from mldesk.training.roles import missing
from mldesk.training.values import Array, ColumnData, TextColumn, length, take
from mldesk.wire.schema import Column

_LEAST_ROWS, _COMPARISONS = 200, 4_000_000_000   # of cells, beyond which fewer rows are kept to be asked
_MOST_GROUPS = 100_000
_AXIS_DIGITS = 10

__all__ = ["DIGITS", "Prepared", "Truth", "fit_steps"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What was learnt from training rows, and what the steps made of them."""

    steps: tuple[Learnt, ...]
    columns: Mapping[str, ColumnData]   # of the rows below: encoded by the target without each row's own
    schema: Sequence[Column]
    rows: Array                         # (N,) places among the rows given; rebalanced, some are left out or repeated


def fit_steps(steps: Sequence[Step], columns: Mapping[str, ColumnData], schema: Sequence[Column],
              truth: Truth) -> Prepared:
    """Learn the steps from training rows, each from what those before made of them. ``truth``: those rows' target.

    Raises BadInput that names the step.
    """
    learnt: list[Learnt] = []
    now, after_now, rows = dict(columns), list(schema), np.arange(length(columns))
    for number, given in enumerate(steps, start=1):
        step = filled(given, number)
        types = {column.name: column.type for column in after_now}
        where = f"Step {number} ({step['step']!s:.60})"
        if why := why_not(step):
            raise BadInput(f"{where} cannot be prepared in the model: {why}.")
        refuse_unfit(where, step, types)
        if step["step"] in OF_TARGET:
            refuse_target(where, step, types, truth.name)
            refuse_balance(where, step, {truth.name, *columns})
        if step["step"] == "rebalance":
            by = {name: data for name, data in columns.items() if name == step["column"]}
            one, chosen = rebalanced(where, step, take(by, rows), truth.of(rows))
            rows, now = rows[chosen], take(now, chosen)
            learnt.append(one)
        elif step["step"] == "encode_target":
            for one_of, made in aimed(where, step, named(step, types), now, set(types), truth.of(rows)):
                learnt.append(one_of)
                now = {name: data for name, data in now.items() if name != one_of.key.column} | made
                after_now = after(after_now, one_of)
        else:
            for other in _LEARN[str(step["step"])](where, step, now, types):
                learnt.append(other)
                now, after_now = apply_all([other], now), after(after_now, other)
    return Prepared(tuple(learnt), now, after_now, rows)


def _known(where: str, columns: Mapping[str, ColumnData], name: str) -> Array:
    values = np.asarray(columns[name], np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
    return known


def _fill(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    if step["with"] == "knn":
        return [_neighboured(where, step, columns, types)]
    if by := [name for name in beside(step) if name not in named(step, types)]:
        return [_by_group(where, step, columns, name, by) for name in named(step, types)]
    return [Fill(name, _filling(where, str(step["with"]), columns, name)) for name in named(step, types)]


def _filling(where: str, how: str, columns: Mapping[str, ColumnData], name: str) -> float | str:
    data = columns[name]
    if isinstance(data, TextColumn):
        codes, counts = np.unique(data.codes[data.codes >= 0], return_counts=True)
        if not len(codes):
            raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
        return str(min(data.values[code] for code in codes[counts == counts.max()]))
    known = _known(where, columns, name)
    if how == "mode":
        values, counts_of = np.unique(known, return_counts=True)
        return float(values[counts_of.argmax()])
    return settled(float(known.mean() if how == "mean" else np.median(known)))


def _by_group(where: str, step: Step, columns: Mapping[str, ColumnData], name: str, by: Sequence[str]) -> GroupFilled:
    keys = tuple(Known.of(key, columns[key]) for key in by)
    if math.prod(len(key.values) + 1 for key in keys) > MOST_PLACES:
        raise BadInput(f"{where}: its groups are too many to be told apart.", hint="Group by fewer columns.")
    groups, data = combined(keys, columns), columns[name]
    there = np.flatnonzero(~missing(data) & (groups >= 0))
    order = there[np.argsort(groups[there], kind="stable")]
    if not len(order):
        raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
    found, starts = np.unique(groups[order], return_index=True)
    if len(found) > _MOST_GROUPS:
        raise BadInput(f"{where}: it makes {len(found):,} groups, and a model keeps {_MOST_GROUPS:,} at most.",
                       hint="Group by fewer columns.")
    values = [_filling(where, str(step["with"]), take({name: data}, rows), name)
              for rows in np.split(order, starts[1:])]
    return GroupFilled(name, keys, tuple(found.tolist()), tuple(values))  # type: ignore[arg-type]


def _neighboured(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> Neighboured:
    names = named(step, types)
    using = beside(step) or list(types)
    gaps = np.stack([missing(columns[name]) for name in names], 1)
    for name, empty in zip(names, np.atleast_1d(gaps.all(0)), strict=True):
        if empty:
            raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
    there = np.flatnonzero(~gaps.all(1))
    lacking = max(1, int(gaps.any(1).sum()))
    most = max(_LEAST_ROWS, min(MOST_ROWS, _COMPARISONS // (lacking * len(using) * len(names))))
    if len(there) > most:
        there = np.sort(np.random.default_rng(1).choice(there, most, replace=False))
    wanted = list(dict.fromkeys([*names, *using]))
    return Neighboured(tuple(names), tuple(using), int(step["neighbours"]), {name: types[name] for name in wanted},
                       {name: _kept(columns[name], there) for name in wanted})


def _kept(data: ColumnData, rows: Array) -> ColumnData:
    if isinstance(data, TextColumn):
        codes = data.codes[rows]
        used = np.unique(codes[codes >= 0])
        return TextColumn(np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32),
                          tuple(data.values[code] for code in used))
    values = plain(data[rows])
    return np.where(np.isfinite(values), values, np.nan)


def _scale(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    found: list[Learnt] = []
    for name in named(step, types):
        known = _known(where, columns, name)
        if step["how"] == "standard":
            middle, width = float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else 0.0
        elif step["how"] == "minmax":
            middle, width = float(known.min()), float(known.max() - known.min())
        else:
            low, middle, high = (float(value) for value in np.quantile(known, [0.25, 0.5, 0.75]))
            width = high - low
        if not width or not np.isfinite(width):
            raise BadInput(f"{where}: the values of {name!r:.80} do not differ in the training rows, so they cannot be "
                           "scaled.", hint="Take it out of that step.")
        found.append(Scaled(name, settled(middle), settled(width)))
    return found


def _clip(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    shares = [None if step.get(end) is None else float(step[end]) for end in ("low", "high")]
    if shares == [None, None] or any(share is not None and not 0 <= share <= 1 for share in shares):
        raise BadInput(f"{where}: its limits are no shares of the rows.", hint="Write 0.01 for one row in a hundred.")
    found: list[Learnt] = []
    for name in named(step, types):
        known = _known(where, columns, name)
        low, high = (None if share is None else float(np.quantile(known, share, method="inverted_cdf"))
                     for share in shares)
        found.append(Clipped(name, low, high))
    return found


def _bin(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    bins, found = int(step["bins"]), list[Learnt]()
    for name in named(step, types):
        known = _known(where, columns, name)
        low, high = float(known.min()), float(known.max())
        edges = [float(np.quantile(known, number / bins, method="inverted_cdf")) if step["by"] == "rows" else
                 settled(low + (high - low) * number / bins) for number in range(1, bins)]
        found.append(Binned(name, tuple(sorted(set(edges))), str(step["give"])))
    return found


def _encode(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    taken = set(types)
    found: list[Learnt] = []
    for name in named(step, types):
        text = columns[name]
        if not isinstance(text, TextColumn) or not text.counts().any():
            raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
        listed = sorted((-int(count), value) for count, value in zip(text.counts(), text.values, strict=True) if count)
        if step["how"] == "ordinal":
            order = [str(item) for item in step.get("order") or ()]
            found.append(Placed(name, tuple(order or sorted(value for _, value in listed))))
            continue
        most = int(step["most"])
        values = sorted(value for _, value in listed[:most])
        wanted = [f"{name}_{value}"[:200] for value in values] + ([f"{name}_other"] if listed[most:] else [])
        outputs = [free(one, taken) for one in wanted]
        found.append(Spread(name, tuple(values), tuple(outputs)))
    return found


def _points(where: str, step: Step, columns: Mapping[str, ColumnData],
            types: Types) -> tuple[list[str], tuple[float, ...], tuple[float, ...], Array]:
    """Return the columns, their means and deviations, and some rows' standardised values, (N, D)."""
    names = named(step, types)
    known = [_known(where, columns, name) for name in names]
    middles = tuple(settled(float(values.mean())) for values in known)
    widths = tuple(settled(float(values.std(ddof=1)) if len(values) > 1 else 0.0) or 1.0 for values in known)
    rows = length(columns)
    draw = np.random.default_rng(int(step.get("seed") or 0))
    some = np.sort(draw.choice(rows, min(rows, LEARNT_FROM), replace=False))
    return names, middles, widths, standardised({name: np.asarray(columns[name])[some] for name in names}, names,
                                                middles, widths)


def _reduce(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    names, middles, widths, points = _points(where, step, columns, types)
    if len(points) < 2:
        raise BadInput(f"{where}: one training row has no components.", hint="Train on more rows.")
    values, vectors = np.linalg.eigh(np.cov(points, rowvar=False).reshape(len(names), len(names)))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    held = np.cumsum(values) / max(float(values.sum()), 1e-300)
    count = int(step.get("components") or 0) or min(len(names), int(np.searchsorted(held, float(step["share"]) - 1e-9)
                                                                     ) + 1)
    taken = set(types)
    axes = [axis * np.sign(axis[np.argmax(np.abs(axis))]) for axis in vectors.T[:count]]   # the sign is of no meaning
    return [Reduced(tuple(names), middles, widths,
                    tuple(tuple(float(f"{weight:.{_AXIS_DIGITS}g}") for weight in axis) for axis in axes),
                    tuple(free(f"{step['into']}{number}", taken) for number in range(1, count + 1)),
                    step["columns_go"] == "yes")]


def _segment(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    from sklearn.cluster import KMeans  # in the trainer, which has it

    seed = int(step.get("seed") or 0)
    names, middles, widths, points = _points(where, step, columns, types)
    count = min(int(step["segments"]), len(np.unique(points, axis=0)))
    made = KMeans(count, n_init=4, random_state=seed).fit(points)
    order = np.lexsort((np.arange(count), -np.bincount(made.labels_, minlength=count)))  # 1 is the largest
    centres = tuple(tuple(settled(float(value)) for value in made.cluster_centers_[place]) for place in order)
    return [Segmented(tuple(names), middles, widths, centres, str(step["into"]))]


_LEARN: Mapping[str, Callable[[str, Step, Mapping[str, ColumnData], Types], list[Learnt]]] = {
    "fill_missing": _fill, "scale": _scale, "clip": _clip, "bin": _bin, "encode": _encode, "segment": _segment,
    "reduce": _reduce}
