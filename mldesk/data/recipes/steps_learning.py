"""The steps that learn more than a figure from the rows, as they are declared."""

from __future__ import annotations

from mldesk.data.recipes.steps_kinds import Field, StepKind

_SEED = Field("seed", "number", "Another number makes other choices by chance.", 1, low=0, high=2**31, whole=True)
_NUMBERS = Field("columns", "columns", "Columns of numbers; none means all of them.", also=("column",))

LEARNING_STEPS: tuple[StepKind, ...] = (
    StepKind("encode_target", "Turn categories into the mean of the target among their rows.", (
        Field("columns", "columns", "The columns to encode.", required=True, also=("column",)),
        Field("target", "column", "The column that a model is to predict.", required=True),
        Field("value", "value", "For a target of text: the value that counts as 1; all others count as 0."),
        Field("smoothing", "number", "How many rows of its own a category needs to outweigh the mean of all.", 20,
              low=0, high=1e9),
        Field("folds", "number", "A row sees only the rows of the other folds, so not its own target.", 5, low=2,
              high=100, whole=True),
        _SEED,
    ), "Encode by target", learns=True),
    StepKind("segment", "Find segments of rows that are alike (k-means), and say which each row belongs to.", (
        _NUMBERS,
        Field("segments", "number", "How many; none: as many as the elbow of the curve suggests, up to 10.", low=1,
              high=100, whole=True, also=("k", "clusters")),
        Field("into", "text", "The new column, with 1 for the largest segment.", "segment"),
        _SEED,
    ), "Find segments", learns=True),
    StepKind("reduce", "Replace columns of numbers by fewer that hold most of their variance (PCA).", (
        _NUMBERS,
        Field("components", "number", "How many columns to make; none: as many as the share needs.", low=1, high=200,
              whole=True),
        Field("share", "number", "The share of the variance that they are to hold.", 0.95, low=0.01, high=1),
        Field("into", "text", "How their names begin: pc makes pc1, pc2.", "pc"),
        Field("columns_go", "choice", "Take out the columns they are made of.", "yes", choices=("yes", "no"),
              label="Take the old ones out"),
        _SEED,
    ), "Principal components", learns=True),
)
