"""Evening out how often classes occur, in rows that are fitted on and nowhere else.

"over" repeats rows of rarer classes, "under" leaves out rows of commoner ones, "smote" makes new rows of rarer classes
between a row and one of its nearest neighbours of the same class (Chawla, Bowyer, Hall and Kegelmeyer: SMOTE, JAIR
2002). As in their SMOTE-NC, what is no measure is not mixed: codes of categories and columns of two values are those
of the row that is started from, and so is a number that either of the two lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from mldesk.training.estimators.base import Part
from mldesk.training.values import Array

_NEIGHBORS = 5
_COMPARED = 5_000     # rows of a class among which neighbours are looked for
_MOST_GROWTH = 5      # times the rows there were: more only takes longer
_FEWEST = 10          # rows that "under" leaves of every class that has them


def resample(part: Part, how: str, classes: int, codes: Collection[int], seed: int) -> Part:
    """Return ``part`` evened out. ``codes``: the columns of ``part.x`` that hold codes. The rows' order is mixed."""
    if how == "none" or not classes:
        return part
    draw = np.random.default_rng([seed, len(part)])
    groups = [np.flatnonzero(part.y == code) for code in range(classes)]
    made = _HOW[how](part, [group for group in groups if len(group)], codes, draw)
    order = draw.permutation(len(made))
    return Part(np.ascontiguousarray(made.x[order]), made.y[order])


def _under(part: Part, groups: list[Array], codes: Collection[int], draw: np.random.Generator) -> Part:
    del codes
    least = max(_FEWEST, min(map(len, groups)))
    rows = np.concatenate([group if len(group) <= least else draw.choice(group, least, replace=False)
                           for group in groups])
    return Part(part.x[rows], part.y[rows])


def _over(part: Part, groups: list[Array], codes: Collection[int], draw: np.random.Generator) -> Part:
    del codes
    rows = np.concatenate([np.arange(len(part)), *(draw.choice(group, lacking) for group, lacking in _lacking(groups))])
    return Part(part.x[rows], part.y[rows])


def _smote(part: Part, groups: list[Array], codes: Collection[int], draw: np.random.Generator) -> Part:
    made = [part]
    mixed = np.array([index not in codes and len(np.unique(part.x[:1000, index])) > 2
                      for index in range(part.x.shape[1])], bool)
    for group, lacking in _lacking(groups):
        known = part.x[group if len(group) <= _COMPARED else draw.choice(group, _COMPARED, replace=False)]
        new = _between(known, lacking, mixed, draw)
        made.append(Part(new, np.full(lacking, part.y[group[0]])))
    return Part(np.concatenate([item.x for item in made]), np.concatenate([item.y for item in made]))


def _between(known: Array, count: int, mixed: Array, draw: np.random.Generator) -> Array:
    """Return ``count`` new rows between rows of ``known`` (M, F), each on the way to a near one."""
    starts = draw.integers(0, len(known), count)
    rows = known[starts].copy()
    if len(known) == 1 or not mixed.any():
        return rows
    from sklearn.neighbors import NearestNeighbors  # only who asks for it waits for it

    spread = np.nanstd(known, axis=0)
    scaled = np.nan_to_num(known / np.where(spread > 0, spread, 1))
    near = min(_NEIGHBORS, len(known) - 1)
    found = NearestNeighbors(n_neighbors=near + 1).fit(scaled).kneighbors(scaled, return_distance=False)
    # A row finds itself first, unless another equals it; then going there makes a copy, which does no harm.
    ends = known[found[starts, draw.integers(1, near + 1, count)]]
    gap = (ends - rows)[:, mixed] * draw.random((count, 1))
    rows[:, mixed] += np.nan_to_num(gap).astype(np.float32)
    return rows


def _lacking(groups: list[Array]) -> list[tuple[Array, int]]:
    """Return the classes' rows, and how many each lacks to be as common as the commonest may be."""
    rows = sum(map(len, groups))
    wanted = min(max(map(len, groups)), max(1, _MOST_GROWTH * rows // len(groups)))
    return [(group, wanted - len(group)) for group in groups if len(group) < wanted]


_HOW: Mapping[str, Callable[[Part, list[Array], Collection[int], np.random.Generator], Part]] = {
    "over": _over, "under": _under, "smote": _smote}
