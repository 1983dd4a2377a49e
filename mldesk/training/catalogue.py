"""Which estimators there are, what they can do and which knobs they have. Imports nothing heavy.

Forms, command line options and search spaces are made from these declarations; the code behind ``implementation`` is
imported by the trainer only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mldesk.core.errors import BadInput
from mldesk.training.parameters import Parameter

CLASSIFICATION = "tabular_classification"
REGRESSION = "tabular_regression"
_TABULAR = (CLASSIFICATION, REGRESSION)


@dataclass(frozen=True, slots=True)
class EstimatorEntry:
    """One kind of model: its name, its knobs, and where its code is."""

    name: str                            # as the command line and the job spec write it
    title: str                           # for people
    help: str                            # one plain line
    tasks: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    implementation: str                  # "module:Class", see training.estimators.base.Estimator
    iterative: bool                      # goes on from a checkpoint; the others start anew, to the same result
    default_for: tuple[str, ...] = ()


_REFIT = Parameter("refit", "boolean", True, "Once the fit is tuned on the validation rows, fit again on "
                   "training and validation rows together.", label="Refit on all but the test rows", advanced=True)
_LEAVES = Parameter("leaves", "integer", None, "Most leaves of a tree; none takes 20 for classes and 31 for numbers.",
                    low=2, high=1000, log=True, nullable=True, search=(4, 256))
_CLASS_WEIGHT = Parameter("class_weight", "choice", "none", "Weigh classes by how rare they are.",
                          choices=("none", "balanced"), advanced=True)

_LINEAR = EstimatorEntry(
    name="linear", title="Linear model",
    help="Logistic or ridge regression, lasso or elastic net, on standardised columns: fast, easy to explain.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.linear:Linear", iterative=False,
    parameters=(
        Parameter("regularization", "number", None, "Strength of the penalty on large weights; none tries several on "
                  "the validation rows.", low=1e-8, high=1e6, log=True, nullable=True),
        Parameter("l1_share", "number", 0.0, "Share of the penalty on absolute weights, which drops columns: 0 is "
                  "ridge, 1 is lasso, between them is the elastic net.", low=0.0, high=1.0, search=(0.0, 1.0)),
        Parameter("iterations", "integer", 300, "Most passes over the data for one strength of the penalty.",
                  low=1, high=100_000, log=True, unit="passes"),
        _CLASS_WEIGHT,
        _REFIT,
    ))

_FOREST = (
    Parameter("trees", "integer", 200, "How many trees are grown.", low=1, high=10_000, log=True, unit="trees"),
    Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=1000, nullable=True),
    Parameter("min_samples_leaf", "integer", None, "Fewest rows in a leaf; none chooses by the number of rows, so "
              "that the model does not grow with the table.", low=1, high=100_000, log=True, nullable=True,
              unit="rows", search=(1, 20)),
    Parameter("max_features", "number", None, "Share of the columns looked at per split; none takes the square "
              "root of their number for classes, and for numbers a third (a random forest) or all (extra trees).",
              low=0.001, high=1.0, nullable=True, search=(0.05, 1.0)),
    _CLASS_WEIGHT, _REFIT)

_RANDOM_FOREST = EstimatorEntry(
    name="random_forest", title="Random forest",
    help="Many independent trees that vote: hard to get wrong, needs little tuning.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.random_forest:RandomForest", iterative=False,
    parameters=_FOREST)

_EXTRA_TREES = EstimatorEntry(
    name="extra_trees", title="Extra trees",
    help="A forest whose trees split at random: smoother than a random forest, and quicker.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.random_forest:ExtraTrees", iterative=False,
    parameters=_FOREST)

_DECISION_TREE = EstimatorEntry(
    name="decision_tree", title="Decision tree",
    help="One tree, small enough to be read as rules.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.decision_tree:DecisionTree", iterative=False,
    parameters=(
        Parameter("max_depth", "integer", None, "Questions asked of a row at most; none tries several on the "
                  "validation rows.", low=1, high=100, nullable=True),
        Parameter("min_samples_leaf", "integer", 5, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows", search=(1, 100)),
        _CLASS_WEIGHT, _REFIT))

_NEIGHBORS = EstimatorEntry(
    name="neighbors", title="Nearest neighbours",
    help="Answers as the most similar rows did; for small tables with few columns.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.neighbors:Neighbors", iterative=False,
    parameters=(
        Parameter("neighbors", "integer", None, "How many rows are asked; none tries several on the validation rows.",
                  low=1, high=10_000, log=True, nullable=True, unit="rows"),
        Parameter("weights", "choice", "distance", "Whether nearer rows count for more.",
                  choices=("uniform", "distance"), search=("uniform", "distance")),
        _REFIT))

_NAIVE_BAYES = EstimatorEntry(
    name="naive_bayes", title="Naive Bayes",
    help="Every column on its own, as if they knew nothing of one another: instant, and a humble yardstick.",
    tasks=(CLASSIFICATION,), implementation="mldesk.training.estimators.naive_bayes:NaiveBayes", iterative=False,
    parameters=(
        Parameter("smoothing", "number", None, "Share of the widest column's variance added to each; none tries "
                  "several on the validation rows.", low=1e-12, high=100.0, log=True, nullable=True),
        _REFIT))

_SVM = EstimatorEntry(
    name="svm", title="Support vector machine",
    help="The widest margin between classes in a curved space; for small tables.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.svm:Svm", iterative=False,
    parameters=(
        Parameter("strength", "number", None, "How much a row on the wrong side costs (C); none tries three on the "
                  "validation rows.", low=1e-4, high=1e6, log=True, nullable=True, search=(0.03, 300.0)),
        Parameter("gamma", "number", None, "How near rows must be to matter to one another; none chooses by the "
                  "columns' number and spread.", low=1e-8, high=1e4, log=True, nullable=True),
        _CLASS_WEIGHT))

def _boosting(rounds: int, learning_rate: float, l2: float, feature_fraction: float,
              patience: int) -> tuple[Parameter, ...]:
    """Return the knobs that every gradient boosting has, with one library's defaults."""
    return (
        Parameter("rounds", "integer", rounds, "Most rounds of boosting.", low=1, high=100_000, log=True,
                  unit="rounds"),
        Parameter("learning_rate", "number", learning_rate, "How much each round corrects.", low=1e-4, high=1.0,
                  log=True, search=(0.01, 0.2)),
        _LEAVES,
        Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=100, nullable=True),
        Parameter("min_samples_leaf", "integer", 20, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows", search=(2, 100)),
        Parameter("l2", "number", l2, "Penalty on large leaf values.", low=0.0, high=1000.0, search=(0.0, 20.0)),
        Parameter("feature_fraction", "number", feature_fraction, "Share of the columns looked at per split.",
                  low=0.05, high=1.0, search=(0.3, 1.0)),
        Parameter("patience", "integer", patience, "Stop after so many rounds without a better validation loss; none "
                  "never stops early.", low=1, high=10_000, nullable=True, unit="rounds"))


