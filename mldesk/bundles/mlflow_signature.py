"""What MLflow wants to know of a model before it calls it: a signature, and rows as an example.

MLflow refuses a frame that is not of the signature's types, so these are the ones that pandas gives a file like the
model's own data: whole numbers are "long", dates are the texts they stand there as.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

EXAMPLE, SERVED = "input_example.json", "serving_input_example.json"
_TYPES = {"integer": "long", "number": "double", "boolean": "boolean"}   # all else is text
_LEVEL = {"name": "level", "type": "double", "default": None, "shape": None}   # of intervals, see ``TableModel``


def signature(model: Mapping[str, Any], rows: Sequence[Mapping[str, Any]],
              expected: Mapping[str, Sequence[Any]]) -> str:
    """Return the part of an ``MLmodel`` file that says what goes in and comes out, as YAML.

    ``rows`` are the model's own sample, ``expected`` its outputs for them, column by column.
    """
    inputs = [{"type": _type(str(item["type"]), [row.get(item["name"]) for row in rows]), "name": item["name"],
               "required": True} for item in model["features"]]
    outputs = [{"type": _type_of(values), "name": name, "required": True} for name, values in expected.items()]
    # JSON strings are YAML, too
    return ("signature:\n"
            f"  inputs: {json.dumps(json.dumps(inputs))}\n"
            f"  outputs: {json.dumps(json.dumps(outputs))}\n"
            f"  params: {json.dumps(json.dumps([_LEVEL]))}\n"
            "saved_input_example_info:\n"
            f"  artifact_path: {EXAMPLE}\n"
            "  pandas_orient: split\n"
            f"  serving_input_path: {SERVED}\n"
            "  type: dataframe\n")


def example(model: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the files that hold example rows, by name."""
    names = [item["name"] for item in model["features"]]
    table = {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}
    return {EXAMPLE: json.dumps(table).encode(), SERVED: json.dumps({"dataframe_split": table}).encode()}


def _type(kind: str, values: Sequence[Any]) -> str:
    """Return MLflow's type of a column; whole numbers of which some are missing are fractions in pandas."""
    missing = None in values
    if kind == "boolean" and missing:
        return "any"
    return "double" if kind == "integer" and missing else _TYPES.get(kind, "string")


def _type_of(values: Sequence[Any]) -> str:
    for kind, name in ((bool, "boolean"), (int, "long"), (float, "double")):
        if values and all(isinstance(value, kind) for value in values):
            return name
    return "string"
