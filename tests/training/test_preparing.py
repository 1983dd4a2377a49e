"""Steps that a model does by itself: learnt from the rows it was shown, done to each row alone, kept as plain JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.features import FeatureEncoder
from mldesk.training.joined import JoinedEncoder, read_encoder
from mldesk.training.prepared import PreparedEncoder, fit_encoder
from mldesk.training.preparing_check import check_steps
from mldesk.training.values import ColumnData, TextColumn, as_column, take
from mldesk.wire.schema import Column, ColumnType

SCHEMA = [Column("size", ColumnType.NUMBER), Column("age", ColumnType.INTEGER), Column("colour", ColumnType.TEXT),
          Column("town", ColumnType.TEXT), Column("left", ColumnType.NUMBER)]
STEPS: list[dict[str, Any]] = [
    {"step": "fill_missing", "columns": ["size"], "with": "mean"},
    {"step": "fill_missing", "columns": ["colour"], "with": "mode"},
    {"step": "clip", "columns": ["left"], "by": "shares", "low": 0.0, "high": 1.0},
    {"step": "scale", "columns": ["left"], "how": "minmax"},
    {"step": "segment", "columns": ["size", "left"], "segments": 3, "into": "segment", "seed": 1},
    {"step": "bin", "columns": ["age"], "by": "width", "bins": 4, "give": "range"},
    {"step": "encode", "columns": ["colour"], "how": "one_hot", "most": 2},
    {"step": "encode", "columns": ["town"], "how": "ordinal"},
]


def table(rows: int = 80) -> dict[str, ColumnData]:
    draw = np.random.default_rng(4)
    size = draw.normal(size=rows)
    size[::9] = np.nan
    return {"size": size, "age": draw.integers(20, 60, rows).astype(float), "left": draw.normal(size=rows) + 3,
            "colour": TextColumn.of([None if row % 11 == 0 else ("red", "red", "green", "blue")[row % 4]
                                     for row in range(rows)]),
            "town": TextColumn.of([("Lyon", "Oslo")[row % 2] for row in range(rows)])}


def marked(data: dict[str, ColumnData]) -> dict[str, ColumnData]:
    """The same rows with values that no training row has."""
    rows = len(data["size"])
    return {"size": np.full(rows, 9e9), "age": np.full(rows, 9e9), "left": np.full(rows, 9e9),
            "colour": TextColumn.of(["MARKER"] * rows), "town": TextColumn.of(["MARKER"] * rows)}


def test_what_is_learnt_is_that_of_the_training_rows_and_nothing_of_a_marked_row_is_in_it() -> None:
    data = table()
    whole = {name: (TextColumn.of([*(np.array([*first.values, None])[first.codes]), *("MARKER",) * len(first)])
                    if isinstance(first, TextColumn) else np.concatenate([first, marked(data)[name]]))  # type: ignore[list-item]
             for name, first in data.items()}
    encoder = fit_encoder(take(whole, np.arange(80)), SCHEMA, "trees", steps=STEPS)
    text = json.dumps(encoder.to_json())
    assert "MARKER" not in text
    learnt = {(item["step"], item.get("column")): item for item in encoder.to_json()["steps"]}
    size = data["size"]
    assert isinstance(size, np.ndarray)
    assert learnt["fill_missing", "size"]["value"] == pytest.approx(np.nanmean(size), rel=1e-11)
    assert learnt["fill_missing", "colour"]["value"] == "red"
    assert learnt["clip", "left"]["high"] == float(np.max(np.asarray(data["left"])))
    assert max(abs(value) for centre in learnt["segment", None]["centres"] for value in centre) < 10
    assert max(learnt["bin", "age"]["edges"]) < 60
    assert learnt["one_hot", "colour"]["outputs"] == ["colour_green", "colour_red", "colour_other"] or \
        learnt["one_hot", "colour"]["outputs"] == ["colour_blue", "colour_red", "colour_other"]
    assert text == json.dumps(fit_encoder(data, SCHEMA, "trees", steps=STEPS).to_json())


@pytest.mark.parametrize("style", ["trees", "dense", "embed"])
def test_prepared_rows_are_the_same_one_by_one_and_after_reading_the_encoder_back(style: Any) -> None:
    data = table()
    encoder = fit_encoder(data, SCHEMA, style, steps=STEPS)
    assert isinstance(encoder, PreparedEncoder)
    again = read_encoder(json.loads(json.dumps(encoder.to_json())))
    first = encoder.transform(data)
    assert np.array_equal(first, again.transform(data), equal_nan=True)
    assert [column.name for column in encoder.columns] == [column.name for column in SCHEMA]
    for row in (0, 9, 11):
        assert np.array_equal(encoder.transform(take(data, np.array([row])))[0], first[row], equal_nan=True)
    places = np.concatenate([encoder.outputs(index) for index in range(len(encoder.columns))])
    assert sorted(places.tolist()) == list(range(encoder.width))  # each output belongs to one column
    plain = FeatureEncoder.fit(data, SCHEMA, style)
    joined = JoinedEncoder([encoder, plain])
    assert np.array_equal(read_encoder(joined.to_json()).transform(data), joined.transform(data), equal_nan=True)


def test_rows_without_a_value_and_with_values_never_seen_are_prepared() -> None:
    encoder = fit_encoder(table(), SCHEMA, "trees", steps=STEPS)
    empty: dict[str, ColumnData] = {column.name: as_column([None, None], column) for column in SCHEMA}
    assert encoder.transform(empty).shape == encoder.transform(take(marked(table()), np.array([0, 1]))).shape
    names = encoder.feature_names
    first = encoder.transform(empty)[0]
    assert first[names.index("colour_red")] == 1  # the mode was filled in before
    with pytest.raises(BadInput, match="no column 'age'"):
        encoder.transform({name: data for name, data in table().items() if name != "age"})


@pytest.mark.parametrize(("step", "words"), [
    ({"step": "filter", "where": "age > 3"}, "cannot be prepared in the model"),
    ({"step": "fill_missing", "columns": ["size"], "with": "knn"}, "with mean or median or mode, not knn"),
    ({"step": "segment", "columns": ["size"], "into": "s"}, "how many segments"),
    ({"step": "scale", "columns": ["town"], "how": "standard"}, "'town' is text"),
    ({"step": "scale", "columns": ["nothing"], "how": "standard"}, "no column 'nothing'"),
    ({"step": "encode", "columns": ["aim"], "how": "one_hot"}, "would change the target 'aim'"),
    ({"step": "segment", "columns": ["size"], "segments": 2, "into": "age"}, "a column 'age' already"),
])
def test_a_step_that_a_model_cannot_do_is_refused_before_training(step: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_steps([step], SCHEMA, "aim")


@pytest.mark.parametrize("change", [{"format": 2}, {"steps": [{"step": "pickle"}]}, {"inputs": [["size", "matrix"]]},
                                    {"steps": [{"step": "scale", "column": "size", "middle": 0, "width": 0}]},
                                    {"steps": [{"step": "fill_missing", "column": "gone", "value": 0}]}])
def test_a_damaged_preparation_is_a_sentence(change: dict[str, Any]) -> None:
    kept = fit_encoder(table(), SCHEMA, "trees", steps=STEPS).to_json()
    with pytest.raises(BadInput):
        read_encoder({**kept, **change})


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['step']}-{step['columns'][0]}")
def test_a_step_that_says_too_little_or_nonsense_is_a_sentence(step: dict[str, Any]) -> None:
    data = table()
    nonsense: tuple[Any, ...] = (None, True, -1, 0.5, 10**400, math.nan, "", "a" * 100_000, "\ud800", [], [[]],
                                 [None], ["nobody"], {}, {"a": 1})
    fields = {"step", "columns", "with", "how", "by", "low", "high", "bins", "give", "most", "order", "segments",
              "into", "seed", "unheard_of"}
    spoilt = [{key: value for key, value in step.items() if key != name} for name in step]
    spoilt += [{**step, name: value} for name in sorted(fields) for value in nonsense]
    for one in [*spoilt, *nonsense]:
        for work in (lambda steps: check_steps(steps, SCHEMA, "aim"),
                     lambda steps: fit_encoder(data, SCHEMA, "trees", steps=steps)):
            try:
                work([one])
            except BadInput as error:
                assert len(error.message) < 500, error.message
    for usual in ({"step": "scale", "columns": ["left"]}, {"step": "encode", "columns": ["town"]},
                  {"step": "bin", "columns": ["age"]}, {"step": "fill_missing", "columns": ["size"]}):
        fit_encoder(data, SCHEMA, "trees", steps=[usual])  # what is not said is as in a recipe
