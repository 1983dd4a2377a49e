"""Rows that meet a condition which may make much text of little: a process with a limit finds out which they are.

Their places become a table of the connection, so that sorting, counting and paging go on as ever; it is kept until
another condition is asked for.
"""

from __future__ import annotations

import subprocess
from itertools import count

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mldesk.core.errors import WorkFailed
from mldesk.data.engine import identifier
from mldesk.data.helper import kill
from mldesk.data.query_process import QueriedTable


class FittingRows:
    """The last such condition. One thread asks at a time; ``interrupt`` may come from any."""

    def __init__(self, table: QueriedTable) -> None:
        self._table = table
        self._known: tuple[str, str] | None = None   # a condition, and the table with the places of its rows
        self._numbers = count()
        self._asked: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def condition(self, connection: duckdb.DuckDBPyConnection, where: str, row: str) -> str:
        """Return SQL that is met by the rows that meet ``where``; ``row`` is the column with their places.

        Raises BadInput, WorkFailed for what needs too much memory or is interrupted.
        """
        if self._known is None or self._known[0] != where:
            places = pa.table({"place": self._ask(where)})
            name = f"@fitting {next(self._numbers)}"   # no dataset's name has such a letter
            if self._known is not None:
                connection.execute(f"DROP TABLE {identifier(self._known[1])}")
                self._known = None
            connection.register("@coming", places)
            try:
                connection.execute(f'CREATE TABLE {identifier(name)} AS SELECT place FROM "@coming"')
            finally:
                connection.unregister("@coming")
            self._known = (where, name)
        return f"{identifier(row)} IN (SELECT place FROM {identifier(self._known[1])})"

    def interrupt(self) -> None:
        """End the process that is asked, if one is; the condition raises WorkFailed then."""
        asked = self._asked
        if asked is not None:
            self._stopped = True
            kill(asked)

    def forget(self) -> None:
        """Know nothing of a connection any more, as it is closed."""
        self._known = None

    def _ask(self, where: str) -> npt.NDArray[np.int64]:
        self._stopped = False
        try:
            return self._table.fitting(where, self._is_asked)
        except WorkFailed as error:
            if self._stopped:
                raise WorkFailed("The filter was stopped.") from error
            raise
        finally:
            self._asked = None

    def _is_asked(self, process: subprocess.Popen[bytes]) -> None:
        self._asked = process
