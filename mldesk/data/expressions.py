"""SQL expressions that users write: one condition over the columns, and nothing that reaches beyond the row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from mldesk.core.errors import BadInput
from mldesk.data.engine import first_line, one_row
from mldesk.data.expression_size import growth
from mldesk.data.near import which_column

_LONGEST = 20_000  # characters
_TOO_DEEP = "expression depth limit"   # in the words of the engine, which advises a setting
# What would make the same recipe give another table tomorrow, or look beyond the row.
_UNSTABLE = frozenset({
    "age", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "now", "current_timestamp",
    "get_current_timestamp", "transaction_timestamp", "current_date", "today", "current_time", "get_current_time",
    "current_localtime", "current_localtimestamp", "nextval", "currval", "current_setting", "getvariable",
    "txid_current", "pg_backend_pid", "current_user", "session_user", "current_database", "current_query",
    "current_query_id", "current_transaction_id", "current_connection_id", "version", "getenv", "write_log",
    "sleep_ms",
})


def check_expression(connection: duckdb.DuckDBPyConnection, text: str, names: Sequence[str]) -> str:
    """Return ``text`` if it is one expression over the columns ``names``.

    Raises BadInput for anything else: several statements, subqueries, unknown columns, values that change by the hour.
    """
    text = _bare(text)
    node = _parsed(connection, text)
    _refuse_more_than_a_condition(node, text)
    _check_parts(node["where_clause"], text, names)
    return f"{text}\n"


def growth_of(connection: duckdb.DuckDBPyConnection, text: str) -> float:
    """Return how much text an expression may make of one cell, see ``growth``. Raises BadInput where it cannot be read.
    """
    return growth(_parsed(connection, _bare(text)).get("where_clause"))


def _bare(text: str) -> str:
    if len(text) > _LONGEST:
        raise BadInput(f"The expression is {len(text):,} characters long; {_LONGEST:,} is the limit.")
    return text.strip().rstrip(";").strip()


def _parsed(connection: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    """Return the SELECT around an expression as the engine reads it."""
    # The line break ends a comment in ``text``, which would otherwise swallow the bracket.
    sql = f"SELECT 1 FROM data WHERE ({text}\n)"
    try:
        tree = json.loads(one_row(connection, "SELECT json_serialize_sql(?::VARCHAR)", [sql])[0])
    except RecursionError as error:
        raise _too_deep(text) from error
    except duckdb.Error as error:
        raise BadInput(f"The expression {text[:80]!r} cannot be read: {first_line(error)}.") from error
    if tree.get("error") or len(tree.get("statements", ())) != 1:
        reason = str(tree.get("error_message", "it is not one expression")).splitlines()[0]
        if _TOO_DEEP in reason:
            raise _too_deep(text)
        raise BadInput(f"The expression {text[:80]!r} cannot be read: {reason.rstrip('.')}.",
                       hint="""Write a condition such as "age" > 30 AND city = 'Lyon'.""")
    node: dict[str, Any] = tree["statements"][0]["node"]
    return node


def _too_deep(text: str) -> BadInput:
    return BadInput(f"The expression {text[:80]!r} is too long or its brackets lie too deep inside one another.",
                    hint="Write a shorter one, or several in a row.")


def _refuse_more_than_a_condition(node: dict[str, Any], text: str) -> None:
    plain = (node.get("type") == "SELECT_NODE" and not node.get("modifiers") and not node.get("group_expressions")
             and not node.get("having") and not node.get("qualify") and not node.get("sample")
             and not node.get("cte_map", {}).get("map") and node.get("from_table", {}).get("type") == "BASE_TABLE"
             and node.get("where_clause") is not None)
    if not plain:
        raise BadInput(f"The expression {text[:80]!r} is more than one condition.")


def _check_parts(where: Any, text: str, names: Sequence[str]) -> None:
    known = {name.casefold() for name in names}
    for part in _parts(where):
        kind = str(part.get("class", ""))
        if kind in ("SUBQUERY", "WINDOW", "PARAMETER", "STAR", "DEFAULT"):
            raise BadInput(f"The expression {text[:80]!r} holds a {kind.lower()}; a condition looks at one row only.")
        if kind == "COLUMN_REF":
            path = [str(item) for item in part.get("column_names", ())]
            name = path[0]
            if len(path) > 1 and name.casefold() in ("data", "_rows") and name.casefold() not in known:
                name = path[1]
            if name.casefold() not in known and name.lower() not in part.get("_lambda", ()):
                raise BadInput(f"There is no column {name!r:.80} in this table.",
                               hint=_to_quote(text, names) or which_column(name, names))
        if kind == "FUNCTION" and str(part.get("function_name", "")).lower() in _UNSTABLE:
            raise BadInput(f"{part['function_name']}() gives another answer every time; a condition must not.")


def _to_quote(text: str, names: Sequence[str]) -> str:
    """Say which column must be quoted, where one stands bare in the text though its name is no plain word."""
    bare = [name for name in names if not name.isidentifier() and name in text and f'"{name}"' not in text]
    return f"""Put a name like this one into double quotes: "{max(bare, key=len):.80}".""" if bare else ""


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if str(item.get("class", "")) == "LAMBDA":
                raise BadInput("Functions inside an expression (lambdas) are not allowed here.")
            if "class" in item:
                yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
