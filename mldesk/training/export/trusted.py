"""Every type that may stand in a skops file of ours, and every way skops may build one.

skops loads only what it is told to trust, and we never tell it "everything": these names are the whole list. The
bundle reader holds incoming skops files to the same list without loading them. Imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLAIN = (
    "builtins.dict", "builtins.list", "builtins.tuple", "builtins.str", "builtins.int", "builtins.float",
    "builtins.bool", "builtins.NoneType", "numpy.ndarray", "numpy.bool", "numpy.bool_", "numpy.int32", "numpy.int64",
    "numpy.uint8", "numpy.uint32", "numpy.uint64", "numpy.float32", "numpy.float64",
    "numpy.random._generator.Generator", "numpy.random.mtrand.RandomState",
)
_LINEAR = (
    "sklearn.linear_model._logistic.LogisticRegression", "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._coordinate_descent.ElasticNet", "sklearn.linear_model._coordinate_descent.Lasso",
    "sklearn.linear_model._ridge.RidgeClassifier", "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._stochastic_gradient.SGDClassifier", "sklearn.linear_model._stochastic_gradient.SGDRegressor",
)
_TREES = (
    "sklearn.tree._tree.Tree", "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor", "sklearn.tree._classes.ExtraTreeClassifier",
    "sklearn.tree._classes.ExtraTreeRegressor", "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor", "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
)
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting."
_BOOSTED = (
    _BOOSTING + "gradient_boosting.HistGradientBoostingClassifier",
    _BOOSTING + "gradient_boosting.HistGradientBoostingRegressor",
    _BOOSTING + "predictor.TreePredictor", _BOOSTING + "binning._BinMapper",
    "sklearn.preprocessing._label.LabelEncoder",
    *(f"sklearn._loss.link.{name}" for name in ("Interval", "IdentityLink", "LogitLink", "LogLink",
                                                "MultinomialLogit")),
    *(f"sklearn._loss.loss.{name}" for name in ("HalfBinomialLoss", "HalfMultinomialLoss", "HalfSquaredError",
                                                "AbsoluteError", "PinballLoss", "HalfPoissonLoss", "HalfGammaLoss")),
    *(f"sklearn._loss._loss.{name}" for name in ("CyHalfBinomialLoss", "CyHalfMultinomialLoss", "CyHalfSquaredError",
                                                 "CyAbsoluteError", "CyPinballLoss", "CyHalfPoissonLoss",
                                                 "CyHalfGammaLoss")),
)
TYPES: frozenset[str] = frozenset(_PLAIN + _LINEAR + _TREES + _BOOSTED)

# skops' own node kinds that call nothing but the constructor of a type above. Absent on purpose: FunctionNode,
# MethodNode, PartialNode, OperatorFuncNode, ReduceNode and everything else that can name a callable.
LOADERS: frozenset[str] = frozenset({
    "DictNode", "ListNode", "TupleNode", "JsonNode", "TypeNode", "ObjectNode", "NdArrayNode",
    "LossNode", "TreeNode", "RandomStateNode", "RandomGeneratorNode", "CachedNode",
})
_BIT_GENERATORS = ('"PCG64"', '"PCG64DXSM"', '"MT19937"', '"Philox"', '"SFC64"')
MAX_NODES = 2_000_000  # of a schema; a forest of some thousand trees has fewer


def untrusted(schema: object) -> str | None:
    """Return the first type or node kind of a skops schema that is not on the lists, or None if all are."""
    waiting: list[object] = [schema]
    seen = 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            return f"more than {MAX_NODES} parts"
        if isinstance(item, Mapping):
            fault = _node_fault(item)
            if fault:
                return fault
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return None


def _node_fault(node: Mapping[Any, Any]) -> str | None:
    if "__loader__" in node and node["__loader__"] not in LOADERS:
        return f"{node['__loader__']!s:.80}"
    if "__class__" in node or "__module__" in node:
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name not in TYPES:
            return f"{name:.160}"
    if node.get("__loader__") == "RandomGeneratorNode" and not _is_known_generator(node):
        return "an unknown random generator"
    return None


def _is_known_generator(node: Mapping[Any, Any]) -> bool:
    """skops before 0.16 calls whatever numpy.random attribute stands here, without naming it in its audit."""
    try:
        return node["content"]["bit_generator"]["content"]["bit_generator"]["content"] in _BIT_GENERATORS
    except (KeyError, TypeError):
        return False
