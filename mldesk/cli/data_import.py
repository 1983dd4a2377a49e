"""``mldesk data import|again|samples``: tables in."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_size
from mldesk.cli.data_far import import_on
from mldesk.cli.data_shown import Name, columns, preview_shown, problems
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.progress import Meter
from mldesk.core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from mldesk.data import ImportOptions
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.imported import Imported

_TEXT, _BOOK, _BASE, _MANY = "Text files", "Workbooks, JSON, archives", "Databases", "What is made of it"

Sources = Annotated[list[str], typer.Argument(metavar="SOURCE", help="Files, folders, archives or URLs that make one "
                                              "table, one below the other; sample:NAME; template:NAME; postgresql://…; "
                                              "or standard input, -.")]
Format = Annotated[str | None, typer.Option("--format", metavar="F", help="csv, tsv, fixed, json, jsonl, html, xlsx "
                                            "(also .xls, .ods), parquet, arrow, sqlite or duckdb.")]
Encoding = Annotated[str | None, typer.Option(metavar="E", rich_help_panel=_TEXT, help="Like latin-1.")]
Delimiter = Annotated[str | None, typer.Option(metavar="D", rich_help_panel=_TEXT, help="Between the cells; tab and "
                                               "space may be written out.")]
Quote = Annotated[str | None, typer.Option(metavar="Q", rich_help_panel=_TEXT, help="Around cells, else \"; none: "
                                           "nothing is.")]
Comment = Annotated[str | None, typer.Option(metavar="TEXT", rich_help_panel=_TEXT, help="Lines that begin so are no "
                                             "rows, like #.")]
Widths = Annotated[str | None, typer.Option(metavar="N,N,…", rich_help_panel=_TEXT, help="Of the columns of a "
                                            "fixed-width file, in characters.")]
HeaderRow = Annotated[int | None, typer.Option(min=0, metavar="LINE", rich_help_panel=_TEXT, help="Where the column "
                                               "names are, from 1; 0: there are none.")]
HeaderRows = Annotated[int | None, typer.Option(min=1, max=10, metavar="N", rich_help_panel=_TEXT, help="Rows that "
                                                "make the names together: 2023 over Q1 is 2023 Q1. Else one; of a "
                                                "sheet, more where its merged cells say so.")]
Dates = Annotated[str | None, typer.Option(metavar="ORDER", rich_help_panel=_TEXT, help="dmy, mdy or ymd; or how they "
                                           "are written, like %d.%m.%Y or dd.mm.yyyy.")]
DayFirst = Annotated[bool | None, typer.Option("--day-first/--month-first", metavar="", rich_help_panel=_TEXT,
                                               help="How to read 3/4/2024 where no value of its spelling "
                                               "has a day above 12.")]
Decimal = Annotated[str | None, typer.Option(metavar="D", rich_help_panel=_TEXT, help="The decimal mark, . or a "
                                             "comma.")]
Thousands = Annotated[str | None, typer.Option(metavar="D", rich_help_panel=_TEXT, help="The mark between thousands.")]
Percent = Annotated[str | None, typer.Option(metavar="AS", rich_help_panel=_TEXT, help="What 10% is: number, 10, else "
                                             "share, 0.1.")]
Missing = Annotated[list[str] | None, typer.Option(metavar="TEXT", rich_help_panel=_TEXT, help="Stands for a missing "
                                                   "value; may be repeated.")]
Types = Annotated[list[str] | None, typer.Option("--type", metavar="COLUMN=TYPE", rich_help_panel=_TEXT, help="integer,"
                                                 " number, boolean, text, date, datetime or time; what does not fit "
                                                 "becomes missing. May be repeated.")]
Sheet = Annotated[list[str] | None, typer.Option(metavar="S", rich_help_panel=_BOOK, help="Of a workbook; repeated, or "
                                                 "a pattern like 20* or *, several that make one table.")]
Range = Annotated[str | None, typer.Option("--range", metavar="B3:H200", rich_help_panel=_BOOK, help="Cells of the "
                                           "sheet, the header among them.")]
Flatten = Annotated[int | None, typer.Option(min=0, max=20, metavar="K", rich_help_panel=_BOOK, help="Levels of nested "
                                             "JSON objects that become columns; 0: none, else 1.")]
Member = Annotated[str | None, typer.Option(metavar="NAME", rich_help_panel=_BOOK, help="The files of an archive to "
                                            "read, like data/*.csv.")]
Table = Annotated[str | None, typer.Option("--table", metavar="T", rich_help_panel=_BASE, help="Of a database, the "
                                           "number of one on an HTML page, or a list in JSON, like data.rows.")]
Query = Annotated[str | None, typer.Option(metavar="SQL", rich_help_panel=_BASE, help="A SELECT over the database.")]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="COLUMN", rich_help_panel=_MANY, help="Leave a "
                                                   "column out; may be repeated.")]
FillShort = Annotated[bool, typer.Option("--fill-short", rich_help_panel=_TEXT, help="Rows with too few cells end in "
                                         "missing values; else they are left out.")]
KeepFooters = Annotated[bool, typer.Option("--keep-footers", rich_help_panel=_BOOK, help="Rows that look like totals "
                                           "and notes below a sheet's table are rows as well.")]
Provenance = Annotated[bool, typer.Option("--provenance", rich_help_panel=_MANY, help="Add the columns source_file and "
                                          "source_row.")]
Union = Annotated[bool, typer.Option("--union", rich_help_panel=_MANY, help="Files may have different columns.")]
NoPartitions = Annotated[bool, typer.Option("--no-partitions", rich_help_panel=_MANY, help="Folders named like "
                                            "year=2024 make no column.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad-files", rich_help_panel=_MANY, help="Of several files leave out "
                                       "those that cannot be read; each is named.")]
RejectsFile = Annotated[Path | None, typer.Option("--rejects", metavar="FILE", rich_help_panel=_MANY, help="Write rows "
                                                  "that are left out to this CSV file, however many.")]
Most = Annotated[str | None, typer.Option("--most", metavar="SIZE", rich_help_panel=_MANY, help="That a download may "
                                          "have, like 50GB; else 16GB.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show what would be made of it; keep nothing.")]
Register = Annotated[bool, typer.Option("--register", rich_help_panel=_MANY, help="Parquet: leave the file, or "
                                        "the folder of them, where it is; nothing is copied, it must stay as it is.")]
On = Annotated[str | None, typer.Option("--on", metavar="RUNNER", rich_help_panel=_MANY, help="The source is a path on "
                                        "this runner; its rows stay there until they are fetched.")]
_STREAM = "-"   # standard input


def import_(
    context: typer.Context, sources: Sources,
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="The dataset's name; a known one gets a new "
                                             "version. Without it the first source's name is used.")] = None,
    preview: Preview = False, file_format: Format = None, encoding: Encoding = None, delimiter: Delimiter = None,
    quote: Quote = None, comment: Comment = None, widths: Widths = None, header_row: HeaderRow = None,
    header_rows: HeaderRows = None, dates: Dates = None, day_first: DayFirst = None, decimal: Decimal = None,
    thousands: Thousands = None, percent: Percent = None, missing: Missing = None, types: Types = None,
    sheet: Sheet = None, cells: Range = None, flatten: Flatten = None, member: Member = None, table: Table = None,
    query: Query = None, without: Without = None, fill_short: FillShort = False, keep_footers: KeepFooters = False,
    provenance: Provenance = False, union: Union = False, no_partitions: NoPartitions = False,
    skip_bad_files: SkipBad = False,
    rejects: RejectsFile = None, most: Most = None, on: On = None, register: Register = False,
    again: Annotated[bool, typer.Option("--again", help="Make a version even if one has the same rows.")] = False,
    force: Force = False,
) -> None:
    """Read sources into an immutable dataset version.

    What is not said about a source is found out from it: format, encoding, delimiter, header, dates, decimal mark.
    --preview says what was found, and what might be put right.
    """
    from mldesk.data.options import DOWNLOAD, WRITTEN_OUT, ImportOptions
    from mldesk.library.names import check_name
    from mldesk.workbench.sources import absent, name_of

    face = Face.of(context)
    if _STREAM in sources and (len(sources) > 1 or name is None or on is not None or register):
        raise BadInput("Standard input (-) is one table by itself, and has no name of its own.",
                       hint="Write it like `PROGRAM | mldesk data import - --format csv --name N`.")
    lost = absent(sources) if on is None and _STREAM not in sources else None
    if lost is not None:
        raise NotFound(f"There is no file {str(lost)!r}.")
    options = ImportOptions(
        format=file_format, encoding=encoding, delimiter=WRITTEN_OUT.get(delimiter or "", delimiter), quote=quote,
        comment=comment, header_row=header_row, header_rows=header_rows, day_first=day_first, decimal=decimal,
        missing=tuple(missing or ()), thousands=WRITTEN_OUT.get(thousands or "", thousands), percent=percent,
        dates=dates, **_sheets(sheet or ()), types=_types(types or ()), range=cells, widths=_widths(widths),
        table=table, query=query, member=member, flatten=flatten, provenance=provenance,
        partitions=not no_partitions, union=union, skip_bad_files=skip_bad_files,
        without=tuple(without or ()), fill_short=fill_short, keep_footers=keep_footers,
        download=DOWNLOAD if most is None else max(1, read_size(most)), told=True)
    _refuse_contradictions(options, preview, rejects)
    if on is not None:
        if options.format is not None:
            from mldesk.data.readers.idle import ARCHIVE, refuse_idle

            refuse_idle(options, (options.format, ARCHIVE), "such files")
        if preview or rejects is not None:
            raise BadInput(f"{'--preview' if preview else '--rejects'} does not work with --on: the rows stay on {on}.",
                           hint="Leave one of the two out; the import says what was left out and why.")
        import_on(face, on, sources, name, options)
        return
    name = name_of(sources[0]) if name is None else check_name(name, "dataset")
    if register:
        _refuse_beside_register(sources, options, preview, rejects)
        with (Interrupts() as interrupts, face.workbench() as bench,
              Meter(face, f"Registering {_short(sources[0])}", "bytes") as meter):
            done = bench.datasets.register(sources[0], name, progress=meter.update, cancelled=interrupts.asked,
                                           again=again)
            current = bench.datasets.show(done.name)
        _imported(face, done, current, None)
        return
    if preview:
        _preview(face, sources, options)
        return
    with (Interrupts() as interrupts, face.workbench() as bench,
          Meter(face, f"Importing {_short(sources[0])}", "bytes") as meter):
        may_write(bench, rejects, force)
        if _STREAM in sources:
            done = bench.datasets.import_stream(sys.stdin.buffer, name, options=options, progress=meter.update,
                                                cancelled=interrupts.asked, rejects=rejects, again=again)
        else:
            done = bench.datasets.import_files(sources, name, options=options, progress=meter.update,
                                               cancelled=interrupts.asked, rejects=rejects, again=again)
        current = bench.datasets.show(done.name)
    _imported(face, done, current, rejects)


def _refuse_contradictions(options: ImportOptions, preview: bool, rejects: Path | None) -> None:
    """Raise BadInput for options of which one says the opposite of another, or nothing beside it."""
    if preview and rejects is not None:
        raise BadInput("--preview keeps nothing, so it writes no --rejects file.", hint="Leave one of the two out.")
    if options.day_first is not None and options.dates is not None:
        raise BadInput(f"--dates {options.dates} says already how dates are written.",
                       hint=f"Leave {'--day-first' if options.day_first else '--month-first'} out.")
    if options.widths and options.delimiter is not None:
        raise BadInput("A file has columns of fixed widths or a delimiter between them, not both.",
                       hint="Leave --widths or --delimiter out.")
    if options.widths and options.format not in (None, "fixed"):
        raise BadInput(f"--widths says nothing about {options.format} files, only about fixed.",
                       hint="Leave --widths or --format out.")


def _refuse_beside_register(sources: Sequence[str], options: ImportOptions, preview: bool,
                            rejects: Path | None) -> None:
    if len(sources) != 1 or preview or rejects is not None or set(options.to_json()) - {"format"}:
        raise BadInput("--register leaves one file or folder as it is: there is nothing else to say about it.",
                       hint="Leave the other options out, or import it without --register.")


def again(context: typer.Context, name: Name, rejects: RejectsFile = None,
          without_merged: Annotated[bool, typer.Option("--without-merged", help="Even if rows of other files were "
                                                       "merged since: the next version lacks them.")] = False,
          force: Force = False) -> None:
    """Read a dataset's files anew, as the last time, into its next version."""
    face = Face.of(context)
    with (Interrupts() as interrupts, face.workbench() as bench, Meter(face, f"Importing {name}", "bytes") as meter):
        may_write(bench, rejects, force)
        cleaned = [item for item in bench.datasets.line_of(bench.datasets.show(name)) if item.recipe]
        done = bench.datasets.import_again(name, progress=meter.update, cancelled=interrupts.asked,
                                           rejects=rejects, without_merged=without_merged)
        version, current = done.head, bench.datasets.show(done.name)
    _imported(face, done, current, rejects)
    for item in reversed(cleaned if done.made else []):
        face.note(f"{item.label} was cleaned by {words.plural(len(item.recipe or ()), 'step')}, {version.label} is not "
                  f"yet: mldesk data clean {version.dataset} --recipe from:{item.label}")


