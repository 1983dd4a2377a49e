"""Steps that choose rows."""

from __future__ import annotations

from dataclasses import replace

from mldesk.core.errors import BadInput
from mldesk.data.engine import identifier
from mldesk.data.expressions import check_expression
from mldesk.data.recipe_state import State, Tools, listed
from mldesk.data.steps import Step


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
        after = tools.next(state, "*", f" QUALIFY count(*) OVER (PARTITION BY {listed(columns)}) = 1")
        return replace(after, ordered=False)
    way = " DESC" if step["keep"] == "last" else ""
    order = f"{tools.place}{way}"
    if step.get("order"):
        tools.columns(state, [step["order"]])
        order = f"{identifier(step['order'])}{way} NULLS LAST, {order}"
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
    chance = f"md5_number_upper('{int(step['seed'])}:' || {tools.place})"
    by = tools.columns(state, step.get("by") or [])
    group = f"PARTITION BY {listed(by)} " if by else ""
    rank = f"row_number() OVER ({group}ORDER BY {chance}, {tools.place})"
    if rows is not None:
        test = f"{rank} <= {int(rows)}"
    else:
        whole = f"count(*) OVER ({group.strip()})"
        test = f"{rank} <= round({whole} * {float(share or 0)!r})"
    return replace(tools.next(state, "*", f" QUALIFY {test}"), ordered=False)
