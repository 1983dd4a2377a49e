"""Shapley values of any model by Kernel SHAP (Lundberg and Lee, NeurIPS 2017). numpy only: the window uses it too.

A player is a column of the table, so all outputs of its encoding move together. A coalition is worth the mean
prediction when its columns come from the row and all others from background rows. With few columns every coalition is
asked and the values are exact; else coalitions are drawn with their complements (Covert and Lee, AISTATS 2021), by the
kernel's own weights, and the regression keeps the sum at prediction minus base.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from mldesk.training.values import Array

_BATCH = 40_000     # rows predicted at once
_EXACT = 11         # columns up to which every coalition is asked

Predict = Callable[[Array], Array]   # (N, F) to (N,) or (N, K)


@dataclass(frozen=True, slots=True, eq=False)
class Shapley:
    """The explanation of some rows."""

    values: Array   # (R, M, K): what each column adds to each output
    base: Array     # (K,): the mean prediction of the background

    @property
    def predictions(self) -> Array:
        """Return base plus what all columns add, (R, K): the predictions themselves."""
        total: Array = self.base + self.values.sum(1)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Coalitions:
    """Which columns are in, (S, M) bool, and how much each counts, (S,); neither none nor all is among them."""

    masks: Array
    weights: Array

    @classmethod
    def of(cls, columns: int, most: int, seed: int = 0) -> Coalitions:
        """Return all coalitions of few columns, else about ``most`` of them drawn in pairs."""
        if columns < 2:
            return cls(np.zeros((0, columns), bool), np.zeros(0))
        if columns <= _EXACT:
            masks = np.array([mask for mask in itertools.product((False, True), repeat=columns)
                              if 0 < sum(mask) < columns])
            sizes = masks.sum(1)
            return cls(masks, np.array([_kernel(columns, int(size)) for size in sizes]))
        draw = np.random.default_rng(seed)
        sizes = np.arange(1, columns)
        chances = np.array([_kernel(columns, int(size)) * comb(columns, int(size)) for size in sizes], float)
        drawn = draw.choice(sizes, max(1, most // 2), p=chances / chances.sum())
        masks = draw.random((len(drawn), columns)).argsort(1).argsort(1) < drawn[:, None]
        masks, counts = np.unique(np.concatenate([masks, ~masks]), axis=0, return_counts=True)
        return cls(masks, counts.astype(float))


def shapley(predict: Predict, x: Array, background: Array, groups: Sequence[Array | slice], coalitions: Coalitions,
            on_row: Callable[[int, int], bool | None] | None = None) -> Shapley:
    """Explain the rows ``x`` (R, F).

    Args:
        background: (B, F) rows that stand for "not known"
        groups: for each column, which of the F outputs are its own
        on_row: hears (done, all) after each row; True ends it with the rows that are done
    """
    base, everything = _mean(predict, background), _outputs(predict, x)
    columns = np.zeros((len(groups), x.shape[1]), bool)
    for player, outputs in enumerate(groups):
        columns[player, outputs] = True
    inside = (coalitions.masks @ columns) if len(coalitions.masks) else np.zeros((0, x.shape[1]), bool)
    # Outputs that no column owns (there are none in our encoders) come from the row.
    inside |= ~columns.any(0)
    solve = _solver(coalitions)
    values = np.zeros((len(x), len(groups), len(base)))
    done = 0
    for done, row in enumerate(x, start=1):
        differ = _differ(row, background, columns)
        worth = _worth(predict, row, background, inside, differ, coalitions.masks)
        values[done - 1] = solve(worth - base, everything[done - 1] - base)
        if on_row is not None and on_row(done, len(x)):
            break
    return Shapley(values[:done], base)


def _kernel(columns: int, size: int) -> float:
    """Return the weight of one coalition of that size."""
    return (columns - 1) / (comb(columns, size) * size * (columns - size))


def _solver(coalitions: Coalitions) -> Callable[[Array, Array], Array]:
    """Return what fits worths (S, K) that add up to ``total`` (K,): weighted least squares, the last column left."""
    columns = coalitions.masks.shape[1]
    if columns < 2:
        return lambda _worth, total: total[None, :]
    masks = coalitions.masks.astype(float)
    reduced = masks[:, :-1] - masks[:, -1:]
    weighted = reduced * coalitions.weights[:, None]
    inverse = np.linalg.pinv(weighted.T @ reduced)

    def solve(worth: Array, total: Array) -> Array:
        first = inverse @ (weighted.T @ (worth - masks[:, -1:] * total))
        return np.concatenate([first, (total - first.sum(0))[None, :]])

    return solve


def _worth(predict: Predict, row: Array, background: Array, inside: Array, differ: Array, masks: Array) -> Array:
    """Return the mean prediction of every coalition, (S, K).

    Where the row has a value that a background row has as well, it makes no difference which of them it comes from: of
    mixed rows that are the same (half of them, where columns are categories) one is asked.

    Args:
        inside: (S, F) which outputs come from the row
        differ: (B, M) in which columns each background row differs from the row
        masks: (S, M) which columns come from the row
    """
    at_once = max(1, _BATCH // len(background))
    found = []
    for start in range(0, len(inside), at_once):
        some = slice(start, start + at_once)
        first, same = _different(masks[some], differ)
        coalition, other = np.divmod(first, len(background))
        mixed = np.where(inside[some][coalition], row, background[other]).astype(np.float32)
        answers = _outputs(predict, mixed)[same]
        found.append(answers.reshape(-1, len(background), answers.shape[-1]).mean(1))
    return np.concatenate(found) if found else np.zeros((0, len(_mean(predict, background))))


def _different(masks: Array, differ: Array) -> tuple[Array, Array]:
    """Return the numbers of the different ones of the S times B mixed rows, and of which of these each is a copy."""
    changed = np.packbits(masks[:, None, :] & differ[None], axis=2)      # (S, B, M / 8)
    numbers = np.arange(len(differ), dtype=np.uint32).view(np.uint8).reshape(1, len(differ), 4)
    keys = np.concatenate([np.broadcast_to(numbers, (len(masks), len(differ), 4)), changed], 2)
    flat = keys.reshape(-1, keys.shape[-1]).view(np.dtype((np.void, keys.shape[-1]))).ravel()
    _, first, same = np.unique(flat, return_index=True, return_inverse=True)
    return first, same.reshape(-1)


def _differ(row: Array, background: Array, columns: Array) -> Array:
    """Return in which columns (M, F) each background row differs from the row, (B, M) bool."""
    unlike: Array = ~((background == row) | (np.isnan(background) & np.isnan(row)))
    return (unlike.astype(np.float32) @ columns.T.astype(np.float32)) > 0


def _outputs(predict: Predict, x: Array) -> Array:
    answer = np.asarray(predict(x), np.float64)
    return answer if answer.ndim == 2 else answer[:, None]


def _mean(predict: Predict, x: Array) -> Array:
    mean: Array = _outputs(predict, x).mean(0)
    return mean
