"""Machines that run jobs, as the library remembers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from mldesk.core.errors import Conflict, NotFound
from mldesk.library import codec
from mldesk.library.database import Database, taken
from mldesk.library.names import check_name
from mldesk.library.records import RunnerRecord
from mldesk.library.schema import runners

LOCAL = RunnerRecord(name="local", kind="local", address="", facts={}, seen=None)


class RunnerStore:
    """Runners by name. "local" is always there, with facts or without."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> RunnerRecord:
        """Return a runner. Raises NotFound."""
        for record in self.list():
            if record.name == name:
                return record
        raise NotFound(f"There is no runner named {name!r:.80}.", hint="`mldesk runners list` shows those there are.")

    def add(self, name: str, kind: str, address: str, *, options: Mapping[str, Any] | None = None,
            added: float | None = None) -> RunnerRecord:
        """Keep a new runner. Raises BadInput for a bad name, Conflict for a taken one."""
        name = check_name(name, "runner")
        values = {"name": name, "kind": kind, "address": address, "facts": "{}", "added": added,
                  "options": codec.dump(dict(options or {}))}
        try:
            if name == LOCAL.name:
                raise taken("runner", name, "That is this machine.")
            with self._database.write() as connection:
                connection.execute(insert(runners).values(values))
        except IntegrityError as error:
            raise taken("runner", name, "Choose another name, or remove that one first.") from error
        return self.get(name)

    def set_facts(self, name: str, facts: Mapping[str, Any], seen: float) -> None:
        """Keep what a runner said of itself at ``seen`` (seconds since the epoch): it answers. Raises NotFound."""
        self._set(name, {"facts": codec.dump(dict(facts)), "seen": seen, "unreachable": None, "trouble": ""})

    def set_options(self, name: str, options: Mapping[str, Any]) -> None:
        """Keep what was chosen for a runner. Raises NotFound."""
        self._set(name, {"options": codec.dump(dict(options))})

    def set_unreachable(self, name: str, since: float, trouble: str) -> None:
        """Keep why a runner does not answer; since when is kept from the first time. Raises NotFound."""
        self._set(name, {"unreachable": func.coalesce(runners.c.unreachable, since), "trouble": codec.clean(trouble)},
                  fresh={"unreachable": since})

    def set_reachable(self, name: str) -> None:
        """It answers again. Writes nothing where nothing else was known. Raises NotFound."""
        if self.get(name).unreachable is not None:
            self._set(name, {"unreachable": None, "trouble": ""})

    def _set(self, name: str, values: Mapping[str, Any], fresh: Mapping[str, Any] | None = None) -> None:
        """Update a row. "local" may have none yet: it is made, ``fresh`` in place of what needs one."""
        with self._database.write() as connection:
            done = connection.execute(update(runners).where(runners.c.name == name).values(**values))
            if done.rowcount == 0:
                if name != LOCAL.name:
                    raise NotFound(f"There is no runner named {name!r:.80}.")
                connection.execute(insert(runners).values(
                    **{"name": name, "kind": LOCAL.kind, "address": "", "facts": "{}", **values, **(fresh or {})}))

    def remove(self, name: str) -> None:
        """Forget a runner; its runs stay. Raises NotFound, Conflict for "local"."""
        if name == LOCAL.name:
            raise Conflict("The runner 'local' is this machine and cannot be removed.")
        with self._database.write() as connection:
            if connection.execute(delete(runners).where(runners.c.name == name)).rowcount == 0:
                raise NotFound(f"There is no runner named {name!r:.80}.")

    def list(self) -> list[RunnerRecord]:
        """Return "local" and then the others by name."""
        with self._database.read() as connection:
            found = {row.name: _to_record(row) for row in connection.execute(select(runners).order_by(runners.c.name))}
        return [found.pop(LOCAL.name, LOCAL), *found.values()]


def _to_record(row: Row[Any]) -> RunnerRecord:
    return RunnerRecord(
        name=row.name, kind=row.kind, address=row.address, facts=codec.load(row.facts), seen=row.seen, added=row.added,
        unreachable=row.unreachable, trouble=row.trouble, options=codec.load(row.options))
