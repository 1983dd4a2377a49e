"""Which estimators there are, what they can do and which knobs they have. Imports nothing heavy.

Forms, command line options and search spaces are made from these declarations; the code behind ``implementation`` is
imported by the trainer only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec

from mldesk.core.errors import BadInput
from mldesk.training import knobs
from mldesk.training.knobs import CLASSIFICATION, REGRESSION
from mldesk.training.parameters import Parameter

__all__ = ["CLASSIFICATION", "ESTIMATORS", "NETWORKS", "ORDINAL", "REGRESSION", "SHORT_NAMES",
           "EstimatorEntry", "default_estimator", "estimators_for", "find_estimator"]

_TABULAR = (CLASSIFICATION, REGRESSION)
ORDINAL = "ordinal"      # makes sense for classes with an order alone


@dataclass(frozen=True, slots=True)
class EstimatorEntry:
    """One kind of model: its name, its knobs, and where its code is."""

    name: str                            # as the command line and the job spec write it
    title: str                           # for people
    help: str                            # one plain line
    tasks: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    implementation: str                  # "module:Class", see training.estimators.base.Estimator
    iterative: bool                      # step by step: its learning rate can change, an earlier model be gone on from
    default_for: tuple[str, ...] = ()
    pack: str = ""                       # what has to be installed besides: a module, and the name of the extra
    torch: bool = False                  # a network: it can use a graphics card
    checkpoints: bool = False            # an interrupted fit goes on, though it is not iterative

    @property
    def resumes(self) -> bool:
        """An interrupted fit goes on from a checkpoint; that of the others starts anew. Either to the same result."""
        return self.iterative or self.checkpoints

    @property
    def installed(self) -> bool:
        """This Python has what it needs; said without importing it."""
        return not self.pack or find_spec(self.pack) is not None

    @property
    def lacking(self) -> str:
        """What has to be installed besides, in words; "" where this Python has it. A runner may be otherwise."""
        return "" if self.installed else f'Not installed here: pip install "mldesk[{self.pack}]".'

    @property
    def resuming(self) -> str:
        """What becomes of an interrupted run, in words."""
        if not self.resumes:
            return "An interrupted run starts anew, to the same result: there are no checkpoints."
        same = "An interrupted run goes on from its last checkpoint, to the same result as an uninterrupted one"
        return same + ("; on a graphics card last digits may differ, as between any two runs there." if self.torch
                       else ".")

    def default_of(self, name: str) -> object:
        """Return a parameter's default. Raises StopIteration for one that there is not."""
        return next(item.default for item in self.parameters if item.name == name)

    def parameters_for(self, task: str) -> tuple[Parameter, ...]:
        """Return the parameters that mean something for ``task``."""
        return tuple(item for item in self.parameters if not item.tasks or task in item.tasks)


_LINEAR = EstimatorEntry(
    name="linear", title="Linear model",
    help="Logistic or ridge regression, lasso or elastic net, on standardised columns: fast, easy to explain.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.linear:Linear", iterative=False,
    parameters=(
        Parameter("regularization", "number", None, "Strength of the penalty on large weights; none tries several on "
                  "the validation rows.", low=1e-8, high=1e6, log=True, nullable=True),
        Parameter("l1_share", "number", 0.0, "Share of the penalty on absolute weights, which drops columns: 0 is "
                  "ridge, 1 is lasso, between them is the elastic net.", low=0.0, high=1.0, search=(0.0, 1.0)),
        knobs.COMPONENTS,
        Parameter("iterations", "integer", 300, "Most passes over the data for one strength of the penalty.",
                  low=1, high=100_000, log=True, unit="passes"),
        knobs.QUANTILE, *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT,
    ))

_RANDOM_FOREST = EstimatorEntry(
    name="random_forest", title="Random forest",
    help="Many independent trees that vote: hard to get wrong, needs little tuning.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.random_forest:RandomForest", iterative=False,
    checkpoints=True, parameters=knobs.FOREST)

_EXTRA_TREES = EstimatorEntry(
    name="extra_trees", title="Extra trees",
    help="A forest whose trees split at random: smoother than a random forest, and quicker.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.random_forest:ExtraTrees", iterative=False,
    checkpoints=True, parameters=knobs.FOREST)

