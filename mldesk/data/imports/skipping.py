"""Files of many that cannot be read: refused, or left out and named, as the user said."""

from __future__ import annotations

from dataclasses import replace

from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.reading import read_file
from mldesk.data.readers.typed import TypedTable
from mldesk.data.records import ImportOptions, ImportRefused, Problem, Problems
from mldesk.data.sources.gather import Item, bearable

_OUT = "files left out"
PREVIEWED = 20_000   # rows of files with types that a preview reads


class Skipped:
    """Reads files one after another; what was wrong with those left out is noted with one that was not."""

    def __init__(self, options: ImportOptions, files: int) -> None:
        self._wanted, self._several = options.skip_bad_files, files > 1
        self._first: ImportRefused | None = None
        self._waiting: list[Problem] = []        # that have no file yet to be noted with
        self._good: Context | None = None

    def read(self, context: Context, item: Item) -> RawTable | TypedTable | None:
        """Read a file; None if it was left out. Raises ImportRefused, ImportCancelled, DiskFull."""
        sampled = context.sampled   # the reader may say that it read all there is of a short file
        try:
            if item.refused is not None:
                raise item.refused
            table = read_file(context, item)
            if self._wanted and self._several and isinstance(table, TypedTable):
                _read_through(context, table, PREVIEWED if sampled else None)
        except ImportRefused as error:
            if not self._several:
                raise
            if not self._wanted:
                raise bearable(error) from error
            self._leave_out(context, error)
            return None
        context.problems.take(self._waiting)
        self._waiting, self._good = [], context
        return table

    def end(self) -> None:
        """Say what was left out last. Raises ImportRefused if nothing is left."""
        if self._good is not None:
            self._good.problems.take(self._waiting)
        elif self._first is not None:
            raise self._first

    def _leave_out(self, context: Context, error: ImportRefused) -> None:
        self._first = self._first or error
        context.problems.add(_OUT, f"{error.message} It was left out.",
                             fix=next((fix for fix in error.fixes if "skip_bad_files" not in fix.changes),
                                      error.hint or "Mend that file, then import again."))
        self._waiting += context.problems.all()


def _read_through(context: Context, table: TypedTable, most: int | None) -> None:
    """Read the rows that would be read later, when it is too late to leave the file out; ``most`` of them in all."""
    rows = 0
    for batch in table.batches(replace(context, problems=Problems(context.name))):
        context.check()
        rows += len(batch[0])
        if most is not None and rows >= most:
            return
