"""Which models of a search make its blend, and how much each counts.

Greedy ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004), or if asked for
stacking: weights that fit best together on predictions out of fold (Breiman 1996, "Stacked Regressions"; convex ones
as van der Laan, Polley and Hubbard 2007, "Super Learner").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mldesk.training.search.measures import Aim
from mldesk.training.values import Array

ROUNDS = 40        # picks at most
_NOISY = 5_000     # rows up to which several selections are averaged
_BAGS = 15
_BAGGED_FROM = 8   # trials
_MEMBERS = 10      # of an average, at most: the heaviest
_LEAST_WEIGHT = 0.03
_LIGHT = 0.1       # weight below which a member may be dropped
_HARDLY = 2e-4     # ... if that costs no more of the loss than this share
STACKED = 25       # models whose weights are learned together
FEW = 2_000        # rows up to which that is steadier than picking by what is striven for
OF_A_KIND = 2      # models of one estimator that are then considered: with more, the luckiest would be all there is
_NEARLY = 1.2      # times the least log loss or root of the mean squared error
_STEPS, _LEAST_STEP = 2000, 1e-6   # of stacking
_LEAST_GAIN = 1e-6  # relative; below, another pick is noise


def select_calmly(predictions: Sequence[Array], y: Array, aim: Aim, seed: int,
                  stop: Callable[[], bool]) -> tuple[list[float], float]:
    """Return weights and loss as ``select``; on few rows the mean of selections from random halves of the trials.

    One selection follows the noise of few rows. The halves are those of the paper's section 3.2 (bagging of models).
    """
    weights, loss = select(predictions, y, aim, stop)
    if len(y) > _NOISY or len(predictions) < _BAGGED_FROM:
        return weights, loss
    draw, total = np.random.default_rng(seed), np.asarray(weights)
    for _ in range(_BAGS):
        if stop():
            break
        half = np.sort(draw.permutation(len(predictions))[:len(predictions) // 2])
        total[half] += select([predictions[index] for index in half], y, aim, stop)[0]
    total[np.argsort(-total)[_MEMBERS:]] = 0.0
    total[total < _LEAST_WEIGHT * total.sum()] = 0.0
    total /= total.sum()
    mean = sum(weight * prediction for weight, prediction in zip(total, predictions, strict=True) if weight)
    return total.tolist(), float(aim.loss(np.asarray(mean), y))


def stack(predictions: Sequence[Array], y: Array, classes: int, aim: Aim,
          counts: Array | None = None) -> tuple[list[float], float]:
    """Return the weights, none negative and together one, of the least log loss or squared error; and the aim's loss.

    ``predictions``: as for ``select``. ``counts``: how much each row does, (N,) with a mean of one; None: all alike.
    The steps are those of exponentiated gradient descent (Kivinen and Warmuth 1997), which cannot leave the weights'
    triangle.
    """
    columns = np.stack([_told(prediction, y, classes) for prediction in predictions])   # (M, N)
    truth = np.ones(len(y)) if classes else y
    counts = np.ones(len(y)) if counts is None else counts
    scale = 1.0 if classes else float(np.mean(counts * (columns - truth) ** 2, axis=1).min()) or 1.0
    weights, step = np.full(len(columns), 1 / len(columns)), 1.0

    def value(at: Array) -> float:
        mean = at @ columns
        return float(-(counts * np.log(np.clip(mean, 1e-15, None))).mean() if classes
                     else np.mean(counts * (mean - truth) ** 2) / scale)

    now = value(weights)
    for _ in range(_STEPS):
        mean = weights @ columns
        slope = -(counts * columns / np.clip(mean, 1e-15, None)).mean(1) if classes else (
            2 * (counts * columns * (mean - truth)).mean(1) / scale)
        tried = weights * np.exp(-step * (slope - slope.min()))
        tried /= tried.sum()
        then = value(tried)
        if then > now:
            step /= 2
            if step < _LEAST_STEP:
                break
            continue
        small = now - then <= _LEAST_GAIN * abs(now)
        weights, now, step = tried, then, step * 1.3
        if small:
            break
    weights[weights < _LEAST_WEIGHT] = 0.0
    weights /= weights.sum()
    mean = sum(weight * prediction for weight, prediction in zip(weights, predictions, strict=True) if weight)
    return weights.tolist(), float(aim.loss(np.asarray(mean), y))


def evenly(predictions: Sequence[Array], y: Array, classes: int, counts: Array, plain: int | None) -> list[float]:
    """Return equal weights for all that are nearly as good as the best, together half where ``plain`` is one of them.

    ``plain``: the index of the default configuration, which has the other half; None: it was not tried. ``counts``: as
    for ``stack``. Rows in order of time are like their neighbours, so they say far less of weights than as many others
    would, and what was chosen for doing well on them does so by luck more than the default, which was not chosen.
    That equal weights are hard to beat there is the forecast combination puzzle (Smith and Wallis, Oxford Bulletin of
    Economics and Statistics 71, 2009; of trimmed ones: Timmermann, Handbook of Economic Forecasting, 2006).
    """
    columns = np.stack([_told(prediction, y, classes) for prediction in predictions])   # (M, N)
    losses = (-(counts * np.log(np.clip(columns, 1e-15, None))).mean(1) if classes
              else np.sqrt((counts * (columns - y) ** 2).mean(1)))
    near = losses <= _NEARLY * losses.min()
    weights = near / near.sum()
    if plain is not None and near[plain]:
        weights = 0.5 * weights + 0.5 * np.eye(1, len(weights), plain)[0]
    return list(weights.tolist())


def _told(prediction: Array, y: Array, classes: int) -> Array:
    """Return the chance that was given to the truth, or the number, (N,) float64."""
    told: Array = (prediction[np.arange(len(y)), y] if classes else prediction).astype(np.float64)
    return told


def without_light(weights: Sequence[float], predictions: Sequence[Array], y: Array, aim: Aim,
                  loss: float) -> tuple[list[float], float]:
    """Drop members that hardly count as long as the loss stays: each costs as much to keep as a heavy one."""
    kept = np.asarray(weights, float)
    for index in np.argsort(kept):
        if not 0 < kept[index] < _LIGHT:
            continue
        tried = kept.copy()
        tried[index] = 0.0
        tried /= tried.sum()
        mean = sum(weight * prediction for weight, prediction in zip(tried, predictions, strict=True) if weight)
        if aim.loss(np.asarray(mean), y) <= loss + _HARDLY * abs(loss):
            kept = tried
    mean = sum(weight * prediction for weight, prediction in zip(kept, predictions, strict=True) if weight)
    return kept.tolist(), float(aim.loss(np.asarray(mean), y))


def select(predictions: Sequence[Array], y: Array, aim: Aim, stop: Callable[[], bool]) -> tuple[list[float], float]:
    """Return a weight per prediction (they add up to one) and the loss of the mean on ``y``.

    ``predictions``: each (N,) or (N, C), of rows their models were not fitted on. ``stop`` ends the picking early.
    """
    counts = np.zeros(len(predictions), int)
    losses = [aim.loss(prediction, y) for prediction in predictions]
    best = int(np.argmin(losses))
    counts[best], total, kept = 1, predictions[best].astype(np.float64), losses[best]
    best_counts = counts.copy()
    for picked in range(2, ROUNDS + 1):
        if stop():
            break
        tried = [aim.loss((total + prediction) / picked, y) for prediction in predictions]
        choice = int(np.argmin(tried))
        counts[choice] += 1
        total = total + predictions[choice]
        if tried[choice] < kept - _LEAST_GAIN * abs(kept):
            kept, best_counts = tried[choice], counts.copy()
        elif picked - best_counts.sum() >= 5:   # five picks that helped nothing
            break
    return (best_counts / best_counts.sum()).tolist(), float(kept)
