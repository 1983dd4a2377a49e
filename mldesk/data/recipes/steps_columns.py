"""The steps that change columns and the values in them, as they are declared."""

from __future__ import annotations

from mldesk.data.recipes.steps_kinds import Field, StepKind
from mldesk.wire.schema import ColumnType

_CHANGE = Field("columns", "columns", "The columns to change.", required=True, also=("column",))
FORMS = ("NFC", "NFD", "NFKC", "NFKD")  # of the Unicode Standard, annex 15
PARTS = ("year", "quarter", "month", "week", "day", "weekday", "day_of_year", "hour", "minute", "second")

COLUMN_STEPS: tuple[StepKind, ...] = (
    StepKind("drop", "Take columns out.", (
        Field("columns", "columns", "The columns to take out.", required=True, also=("column",)),), "Drop columns"),
    StepKind("keep", "Keep some columns and take the others out.", (
        Field("columns", "columns", "The columns to keep.", required=True, also=("column",)),), "Keep columns"),
    StepKind("drop_poor", "Take out columns with one value only, or with too few values.", (
        Field("columns", "columns", "The columns to look at; none means all.", also=("column",)),
        Field("constant", "choice", "Take out columns whose values are all the same.", "yes", choices=("yes", "no")),
        Field("missing", "number", "The share of missing cells from which a column goes; 1: if all are missing.", 1,
              low=0.0, high=1),
    ), "Drop columns that say little", learns=True),
    StepKind("reorder", "Put columns elsewhere.", (
        Field("columns", "columns", "The columns to move, in their new order.", required=True, also=("column",)),
        Field("place", "choice", "Where they go.", "first", choices=("first", "last")),), "Reorder columns"),
    StepKind("rename", "Give columns other names.", (
        Field("names", "names", "The new name for each old one.", required=True, also=("columns", "mapping")),
    ), "Rename columns"),
    StepKind("rename_many", "Give many columns other names by one rule.", (
        Field("columns", "columns", "The columns to rename; none means all.", also=("column",)),
        Field("case", "choice", "Upper and lower case; snake makes First name into first_name.", "as_is",
              choices=("as_is", "lower", "upper", "snake")),
        Field("find", "text", "A text in the names that is replaced.", ""),
        Field("put", "text", "What stands there instead.", ""),
        Field("before", "text", "A text put before each name.", ""),
        Field("after", "text", "A text put after each name.", ""),
    ), "Rename many columns"),
    StepKind("cast", "Read columns as another type.", (
        _CHANGE,
        Field("type", "choice", "What they become.", required=True,
              choices=tuple(kind.value for kind in ColumnType), also=("to",)),
        Field("on_error", "choice", "What happens to values that do not fit: stop, make them missing, or leave the "
              "row out.", "fail", choices=("fail", "missing", "drop"), also=("errors",)),
        Field("policies", "names", "Another rule for some of the columns: fail, missing or drop."),
        Field("dates", "choice", "Which comes first in dates like 3/4/2024: day (dmy) or month (mdy). auto: as the "
              "column's other values tell; ymd: such dates do not fit.", "auto", choices=("auto", "dmy", "mdy", "ymd")),
        Field("format", "text", "How dates and times are written, where this is to be the only way: for example "
              "%d/%m/%Y.", ""),
    ), "Change type"),
    StepKind("clean_text", "Trim text, change its case, normalise its letters.", (
        _CHANGE,
        Field("trim", "choice", "Spaces: those at the ends go, or runs of them within become one as well.", "ends",
              choices=("none", "ends", "all")),
        Field("case", "choice", "Upper and lower case.", "as_is", choices=("as_is", "lower", "upper", "sentence")),
        Field("unicode", "choice", "Unicode's forms: NFC makes letter and accent one, NFD sets them apart; NFKC and "
              "NFKD also make full-width, joined and raised letters plain ones. Or NFC and without accents.", "NFC",
              choices=("as_is", *FORMS, "no_accents"),
              synonyms=(("compose", "NFC"), *((form.lower(), form) for form in FORMS))),
        Field("empty", "choice", "What becomes of texts with nothing in them.", "missing",
              choices=("missing", "as_is")),
    ), "Clean text"),
    StepKind("replace", "Change values into others.", (
        _CHANGE,
        Field("values", "values", "The new value for each old one; null makes it missing.", required=True,
              also=("mapping",)),
    ), "Replace values"),
    StepKind("replace_text", "Replace what a regular expression finds in text.", (
        _CHANGE,
        Field("pattern", "text", r"A regular expression (RE2), for example \s+ or ^0+.", required=True,
              also=("regex",)),
        Field("put", "text", r"What stands there instead; \1 is the first group.", "", also=("replacement",)),
        Field("case", "choice", "Whether upper and lower case count.", "counts", choices=("counts", "ignored")),
        Field("which", "choice", "All places, or the first one only.", "all", choices=("all", "first")),
    ), "Replace by pattern"),
    StepKind("extract", "Take parts out of text by a regular expression, into new columns.", (
        Field("column", "column", "The column to read.", required=True),
        Field("pattern", "text", r"A regular expression with a group for each new column: (\d+)-(\w+).",
              required=True, also=("regex",)),
        Field("into", "texts", "The names of the new columns, one for each group.", required=True),
    ), "Extract by pattern"),
    StepKind("split", "Split text at a separator into new columns.", (
        Field("column", "column", "The column to split.", required=True),
        Field("separator", "text", "What stands between the pieces.", " ", also=("by",)),
        Field("is", "choice", "The separator is a text, or a regular expression.", "text", choices=("text", "pattern"),
              label="Separator is"),
        Field("into", "texts", "The names of the new columns, one for each piece.", required=True),
    ), "Split text"),
    StepKind("date_parts", "Make columns of the parts of dates.", (
        Field("columns", "columns", "Columns with dates or times.", required=True, also=("column",)),
        Field("parts", "texts", "Which parts: weekday counts from Monday, 1.", required=True, choices=PARTS),
    ), "Date parts"),
    StepKind("fill_missing", "Put a value where there is none.", (
        Field("columns", "columns", "The columns to fill.", required=True, also=("column",)),
        Field("with", "choice", "A value of your own, one learnt from all rows, that of the row before or after, or "
              "what the rows that are most alike have (knn).",
              "constant", label="Fill with",
              choices=("constant", "mean", "median", "mode", "forward", "backward", "knn"),
              also=("strategy", "method", "how")),
        Field("value", "value", "The value of your own."),
        Field("by", "columns", "Learn or carry on within groups of rows that are the same in these columns."),
        Field("order", "column", "The column that says which row comes before; none: the table's own order."),
        Field("using", "columns", "For knn: the columns that say which rows are alike; none means all."),
        Field("neighbours", "number", "For knn: how many rows are asked.", 5, low=1, high=100, whole=True),
    ), "Fill missing values", learns=True),
    StepKind("mark_missing", "Make columns that say where values are missing.", (
        Field("columns", "columns", "The columns to look at; none means all.", also=("column",)),
        Field("give", "choice", "A column of 0 and 1 for each, or one column with the count in the row.", "flags",
              choices=("flags", "count")),
        Field("into", "text", "The name of the column with the count.", "missing"),
    ), "Mark missing values"),
    StepKind("clip", "Bring numbers that are too small or too large to a limit.", (
        _CHANGE,
        Field("by", "choice", "Limits of your own, or shares of all rows (winsorise).", "values",
              choices=("values", "shares")),
        Field("low", "number", "The least value, or the share of rows below it (0.01); none: no limit."),
        Field("high", "number", "The greatest value, or the share of rows below it (0.99); none: no limit."),
    ), "Clip outliers", learns=True),
    StepKind("bin", "Put numbers into ranges.", (
        Field("columns", "columns", "The columns to put into ranges.", required=True, also=("column",)),
        Field("by", "choice", "Ranges of equal width, of equally many rows, or with edges of your own.", "width",
              choices=("width", "rows", "edges")),
        Field("bins", "number", "How many ranges.", 5, low=2, high=1000, whole=True),
        Field("edges", "texts", "Edges of your own, ascending: 0, 18, 65."),
        Field("give", "choice", "The range as text, or its number from 1.", "range", choices=("range", "number")),
    ), "Bin numbers", learns=True),
    StepKind("transform", "Apply a function to numbers.", (
        _CHANGE,
        Field("function", "choice", "Which one; where it has no answer the value becomes missing.", required=True,
              choices=("log", "log1p", "log10", "sqrt", "square", "power", "reciprocal", "absolute", "round"),
              also=("how",)),
        Field("power", "number", "The exponent of power, or the digits of round."),
    ), "Log, power, round"),
    StepKind("scale", "Bring numbers to one scale.", (
        _CHANGE,
        Field("how", "choice", "Standard: mean 0, deviation 1. Minmax: 0 to 1. Robust: median 0, quartile range 1.",
              "standard", choices=("standard", "minmax", "robust")),
    ), "Scale numbers", learns=True),
    StepKind("encode", "Turn categories into numbers.", (
        Field("columns", "columns", "The columns to encode.", required=True, also=("column",)),
        Field("how", "choice", "A column of 0 and 1 for each value, or the value's place in their order.", "one_hot",
              choices=("one_hot", "ordinal")),
        Field("order", "texts", "For ordinal: the values in their order; none: by the alphabet or size."),
        Field("most", "number", "Values that get a column, the most frequent first; the others share one.", 50,
              low=1, high=1000, whole=True),
    ), "Encode categories", learns=True),
    StepKind("derive", "Make a column by an expression, or change one.", (
        Field("name", "text", "The column's name; one that is there already is replaced.", required=True,
              also=("column",)),
        Field("expression", "expression", """An SQL expression over the row such as "price" * 1.2.""", required=True,
              also=("sql",)),
    ), "Derive a column"),
    StepKind("edit", "Change single cells and rows by hand.", (
        Field("cells", "cells", 'Cells, by the row\'s number in the version the recipe starts from: [{"row": 1, '
              '"column": "age", "value": 40}].'),
        Field("remove", "rows", "Numbers of rows to take out."),
    ), "Edit cells and rows"),
)
