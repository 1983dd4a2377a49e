"""Forests (Breiman 2001; Geurts, Ernst and Wehenkel 2006), each tree scored as it comes.

scikit-learn grows the whole forest in one call, and no core ever waits for the last tree of a batch: the place where it
makes a tree is where each is given an ear, by which readings are taken and a stop that was asked for takes effect.
Trees that a checkpoint holds are given back there instead of being grown.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from mldesk.training.blocks import Style
from mldesk.training.checkpoints import Checkpoint
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.estimators.forest_trees import LARGEST, read_trees, size, write_trees
from mldesk.training.values import Array

_READINGS = 12  # over the whole forest
_HOOK = "_make_estimator"   # of scikit-learn's forests, and ``_fit`` of its trees; a test holds them to that
_AT_ONCE = 16  # trees whose answers are held together
_LARGEST = 1_000_000_000   # bytes of its leaves


class RandomForest:
    """Trees that each see a resample of the rows; their mean is the prediction."""

    style: ClassVar[Style] = "trees"
    kinds: ClassVar[tuple[Any, Any]] = (RandomForestClassifier, RandomForestRegressor)
    own_rows: ClassVar[bool] = True   # each tree sees a resample of the rows

    def fit(self, context: FitContext) -> Fitted:
        trees = self._affordable(context)
        checkpoint = context.checkpoints.newest()
        tuned = 0 if checkpoint is None else int(checkpoint.facts()["tuned"])   # trees of the first fit, if it is done
        forest: Any = None
        grown, finished_early = tuned, False
        if tuned and checkpoint is not None:
            prediction = np.load(checkpoint.folder / "validation.npy", allow_pickle=False)
        else:
            forest, grown, prediction = self._grow(context, context.train, trees, checkpoint)
            finished_early = context.control.finish and grown < trees
        if tuned or (context.parameters["refit"] and not context.control.finish):
            if not tuned:
                context.report.stage("Fitting again with the validation rows")
            found = checkpoint if tuned else None
            final, refitted, _ = self._grow(context, context.everything(), grown, found, prediction)
            finished_early = refitted < trees
            if forest is None or 2 * refitted >= grown:   # else a stop was asked for when there were few of them
                forest, grown = final, refitted
        nodes = sum(int(tree.tree_.node_count) for tree in forest.estimators_)
        return Fitted(forest, prediction, finished_early, {"trees": grown, "nodes": nodes})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        return _mean(native.estimators_, x, bool(classes), native.n_jobs or 1)

    def _affordable(self, context: FitContext) -> int:
        """Return how many trees the forest is to have: those asked for, or as many of them as its nodes allow.

        A forest of fewer trees that are as deep says nearly the same; one of shallower trees does not.
        """
        trees: int = context.parameters["trees"]
        one = self._empty(context, context.train, trees)
        if 2 * len(context.train) / one.min_samples_leaf * trees <= context.most_nodes:
            return trees
        nodes = one.set_params(n_estimators=1).fit(context.train.x, context.train.y).estimators_[0].tree_.node_count
        return max(1, min(trees, int(context.most_nodes / nodes)))

    def _grow(self, context: FitContext, part: Part, trees: int, found: Checkpoint | None,
              tuned: Array | None = None) -> tuple[Any, int, Array]:
        """Grow up to ``trees`` trees; return the forest, how many there are, and what they say of the validation rows.

        ``found``: where this fit goes on from; ``tuned``: what those of the first fit said, when this is the second,
        which has nothing to judge.
        """
        forest = self._empty(context, part, trees)
        ear = _Ear(context, trees, found, tuned)
        make = getattr(forest, _HOOK)
        setattr(forest, _HOOK, lambda **options: ear.attached(make(**options)))
        forest.fit(part.x, part.y)
        delattr(forest, _HOOK)
        if context.control.terminate:
            ear.keep()
        context.control.check()
        forest.estimators_ = ear.grown(forest.estimators_)
        forest.n_estimators = len(forest.estimators_)
        said = ear.prediction(forest.estimators_) if tuned is None else tuned
        return forest, len(forest.estimators_), said

    def _empty(self, context: FitContext, part: Part, trees: int) -> Any:
        given = context.parameters
        share = given["max_features"]
        common = {
            "n_estimators": trees, "max_depth": given["max_depth"],
            "min_samples_leaf": given["min_samples_leaf"] or _leaf(len(part), context.classes, given["trees"]),
            "n_jobs": context.threads, "random_state": context.seed, "bootstrap": self.own_rows,
        }
        classifier, regressor = self.kinds
        if context.classes:
            return classifier(**common, max_features=share or "sqrt", class_weight=context.named_weights)
        return regressor(**common, max_features=share or self.share_for_numbers(part.x.shape[1]))

    def share_for_numbers(self, width: int) -> float:
        """Return the share of the columns looked at per split where a number is to be predicted."""
        return min(1.0, max(1 / 3, 1 / width))


class ExtraTrees(RandomForest):
    """The same on all rows with thresholds drawn at random: more even, and quicker to grow."""

    kinds: ClassVar[tuple[Any, Any]] = (ExtraTreesClassifier, ExtraTreesRegressor)
    own_rows: ClassVar[bool] = False

    def share_for_numbers(self, _width: int) -> float:
        return 1.0


class _Ear:
    """Hears of every tree of one forest as it is grown, from the threads that grow them."""

    def __init__(self, context: FitContext, trees: int, found: Checkpoint | None, tuned: Array | None) -> None:
        self._context, self._trees, self._tuned = context, trees, tuned
        self._lock = threading.Lock()
        self._attached = self._fitted = self._added = 0
        self._waiting: dict[int, Array] = {}      # what trees say whose turn has not come
        self._total: Array | None = None          # of the first ``_added`` trees, in their order
        self._every = max(1, -(-trees // _READINGS))
        self._done: dict[int, Any] = {}           # trees that are there, by their number
        self._kept, self._drawn = dict[int, Any](), 0     # trees of the checkpoint; so many were drawn already
        if found is not None:
            self._kept, self._drawn = read_trees(found.folder / "trees.npz", context.train.x.shape[1]), found.step
            self._kept.popitem()   # is grown again: what scikit-learn says of a tree beside its nodes comes from that

    def attached(self, tree: Any) -> Any:
        """Return the tree, which will be heard of; the first one is number 0."""
        number, fit, kept = self._attached, tree._fit, self._kept  # noqa: SLF001 - see _HOOK
        self._attached += 1

        def grow(*rows: Any, **options: Any) -> None:
            if number in kept:
                tree.tree_ = kept[number]
            elif self._context.control.terminate or (self._context.control.finish and self._fitted):
                return   # no more trees
            else:
                fit(*rows, **options)
            self._hear(number, tree, number not in kept)

        tree._fit = grow  # noqa: SLF001
        return tree

    def grown(self, trees: Sequence[Any]) -> list[Any]:
        """Return those that were grown, as scikit-learn makes them."""
        for tree in trees:
            del tree._fit  # noqa: SLF001
        found = [tree for tree in trees if hasattr(tree, "tree_")]
        said = next(vars(tree) for tree in found if hasattr(tree, "n_features_in_"))
        for tree in found:
            vars(tree).update({name: value for name, value in said.items() if name not in vars(tree)})
        return found

    def prediction(self, trees: Sequence[Any]) -> Array:
        """Return the mean of what the grown trees say of the validation rows."""
        for number in sorted(self._waiting):   # behind one that was left out
            said = self._waiting.pop(number)
            self._total = said if self._total is None else self._total + said
        mean: Array = np.asarray(self._total) / len(trees)
        return mean

    def keep(self) -> None:
        """Leave a checkpoint, unless there is nothing in it or too much."""
        if not self._done or size(self._done) > LARGEST:
            return
        tuned = 0 if self._tuned is None else self._trees
        self._context.checkpoints.save(tuned or self._added, {"tuned": tuned}, self._write)

    def _write(self, folder: Path) -> None:
        write_trees(folder / "trees.npz", self._done)
        if self._tuned is not None:
            np.save(folder / "validation.npy", self._tuned)

    def _hear(self, number: int, tree: Any, anew: bool) -> None:
        context = self._context
        said = None if self._tuned is not None else _said(tree, context.validation.x, bool(context.classes))
        with self._lock:
            self._done[number] = tree
            self._fitted += anew
            context.report.progress(len(self._done), self._trees, "trees")
            if said is not None:
                self._waiting[number] = said
                self._add_up()
            if anew and context.checkpoints.due and len(self._done) < self._trees:
                self.keep()

    def _add_up(self) -> None:
        """Add up what is there in the order of the trees, so that the last digits are always the same."""
        context = self._context
        while self._added in self._waiting:
            said = self._waiting.pop(self._added)
            self._total = said if self._total is None else self._total + said
            self._added += 1
            if self._added > self._drawn and (self._added % self._every == 0 or self._added == self._trees):
                scores = context.scores(self._total / self._added)
                context.report.metrics(self._added, prefixed(scores, "validation"))


def _said(tree: Any, x: Array, classes: bool) -> Array:
    """Return what a tree says of rows (N, F) float32: (N, C) shares of the classes, or (N,) numbers."""
    said: Array = tree.tree_.predict(x)
    return said if classes else said.reshape(len(x))


def _mean(trees: Sequence[Any], x: Array, classes: bool, threads: int) -> Array:
    """Return the mean of what trees say of rows.

    The forest's own adds up in the order in which threads end, so that its last digits differ from time to time.
    """
    total: Array | None = None
    x = np.ascontiguousarray(x, np.float32)
    with ThreadPoolExecutor(threads, "trees") as pool:
        for begin in range(0, len(trees), _AT_ONCE):
            for said in pool.map(lambda tree: _said(tree, x, classes), trees[begin:begin + _AT_ONCE]):
                total = said if total is None else total + said
    mean: Array = np.asarray(total) / len(trees)
    return mean


def _leaf(rows: int, classes: int, trees: int) -> int:
    """Return the fewest rows of a leaf so that a forest on a large table stays of a size that can be shared.

    A tree of leaves of n rows has about 2 * rows / n nodes, each with 8 bytes per class.
    """
    return max(1 if rows < 1000 else 2, rows // 4000, 16 * rows * max(classes, 1) * trees // _LARGEST)

