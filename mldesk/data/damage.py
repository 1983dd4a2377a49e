"""A table that cannot be read because its files are damaged or gone: found out when reading fails, said in a sentence.

Parquet readers say "Unexpected end of stream" or anything else for a file that has changed on disk, and DuckDB blames
the query. Files are compared with their digests only then, for that reads every byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from mldesk.core.errors import LibraryDamaged, MldeskError
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.referenced import SourceChanged, SourceGone

# What is the words' own fault: no reason to read the whole table.
_WORDS = (duckdb.BinderException, duckdb.CatalogException, duckdb.InterruptException, duckdb.ParserException,
          duckdb.PermissionException, duckdb.SyntaxException)
_HINT = "Import the file again: that mends it."


class TableDamaged(LibraryDamaged):
    """A table's files are not what they were when it was made."""


class TableGone(ObjectMissing):
    """A table's files are not there any more."""


@contextmanager
def intact(store: ObjectStore, manifest: str, what: str) -> Iterator[None]:
    """Read the table ``manifest`` inside. ``what`` names it in the sentence: "the dataset titanic@2".

    What fails because its files are damaged raises TableDamaged, or TableGone; any other error passes as it is.
    """
    try:
        yield
    except (TableDamaged, TableGone, SourceChanged, SourceGone):
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, MldeskError) as error:
        if not isinstance(error.__cause__, _WORDS):
            check_intact(store, manifest, what)
        raise


def check_intact(store: ObjectStore, manifest: str, what: str) -> None:
    """Compare every file of a table with its digest. Raises TableDamaged, TableGone."""
    try:
        store.verify_manifest(manifest)
    except (SourceChanged, SourceGone):
        raise
    except ObjectMissing as error:
        raise TableGone(error.digest, f"A file of {what} is gone from the library.", hint=_HINT) from error
    except LibraryDamaged as error:
        raise TableDamaged(f"A file of {what} has changed on disk since it was written.",
                           hint=f"{_HINT} If it happens again, check the disk.") from error
