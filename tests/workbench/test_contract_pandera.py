"""A contract as a pandera schema: what it says of every type, and what it cannot say, by name."""

from __future__ import annotations

import ast

from mldesk.workbench.contract_pandera import as_pandera, not_in_pandera


def test_a_schema_says_all_that_pandera_can() -> None:
    text = as_pandera({"columns": [
        {"name": "n", "type": "integer", "values": ["1", "2"], "missing": 0.1, "low": 1},
        {"name": "x", "type": "number", "values": ["0.5"], "severity": "warning"},
        {"name": "b", "type": "boolean", "values": ["true"]},
        {"name": "d", "type": "date", "values": ["2024-05-31"]},
        {"name": "t", "type": "text", "values": ["a'b"]}], "rows": {"low": 10, "high": 20}})
    ast.parse(text)
    for said in ("pa.Check.ge(1)", "pa.Check.isin([1, 2])", "cells.isna().mean() <= 0.1, ignore_na=False",
                 "pa.Check.isin([0.5], raise_warning=True)", "pa.Check.isin([True])", "import pandas as pd",
                 "pa.Check.isin(list(pd.to_datetime(['2024-05-31'])))", "pa.Check.isin([\"a'b\"])",
                 "len(frame) >= 10", "len(frame) <= 20"):
        assert said in text


def test_what_a_schema_cannot_say_is_named() -> None:
    assert not_in_pandera({"columns": [{"name": "at", "type": "time", "values": ["06:52"]},
                                       {"name": "n", "type": "integer", "severity": "row"}],
                           "extra": "warn", "file_name": {"pattern": "a"}}) == (
        "the rule for the file's name", "the warning of other columns", "the allowed times of 'at'",
        "that 'n' leaves single rows out")
    assert not_in_pandera({"columns": [{"name": "n", "type": "integer", "values": ["1"]}]}) == ()
