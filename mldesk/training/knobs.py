"""Parameters that several estimators share. Imports nothing heavy."""

from __future__ import annotations

from mldesk.training.parameters import Parameter

CLASSIFICATION = "tabular_classification"
REGRESSION = "tabular_regression"

REFIT = Parameter("refit", "boolean", True, "Once the fit is tuned on the validation rows, fit again on "
                   "training and validation rows together.", label="Refit on all but the test rows", advanced=True)
LEAVES = Parameter("leaves", "integer", None, "Most leaves of a tree; none takes 20 for classes and 31 for numbers.",
                    low=2, high=1000, log=True, nullable=True, search=(4, 256))
CLASS_WEIGHT = Parameter("class_weight", "choice", "none", "Weigh classes by how rare they are.",
                          choices=("none", "balanced"), tasks=(CLASSIFICATION,), advanced=True)

BY_CLASS = Parameter(
    "weights_by_class", "text", None, "What rows of single classes weigh, such as yes=3, no=0.5; others weigh 1. Takes "
    "the place of the class weight.", label="Weights of single classes", nullable=True, tasks=(CLASSIFICATION,),
    advanced=True)
WEIGHTS = (CLASS_WEIGHT, BY_CLASS)

RESAMPLING = Parameter(
    "resampling", "choice", "none", "Even out how often classes occur, in the training rows alone: repeat rows of rare "
    "classes, leave out rows of common ones, or make new ones between neighbours (SMOTE). Chances come out shifted.",
    choices=("none", "over", "under", "smote"), tasks=(CLASSIFICATION,), advanced=True)
QUANTILE = Parameter(
    "quantile", "number", None, "Predict the value that this share of the rows stays below, 0.5 for the median; none "
    "predicts the mean.", low=0.01, high=0.99, nullable=True, tasks=(REGRESSION,), advanced=True)

COMPONENTS = Parameter(
    "components", "integer", None, "Learn from so many principal components of the columns instead of the columns "
    "themselves (PCA); none does not.", low=1, high=1000, log=True, nullable=True, advanced=True)

TEXT = (
    Parameter("text_words", "integer", None, "Numbers that a column of free text becomes, one for each of its "
              "commonest words (TF-IDF); none takes 200.", low=0, high=2000, nullable=True, unit="words",
              advanced=True),
    Parameter("text_components", "integer", None, "Dense numbers that a column of free text becomes beside its words: "
              "topics by truncated SVD (LSA); none takes up to 32, 0 makes none.", low=0, high=500, nullable=True,
              advanced=True),
    Parameter("text_encoder", "text", None, "Read columns of free text with an encoder of the BERT family instead: a "
              "folder (Hugging Face's format) on the machine that trains, or a name in MLDesk's folder encoders; none "
              "does not.", nullable=True, advanced=True))

FOREST = (
    Parameter("trees", "integer", 200, "How many trees are grown.", low=1, high=10_000, log=True, unit="trees"),
    Parameter("max_depth", "integer", None, "Deepest a tree may grow.", low=1, high=1000, nullable=True),
    Parameter("min_samples_leaf", "integer", None, "Fewest rows in a leaf; none chooses by the number of rows, so "
              "that the model does not grow with the table.", low=1, high=100_000, log=True, nullable=True,
              unit="rows", search=(1, 20)),
    Parameter("max_features", "number", None, "Share of the columns looked at per split; none takes the square "
              "root of their number for classes, and for numbers a third (a random forest) or all (extra trees).",
              low=0.001, high=1.0, nullable=True, search=(0.05, 1.0)),
    *WEIGHTS, RESAMPLING, REFIT)

def rounds_of(rounds: int, learning_rate: float, patience: int) -> tuple[Parameter, Parameter, Parameter]:
    """Return how many rounds of boosting there are, and how large."""
    return (
        Parameter("rounds", "integer", rounds, "Most rounds of boosting.", low=1, high=100_000, log=True,
                  unit="rounds"),
        Parameter("learning_rate", "number", learning_rate, "How much each round corrects.", low=1e-4, high=1.0,
                  log=True, search=(0.01, 0.2)),
        Parameter("patience", "integer", patience, "Stop after so many rounds without a better validation loss; none "
                  "never stops early.", low=1, high=10_000, nullable=True, unit="rounds"))


