"""Learning the steps that a model does by itself: from the rows given, which are its training rows, and no others.

The steps are those of a recipe, filled in (``mldesk.data.recipes.steps``); the figures are taken as recipes take them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.preparing import (
    LEARNT_FROM,
    Binned,
    Clipped,
    Fill,
    Learnt,
    Placed,
    Scaled,
    Segmented,
    Spread,
    after,
    apply_all,
    standardised,
)
from mldesk.training.preparing_check import Step, Types, filled, named, refuse_unfit, why_not
from mldesk.training.values import Array, ColumnData, TextColumn, length
from mldesk.wire.schema import Column

DIGITS = 12         # of a learnt figure, as in recipes


def fit_steps(steps: Sequence[Step], columns: Mapping[str, ColumnData],
              schema: Sequence[Column]) -> tuple[tuple[Learnt, ...], dict[str, ColumnData], list[Column]]:
    """Learn the steps from training rows, each from what those before made of them; return them, the rows as they are
    afterwards, and their columns. Raises BadInput that names the step.
    """
    learnt: list[Learnt] = []
    now, after_now = dict(columns), list(schema)
    for number, given in enumerate(steps, start=1):
        step = filled(given, number)
        types = {column.name: column.type for column in after_now}
        where = f"Step {number} ({step['step']!s:.60})"
        if why := why_not(step):
            raise BadInput(f"{where} cannot be prepared in the model: {why}.")
        refuse_unfit(where, step, types)
        for one in _LEARN[str(step["step"])](where, step, now, types):
            learnt.append(one)
            now, after_now = apply_all([one], now), after(after_now, one)
    return tuple(learnt), now, after_now


def _known(where: str, columns: Mapping[str, ColumnData], name: str) -> Array:
    values = np.asarray(columns[name], np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
    return known


def _settled(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _fill(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    return [Fill(name, _filling(where, str(step["with"]), columns, name)) for name in named(step, types)]


def _filling(where: str, how: str, columns: Mapping[str, ColumnData], name: str) -> float | str:
    data = columns[name]
    if isinstance(data, TextColumn):
        counts = sorted((-int(count), value) for count, value in zip(data.counts(), data.values, strict=True) if count)
        if not counts:
            raise BadInput(f"{where}: no training row has a value of {name!r:.80}.", hint="Take it out of that step.")
        return counts[0][1]
    known = _known(where, columns, name)
    if how == "mode":
        values, counts_of = np.unique(known, return_counts=True)
        return float(values[counts_of.argmax()])
    return _settled(float(known.mean() if how == "mean" else np.median(known)))


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
        found.append(Scaled(name, _settled(middle), _settled(width)))
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
                 _settled(low + (high - low) * number / bins) for number in range(1, bins)]
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
        outputs = [_free(one, taken) for one in wanted]
        found.append(Spread(name, tuple(values), tuple(outputs)))
    return found


def _free(name: str, taken: set[str]) -> str:
    made, number = name, 2
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made)
    return made


def _segment(where: str, step: Step, columns: Mapping[str, ColumnData], types: Types) -> list[Learnt]:
    from sklearn.cluster import KMeans  # in the trainer, which has it

    names, seed = named(step, types), int(step.get("seed") or 0)
    known = [_known(where, columns, name) for name in names]
    middles = tuple(_settled(float(values.mean())) for values in known)
    widths = tuple(_settled(float(values.std(ddof=1)) if len(values) > 1 else 0.0) or 1.0 for values in known)
    rows = length(columns)
    some = np.sort(np.random.default_rng(seed).choice(rows, min(rows, LEARNT_FROM), replace=False))
    points = standardised({name: np.asarray(columns[name])[some] for name in names}, names, middles, widths)
    count = min(int(step["segments"]), len(np.unique(points, axis=0)))
    made = KMeans(count, n_init=4, random_state=seed).fit(points)
    order = np.lexsort((np.arange(count), -np.bincount(made.labels_, minlength=count)))  # 1 is the largest
    centres = tuple(tuple(_settled(float(value)) for value in made.cluster_centers_[place]) for place in order)
    return [Segmented(tuple(names), middles, widths, centres, str(step["into"]))]


_LEARN: Mapping[str, Callable[[str, Step, Mapping[str, ColumnData], Types], list[Learnt]]] = {
    "fill_missing": _fill, "scale": _scale, "clip": _clip, "bin": _bin, "encode": _encode, "segment": _segment}
