"""A contract as the source of a pandera schema, for those who check tables in pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES = {"integer": "Int64", "number": "float64", "boolean": "boolean", "text": "string", "date": "datetime64[ns]",
          "datetime": "datetime64[ns]", "time": "object"}


def as_pandera(document: Mapping[str, Any]) -> str:
    """Return a Python module with one ``schema``; rules about files (names, row counts) have no place in it."""
    lines = [_column(rule) for rule in document["columns"]]
    return ('"""Made by MLDesk of a contract."""\n\nimport pandera.pandas as pa\n\nschema = pa.DataFrameSchema({\n'
            + "".join(f"    {line},\n" for line in lines)
            + f"}}, strict={document.get('extra', 'refuse') == 'refuse'}, ordered={document.get('order', False)}, "
              "coerce=True)\n")


def _column(rule: Mapping[str, Any]) -> str:
    checks: list[str] = []
    for key, call in (("low", "ge"), ("high", "le")):
        if rule.get(key) is not None:
            checks.append(f"pa.Check.{call}({rule[key]!r})")
    if rule.get("values") is not None and rule["type"] == "text":
        checks.append(f"pa.Check.isin({list(rule['values'])!r})")
    if rule.get("pattern"):
        checks.append(f"pa.Check.str_matches({'(?:' + rule['pattern'] + ')$'!r})")
    return (f"{rule['name']!r}: pa.Column({_TYPES[rule['type']]!r}, checks=[{', '.join(checks)}], "
            f"nullable={rule.get('nullable', True)}, unique={rule.get('unique', False)}, "
            f"required={rule.get('required', True)})")