def depth(default: int | None, search: tuple[int, ...], most: int = 100, nullable: bool = True) -> Parameter:
    """Return how deep a boosted tree may grow."""
    return Parameter("max_depth", "integer", default, "Deepest a tree may grow.", low=1, high=most, nullable=nullable,
                     search=search)


def boosting(rounds: int, learning_rate: float, l2: float, feature_fraction: float,
              patience: int) -> tuple[Parameter, ...]:
    """Return the knobs that every gradient boosting has, with one library's defaults."""
    most, rate, end = rounds_of(rounds, learning_rate, patience)
    return (
        most, rate, LEAVES, depth(None, ()),
        Parameter("min_samples_leaf", "integer", 20, "Fewest rows in a leaf.", low=1, high=100_000, log=True,
                  unit="rows", search=(2, 100)),
        Parameter("l2", "number", l2, "Penalty on large leaf values.", low=0.0, high=1000.0, search=(0.0, 20.0)),
        Parameter("feature_fraction", "number", feature_fraction, "Share of the columns looked at per split.",
                  low=0.05, high=1.0, search=(0.3, 1.0)), end)



def network(learning_rate: float, width: int, blocks: int, dropout: float,
            number_embedding: int | None) -> tuple[Parameter, ...]:
    """Return the knobs that every torch network has, with one kind's defaults. None: the kind embeds as it likes."""
    embedding = () if number_embedding is None else (
        Parameter("number_embedding", "integer", number_embedding, "Values each number is unfolded into (piecewise "
                  "linear); 0 uses the number itself.", low=0, high=256, search=(0, 32)),)
    return (
        Parameter("epochs", "integer", 100, "Most passes over the training rows.", low=1, high=100_000, log=True,
                  unit="epochs"),
        Parameter("learning_rate", "number", learning_rate, "Largest step size.", low=1e-6, high=1.0, log=True,
                  search=(learning_rate / 6, learning_rate * 5)),
        Parameter("schedule", "choice", "plateau", "How the learning rate goes over the epochs: plateau lowers it when "
                  "the validation loss falls no further, step to a tenth after half and after three quarters of them, "
                  "cosine evenly to zero, one_cycle up and then down to zero; constant keeps it.",
                  label="Learning rate schedule", choices=("plateau", "constant", "cosine", "one_cycle", "step"),
                  advanced=True),
        Parameter("batch_size", "integer", None, "Rows per step; none chooses by the number of rows.", low=1,
                  high=1_000_000, log=True, nullable=True, unit="rows"),
        Parameter("width", "integer", width, "Units per layer.", low=4, high=8192, log=True,
                  search=(width // 3, width * 2)),
        Parameter("blocks", "integer", blocks, "How many layers or blocks of them.", low=1, high=32, search=(1, 4)),
        Parameter("dropout", "number", dropout, "Share of the units silenced at each step.", low=0.0, high=0.9,
                  search=(0.0, 0.5)),
        *embedding,
        Parameter("weight_decay", "number", 0.01, "Pull of the weights towards zero (AdamW).", low=0.0, high=10.0,
                  search=(0.0, 0.2)),
        Parameter("gradient_clip", "number", 1.0, "Longest gradient; longer ones are scaled down.", low=1e-3,
                  high=1000.0, log=True, advanced=True),
        Parameter("patience", "integer", 12, "Stop after so many epochs without a better validation loss; none never "
                  "stops early.", low=1, high=10_000, nullable=True, unit="epochs"),
        Parameter("precision", "choice", "auto", "Number format on the GPU; auto is bfloat16 where it is supported.",
                  choices=("auto", "float32", "bfloat16", "float16"), advanced=True),
        QUANTILE, *WEIGHTS, RESAMPLING, REFIT)
