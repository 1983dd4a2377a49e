"""``mldesk data``: tables in, looked at, cleaned and out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_size
from mldesk.cli.asking import at_terminal, confirm
from mldesk.cli.data_chart import chart
from mldesk.cli.data_checks import accept, checks
from mldesk.cli.data_clean import clean, recipe
from mldesk.cli.data_contract import check, contract
from mldesk.cli.data_explore import explore, guard
from mldesk.cli.data_far import fetch
from mldesk.cli.data_history import bin_, lineage, note, purge, tag
from mldesk.cli.data_import import again, import_, samples
from mldesk.cli.data_looks import diff, preview, profile, query
from mldesk.cli.data_shown import Name, Reference, columns, origin, problems, recipe_words
from mldesk.cli.face import Face, facts
from mldesk.cli.outputs import may_write
from mldesk.cli.said_once import SaidOnce
from mldesk.cli.steps import steps
from mldesk.cli.which_version import named_version, version_of
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion

_MODELS = 8   # that are named

app = typer.Typer(help="Import tables, look at them, clean them into new versions.")
app.command("import", cls=SaidOnce)(import_)
app.command()(again)
app.command()(samples)
app.command()(fetch)
app.command()(steps)
app.command()(recipe)
app.command()(contract)
app.command()(check)
app.command()(checks)
app.command()(accept)


@app.command("list")
def list_(
    context: typer.Context,
    removed: Annotated[bool, typer.Option("--removed", help="What is in the bin instead.")] = False,
    find: Annotated[str, typer.Option(metavar="TEXT", help="Only those with these words in name, source, columns or "
                                      "tags.")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="With this tag, or a version that has it; may be "
                                                  "repeated.")] = None,
    task: Annotated[str, typer.Option(metavar="T", help="On which this was trained: classification, regression, …; "
                                      "none for none.")] = "",
    least_rows: Annotated[int | None, typer.Option("--min-rows", metavar="N", min=0,
                                                     help="With so many rows at least.")] = None,
    most_rows: Annotated[int | None, typer.Option("--max-rows", metavar="N", min=0, help="And at most.")] = None,
    least_size: Annotated[str | None, typer.Option("--min-size", metavar="SIZE", help="That take so much of the disk "
                                                   "at least, like 10MB.")] = None,
    most_size: Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="And at most.")] = None,
    sort: Annotated[str, typer.Option(metavar="WHAT[:desc]", help="By name, rows, columns, size, versions or made; "
                                      ":desc, the greatest first.")] = "",
) -> None:
    """List the datasets."""
    from mldesk.workbench.dataset_filter import DatasetFilter, in_order

    face = Face.of(context)
    wanted = DatasetFilter(find, tuple(tag or ()), _task(task), least_rows, most_rows,
                           *(None if size is None else read_size(size) for size in (least_size, most_size)))
    with face.workbench() as bench:
        tags, tasks = bench.history.tags(), bench.history.tasks()
        datasets = [item for item in bench.datasets.list(removed=removed)
                    if wanted.keeps(item, tags.get(item.name, ()), tasks.get(item.name, ()))]
    datasets = in_order(datasets, sort) if sort else datasets
    if face.json:
        from mldesk.workbench.summaries import dataset_line

        face.document({"datasets": [{**dataset_line(item), "tags": list(tags.get(item.name, ())),
                                     "tasks": list(tasks.get(item.name, ()))} for item in datasets]})
        return
    nothing = "No dataset is like that." if wanted != DatasetFilter() else \
        "The bin is empty." if removed else "No datasets yet. Try: mldesk data import FILE --name N"
    face.table(("dataset", "versions", "rows", "columns", "size", "made", "trained", "tags"),
               [(item.head.label, item.versions, words.count(item.head.rows), words.count(len(item.head.columns)),
                 _size(item.head), words.moment(item.head.created), ", ".join(tasks.get(item.name, ())),
                 ", ".join(tags.get(item.name, ())))
                for item in datasets], right=("versions", "rows", "columns", "size"), spare=("made", "trained", "tags"),
               empty=nothing)


def _task(word: str) -> str:
    """Return the task that is meant. Raises BadInput with the nearest names."""
    from mldesk.data.near import did_you_mean
    from mldesk.wire.jobs import TASKS
    from mldesk.workbench.dataset_filter import NO_TASK, is_task

    known = (*TASKS, NO_TASK)
    if word and not any(is_task(one, word) for one in known):
        raise BadInput(f"There is no task {word!r:.60}.", hint=did_you_mean(word, known)
                       or f"There are: {', '.join(known)}.")
    return word


def _size(version: DatasetVersion) -> str:
    return words.size(version.size) + (" outside" if version.outside else "")


@app.command()
def show(context: typer.Context, reference: Reference) -> None:
    """Show a version: its columns, where it came from, what was wrong with it."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        version = bench.datasets.show(reference)
        models = bench.datasets.used_by(version.dataset)
    if face.json:
        face.document({**dataset_details(version), "models": list(models)})
        return
    face.show(facts({"dataset": version.label, "rows": words.count(version.rows), "size": words.size(version.size),
                     "from": version.source,
                     "rows lie outside, in": version.outside, "made": words.moment(version.created),
                     "parent": version.parent, "recipe": recipe_words(version.recipe),
                     "used by": words.plural(len(models), "model") + f" ({', '.join(models[:_MODELS])}"
                                f"{' …' if models[_MODELS:] else ''})" if models else ""}))
    face.say()
    columns(face, version)
    problems(face, version)


