"""What runs are called, and which run somebody means: a name, an id, or the start of either that only one has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mldesk.core.clock import iso
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.ids import is_id
from mldesk.library.names import LONGEST, check_name, fold
from mldesk.library.schema import runs

_PREFIX = re.compile(r"[0-9A-HJKMNP-TV-Z]{4,26}")   # of an id
_NAMED = 6                                          # candidates that a refusal lists
_LAST = "\U0010ffff"                                # behind every letter that a name may hold


def check_run_name(name: str) -> str:
    """Return ``name`` as a run may bear it. Raises BadInput, too, for what a command would take for something else."""
    checked = check_name(name, "run")
    if is_id(fold(checked).upper()):
        raise BadInput(f"{checked!r} cannot be the name of a run: it is written like the id of one.",
                       hint="Choose another name.")
    if checked.startswith("-"):
        raise BadInput(f"{checked!r:.80} cannot be the name of a run: a command would take it for an option.",
                       hint="Choose a name that begins with something else than a dash.")
    return checked


def apart(connection: Connection, name: str) -> str:
    """Return a name that somebody chose, with a number from 2 behind it where another run bears it."""
    taken = connection.execute(select(runs.c.key).where(runs.c.folded == fold(name)).limit(1)).first()
    return name if taken is None else numbered(connection, name, 2)


def numbered(connection: Connection, base: str, least: int = 1) -> str:
    """Return ``base-N``, N one above the highest number that any run of that name bears, so that no two are alike."""
    base = base[:LONGEST - 8]
    begins = f"{fold(base)}-"
    found = connection.execute(select(runs.c.folded).where(
        runs.c.folded >= begins, runs.c.folded < begins + _LAST)).scalars()
    ends = (name[len(begins):] for name in found)
    used = [int(end) for end in ends if end.isascii() and end.isdecimal() and len(end) < 7]
    return f"{base}-{max([*used, least - 1]) + 1}"


def find(connection: Connection, query: Select[Any], reference: str) -> Row[Any]:
    """Return the row of ``query``, a select over runs, that ``reference`` means.

    Raises NotFound where there is none, BadInput with the candidates where there are several.
    """
    reference = reference.strip()
    known = connection.execute(query.where(runs.c.id == reference.upper())).one_or_none()
    if known is not None:
        return known
    named = fold(reference)
    found = _several(connection, query.where(runs.c.folded == named))
    if not found and _PREFIX.fullmatch(reference.upper()):
        prefix = reference.upper()
        found = _several(connection, query.where(runs.c.id >= prefix, runs.c.id < prefix + "~"))
    if not found and named:
        found = _several(connection, query.where(runs.c.folded >= named, runs.c.folded < named + _LAST))
    if not found:
        raise NotFound(f"There is no run {reference!r:.80}.", hint="`mldesk runs list` shows those there are.")
    if len(found) > 1:
        raise BadInput(f"{reference!r:.80} may mean more than one run.", hint=f"Give the id, or more of the name: "
                       f"{_listed(found)}.")
    return found[0]


def _several(connection: Connection, query: Select[Any]) -> Sequence[Row[Any]]:
    return connection.execute(query.order_by(runs.c.id.desc()).limit(_NAMED + 1)).all()


def _listed(found: Sequence[Row[Any]]) -> str:
    words = [f"{row.id} ({row.name[:60]}, {row.state}, {iso(row.created)[:16].replace('T', ' ')})"
             for row in found[:_NAMED]]
    return ", ".join(words) + (", and more" if len(found) > _NAMED else "")
