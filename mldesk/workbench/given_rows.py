"""Rows that a model is given: those of a file, of a dataset in the library, or of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.scratch import working_folder
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.workbench.models import existing
from mldesk.workbench.references import did_you_mean, parse_reference
from mldesk.workbench.sources import streamed_file

STREAM = "-"   # how a command is told of standard input


_EMPTY = "Pipe rows in, names of columns first, or name a file instead of -. What stands before the | wrote nothing."


@contextmanager
def given_rows(library: Library, source: str, stream: BinaryIO | None = None) -> Iterator[tuple[Path, str]]:
    """Give the file with the rows that ``source`` names, and what it is called; "" for a file of the user's own.

    A dataset's rows are written to a Parquet file, those of a stream ("-") as they come; both are gone afterwards.
    Raises NotFound, BadInput where nothing comes, DiskFull.
    """
    if source == STREAM and stream is not None:
        with streamed_file(stream, None, library.home.scratch, _EMPTY) as path:
            yield path, "standard input"
        return
    if is_file(source):
        yield existing(Path(source)), ""
        return
    from mldesk.data import TableView  # duckdb loads with it

    version = dataset_of(library, source)
    with working_folder(library.home.scratch, "mldesk-rows") as folder:
        path = folder / f"{version.label}.parquet"
        with TableView(library.objects, version.manifest, version.columns) as view:
            view.export(path)
        yield path, version.label


def is_file(source: str) -> bool:
    """Say whether a source of rows is a file rather than a dataset."""
    return Path(source).exists() or "/" in source or "\\" in source


def dataset_of(library: Library, source: str) -> DatasetVersion:
    """Return the version that ``N`` or ``N@V`` names. Raises NotFound."""
    try:
        return library.datasets.version(*parse_reference(source))
    except (NotFound, BadInput) as error:
        names = [item.name for item in library.datasets.list()]
        raise NotFound(f"There is neither a file nor a dataset {source!r:.200}.",
                       hint=getattr(error, "hint", "") or did_you_mean(source.partition("@")[0], names)) from error
