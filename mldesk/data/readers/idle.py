"""Import options that say nothing about any of the files: whoever says one now hears so, by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mldesk.data.near import which_column
from mldesk.data.options import ImportOptions
from mldesk.data.records import ImportRefused

POSTGRES, ARCHIVE = "postgresql", "archive"   # beside the names in FORMATS: what else a source may be
_LINES, _TYPED = ("csv", "tsv", "fixed"), ("parquet", "arrow", "duckdb", POSTGRES)
_TEXTS = (*_LINES, "json", "jsonl", "html", "xlsx", "sqlite")
# Which sources an option says something about. What comes with types is read so, but where a type is asked for.
_ONLY: Mapping[str, tuple[str, ...]] = {
    "widths": _LINES, "delimiter": ("csv", "tsv"), "encoding": (*_LINES, "json", "jsonl", "html"),
    "quote": ("csv", "tsv"), "comment": _LINES,
    "header_row": (*_LINES, "html", "xlsx"), "header_rows": ("csv", "tsv", "xlsx"), "sheet": ("xlsx",),
    "sheets": ("xlsx",), "percent": _TEXTS, "range": ("xlsx",), "flatten": ("json", "jsonl"),
    "query": ("sqlite", "duckdb", POSTGRES), "table": ("sqlite", "duckdb", POSTGRES, "html", "json"),
    "fill_short": ("csv", "tsv"), "keep_footers": ("xlsx",),
    "member": (ARCHIVE,), "decimal": _TEXTS, "thousands": _TEXTS, "dates": _TEXTS, "day_first": _TEXTS,
    "missing": _TEXTS,
}
_OF_TEXTS = ("decimal", "thousands", "percent", "dates", "day_first", "missing")
_WORDS = {"header_row": "header-row", "header_rows": "header-rows", "sheets": "sheet", "fill_short": "fill-short",
          "keep_footers": "keep-footers", "day_first": "day-first"}
_KINDS = {"csv": "CSV", "tsv": "TSV", "fixed": "fixed-width", "json": "JSON", "jsonl": "JSONL", "html": "HTML",
          "xlsx": "workbook", "parquet": "Parquet", "arrow": "Arrow", "sqlite": "SQLite", "duckdb": "DuckDB",
          POSTGRES: "PostgreSQL", ARCHIVE: "archive"}


def refuse_idle(options: ImportOptions, kinds: Collection[str], what: str) -> None:
    """Raise ImportRefused for an option that says nothing about sources of these ``kinds``; ``what`` names them."""
    for name, those in _ONLY.items():
        given = getattr(options, name)
        unsaid = given is None or given == () or (given is False and name != "day_first")
        if unsaid or any(kind in those for kind in kinds):
            continue
        if name in _OF_TEXTS and options.types:
            continue   # texts that are read as a type
        if name == "day_first" and options.day_first is False:
            said = "--month-first"
        else:
            said = f"--{_WORDS.get(name, name)}"
        names = ", ".join(_KINDS[kind] for kind in sorted(kinds) if kind != ARCHIVE)
        only = "only about the files of an archive" if name == "member" else \
            "whose columns have types already" if name in _OF_TEXTS and set(kinds) <= {*_TYPED, ARCHIVE} else \
            f"only about {', '.join(_KINDS[kind] for kind in those)} files"
        raise ImportRefused(f"{said} says nothing about {what} ({names}), {only}.", hint=f"Leave {said} out.")


def refuse_unknown_columns(wanted: Sequence[str], names: Sequence[str]) -> None:
    """Raise ImportRefused for a column that is to be left out and is not there."""
    lost = next((column for column in wanted if column not in set(names)), None)
    if lost is not None:
        raise ImportRefused(f"There is no column {lost!r:.80}, which is to be left out.",
                            hint=which_column(lost, names))


def refuse_unknown_types(options: ImportOptions, names: Sequence[str]) -> None:
    """Raise ImportRefused for a type that was asked for a column which there is not."""
    have = set(names)
    lost = next((column for column, _ in options.types if column not in have), None)
    if lost is not None:
        raise ImportRefused(f"There is no column {lost!r:.80}, for which a type was given.",
                            hint=which_column(lost, names))
