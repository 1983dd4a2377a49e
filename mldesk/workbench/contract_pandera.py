"""A contract as the source of a pandera schema, for those who check tables in pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES = {"integer": "Int64", "number": "float64", "boolean": "boolean", "text": "string", "date": "datetime64[ns]",
          "datetime": "datetime64[ns]", "time": "object"}


def as_pandera(document: Mapping[str, Any]) -> str:
    """Return a Python module with one ``schema``. What has no place in it: ``not_in_pandera``."""
    lines = [_column(rule) for rule in document["columns"]]
    rows = document.get("rows") or {}
    end = ", raise_warning=True)" if rows.get("severity") == "warning" else ")"
    checks = [f"pa.Check(lambda frame: len(frame) {sign} {rows[key]!r}, name={words!r}{end}" for key, sign, words in (
        ("low", ">=", "fewest rows"), ("high", "<=", "most rows")) if rows.get(key) is not None]
    pandas = "import pandas as pd\n" if any("pd." in line for line in lines) else ""
    return (f'"""Made by MLDesk of a contract."""\n\n{pandas}import pandera.pandas as pa\n\n'
            "schema = pa.DataFrameSchema({\n"
            + "".join(f"    {line},\n" for line in lines)
            + f"}}, checks=[{', '.join(checks)}], strict={document.get('extra', 'refuse') == 'refuse'}, "
              f"ordered={document.get('order', False) is True}, coerce=True)\n")


def not_in_pandera(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return in words what of a contract a pandera schema cannot say."""
    said = ["the rule for the file's name"] if document.get("file_name") else []
    if document.get("extra") == "warn":
        said.append("the warning of other columns")
    if document.get("order") == "warn":
        said.append("the warning of another order")
    for rule in document["columns"]:
        if rule.get("values") is not None and rule["type"] == "time":
            said.append(f"the allowed times of {rule['name']!r:.60}")
        if rule.get("severity") == "row":
            said.append(f"that {rule['name']!r:.60} leaves single rows out")
    return tuple(said)


def _column(rule: Mapping[str, Any]) -> str:
    calls = [f"pa.Check.{call}({rule[key]!r}" for key, call in (("low", "ge"), ("high", "le"))
             if rule.get(key) is not None]
    if rule.get("values") is not None and (allowed := _allowed(rule)):
        calls.append(f"pa.Check.isin({allowed}")
    if rule.get("pattern"):
        calls.append(f"pa.Check.str_matches({'(?:' + rule['pattern'] + ')$'!r}")
    if rule.get("missing") is not None:
        calls.append(f"pa.Check(lambda cells: cells.isna().mean() <= {rule['missing']!r}, ignore_na=False, "
                     "name='share of missing cells'")
    end = ", raise_warning=True)" if rule.get("severity") == "warning" else ")"
    checks = ", ".join(call + end for call in calls)
    return (f"{rule['name']!r}: pa.Column({_TYPES[rule['type']]!r}, checks=[{checks}], "
            f"nullable={rule.get('nullable', True)}, unique={rule.get('unique', False)}, "
            f"required={rule.get('required', True)})")


def _allowed(rule: Mapping[str, Any]) -> str:
    """Return the allowed values as Python source, in the column's type; "" where there is none for it."""
    values, kind = list(rule["values"]), rule["type"]
    if kind == "text":
        return repr(values)
    if kind == "boolean":
        return repr([value.strip().lower() in ("true", "1") for value in values])
    if kind in ("integer", "number"):
        return repr([float(value) if kind == "number" else int(float(value)) for value in values])
    return "" if kind == "time" else f"list(pd.to_datetime({values!r}))"