_HIST_GRADIENT_BOOSTING = EstimatorEntry(
    name="hist_gradient_boosting", title="Histogram gradient boosting",
    help="scikit-learn's gradient boosting: trees grown one after another on what is still wrong.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.hist_gradient_boosting:HistGradientBoosting",
    iterative=False,
    parameters=(*_boosting(rounds=1000, learning_rate=0.05, l2=0.0, feature_fraction=0.8, patience=50), _REFIT))

_LIGHTGBM = EstimatorEntry(
    name="lightgbm", title="LightGBM",
    help="Fast gradient boosting; usually the best scores on tables.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.lightgbm:LightGbm", iterative=True, default_for=_TABULAR,
    parameters=(
        *_boosting(rounds=3000, learning_rate=0.03, l2=1.0, feature_fraction=0.6, patience=100),
        Parameter("row_fraction", "number", None, "Share of the rows each tree is grown on; none takes all for classes "
                  "and 0.8 for numbers.", low=0.05, high=1.0, nullable=True, search=(0.5, 1.0)),
        _CLASS_WEIGHT, _REFIT))

_MLP = EstimatorEntry(
    name="mlp", title="Neural network",
    help="A residual network with embeddings for categories and for numbers, trained with PyTorch; uses the GPU.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.mlp:Mlp", iterative=True,
    parameters=(
        Parameter("epochs", "integer", 100, "Most passes over the training rows.", low=1, high=100_000, log=True,
                  unit="epochs"),
        Parameter("learning_rate", "number", 0.002, "Largest step size.", low=1e-6, high=1.0, log=True,
                  search=(0.0003, 0.01)),
        Parameter("batch_size", "integer", None, "Rows per step; none chooses by the number of rows.", low=1,
                  high=1_000_000, log=True, nullable=True, unit="rows"),
        Parameter("width", "integer", 192, "Units per layer.", low=4, high=8192, log=True, search=(64, 384)),
        Parameter("blocks", "integer", 2, "How many residual blocks.", low=1, high=32, search=(1, 4)),
        Parameter("dropout", "number", 0.15, "Share of the units silenced at each step.", low=0.0, high=0.9,
                  search=(0.0, 0.5)),
        Parameter("number_embedding", "integer", 12, "Values each number is unfolded into (piecewise linear); 0 uses "
                  "the number itself.", low=0, high=256, search=(0, 32)),
        Parameter("weight_decay", "number", 0.01, "Pull of the weights towards zero (AdamW).", low=0.0, high=10.0,
                  search=(0.0, 0.2)),
        Parameter("gradient_clip", "number", 1.0, "Longest gradient; longer ones are scaled down.", low=1e-3,
                  high=1000.0, log=True, advanced=True),
        Parameter("patience", "integer", 12, "Stop after so many epochs without a better validation loss; none never "
                  "stops early.", low=1, high=10_000, nullable=True, unit="epochs"),
        Parameter("precision", "choice", "auto", "Number format on the GPU; auto is bfloat16 where it is supported.",
                  choices=("auto", "float32", "bfloat16", "float16"), advanced=True),
    ))

