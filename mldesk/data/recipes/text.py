"""Steps that clean text, replace in it, and take it apart."""

from __future__ import annotations

import re

from mldesk.data.engine import identifier, literal
from mldesk.data.recipes.state import State, Tools
from mldesk.data.recipes.steps import Step
from mldesk.data.recipes.unicode_forms import normalised
from mldesk.wire.schema import ColumnType

_SPACES = r"[\s\x{A0}\x{2007}\x{202F}\x{200B}\x{FEFF}]+"  # what looks like a space, or like nothing
_RARE = "\t\n\f\r"


def clean_text(tools: Tools, state: State, step: Step) -> State:
    """Trim, change case, normalise letters."""
    expressions: dict[str, str] = {}
    for name in tools.texts(state, step["columns"]):
        sql = identifier(name)
        if step["unicode"] != "as_is":
            sql = normalised(sql, step["unicode"])
        if step["unicode"] == "no_accents":
            sql = f"strip_accents({sql})"
        if step["trim"] != "none":
            sql = _trimmed(sql)
        if step["trim"] == "all":
            sql = f"regexp_replace({sql}, {literal(_SPACES)}, ' ', 'g')"
        if step["case"] == "sentence":
            sql = f"upper(left({sql}, 1)) || lower(substr({sql}, 2))"
        elif step["case"] != "as_is":
            sql = f"{step['case']}({sql})"
        expressions[name] = f"nullif({sql}, '')" if step["empty"] == "missing" else sql
    return _changed(tools, state, expressions)


def _trimmed(sql: str) -> str:
    """Return SQL without spaces at the ends. Of plain texts, as most are, only those are trimmed that need it: that is
    quicker than the pattern, and looking at the ends quicker than trimming."""
    rare = " OR ".join(f"contains({sql}, chr({ord(letter)}))" for letter in _RARE)
    slow = f"regexp_replace({sql}, {literal(f'^{_SPACES}|{_SPACES}$')}, '', 'g')"
    return (f"CASE WHEN strlen({sql}) <> length({sql}) OR {rare} THEN {slow} "
            f"WHEN {sql} LIKE ' %' OR {sql} LIKE '% ' THEN trim({sql}) ELSE {sql} END")


def replace_text(tools: Tools, state: State, step: Step) -> State:
    """Replace what a regular expression finds."""
    flags = ("g" if step["which"] == "all" else "") + ("i" if step["case"] == "ignored" else "")
    pattern = _pattern(tools, step["pattern"])
    expressions = {name: f"regexp_replace({identifier(name)}, {pattern}, {literal(step['put'])}, {literal(flags)})"
                   for name in tools.texts(state, step["columns"])}
    tools.all(f"SELECT regexp_replace('', {pattern}, {literal(step['put'])}, {literal(flags)})")
    return _changed(tools, state, expressions)


def _changed(tools: Tools, state: State, expressions: dict[str, str]) -> State:
    return tools.replaced(state, expressions, changed=[
        f"({sql}) IS DISTINCT FROM {identifier(name)}" for name, sql in expressions.items()])


def extract(tools: Tools, state: State, step: Step) -> State:
    """Take the groups of a regular expression into new columns, missing where it does not match."""
    tools.texts(state, [step["column"]])
    into = tools.fresh(state, [name.strip() for name in step["into"]])
    column, pattern = identifier(step["column"]), _pattern(tools, step["pattern"])
    groups = _groups(step["pattern"])
    if groups != len(into):
        raise tools.refused(f"the pattern has {groups} groups, but there are {len(into)} names for new columns",
                            hint="Put what a column should hold in brackets: (…). Others are written (?:…).")
    return tools.added(state, {name: f"nullif(regexp_extract({column}, {pattern}, {number}), '')"
                               for number, name in enumerate(into, start=1)}, [ColumnType.TEXT] * len(into))


def _groups(pattern: str) -> int:
    """Return how many groups of a pattern are caught."""
    outside = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "", pattern)  # without escaped letters and classes
    return len(re.findall(r"\((?!\?)|\(\?P?<(?![=!])", outside))


def _pattern(tools: Tools, text: str) -> str:
    """Return a regular expression as SQL. Raises BadInput for one that RE2 cannot read."""
    sql = literal(text)
    tools.all(f"SELECT regexp_matches('', {sql})")
    return sql


def split(tools: Tools, state: State, step: Step) -> State:
    """Split text at a separator; pieces beyond the last new column stay in it."""
    tools.texts(state, [step["column"]])
    into = tools.fresh(state, [name.strip() for name in step["into"]])
    if not step["separator"]:
        raise tools.refused("the separator is empty")
    column, separator = identifier(step["column"]), literal(step["separator"])
    if step["is"] == "pattern":
        return tools.added(state, _by_pattern(tools, column, step["separator"], into), [ColumnType.TEXT] * len(into))
    pieces = f"string_split({column}, {separator})"
    expressions = {name: f"{pieces}[{number}]" for number, name in enumerate(into, start=1)}
    expressions[into[-1]] = f"array_to_string({pieces}[{len(into)}:], {separator})"
    return tools.added(state, {name: f"nullif({sql}, '')" for name, sql in expressions.items()},
                       [ColumnType.TEXT] * len(into))


def _by_pattern(tools: Tools, column: str, separator: str, into: list[str]) -> dict[str, str]:
    """Return the pieces between what a regular expression finds; what follows the last one stays as it is."""
    pattern = _pattern(tools, separator)
    if tools.one(f"SELECT regexp_full_match('', {pattern})")[0]:
        raise tools.refused("the separator's pattern also finds nothing at all", hint="Write + instead of *.")
    pieces = f"string_split_regex({column}, {pattern})"
    rest = _pattern(tools, f"^(?s:.*?(?:{separator})){{{len(into) - 1}}}")
    expressions = {name: f"{pieces}[{number}]" for number, name in enumerate(into, start=1)}
    expressions[into[-1]] = f"CASE WHEN len({pieces}) >= {len(into)} THEN regexp_replace({column}, {rest}, '') END"
    return {name: f"nullif({sql}, '')" for name, sql in expressions.items()}