app.command(cls=SaidOnce)(preview)
app.command()(profile)
app.command()(explore)
app.command()(chart)
app.command()(guard)
app.command()(query)
app.command("sql", hidden=True)(query)  # the same, as many would call it


app.command()(clean)


@app.command()
def versions(context: typer.Context, name: Name) -> None:
    """List the versions of a dataset."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        listed = bench.datasets.versions(name)
        head = bench.datasets.show(name).number
        tags = bench.history.version_tags(name)
    if face.json:
        face.document({"dataset": listed[-1].dataset, "head": head, "versions": [
            {**dataset_details(version), "tags": list(tags.get(version.number, ()))} for version in listed]})
        return
    face.table(("version", "rows", "columns", "from", "tags", "made", ""),
               [(version.number, words.count(version.rows), words.count(len(version.columns)),
                 origin(version), ", ".join(tags.get(version.number, ())), words.moment(version.created),
                 "◂ current" if version.number == head else "purged" if version.purged else "")
                for version in listed], right=("version", "rows", "columns"), spare=("made",))


app.command()(diff)
app.command()(lineage)
app.command()(tag)
app.command()(note)
app.command("bin")(bin_)
app.command()(purge)


@app.command()
def rollback(context: typer.Context, name: Name,
             version: Annotated[str | None, typer.Argument(metavar="V", help="A version's number or tag; N@V is as "
                                                           "good.")] = None) -> None:
    """Make an earlier version the current one; no version is lost."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        meant = named_version(bench, name) if version is None else version_of(bench, name, version)
        how = "already" if bench.datasets.show(meant.dataset).number == meant.number else "again"
        current = bench.datasets.rollback(meant.dataset, meant.number)
    face.document(dataset_details(current)) if face.json else face.say(f"{current.dataset} is {current.label} {how}.")


@app.command()
def export(context: typer.Context, reference: Reference,
           file: Annotated[Path, typer.Argument(metavar="FILE", help="Its extension says the format.")],
           table: Annotated[str, typer.Option(metavar="T", help="Of a SQLite or DuckDB file: how the table is called; "
                                              "else as the dataset. Other tables in there stay.")] = "",
           force: Annotated[bool, typer.Option("--force", help="Replace a file, or a table, that is there.")] = False,
           ) -> None:
    """Write a table as a file, or into a database."""
    from mldesk.core.errors import Conflict
    from mldesk.core.targets import refuse_library
    from mldesk.data.export_database import database_kind

    face = Face.of(context)
    with face.workbench() as bench:
        if database_kind(file):
            refuse_library(file, bench.home.root)
        else:
            may_write(bench, file, force)
        try:
            version = bench.datasets.export(reference, file, table=table, replace=force)
        except Conflict as error:
            if not at_terminal() or not confirm(f"{error.message} Replace it?"):
                raise
            version = bench.datasets.export(reference, file, table=table, replace=True)
    if face.json:
        face.document({"dataset": version.dataset, "version": version.number, "rows": version.rows, "file": str(file),
                       "table": (table or version.dataset) if database_kind(file) else None})
    else:
        face.say(f"Wrote {words.plural(version.rows, 'row')} of {version.label} to {file}"
                 + (f", table {table or version.dataset}." if database_kind(file) else "."))


@app.command()
def rename(context: typer.Context, name: Name,
           new: Annotated[str, typer.Argument(metavar="NEW", help="Its name from now on.")]) -> None:
    """Give a dataset another name; its versions, and what was made of them, stay."""
    face = Face.of(context)
    with face.workbench() as bench:
        dataset = bench.datasets.rename(name, new)
    face.document({"dataset": dataset.name, "version": dataset.head.number}) if face.json else \
        face.say(f"It is {dataset.name} now.")


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Put a dataset in the bin; `restore` takes it out again."""
    face = Face.of(context)
    with face.workbench() as bench:
        used = bench.datasets.used_by(name)
        bench.datasets.remove(name)
    if face.json:
        face.document({"dataset": name, "removed": True, "used_by": used})
        return
    face.say(f"{name} is in the bin. `mldesk data restore {name}` takes it out again.")
    if used:
        face.note(f"Models that learned from it stay: {', '.join(used)}.")


@app.command()
def restore(context: typer.Context, name: Name) -> None:
    """Take a dataset out of the bin."""
    face = Face.of(context)
    with face.workbench() as bench:
        dataset = bench.datasets.restore(name)
    face.document({"dataset": dataset.name, "version": dataset.head.number, "removed": False}) if face.json else \
        face.say(f"{dataset.name} is back, at version {dataset.head.number}.")