ESTIMATORS: Mapping[str, EstimatorEntry] = {
    entry.name: entry for entry in (
        _LIGHTGBM, _MLP, _HIST_GRADIENT_BOOSTING, _RANDOM_FOREST, _EXTRA_TREES, _LINEAR, _DECISION_TREE, _NEIGHBORS,
        _SVM, _NAIVE_BAYES)}


def estimators_for(task: str) -> tuple[EstimatorEntry, ...]:
    """Return the estimators that can do ``task``, the default first."""
    able = [entry for entry in ESTIMATORS.values() if task in entry.tasks]
    return tuple(sorted(able, key=lambda entry: task not in entry.default_for))


def default_estimator(task: str) -> str:
    """Return what "auto" means for ``task``. Raises BadInput for a task that is not known."""
    for entry in ESTIMATORS.values():
        if task in entry.default_for:
            return entry.name
    raise BadInput(f"There is no task {task!r:.60}.", hint="The tasks are: " + ", ".join(_TABULAR) + ".")


def find_estimator(name: str, task: str) -> EstimatorEntry:
    """Return the entry for ``name`` ("auto": the default). Raises BadInput for one that cannot do ``task``."""
    entry = ESTIMATORS.get(default_estimator(task) if name == "auto" else name)
    if entry is None or task not in entry.tasks:
        raise BadInput(f"There is no model {name!r:.60} for {task.replace('_', ' ')}.",
                       hint="Choose one of: auto, " + ", ".join(item.name for item in estimators_for(task)) + ".")
    return entry
