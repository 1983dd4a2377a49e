"""Steps over numbers: limits, ranges, functions, scales, and numbers made of categories."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mldesk.data.engine import identifier, literal
from mldesk.data.recipes.state import State, Tools, double, settled, settled_sql
from mldesk.data.recipes.steps import Step
from mldesk.wire.schema import ColumnType

_N, _I = ColumnType.NUMBER, ColumnType.INTEGER
_MODELS = "Models that need it do this by themselves, from their training rows only."
_SCALES = {"standard": ("favg({0})", "stddev_samp({0})"), "minmax": ("min({0})", "max({0}) - min({0})"),
           "robust": ("median({0})", "quantile_cont({0}, 0.75) - quantile_cont({0}, 0.25)")}
# {0}: the column as DOUBLE; {1}: the power. Missing where there is no answer.
_FUNCTIONS = {
    "log": "CASE WHEN {0} > 0 THEN ln({0}) END", "log1p": "CASE WHEN {0} > -1 THEN ln(1 + {0}) END",
    "log10": "CASE WHEN {0} > 0 THEN log10({0}) END", "sqrt": "CASE WHEN {0} >= 0 THEN sqrt({0}) END",
    "square": "{0} * {0}", "power": "pow({0}, {1})", "reciprocal": "CASE WHEN {0} <> 0 THEN 1 / {0} END",
    "absolute": "abs({0})", "round": "round({0}, {1})",
}


def clip(tools: Tools, state: State, step: Step) -> State:
    """Bring numbers beyond a limit to it."""
    columns = tools.numeric(state, step["columns"], "limits")
    low, high = step.get("low"), step.get("high")
    if low is None and high is None:
        raise tools.refused("it has neither a least nor a greatest value", hint='Write "low", "high" or both.')
    expressions, types = {}, list(state.types)
    for name in columns:
        ends = (low, high) if step["by"] == "values" else _quantiles(tools, state, name, low, high)
        whole = state.type_of(name) is _I and all(end is None or float(end).is_integer() for end in ends)
        kind = _I if whole else _N
        types[state.names.index(name)] = kind
        if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
            raise tools.refused(f"the least value, {ends[0]:g}, is greater than the greatest, {ends[1]:g}")
        sql = identifier(name) if kind is state.type_of(name) else double(name)
        for call, end in (("greatest", ends[0]), ("least", ends[1])):
            sql = sql if end is None else f"{call}({sql}, {tools.value(end, kind, name)})"
        expressions[name] = f"CASE WHEN {identifier(name)} IS NOT NULL THEN {sql} END"  # greatest() skips NULL
    return tools.replaced(state, expressions, types=types, changed=_differs(expressions))


def _quantiles(tools: Tools, state: State, name: str, low: float | None,
               high: float | None) -> tuple[float | None, float | None]:
    for share in (low, high):
        if share is not None and not 0 <= share <= 1:
            raise tools.refused(f"{share:g} is no share of the rows", hint="Write 0.01 for one row in a hundred.")
    found = tools.figures(state, name, [f"quantile_disc({{0}}, {0 if share is None else float(share)!r})"
                                        for share in (low, high)])
    tools.learnt(f"the limits of {name!r} are", name, _MODELS)
    return None if low is None else found[0], None if high is None else found[1]


def _differs(expressions: dict[str, str]) -> list[str]:
    return [f"({sql}) IS DISTINCT FROM {identifier(name)}" for name, sql in expressions.items()]


def _retyped(state: State, columns: Sequence[str], kind: ColumnType) -> list[ColumnType]:
    return [kind if name in set(columns) else old for name, old in zip(state.names, state.types, strict=True)]


def bin_numbers(tools: Tools, state: State, step: Step) -> State:
    """Put numbers into ranges, given as text or by number."""
    columns = tools.numeric(state, step["columns"], "ranges")
    expressions: dict[str, str] = {}
    for name in columns:
        edges = _edges(tools, state, name, step)
        cases = " ".join(f"WHEN {double(name)} < {literal(edge)} THEN {_bin_name(edges, number, step['give'])}"
                         for number, edge in enumerate(edges))
        last = _bin_name(edges, len(edges), step["give"])
        expressions[name] = f"CASE WHEN {identifier(name)} IS NULL THEN NULL {cases} ELSE {last} END"
    kind = ColumnType.TEXT if step["give"] == "range" else _I
    return tools.replaced(state, expressions, types=_retyped(state, columns, kind),
                          changed=[f"{identifier(name)} IS NOT NULL" for name in columns])


def _edges(tools: Tools, state: State, name: str, step: Step) -> list[float]:
    """Return the edges between the ranges, ascending."""
    bins = int(step["bins"])
    if step["by"] == "edges":
        try:
            edges = [float(edge) for edge in step.get("edges") or ()]
        except ValueError as error:
            raise tools.refused(f"an edge is not a number: {error!s:.120}") from error
        if not edges or any(one >= two for one, two in pairwise(edges)) or any(edge != edge for edge in edges):
            raise tools.refused("the edges are not numbers in ascending order", hint='Write "edges": [18, 65].')
        return edges
    tools.learnt(f"the ranges of {name!r} are", name, _MODELS)
    if step["by"] == "rows":
        found = tools.figures(state, name, [f"quantile_disc({{0}}, {number / bins!r})" for number in range(1, bins)])
        return sorted(set(found))
    low, high = tools.figures(state, name, ["min({0})", "max({0})"])
    return sorted({settled(low + (high - low) * number / bins) for number in range(1, bins)})


def _bin_name(edges: Sequence[float], number: int, give: str) -> str:
    if give == "number":
        return f"CAST({number + 1} AS BIGINT)"
    if number == 0:
        return literal(f"below {edges[0]:.12g}")
    if number == len(edges):
        return literal(f"{edges[-1]:.12g} or more")
    return literal(f"{edges[number - 1]:.12g} to below {edges[number]:.12g}")


def transform(tools: Tools, state: State, step: Step) -> State:
    """Apply a function; where it has no answer the value becomes missing, which is noted."""
    columns = tools.numeric(state, step["columns"], step["function"])
    power = step.get("power")
    if step["function"] == "power" and power is None:
        raise tools.refused("it lacks the exponent", hint='Write "power": 0.5.')
    if step["function"] == "round" and (power is None or not -300 <= power <= 300):
        power = 0
    sizes = {"power": literal(float(power or 0)), "round": str(int(power or 0))}
    expressions: dict[str, str] = {}
    for name in columns:
        made = _FUNCTIONS[step["function"]].replace("{0}", double(name)).replace(
            "{1}", sizes.get(step["function"], ""))
        if step["function"] in ("log", "log1p", "log10", "power"):  # whose last digits differ between machines
            made = settled_sql(made)
        expressions[name] = f"CASE WHEN isfinite({made}) THEN {made} END"
        lost = tools.one(state.select(
            f"count(*) FILTER (WHERE {identifier(name)} IS NOT NULL AND ({expressions[name]}) IS NULL)"))[0]
        if lost:
            tools.note(f"{step['function']} has no answer for {lost:,} {'value' if lost == 1 else 'values'} of "
                       f"{name!r}, missing now.", name)
    return tools.replaced(state, expressions, types=_retyped(state, columns, _N), changed=_differs(expressions))


def scale(tools: Tools, state: State, step: Step) -> State:
    """Bring numbers to one scale by what is learnt from all rows."""
    columns = tools.numeric(state, step["columns"], "scale")
    expressions: dict[str, str] = {}
    for name in columns:
        middle, width = tools.figures(state, name, _SCALES[step["how"]])
        if not width:
            raise tools.refused(f"the values of {name!r} do not differ, so they cannot be scaled")
        tools.learnt(f"the scale of {name!r} is", name, _MODELS)
        expressions[name] = f"({double(name)} - {literal(middle)}) / {literal(width)}"
    return tools.replaced(state, expressions, types=_retyped(state, columns, _N), changed=_differs(expressions))


def encode(tools: Tools, state: State, step: Step) -> State:
    """Turn categories into columns of 0 and 1, or into their places in an order."""
    columns = tools.columns(state, step["columns"])
    for name in columns:
        tools.learnt(f"the values of {name!r} are", name, "Every model encodes categories by itself, from its training "
                     "rows only.")
    if step["how"] == "ordinal":
        return _ordinal(tools, state, columns, [str(item) for item in step.get("order") or ()])
    for name in columns:
        state = _one_hot(tools, state, name, int(step["most"]))
    return state


def _ordinal(tools: Tools, state: State, columns: Sequence[str], order: Sequence[str]) -> State:
    expressions: dict[str, str] = {}
    for name in columns:
        kind, column = state.type_of(name), identifier(name)
        if order:
            values = [tools.value(item, kind, name) for item in order]
        else:
            found = tools.all(state.select(f"DISTINCT {column}, CAST({column} AS VARCHAR)")
                              + f" WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 10001")
            if len(found) > 10_000:
                raise tools.refused(f"{name!r} has more than 10,000 different values")
            values = [tools.value(item[1], kind, name) for item in found]
        cases = " ".join(f"WHEN {value} THEN {place}" for place, value in enumerate(values))
        expressions[name] = f"CAST(CASE {column} {cases} END AS BIGINT)" if cases else "CAST(NULL AS BIGINT)"
    return tools.replaced(state, expressions, types=_retyped(state, columns, _I),
                          changed=[f"{identifier(name)} IS NOT NULL" for name in columns])


def _one_hot(tools: Tools, state: State, name: str, most: int) -> State:
    kind, column = state.type_of(name), identifier(name)
    found = [str(row[0]) for row in tools.all(
        state.select(f"CAST({column} AS VARCHAR)") + f" WHERE {column} IS NOT NULL GROUP BY {column} "
        f"ORDER BY count(*) DESC, {column} LIMIT {most + 1}")]
    values, others = sorted(found[:most]), len(found) > most
    names = tools.free(state, [f"{name}_{value}"[:200] for value in values] + ([f"{name}_other"] if others else []))
    tests = [f"{column} = {tools.value(value, kind, name)}" for value in values]
    if others:
        tests.append(f"{column} NOT IN ({', '.join(tools.value(value, kind, name) for value in values)})")
    expressions = {made: f"CAST(coalesce({test}, false) AS BIGINT)" for made, test in zip(names, tests, strict=True)}
    return tools.added(state, expressions, [_I] * len(names), instead=[name])
