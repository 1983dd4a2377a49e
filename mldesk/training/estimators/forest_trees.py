"""The grown trees of a forest as plain arrays in a file, so that a forest that was cut goes on with the others.

Each tree is drawn from a seed of its own, which scikit-learn makes of the forest's: which trees are there already
changes nothing about the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.tree._tree import Tree

LARGEST = 1_000_000_000   # bytes; a larger forest is not kept, and begins anew if it is cut


def size(trees: Mapping[int, Any]) -> int:
    """Return how many bytes ``write_trees`` would write."""
    return sum(tree.tree_.node_count * (64 + 8 * tree.tree_.max_n_classes) for tree in trees.values())


def write_trees(path: Path, trees: Mapping[int, Any]) -> None:
    """Write scikit-learn's trees, by their number in the forest, at least one, as an ``.npz``. Raises OSError."""
    states = [trees[number].tree_.__getstate__() for number in trees]
    np.savez(path, numbers=np.array(list(trees)), sizes=np.array([state["node_count"] for state in states]),
             depths=np.array([state["max_depth"] for state in states]),
             nodes=np.concatenate([state["nodes"] for state in states]),
             values=np.concatenate([state["values"] for state in states]))


def read_trees(path: Path, columns: int) -> dict[int, Any]:
    """Return the ``tree_`` of each number, over so many columns. Raises OSError, ValueError."""
    with np.load(path, allow_pickle=False) as kept:
        ends = np.cumsum(kept["sizes"])[:-1]
        parts = zip(kept["numbers"], kept["depths"], np.split(kept["nodes"], ends), np.split(kept["values"], ends),
                    strict=True)
    found = {}
    for number, depth, nodes, values in parts:
        tree = Tree(columns, np.array([values.shape[2]], np.intp), 1)
        tree.__setstate__({"max_depth": int(depth), "node_count": len(nodes), "nodes": nodes, "values": values})
        found[int(number)] = tree
    return found
