"""Steps that choose rows."""

from __future__ import annotations

from dataclasses import replace

from mldesk.core.errors import BadInput
from mldesk.data.engine import identifier
from mldesk.data.expressions import check_expression
from mldesk.data.recipes.state import Choice, State, Tools, listed
from mldesk.data.recipes.steps import Step

_MOST_CLASSES = 1_000
_MOST_MADE = 500_000_000   # rows
_WEIGHTS = "Models can weigh the classes instead, from their training rows only."


def drop_missing(tools: Tools, state: State, step: Step) -> State:
    """Leave out rows with missing values."""
    columns = tools.columns(state, step.get("columns") or list(state.names))
    if step["how"] == "share":
        if step.get("share") is None:
            raise tools.refused("it lacks the share", hint='Write "share": 0.5.')
        count = " + ".join(f"({identifier(name)} IS NULL)::INT" for name in columns)
        return tools.next(state, "*", f" WHERE NOT (({count}) > {float(step['share'])!r} * {len(columns)})")
    glue = " OR " if step["how"] == "any" else " AND "
    test = glue.join(f"{identifier(name)} IS NULL" for name in columns)
    return tools.next(state, "*", f" WHERE NOT ({test})")


def deduplicate(tools: Tools, state: State, step: Step) -> State:
    """Keep one of rows that are the same, or none of them."""
    columns = tools.columns(state, step.get("columns") or list(state.names))
    if step["keep"] == "none":
        chosen = f"any_value({tools.place})"
        more = " HAVING count(*) = 1"
    else:
        chosen, more = f"{'max' if step['keep'] == 'last' else 'min'}({tools.place})", ""
        if step.get("order"):
            tools.columns(state, [step["order"]])
            return _by_order(tools, state, columns, step)
    # Found by place: far quicker than numbering the rows of every group.
    places = f"SELECT {chosen} FROM {state.table} GROUP BY {listed(columns)}{more}"
    choice = Choice(len(state.ctes), places, listed(columns) if len(columns) == 1 and not more else "",
                    step["keep"] == "last")
    return replace(tools.next(state, "*", f" WHERE {tools.place} IN ({places})"), chosen=(*state.chosen, choice))


def _by_order(tools: Tools, state: State, columns: list[str], step: Step) -> State:
    way = " DESC" if step["keep"] == "last" else ""
    order = f"{identifier(step['order'])}{way} NULLS LAST, {tools.place}{way}"
    place = f"row_number() OVER (PARTITION BY {listed(columns)} ORDER BY {order})"
    return replace(tools.next(state, "*", f" QUALIFY {place} = 1"), ordered=False)


def filter_rows(tools: Tools, state: State, step: Step) -> State:
    """Keep the rows that meet a condition."""
    try:
        condition = check_expression(tools.connection, step["where"], state.names)
    except BadInput as error:
        raise tools.refused(error.message[:1].lower() + error.message[1:].rstrip("."), hint=error.hint) from error
    after = tools.next(state, "*", f" WHERE ({condition})")
    if not tools.one(after.select("count(*)"))[0]:  # the whole of it, so that a bad value is said of this step
        raise tools.refused(f"no row meets {step['where'].strip()[:80]!r}", hint="A table needs at least one row.")
    return after


def sample(tools: Tools, state: State, step: Step) -> State:
    """Keep rows by chance: by the MD5 of seed and place, which is the same on every machine and in every version."""
    rows, share = step.get("rows"), step.get("share")
    if (rows is None) == (share is None):
        raise tools.refused("it needs either a number of rows or a share of them",
                            hint='Write "rows": 1000 or "share": 0.1.')
    chance = tools.chance(int(step["seed"]))
    by = tools.columns(state, step.get("by") or [])
    group = f"PARTITION BY {listed(by)} " if by else ""
    rank = f"row_number() OVER ({group}ORDER BY {chance}, {tools.place})"
    if rows is not None:
        test = f"{rank} <= {int(rows)}"
    else:
        whole = f"count(*) OVER ({group.strip()})"
        test = f"{rank} <= round({whole} * {float(share or 0)!r})"
    return replace(tools.next(state, "*", f" QUALIFY {test}"), ordered=False)


def rebalance(tools: Tools, state: State, step: Step) -> State:
    """Give every value of a column as many rows: by leaving rows out, or by having some more than once."""
    column = identifier(tools.columns(state, [step["column"]])[0])
    counts = tools.all(state.select(f"{column}, count(*)") + f" GROUP BY {column}")
    if len(counts) > _MOST_CLASSES:
        raise tools.refused(f"{step['column']!r} has more than {_MOST_CLASSES:,} different values",
                            hint="Put the values into ranges first.")
    sizes = [int(count) for _, count in counts]
    goal = int(step.get("rows") or (min(sizes) if step["how"] == "fewer" else max(sizes)))
    if goal * len(sizes) > _MOST_MADE:
        raise tools.refused(f"it would make {goal * len(sizes):,} rows")
    rank = f"row_number() OVER (PARTITION BY {column} ORDER BY {tools.chance(int(step['seed']))}, {tools.place})"
    if step["how"] == "fewer":
        tools.learnt(f"how many rows each {step['column']!r} has is", step["column"], _WEIGHTS)
        return replace(tools.next(state, "*", f" QUALIFY {rank} <= {goal}"), ordered=False)
    most = max(-(-goal // size) for size in sizes)
    size = f"count(*) OVER (PARTITION BY {column})"
    times = f"greatest(1, {goal} // {size} + ({rank} <= {goal} % {size})::INT)"
    tools.note("some rows are there more than once now, and may land on both sides of a split.", step["column"])
    tools.learnt(f"how many rows each {step['column']!r} has is", step["column"], _WEIGHTS)
    after = tools.made(state, f"SELECT data.* REPLACE ({tools.place} * {most} + unnest(range({times})) AS "
                       f"{tools.place}) FROM {state.table} AS data")
    return replace(after, ordered=False, own_rows=False)
