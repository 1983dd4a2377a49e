"""The steps that change which rows there are, and the shape of the table, as they are declared."""

from __future__ import annotations

from mldesk.data.recipes.steps_kinds import Field, StepKind

FUNCTIONS = ("count", "sum", "mean", "median", "min", "max", "std", "first", "last", "distinct", "missing", "mode")
_DATASET = Field("dataset", "text", "The other dataset, N or N@V; its version is kept in the recipe.", required=True)
_DIGEST = Field("digest", "text", "The digest of that version; filled in when the recipe is applied.", "")

ROW_STEPS: tuple[StepKind, ...] = (
    StepKind("drop_missing", "Leave out rows with missing values.", (
        Field("columns", "columns", "The columns that count; none means all.", also=("column",)),
        Field("how", "choice", "Leave out a row if any of them is missing, only if all are, or by the share that is.",
              "any", choices=("any", "all", "share")),
        Field("share", "number", "The share of missing cells above which a row goes, from 0 to 1.", low=0, high=1),
    ), "Drop rows with missing values"),
    StepKind("deduplicate", "Keep one of rows that are the same.", (
        Field("columns", "columns", "The columns that must be the same; none means all.",
              also=("column", "keys")),
        Field("keep", "choice", "Which of them stays; none: rows that occur more than once go altogether.", "first",
              choices=("first", "last", "none")),
        Field("order", "column", "The column that says which is first; none: the table's own order."),
    ), "Drop duplicate rows"),
    StepKind("filter", "Keep the rows that meet a condition.", (
        Field("where", "expression", """An SQL condition such as "age" >= 18 AND city <> 'Lyon'.""", required=True,
              also=("expression", "condition", "sql")),
    ), "Filter rows"),
    StepKind("sample", "Keep some rows, chosen by chance, the same ones every time.", (
        Field("rows", "number", "How many rows.", low=1, whole=True),
        Field("share", "number", "Which share of the rows, from 0 to 1, instead of a number.", low=0, high=1),
        Field("by", "columns", "Take that many of each group of rows that are the same in these columns."),
        Field("seed", "number", "Another number chooses other rows.", 1, low=0, high=2**31, whole=True),
    ), "Sample rows"),
    StepKind("rebalance", "Give every value of a column as many rows.", (
        Field("column", "column", "The column whose values are to be equally frequent.", required=True,
              also=("target", "by")),
        Field("how", "choice", "Leave rows of the frequent values out, or have rows of the rare ones more than once.",
              "fewer", choices=("fewer", "more")),
        Field("rows", "number", "How many rows of each; none: as many as the rarest, or the most frequent, has.",
              low=1, high=10**9, whole=True),
        Field("seed", "number", "Another number chooses other rows.", 1, low=0, high=2**31, whole=True),
    ), "Rebalance rows", learns=True),
    StepKind("group", "Make one row of each group, with figures about it.", (
        Field("by", "columns", "The columns that make a group.", required=True),
        Field("columns", "columns", "The columns to make figures of; none: rows are only counted.", also=("column",)),
        Field("functions", "texts", "The figures: age and mean give a column age_mean.", choices=FUNCTIONS,
              also=("function",)),
    ), "Group and aggregate"),
    StepKind("join", "Add the columns of another dataset, by keys.", (
        _DATASET,
        Field("on", "columns", "The columns that both have and that must be the same."),
        Field("keys", "names", "Where the names differ: this table's column and the other's."),
        Field("how", "choice", "Keep all rows of this table (left), those with a partner (inner), all of the other "
              "(right), of both (outer), or only those without a partner (anti), which adds no column.", "left",
              choices=("left", "inner", "right", "outer", "anti")),
        Field("take", "texts", "The columns to take from the other; none means all."),
        _DIGEST,
    ), "Join another dataset"),
    StepKind("union", "Add the rows of another dataset below.", (
        _DATASET,
        Field("extra", "choice", "Columns that only the other has: leave them out, or add them.", "drop",
              choices=("drop", "add")),
        _DIGEST,
    ), "Add rows of another dataset"),
    StepKind("pivot", "Make a column of each value of a column.", (
        Field("by", "columns", "The columns that make a row.", required=True),
        Field("column", "column", "The column whose values become columns.", required=True),
        Field("cells", "column", "The column that fills the cells.", required=True),
        Field("function", "choice", "What is made of several values for one cell.", "first", choices=FUNCTIONS),
    ), "Pivot", learns=True),
    StepKind("unpivot", "Make rows of columns: one for each column and row.", (
        Field("columns", "columns", "The columns to make rows of.", required=True, also=("column",)),
        Field("name", "text", "The column that gets their names.", "name"),
        Field("into", "text", "The column that gets their values.", "value"),
    ), "Unpivot"),
)
