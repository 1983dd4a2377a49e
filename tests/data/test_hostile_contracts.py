"""Contracts that somebody wrote to do harm, or wrote badly: a sentence each time, never a traceback."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput, MldeskError
from mldesk.data import ImportOptions
from mldesk.data.contracts.check import check_file
from mldesk.data.contracts.contract import ColumnRule, Contract, read_contract
from mldesk.data.contracts.rows import findings_of
from mldesk.data.pattern_size import states
from mldesk.workbench.contract_from_pandera import from_pandera, read_document

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 2.5, 10**400, 10**30, -1e308, math.inf, math.nan, "", " ", "\0", "a" * 100_000, "x", "'); --",
    "\ud800", "(", "(?=x)", "a{1000}{1000}", "2024-02-30", [], [[]], [None], [1.5, 2], ["x", "x"], ["a" * 100_000],
    [{}], {}, {"x": {}}, {"low": "x"}, {"low": -1}, {"low": 10**400}, {"pattern": 1}, {"pattern": "x", "dates": [1]},
    {"pattern": "(?P<a>x)", "dates": {"a": "%"}}, {"pattern": "(?P<a>.*)", "dates": {"a": "\ud800"}},
    {"pattern": "x", "ignore_case": "no"})
KINDS = {"n": "integer", "x": "number", "b": "boolean", "t": "text", "d": "date", "ts": "datetime", "h": "time"}
ROWS = "n,x,b,t,d,ts,h\n1,0.5,true,x,2024-01-02,2024-01-02 10:00,10:00\n2,,false,y,,,\n"
PLAIN = {"columns": [{"name": name, "type": kind} for name, kind in KINDS.items()]}


def judged(document: Any, folder: Path, number: int) -> None:
    """Read a contract and use it, on a file and on rows; what is refused has to be so by a sentence."""
    try:
        contract = read_contract(json.dumps(document))
        path = folder / "rows.csv"
        path.write_text(ROWS)
        place = folder / str(number)
        place.mkdir()
        check_file(path, "", contract, ImportOptions(), place)
        findings_of(contract, {"n": [1, None], "x": [0.5, 1e308], "b": [True, None], "t": ["x", None],
                               "d": ["2024-01-02", None], "ts": ["2024-01-02T10:00:00", None], "h": ["10:00", None]})
    except MldeskError as error:
        assert len(error.message) < 1000, error.message


def test_every_part_of_a_contract_may_hold_anything(tmp_path: Path) -> None:
    spoilt: list[Any] = [{**PLAIN, name: value} for name in ("columns", "extra", "order", "rows", "file_name", "\0")
                         for value in HOSTILE]
    spoilt += list(HOSTILE) + [{"columns": [value]} for value in HOSTILE]
    for number, document in enumerate(spoilt):
        judged(document, tmp_path, number)


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_part_of_a_rule_may_hold_anything(kind: str, tmp_path: Path) -> None:
    own = next(name for name, known in KINDS.items() if known == kind)
    names = [item.name for item in fields(ColumnRule)]
    spoilt = [{"columns": [{key: value for key, value in {"name": own, "type": kind}.items() if key != name}]}
              for name in ("name", "type")]
    spoilt += [{"columns": [{"name": own, "type": kind, name: value}], "extra": "allow"}
               for name in names for value in HOSTILE]
    for number, document in enumerate(spoilt):
        judged(document, tmp_path, number)


@pytest.mark.parametrize("text", [
    "[" * 100_000, '{"columns": ' * 5000, '{"columns": [{"name": "a", "type": "text", "missing": NaN}]}',
    '{"columns": [{"name": "a", "type": "integer", "low": ' + "9" * 5000 + "}]}", "", "\0", "{", "null"])
def test_a_text_that_is_no_contract_is_a_sentence(text: str) -> None:
    with pytest.raises(BadInput):
        read_contract(text)


def test_every_part_of_a_pandera_schema_may_hold_anything() -> None:
    checks = ("dtype", "nullable", "unique", "required", "checks", "ge", "gt", "le", "lt", "in_range", "isin",
              "str_matches", "str_contains", "str_startswith", "str_length", "regex")
    more: tuple[Any, ...] = ({"min_value": "x", "max_value": []}, {"min_value": 1}, {"value": {}}, [{"options": 5}],
                             [{"options": {"check_name": []}}], {"ge": {"value": {}}})
    for check in checks:
        for kind in ("int64", "float64", "str", "datetime64[ns]"):
            for value in (*HOSTILE, *more):
                column = {"dtype": kind, check: value}
                for facts in (column, {"dtype": kind, "checks": {check: value}}, value):
                    try:
                        document, _ = from_pandera({"schema_type": "dataframe", "columns": {"a": facts}})
                        Contract.from_json(document)
                    except BadInput as error:
                        assert len(error.message) < 1000


def test_a_yaml_file_that_grows_when_it_is_read_is_a_sentence() -> None:
    lines = ["schema_type: dataframe", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 12)]
    lines += ["columns: {a: {dtype: str, isin: *a11, ge: *a11}}"]
    document = read_document("\n".join(lines), yaml=True)
    try:
        from_pandera(document)
    except BadInput as error:
        assert len(error.message) < 1000


@pytest.mark.parametrize(("pattern", "reason"), [
    ("[a", "cannot be read: missing ]: [a."), (r"\QFemale", "does not end what it begins"), ("a)(b", "unexpected )"),
    ("((a{0,30}){0,30}){0,1}" * 40, "it repeats what repeats"), ("(?=x)", "invalid perl operator: (?=")])
def test_a_pattern_is_refused_where_the_contract_is_read(pattern: str, reason: str) -> None:
    with pytest.raises(BadInput, match=re.escape(reason)):
        Contract.from_json({"columns": [{"name": "a", "type": "text", "pattern": pattern}]})


@pytest.mark.parametrize(("pattern", "size"), [
    ("abc|d", 5), (r"[A-Z]{2}\d{4}", 6), ("[]a]{3}[[:alpha:]]", 4), ("x{2,}", 3), (r"\p{L}{1,30}", 30),
    ("(a{3}b){4}", 16), ("a{", 2), (r"\Q{9}", 1), (r"\(a{2}\)", 4)])
def test_counted_repetition_is_written_out_in_a_patterns_size(pattern: str, size: int) -> None:
    assert states(pattern) == size


def test_no_pattern_is_tried_on_a_long_text_which_does_not_match() -> None:
    contract = Contract.from_json({"columns": [{"name": "a", "type": "text", "pattern": "x*"}]})
    found = findings_of(contract, {"a": ["xx", "x" * 10_000, "x" * 10_001, "y", None]})
    assert [(item.count, item.cells[0][0]) for item in found] == [(1, 4), (1, 3)]
    assert "longer than 10,000 letters" in found[1].message


def test_patterns_that_are_medium_each_are_bounded_together() -> None:
    def contract(count: int) -> Contract:
        return Contract.from_json({"columns": [{"name": f"a{number}", "type": "text", "pattern": "(ab?c){0,300}"}
                                               for number in range(count)]})

    assert len(contract(20).columns) == 20
    with pytest.raises(BadInput, match="too large together: written out they have over 20,000 parts"):
        contract(23)


def test_patterns_of_a_recipe_are_bounded_together_for_each_column_they_look_at() -> None:
    from mldesk.data.recipes.steps import check_steps

    step = {"step": "replace_text", "columns": ["a", "b"], "pattern": "(ab?c){0,300}", "put": ""}
    assert len(check_steps([step] * 10)) == 10
    assert len(check_steps([*[step] * 10, {**step, "disabled": True}, {**step, "disabled": True}])) == 12
    with pytest.raises(BadInput, match="too large together"):
        check_steps([step] * 12)
    with pytest.raises(BadInput, match="too large together"):
        check_steps([{"step": "split", "column": "a", "separator": "(ab?c){0,300}", "is": "pattern",
                      "into": ["b", "c"]}] * 23)
