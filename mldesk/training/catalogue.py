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
                    low=2, high=1000, log=True, nullable=True)

_LINEAR = EstimatorEntry(
    name="linear", title="Linear model",
    help="Logistic or ridge regression on standardised columns: fast, easy to explain, a good yardstick.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.linear:Linear", iterative=False,
    parameters=(
        Parameter("regularization", "number", None, "Strength of the penalty on large weights; none tries several on "
                  "the validation rows.", low=1e-8, high=1e6, log=True, nullable=True),
        Parameter("iterations", "integer", 300, "Most passes over the data for one strength of the penalty.",
                  low=1, high=100_000, log=True, unit="passes"),
        Parameter("class_weight", "choice", "none", "Weigh classes by how rare they are.", choices=("none", "balanced"),
                  advanced=True),
        _REFIT,
    ))

_RANDOM_FOREST = EstimatorEntry(
    name="random_forest", title="Random forest",
    help="Many independent trees that vote: hard to get wrong, needs little tuning.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.random_forest:RandomForest", iterative=False,
    parameters=(
        Parameter("trees", "integer", 200, "How many trees are grown.", low=1, high=10_000, log=True, unit="trees"),
        Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=1000, nullable=True),
        Parameter("min_samples_leaf", "integer", None, "Fewest rows in a leaf; none chooses by the number of rows, so "
                  "that the model does not grow with the table.", low=1, high=100_000, log=True, nullable=True,
                  unit="rows"),
        Parameter("max_features", "number", None, "Share of the columns looked at per split; none takes the square "
                  "root of their number for classes and a third for numbers.", low=0.001, high=1.0, nullable=True),
        Parameter("class_weight", "choice", "none", "Weigh classes by how rare they are.", choices=("none", "balanced"),
                  advanced=True),
        _REFIT,
    ))

_HIST_GRADIENT_BOOSTING = EstimatorEntry(
    name="hist_gradient_boosting", title="Histogram gradient boosting",
    help="scikit-learn's gradient boosting: trees grown one after another on what is still wrong.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.hist_gradient_boosting:HistGradientBoosting",
    iterative=False,
    parameters=(
        Parameter("rounds", "integer", 1000, "Most rounds of boosting.", low=1, high=100_000, log=True, unit="rounds"),
        Parameter("learning_rate", "number", 0.05, "How much each round corrects.", low=1e-4, high=1.0, log=True),
        _LEAVES,
        Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=100, nullable=True),
        Parameter("min_samples_leaf", "integer", 20, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows"),
        Parameter("l2", "number", 0.0, "Penalty on large leaf values.", low=0.0, high=1000.0),
        Parameter("feature_fraction", "number", 0.8, "Share of the columns looked at per split.", low=0.05, high=1.0),
        Parameter("patience", "integer", 50, "Stop after so many rounds without a better validation loss; none never "
                  "stops early.", low=1, high=10_000, nullable=True, unit="rounds"),
        _REFIT,
    ))

_LIGHTGBM = EstimatorEntry(
    name="lightgbm", title="LightGBM",
    help="Fast gradient boosting; usually the best scores on tables.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.lightgbm:LightGbm", iterative=True, default_for=_TABULAR,
    parameters=(
        Parameter("rounds", "integer", 3000, "Most rounds of boosting.", low=1, high=100_000, log=True, unit="rounds"),
        Parameter("learning_rate", "number", 0.03, "How much each round corrects.", low=1e-4, high=1.0, log=True),
        _LEAVES,
        Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=100, nullable=True),
        Parameter("min_samples_leaf", "integer", 20, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows"),
        Parameter("l2", "number", 1.0, "Penalty on large leaf values.", low=0.0, high=1000.0),
        Parameter("feature_fraction", "number", 0.6, "Share of the columns looked at per split.", low=0.05, high=1.0),
        Parameter("row_fraction", "number", None, "Share of the rows each tree is grown on; none takes all for classes "
                  "and 0.8 for numbers.", low=0.05, high=1.0, nullable=True),
        Parameter("patience", "integer", 100, "Stop after so many rounds without a better validation loss; none never "
                  "stops early.", low=1, high=10_000, nullable=True, unit="rounds"),
        Parameter("class_weight", "choice", "none", "Weigh classes by how rare they are.", choices=("none", "balanced"),
                  advanced=True),
        _REFIT,
    ))

_MLP = EstimatorEntry(
    name="mlp", title="Neural network",
    help="A residual network with embeddings for categories and for numbers, trained with PyTorch; uses the GPU.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.mlp:Mlp", iterative=True,
    parameters=(
        Parameter("epochs", "integer", 100, "Most passes over the training rows.", low=1, high=100_000, log=True,
                  unit="epochs"),
        Parameter("learning_rate", "number", 0.002, "Largest step size.", low=1e-6, high=1.0, log=True),
        Parameter("batch_size", "integer", None, "Rows per step; none chooses by the number of rows.", low=1,
                  high=1_000_000, log=True, nullable=True, unit="rows"),
        Parameter("width", "integer", 192, "Units per layer.", low=4, high=8192, log=True),
        Parameter("blocks", "integer", 2, "How many residual blocks.", low=1, high=32),
        Parameter("dropout", "number", 0.15, "Share of the units silenced at each step.", low=0.0, high=0.9),
        Parameter("number_embedding", "integer", 12, "Values each number is unfolded into (piecewise linear); 0 uses "
                  "the number itself.", low=0, high=256),
        Parameter("weight_decay", "number", 0.01, "Pull of the weights towards zero (AdamW).", low=0.0, high=10.0),
        Parameter("gradient_clip", "number", 1.0, "Longest gradient; longer ones are scaled down.", low=1e-3,
                  high=1000.0, log=True, advanced=True),
        Parameter("patience", "integer", 12, "Stop after so many epochs without a better validation loss; none never "
                  "stops early.", low=1, high=10_000, nullable=True, unit="epochs"),
        Parameter("precision", "choice", "auto", "Number format on the GPU; auto is bfloat16 where it is supported.",
                  choices=("auto", "float32", "bfloat16", "float16"), advanced=True),
    ))

ESTIMATORS: Mapping[str, EstimatorEntry] = {
    entry.name: entry for entry in (_LIGHTGBM, _MLP, _HIST_GRADIENT_BOOSTING, _RANDOM_FOREST, _LINEAR)}


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
