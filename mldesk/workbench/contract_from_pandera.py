"""A contract out of a pandera schema, as ``to_json`` or ``to_yaml`` writes it. Plain data; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.contracts.contract import LONGEST_NAME, read_json

_KINDS = (("int", "integer"), ("uint", "integer"), ("float", "number"), ("double", "number"), ("bool", "boolean"),
          ("datetime64", "datetime"), ("timestamp", "datetime"), ("date", "date"), ("time", "time"), ("str", "text"),
          ("object", "text"), ("category", "text"), ("large_string", "text"))   # how names of types begin
_FACTS = {"title", "description", "dtype", "nullable", "unique", "coerce", "required", "regex", "checks", "metadata",
          "default", "parsers", "report_duplicates", "name", "drop_invalid_rows", "index"}


def is_pandera(value: Any) -> bool:
    """Say whether a document is a pandera schema."""
    return isinstance(value, Mapping) and value.get("schema_type") == "dataframe"


def read_document(text: str, *, yaml: bool) -> Any:
    """Read JSON, or YAML without tags. Raises BadInput."""
    if not yaml:
        return read_json(text)
    try:
        from yaml import YAMLError, safe_load  # type: ignore[import-untyped]  # seldom needed
    except ImportError as error:
        raise BadInput("This installation reads no YAML.", hint="Write the schema with to_json().") from error
    try:
        return safe_load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"The contract is not YAML: {str(error).splitlines()[0][:200]}.") from error


def from_pandera(document: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the contract as JSON, and what of the schema has no place in one, in words. Raises BadInput."""
    columns = document.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise BadInput("The pandera schema has no columns.", hint="Write it with schema.to_json().")
    left_out: list[str] = []
    rules = [_column(_name(name), facts, left_out) for name, facts in columns.items()]
    left_out += [f"the schema's own {key}" for key in ("checks", "index", "unique") if document.get(key)]
    return {"columns": rules, "extra": "refuse" if document.get("strict") is True else "allow",
            "order": bool(document.get("ordered"))}, tuple(left_out)


def _name(name: Any) -> str:
    if not isinstance(name, (str, int, float)) or len(str(name)) > LONGEST_NAME:
        raise BadInput("The pandera schema has a column whose name cannot be one.",
                       hint=f"Names are texts of at most {LONGEST_NAME} characters.")
    return str(name)


def _column(name: str, facts: Any, left_out: list[str]) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise BadInput(f"The pandera schema says nothing of the column {name!r:.80} that can be read.")
    kind = _kind(name, facts.get("dtype"))
    if facts.get("regex"):
        raise BadInput(f"{name!r:.80} is a pattern for names of columns; a contract names each.",
                       hint="Write a column for every name.")
    rule: dict[str, Any] = {"name": name, "type": kind, "nullable": bool(facts.get("nullable", False)),
                            "unique": bool(facts.get("unique", False)), "required": bool(facts.get("required", True))}
    for check, value in _checks(facts):
        if not _take(rule, kind, check, value):
            left_out.append(f"{check} of {name!r:.60}")
    return rule


def _kind(name: str, dtype: Any) -> str:
    if not isinstance(dtype, (str, type(None))):
        raise BadInput(f"The type of {name!r:.80} in the pandera schema is no text.")
    text = (dtype or "str").casefold().removeprefix("dataframe_")
    found = next((kind for begin, kind in _KINDS if text.startswith(begin)), None)
    if found is None:
        raise BadInput(f"{name!r:.80} is {text[:60]!r}, which no column of a table is.",
                       hint="Take that column out of the schema.")
    return found


def _checks(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give name and value of each check: of the short form, of the older one by name, and of a list."""
    yield from ((key, value) for key, value in facts.items() if key not in _FACTS)
    checks = facts.get("checks") or {}
    if isinstance(checks, Mapping):
        for key, value in checks.items():
            yield str(key), value
    elif isinstance(checks, list):
        for item in checks:
            if isinstance(item, Mapping):
                options = item.get("options")
                name = (options.get("check_name") if isinstance(options, Mapping) else None) or item.get("name")
                yield name if isinstance(name, str) else "a check", item


def _take(rule: dict[str, Any], kind: str, check: str, given: Any) -> bool:
    """Put a check into a rule; False where it has no place there."""
    plain = isinstance(given, Mapping) and "value" in given
    value = given["value"] if plain else given
    whole = kind == "integer" and isinstance(value, int) and not isinstance(value, bool)
    if check in ("greater_than_or_equal_to", "ge") and _is_plain(value):
        rule["low"] = _end(value)
    elif check in ("less_than_or_equal_to", "le") and _is_plain(value):
        rule["high"] = _end(value)
    elif check in ("greater_than", "gt") and whole:
        rule["low"] = value + 1
    elif check in ("less_than", "lt") and whole:
        rule["high"] = value - 1
    elif check == "in_range" and isinstance(given, Mapping) and kind in ("integer", "number"):
        step = 1 if kind == "integer" else 0
        low, high = given.get("min_value"), given.get("max_value")
        if not isinstance(low, (int, float)) or not isinstance(high, (int, float)) or (
                not step and not (given.get("include_min", True) and given.get("include_max", True))):
            return False
        rule["low"] = low + (0 if given.get("include_min", True) else step)
        rule["high"] = high - (0 if given.get("include_max", True) else step)
    elif check == "isin" and isinstance(value, list) and all(map(_is_plain, value)):
        rule["values"] = [str(item) for item in value]
    elif kind == "text":
        return _take_text(rule, check, given if not plain else value)
    else:
        return False
    return True


def _take_text(rule: dict[str, Any], check: str, value: Any) -> bool:
    """As ``_take`` for checks of text, which become one pattern of the whole text."""
    if "pattern" in rule:
        return False
    if isinstance(value, Mapping) and check != "str_length":
        value = next(iter(value.values()), None)
    if check == "str_matches" and isinstance(value, str):   # pandera looks at the beginning only
        own = re.fullmatch(r"\(\?:(.*)\)\$", value, re.DOTALL)
        rule["pattern"] = own[1] if own else value[:-1] if value.endswith("$") and not value.endswith("\\$") else \
            f"(?:{value}).*"
    elif check == "str_contains" and isinstance(value, str):
        rule["pattern"] = f".*(?:{value}).*"
    elif check in ("str_startswith", "str_endswith") and isinstance(value, str):
        rule["pattern"] = re.escape(value) + ".*" if check == "str_startswith" else ".*" + re.escape(value)
    elif check == "str_length" and isinstance(value, Mapping) and not value.get("exact_value"):
        low, high = value.get("min_value") or 0, value.get("max_value")
        if not isinstance(low, int) or not isinstance(high, (int, type(None))):
            return False
        rule["pattern"] = f"(?s:.{{{low:d},{'' if high is None else f'{high:d}'}}})"
    else:
        return False
    return True


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _end(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
