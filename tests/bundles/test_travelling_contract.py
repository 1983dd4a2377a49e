"""The rules that travel with a model: written, read with suspicion, and what rows in a request are held to."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from mldesk.bundles import Predictor, inspect
from mldesk.bundles import serve as server
from mldesk.bundles.contract import RowContract
from mldesk.bundles.writing import write_bundle
from mldesk.data.contracts.contract import Contract
from tests.bundles.making import StoredModel, packed
from tests.bundles.spoiling import Parts, refused, resigned
from tests.bundles.test_serve import Client

RULES = Contract.from_json({"columns": [
    {"name": "age", "type": "integer", "low": 17, "high": 90, "nullable": False, "unique": True},
    {"name": "sex", "type": "text", "values": ["Male", "Female"]},
    {"name": "workclass", "type": "text", "pattern": "[A-Z].*"},
    {"name": "income", "type": "text", "values": [">50K"]}]})


def held(model: StoredModel) -> RowContract:
    found = RowContract.about(Predictor.from_manifest(model.digest, model.store).schema, "adult@2", 4, RULES)
    assert found is not None
    return found


def test_rules_travel_with_their_digest_and_without_those_of_the_target(model: StoredModel, tmp_path: Path) -> None:
    path = tmp_path / "a.mlbundle"
    write_bundle(path, model.digest, model.store, {"name": "m", "version": 1}, None, contract=held(model))
    found = inspect(path)
    assert found.contract == held(model)
    assert [rule.name for rule in held(model).contract.columns] == ["age", "sex", "workclass"]
    assert found.manifest["contract"] == "contract.json"
    assert Predictor.open(path).contract_file() == held(model).to_bytes()
    plain = model.bundle(tmp_path / "b.mlbundle")
    assert Predictor.open(plain).contract_file() is None
    assert "contract" not in inspect(plain).to_json()


@pytest.mark.parametrize(("document", "reason"), [
    ([], "not a JSON object"), ({"format": 2}, "format 2"), ({"format": 1}, "whose it is"),
    ({"format": 1, "dataset": "a@1", "number": True, "contract": {}}, "whose it is"),
    ({"format": 1, "dataset": "a\nb", "number": 1, "contract": {}}, "whose it is"),
    ({"format": 1, "dataset": "a@1", "number": 1, "contract": {"columns": []}}, "no list of columns"),
    ({"format": 1, "dataset": "a@1", "number": 1, "contract": {"columns": [
        {"name": "age", "type": "text", "pattern": "(?=x)"}]}}, "pattern cannot be read"),
    ({"format": 1, "dataset": "a@1", "number": 1, "contract": {"columns": [
        {"name": "age", "type": "matrix"}]}}, "no type 'matrix'")])
def test_rules_that_make_no_sense_are_refused(document: Any, reason: str, parts: Parts, tmp_path: Path) -> None:
    refused(packed(tmp_path / "bad.mlbundle", resigned(parts, contract_DOT_json=json.dumps(document).encode())), reason)


def test_a_server_warns_of_rows_that_break_the_rules_or_refuses_them(model: StoredModel) -> None:
    predictor = Predictor.from_manifest(model.digest, model.store)
    good = {name: values[0] for name, values in model.rows.items()}
    bad = {**good, "age": 400, "sex": "none", "workclass": "private"}
    warning, strict = (Client(server.app(predictor, held_to=held(model), strict=on)) for on in (False, True))
    assert warning.post("/predict", json=[good]).json()["warnings"] == []
    answer = warning.post("/predict", json=[good, bad, {**good, "age": None}]).json()
    assert len(answer["predictions"]) == 3
    said = [line for line in answer["warnings"] if line.startswith("By contract 4 of adult: ")]
    assert [line.removeprefix("By contract 4 of adult: ") for line in said] == [
        "1 value of 'age' is missing, which may not be (row 3).", "1 value of 'age' is not between 17 and 90 (row 2).",
        "1 value of 'sex' is none of the allowed values (row 2).",
        "1 value of 'workclass' is not like [A-Z].* (row 2)."]
    assert strict.post("/predict", json=[good]).status_code == 200
    refusal = strict.post("/predict", json=[good, bad])
    assert refusal.status_code == 400
    assert refusal.json()["error"]["message"].startswith("By contract 4 of adult: 1 value of 'age'")


@pytest.mark.parametrize(("kind", "rule", "good", "bad"), [
    ("number", {"low": 0, "high": 1}, [0, 1.0, "0.5", None, math.nan, "many"], [-0.1, 2]),
    ("integer", {"values": [1, "2"]}, [1, 2.0, "2"], [3]),
    ("boolean", {"values": [True]}, [True, "yes"], [False, "no"]),
    ("date", {"low": "2024-01-01"}, ["2024-01-01", "2025-06-07", "no date"], ["2023-12-31"]),
    ("datetime", {"high": "2024-01-01T00:00:00"}, ["2023-06-01 10:00", "2024-01-01T01:00:00+02:00"],
     ["2024-01-01T00:00:01"]),
    ("time", {"low": "08:00"}, ["08:00", "09:30:01"], ["07:59"]),
    ("text", {"pattern": "a|b"}, ["a", "b", None], ["ab", "c", "a\n"])])
def test_cells_of_every_type_are_held_to_their_rule(kind: str, rule: dict[str, Any], good: list[Any],
                                                    bad: list[Any]) -> None:
    made = RowContract("t@1", 1, Contract.from_json({"columns": [{"name": "a", "type": kind, **rule}]}))
    assert made.broken_by({"a": good, "b": [1]}) == []
    for value in bad:
        assert len(made.broken_by({"a": [*good, value]})) == 1, value
