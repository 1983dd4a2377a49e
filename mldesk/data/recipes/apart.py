"""Recipes whose steps may make much text of little are worked out in a process that may take so much memory, no more.

Most recipes stay where they are: of their steps it is plain that no cell grows much (``expression_size``).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from mldesk.core.errors import BadInput
from mldesk.data.asking import ask
from mldesk.data.expression_size import MOST
from mldesk.data.expressions import growth_of
from mldesk.data.recipes.code_trust import CodeNotTrusted, code_digest, untrusted
from mldesk.data.recipes.steps import Step, active
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column

_LONGEST = 10_000   # letters of a text in a step, which may come to stand in every row
_EXPRESSIONS = {"derive": "expression", "filter": "where"}
_held: list[bool] = []   # not empty in the process itself


def hold() -> None:
    """Say that this process is the one with the limit."""
    _held.append(True)


def goes_apart(steps: Sequence[Step]) -> bool:
    """Say whether the steps, as declared, are worked out in a process of their own."""
    if _held:
        return False
    if any(len(text) > _LONGEST for _, step in active(steps) for text in _texts(step)):
        return True
    wanted = [step for _, step in active(steps) if step["step"] in (*_EXPRESSIONS, "replace_text")]
    if not wanted:
        return False
    grown = 1.0
    with _reader().cursor() as connection:
        for step in wanted:
            grown *= _growth(connection, step)
    return grown > MOST


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """Return what reads expressions, and nothing else; to begin one takes longer than the reading."""
    return duckdb.connect(":memory:", config={"threads": 1})


def _growth(connection: duckdb.DuckDBPyConnection, step: Step) -> float:
    kind = str(step["step"])
    if kind == "replace_text":
        return 1.0 + len(str(step["put"])) if step["put"] else 1.0
    with suppress(BadInput):   # the step is refused later, by its number
        found = growth_of(connection, str(step[_EXPRESSIONS[kind]]))
        return found if kind == "derive" or found > MOST else 1.0
    return 1.0


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting += [*item, *(part for key, part in item.items() if key != "code")]
        elif isinstance(item, (list, tuple)):
            waiting += item


def ask_apart(what: str, call: str, folder: Path, store: ObjectStore, steps: Sequence[Step],
              trusted: Container[str] = (), **order: Any) -> dict[str, Any]:
    """Return what ``recipe_child`` answers to ``call``; it works in ``folder``. ``what`` begins sentences about it.

    Raises as ``ask`` does, CodeNotTrusted.
    """
    for number, source in untrusted(steps, trusted):
        raise CodeNotTrusted(number, source)
    codes = [code_digest(str(step["code"])) for _, step in active(steps) if step["step"] == "python"]
    return ask("mldesk.data.recipes.recipe_child", folder, {
        "call": call, "store": str(store.root.absolute()), "steps": list(steps), "trusted": codes, **order}, what)


def columns_json(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return columns as they are sent."""
    return [column.to_json() for column in columns]