def samples(context: typer.Context) -> None:
    """List the data sets that come with MLDesk; `mldesk data import sample:NAME` takes one in."""
    from mldesk.workbench.sources import SAMPLES

    face = Face.of(context)
    if face.json:
        face.document({"samples": [sample.to_json() for sample in SAMPLES]})
        return
    face.table(("sample", "what it is", "rows", "columns", "task", "target", "licence"),
               [(f"sample:{sample.name}", sample.about, words.count(sample.rows), words.count(sample.columns),
                 sample.task, sample.target, sample.licence) for sample in SAMPLES], right=("rows", "columns"),
               spare=("licence", "columns", "rows", "task"))


def _preview(face: Face, sources: Sequence[str], options: ImportOptions) -> None:
    with Interrupts() as interrupts, face.workbench() as bench, \
            Meter(face, f"Reading {_short(sources[0])}", "bytes") as meter:
        if _STREAM in sources:
            found = bench.datasets.preview_stream(sys.stdin.buffer, options=options, rows=20, progress=meter.update,
                                                  cancelled=interrupts.asked)
        else:
            found = bench.datasets.preview_import(sources, options=options, rows=20, progress=meter.update,
                                                  cancelled=interrupts.asked)
    face.document(found.to_json()) if face.json else preview_shown(face, found)


