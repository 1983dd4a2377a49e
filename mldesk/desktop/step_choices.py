"""What the choices of steps are called in the window."""

from __future__ import annotations

from collections.abc import Mapping

from mldesk.desktop.words import tr

# By (field, choice); a field "" means any.
_WORDS: Mapping[tuple[str, str], str] = {
    ("", "as_is"): "as it is", ("case", "snake"): "snake_case", ("unicode", "no_accents"): "NFC, no accents",
    ("how", "one_hot"): "columns of 0 and 1", ("how", "ordinal"): "place in an order",
    ("how", "minmax"): "0 to 1", ("how", "standard"): "standard", ("how", "robust"): "robust",
    ("how", "left"): "keep all rows", ("how", "inner"): "only rows with a partner",
    ("how", "right"): "all rows of the other", ("how", "outer"): "all rows of both",
    ("how", "anti"): "only rows without a partner",
    ("how", "any"): "any is missing", ("how", "all"): "all are", ("how", "share"): "a share is",
    ("how", "fewer"): "fewer of the frequent", ("how", "more"): "more of the rare",
    ("with", "constant"): "a value of my own", ("with", "mean"): "the mean", ("with", "median"): "the median",
    ("with", "mode"): "the most frequent value", ("with", "forward"): "the row before",
    ("with", "backward"): "the row after", ("with", "knn"): "the rows most alike (k nearest)",
    ("by", "values"): "limits of my own", ("by", "shares"): "shares of the rows", ("by", "width"): "equal width",
    ("by", "rows"): "equally many rows", ("by", "edges"): "edges of my own",
    ("give", "flags"): "a column for each", ("give", "count"): "one count", ("give", "range"): "the range",
    ("give", "number"): "its number", ("on_error", "fail"): "stop", ("on_error", "missing"): "make missing",
    ("on_error", "drop"): "drop the row", ("keep", "none"): "none of them", ("keep", "first"): "the first",
    ("keep", "last"): "the last", ("extra", "drop"): "leave out", ("extra", "add"): "add",
    ("case", "counts"): "counts", ("function", "log1p"): "log(1 + x)", ("function", "sqrt"): "square root",
    ("dates", "auto"): "as the column tells", ("dates", "dmy"): "day first", ("dates", "mdy"): "month first",
    ("dates", "ymd"): "neither: they do not fit",
    ("", "std"): "deviation", ("", "distinct"): "distinct values", ("", "missing"): "missing",
}
FILLED_IN = ("digest",)   # fields that nobody has to see: they are filled in when the recipe is applied


def choice_words(field: str, choice: str) -> str:
    """Return how a choice reads."""
    found = _WORDS.get((field, choice)) or _WORDS.get(("", choice))
    return tr(found) if found else choice.replace("_", " ")