_DECISION_TREE = EstimatorEntry(
    name="decision_tree", title="Decision tree",
    help="One tree, small enough to be read as rules.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.decision_tree:DecisionTree", iterative=False,
    parameters=(
        Parameter("max_depth", "integer", None, "Questions asked of a row at most; none tries several on the "
                  "validation rows.", low=1, high=100, nullable=True),
        Parameter("min_samples_leaf", "integer", 5, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows", search=(1, 100)),
        *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_NEIGHBORS = EstimatorEntry(
    name="neighbors", title="Nearest neighbours",
    help="Answers as the most similar rows did; for small tables with few columns.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.neighbors:Neighbors", iterative=False,
    parameters=(
        Parameter("neighbors", "integer", None, "How many rows are asked; none tries several on the validation rows.",
                  low=1, high=10_000, log=True, nullable=True, unit="rows"),
        Parameter("weights", "choice", "distance", "Whether nearer rows count for more.",
                  choices=("uniform", "distance"), search=("uniform", "distance")),
        knobs.COMPONENTS, knobs.RESAMPLING, knobs.REFIT))

_NAIVE_BAYES = EstimatorEntry(
    name="naive_bayes", title="Naive Bayes",
    help="Every column on its own, as if they knew nothing of one another: instant, and a humble yardstick.",
    tasks=(CLASSIFICATION,), implementation="mldesk.training.estimators.naive_bayes:NaiveBayes", iterative=False,
    parameters=(
        Parameter("smoothing", "number", None, "Share of the widest column's variance added to each; none tries "
                  "several on the validation rows.", low=1e-12, high=100.0, log=True, nullable=True),
        knobs.RESAMPLING, knobs.REFIT))

_SVM = EstimatorEntry(
    name="svm", title="Support vector machine",
    help="The widest margin between classes in a curved space; for small tables.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.svm:Svm", iterative=False,
    parameters=(
        Parameter("strength", "number", None, "How much a row on the wrong side costs (C); none tries three on the "
                  "validation rows.", low=1e-4, high=1e6, log=True, nullable=True, search=(0.03, 300.0)),
        Parameter("gamma", "number", None, "How near rows must be to matter to one another; none chooses by the "
                  "columns' number and spread.", low=1e-8, high=1e4, log=True, nullable=True),
        knobs.COMPONENTS, *knobs.WEIGHTS, knobs.RESAMPLING))

_HIST_GRADIENT_BOOSTING = EstimatorEntry(
    name="hist_gradient_boosting", title="Histogram gradient boosting",
    help="scikit-learn's gradient boosting: trees grown one after another on what is still wrong.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.hist_gradient_boosting:HistGradientBoosting",
    iterative=True,
    parameters=(*knobs.boosting(rounds=1000, learning_rate=0.05, l2=0.0, feature_fraction=0.8, patience=50),
                knobs.QUANTILE, *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_LIGHTGBM = EstimatorEntry(
    name="lightgbm", title="LightGBM",
    help="Fast gradient boosting; usually the best scores on tables.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.lightgbm:LightGbm", iterative=True, default_for=_TABULAR,
    parameters=(
        *knobs.boosting(rounds=3000, learning_rate=0.03, l2=1.0, feature_fraction=0.6, patience=100),
        Parameter("row_fraction", "number", None, "Share of the rows each tree is grown on; none takes all for classes "
                  "and 0.8 for numbers.", low=0.05, high=1.0, nullable=True, search=(0.5, 1.0)),
        knobs.QUANTILE, *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_TABM = EstimatorEntry(
    name="tabm", title="Neural network (TabM)",
    help="Many small networks in one that learn side by side, over embedded categories and numbers; uses the GPU.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.torch_nets:TabM", iterative=True, torch=True,
    parameters=(
        Parameter("members", "integer", None, "How many networks in one; none takes 8 to 32, the more the fewer the "
                  "rows.", low=1, high=256, log=True, nullable=True, search=(8, 32)),
        *knobs.network(learning_rate=0.002, width=192, blocks=2, dropout=0.1, number_embedding=12)))

_MLP = EstimatorEntry(
    name="mlp", title="Neural network (residual)",
    help="A residual network with embeddings for categories and for numbers, trained with PyTorch; uses the GPU.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.torch_nets:Mlp", iterative=True, torch=True,
    parameters=knobs.network(learning_rate=0.002, width=192, blocks=2, dropout=0.15, number_embedding=12))

_FT_TRANSFORMER = EstimatorEntry(
    name="ft_transformer", title="Neural network (transformer)",
    help="Columns attend to one another (FT-Transformer); slow without a GPU.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.torch_nets:FtTransformer", iterative=True, torch=True,
    parameters=knobs.network(learning_rate=0.0007, width=64, blocks=2, dropout=0.1, number_embedding=None))

_XGBOOST = EstimatorEntry(
    name="xgboost", title="XGBoost", pack="xgboost",
    help="Gradient boosting as in many a winning entry; an optional pack.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.xgboost:XgBoost", iterative=True,
    parameters=(
        *knobs.rounds_of(3000, 0.03, 100), knobs.depth(6, (3, 10)),
        Parameter("min_weight", "number", 1.0, "Least weight of a leaf: rows, times how unsure the model is of them.",
                  low=0.0, high=10_000.0, search=(0.5, 50.0)),
        Parameter("l2", "number", 1.0, "Penalty on large leaf values.", low=0.0, high=1000.0, search=(0.0, 20.0)),
        Parameter("feature_fraction", "number", 0.6, "Share of the columns looked at per split.", low=0.05, high=1.0,
                  search=(0.3, 1.0)),
        Parameter("row_fraction", "number", 0.8, "Share of the rows each tree is grown on.", low=0.05, high=1.0,
                  search=(0.5, 1.0)),
        knobs.QUANTILE, *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_CATBOOST = EstimatorEntry(
    name="catboost", title="CatBoost", pack="catboost",
    help="Gradient boosting with balanced trees: hard to overfit, good without tuning; an optional pack.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.catboost:CatBoost", iterative=False, checkpoints=True,
    parameters=(
        *knobs.rounds_of(2000, 0.05, 100), knobs.depth(6, (4, 10), most=16, nullable=False),
        Parameter("l2", "number", 3.0, "Penalty on large leaf values.", low=0.0, high=1000.0, search=(1.0, 20.0)),
        knobs.QUANTILE, *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_ORDINAL = EstimatorEntry(
    name=ORDINAL, title="Ordinal model",
    help="For classes with an order: one weighted sum of the columns, cut into classes (proportional odds).",
    tasks=(CLASSIFICATION,), implementation="mldesk.training.estimators.ordinal:Ordinal", iterative=False,
    parameters=(
        Parameter("regularization", "number", None, "Strength of the penalty on large weights; none tries several on "
                  "the validation rows.", low=1e-8, high=1e6, log=True, nullable=True, search=(0.01, 100.0)),
        Parameter("iterations", "integer", 300, "Most passes over the data for one strength of the penalty.",
                  low=1, high=100_000, log=True, unit="passes"),
        *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

_SEGMENTS = EstimatorEntry(
    name="segments", title="Segments, a model each",
    help="Groups of like rows (k-means) with a linear model each; says how much better that is than one model.",
    tasks=_TABULAR, implementation="mldesk.training.estimators.segments:Segments", iterative=False,
    parameters=(
        Parameter("segments", "integer", None, "How many groups; none tries 1, 2, 3, 5 and 8 on the validation rows.",
                  low=1, high=100, nullable=True, search=(2, 10)),
        Parameter("regularization", "number", 1.0, "Strength of the penalty on large weights.", low=1e-8, high=1e6,
                  log=True, search=(0.01, 100.0)),
        Parameter("iterations", "integer", 300, "Most passes over the data for one segment.", low=1, high=100_000,
                  log=True, unit="passes"),
        *knobs.WEIGHTS, knobs.RESAMPLING, knobs.REFIT))

ESTIMATORS: Mapping[str, EstimatorEntry] = {
    entry.name: replace(entry, parameters=(*entry.parameters, *knobs.TEXT)) for entry in (
        _LIGHTGBM, _TABM, _MLP, _FT_TRANSFORMER, _HIST_GRADIENT_BOOSTING, _RANDOM_FOREST, _EXTRA_TREES, _LINEAR,
        _DECISION_TREE, _NEIGHBORS, _SVM, _NAIVE_BAYES, _SEGMENTS, _ORDINAL,
        _XGBOOST, _CATBOOST)}

# What many call them: no names to give, but what a refusal can tell of.
SHORT_NAMES = {
    "lgbm": "lightgbm", "lgb": "lightgbm", "gbm": "lightgbm", "xgb": "xgboost", "cat": "catboost",
    "rf": "random_forest", "forest": "random_forest", "hgb": "hist_gradient_boosting",
    "gbdt": "hist_gradient_boosting", "knn": "neighbors", "logistic": "linear", "logreg": "linear", "ridge": "linear",
    "logistic_regression": "linear", "linear_regression": "linear", "lasso": "linear", "elastic_net": "linear",
    "nn": "mlp", "svc": "svm", "svr": "svm", "tree": "decision_tree", "nb": "naive_bayes", "ftt": "ft_transformer"}
NETWORKS = frozenset(entry.name for entry in ESTIMATORS.values() if entry.torch)


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