def _imported(face: Face, done: Imported, current: DatasetVersion, rejects: Path | None) -> None:
    version = done.head
    if face.json:
        from mldesk.workbench.summaries import dataset_import

        face.document(dataset_import(version, done.made))
        return
    if not done.made:
        face.say(f"The same rows as {version.label}; nothing was made.")
        face.note(f"{current.label} is the current version: `mldesk data rollback {version.dataset} {version.number}` "
                  "changes that." if current.number != version.number else
                  "--again with `data import` makes a version all the same.")
        return
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"{words.size(version.size)}" + (f" in {version.outside}" if version.outside else ""))
    if version.outside:
        face.note("Nothing was copied: these files must stay where and as they are.")
    columns(face, version)
    problems(face, version)
    if rejects is not None:
        face.note(f"Rows that were left out: {rejects}")
    name = shlex.quote(version.dataset)
    face.note(f"\nNext: mldesk data explore {name} · mldesk train {name} --target COLUMN")


def _short(source: str) -> str:
    from mldesk.data.sources.locations import scheme_of, shown_url

    return shown_url(source) if scheme_of(source) else Path(source).name


def _sheets(names: Sequence[str]) -> dict[str, Any]:
    """Return one sheet by its name, or several that make one table."""
    alone = len(names) == 1 and not any(letter in names[0] for letter in "*?")
    return {"sheet": names[0]} if alone else {"sheets": tuple(names)}


def _types(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    cut: list[Any] = [pair.rpartition("=") for pair in pairs]
    bad = next((pair for pair, (column, _, _) in zip(pairs, cut, strict=True) if not column), None)
    if bad is not None:
        raise BadInput(f"{bad!r:.60} names no type.", hint="Write it as COLUMN=TYPE, like --type zip=text.")
    return tuple((column, kind) for column, _, kind in cut)


def _widths(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise BadInput(f"{text!r:.60} are no widths.", hint="Write them like 10,4,8.") from error
