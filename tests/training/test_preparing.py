"""Steps that a model does by itself: learnt from the rows it was shown, done to each row alone, kept as plain JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Style
from mldesk.training.features import FeatureEncoder
from mldesk.training.joined import JoinedEncoder, read_encoder
from mldesk.training.prepared import OneEncoder, PreparedEncoder, fit_rows
from mldesk.training.preparing_check import check_steps
from mldesk.training.preparing_target import Truth
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
NEWER: list[dict[str, Any]] = [   # not those that go by the target
    {"step": "fill_missing", "columns": ["size"], "with": "mean", "by": ["town", "colour"]},
    {"step": "fill_missing", "columns": ["size", "colour"], "with": "knn", "neighbours": 3},
    {"step": "reduce", "columns": ["size", "left"], "into": "pc"},
]
TARGET = {"step": "encode_target", "columns": ["colour"], "target": "aim"}
BALANCE = {"step": "rebalance", "column": "aim"}


def fit_encoder(columns: dict[str, ColumnData], schema: Sequence[Column], style: Style, *,
                steps: Sequence[dict[str, Any]] = ()) -> OneEncoder:
    """Learn steps that do not go by the target."""
    rows = len(columns["size"])
    return fit_rows(columns, schema, style, Truth("aim", np.zeros(rows), ()), steps=steps).encoder


def table(rows: int = 80) -> dict[str, ColumnData]:
    draw = np.random.default_rng(4)
    size = draw.normal(size=rows)
    size[::9] = np.nan
    return {"size": size, "age": draw.integers(20, 60, rows).astype(float), "left": draw.normal(size=rows) + 3,
            "colour": TextColumn.of([None if row % 11 == 0 else ("red", "red", "green", "blue")[row % 4]
                                     for row in range(rows)]),
            "town": TextColumn.of([("Lyon", "Oslo")[row % 2] for row in range(rows)])}


def answers(rows: int = 80, classes: int = 2) -> Truth:
    return Truth("aim", np.arange(rows) % 5 % classes, [f"c{code}" for code in range(classes)])


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


@pytest.mark.parametrize("steps", [STEPS, NEWER], ids=["usual", "newer"])
@pytest.mark.parametrize("style", ["trees", "dense", "embed"])
def test_prepared_rows_are_the_same_one_by_one_and_after_reading_the_encoder_back(style: Any, steps: Any) -> None:
    data = table()
    encoder = fit_encoder(data, SCHEMA, style, steps=steps)
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
    ({"step": "fill_missing", "columns": ["size"], "with": "forward"}, "or mode or knn, not forward"),
    ({"step": "fill_missing", "columns": ["size"], "with": "mean", "by": ["aim"]}, "would look at the target 'aim'"),
    ({"step": "reduce", "columns": ["size", "left"], "components": 3}, "3 components cannot be made of 2 columns"),
    ({**TARGET, "target": "left"}, "encodes by 'left', and the model predicts 'aim'"),
    ({**TARGET, "columns": ["size"]}, "'size' is number"),
    ({**BALANCE, "column": "nothing"}, "no column 'nothing' to go by"),
    ({"step": "segment", "columns": ["size"], "into": "s"}, "how many segments"),
    ({"step": "scale", "columns": ["town"], "how": "standard"}, "'town' is text"),
    ({"step": "scale", "columns": ["nothing"], "how": "standard"}, "no column 'nothing'"),
    ({"step": "encode", "columns": ["aim"], "how": "one_hot"}, "would change the target 'aim'"),
    ({"step": "segment", "columns": ["size"], "segments": 2, "into": "age"}, "a column 'age' already"),
])
def test_a_step_that_a_model_cannot_do_is_refused_before_training(step: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_steps([step], SCHEMA, "aim")


@pytest.mark.parametrize("change", [{"format": 3}, {"steps": [{"step": "pickle"}]}, {"inputs": [["size", "matrix"]]},
                                    {"steps": [{"step": "scale", "column": "size", "middle": 0, "width": 0}]},
                                    {"steps": [{"step": "fill_missing", "column": "gone", "value": 0}]}])
def test_a_damaged_preparation_is_a_sentence(change: dict[str, Any]) -> None:
    kept = fit_encoder(table(), SCHEMA, "trees", steps=STEPS).to_json()
    with pytest.raises(BadInput):
        read_encoder({**kept, **change})


@pytest.mark.parametrize("step", [*STEPS, *NEWER, TARGET, BALANCE],
                         ids=lambda step: f"{step['step']}-{step.get('columns', ['all'])[0]}")
def test_a_step_that_says_too_little_or_nonsense_is_a_sentence(step: dict[str, Any]) -> None:
    data, truth = table(), answers()
    nonsense: tuple[Any, ...] = (None, True, -1, 0.5, 10**400, math.nan, "", "a" * 100_000, "\ud800", [], [[]],
                                 [None], ["nobody"], {}, {"a": 1})
    fields = {"step", "columns", "with", "how", "by", "low", "high", "bins", "give", "most", "order", "segments",
              "into", "seed", "unheard_of", "using", "neighbours", "components", "share", "columns_go", "target",
              "column", "value", "smoothing", "folds", "rows"}
    spoilt = [{key: value for key, value in step.items() if key != name} for name in step]
    spoilt += [{**step, name: value} for name in sorted(fields) for value in nonsense]
    for one in [*spoilt, *nonsense]:
        for work in (lambda steps: check_steps(steps, SCHEMA, "aim"),
                     lambda steps: fit_rows(data, SCHEMA, "trees", truth, steps=steps)):
            try:
                work([one])
            except BadInput as error:
                assert len(error.message) < 500, error.message
    for usual in ({"step": "scale", "columns": ["left"]}, {"step": "encode", "columns": ["town"]},
                  {"step": "bin", "columns": ["age"]}, {"step": "fill_missing", "columns": ["size"]}):
        fit_encoder(data, SCHEMA, "trees", steps=[usual])  # what is not said is as in a recipe


def test_a_training_row_is_encoded_without_its_own_answer_and_later_rows_by_all_of_them() -> None:
    data, y = table(), np.arange(80) % 5 / 2
    colours = data["colour"]
    assert isinstance(colours, TextColumn)
    first = fit_rows(data, SCHEMA, "trees", Truth("aim", y, ()), steps=[TARGET])
    place = first.encoder.feature_names.index("colour")
    for row in (1, 2, 3, 11):   # of each category, and one without any
        other = y.copy()
        other[row] += 1000
        marked_one = fit_rows(data, SCHEMA, "trees", Truth("aim", other, ()), steps=[TARGET])
        alike = colours.codes == colours.codes[row]
        assert marked_one.x[row, place] == first.x[row, place]
        assert (marked_one.x[alike, place] != first.x[alike, place]).any()
    alike = colours.codes == colours.codes[1]
    expected = (y[alike].sum() + 20 * y.mean()) / (alike.sum() + 20)   # Micci-Barreca's, of all training rows
    assert first.encoder.transform(data)[1, place] == np.float32(expected)
    unseen = {**take(data, np.array([0])), "colour": TextColumn.of(["MARKER"])}
    assert first.encoder.transform(unseen)[0, place] == np.float32(y.mean())


def test_a_column_of_chance_tells_nothing_of_the_answers_it_was_encoded_by() -> None:
    """Every row has its own category: by all rows it would give the answer away, out of fold it is the mean."""
    rows = 200
    draw = np.random.default_rng(3)
    data: dict[str, ColumnData] = {"own": TextColumn.of([f"v{row}" for row in range(rows)]),
                                   "size": draw.normal(size=rows)}
    y = draw.integers(0, 2, rows)
    schema = [Column("own", ColumnType.TEXT), Column("size", ColumnType.NUMBER)]
    made = fit_rows(data, schema, "trees", Truth("aim", y, ["a", "b"]),
                    steps=[{**TARGET, "columns": ["own"], "smoothing": 0}], chosen=True)
    place = made.encoder.feature_names.index("own")
    assert np.abs(made.x[:, place] - y.mean()).max() < 0.05
    assert np.array_equal(made.encoder.transform(data)[:, place], y.astype(np.float32))


def test_several_classes_make_a_column_each_and_a_value_makes_one() -> None:
    data, truth = table(), answers(classes=3)
    made = fit_rows(data, SCHEMA, "trees", truth, steps=[TARGET])
    assert [name for name in made.encoder.feature_names if name.startswith("colour")] == [
        "colour_c0", "colour_c1", "colour_c2"]
    again = read_encoder(json.loads(json.dumps(made.encoder.to_json())))
    assert np.array_equal(again.transform(data), made.encoder.transform(data), equal_nan=True)
    one = fit_rows(data, SCHEMA, "trees", truth, steps=[{**TARGET, "value": "c2"}])
    assert [name for name in one.encoder.feature_names if name.startswith("colour")] == ["colour"]
    with pytest.raises(BadInput, match="is no class of 'aim'"):
        fit_rows(data, SCHEMA, "trees", truth, steps=[{**TARGET, "value": "c7"}])


@pytest.mark.parametrize(("how", "each"), [("fewer", 20), ("more", 60)])
def test_rebalanced_rows_are_training_rows_and_a_row_to_be_predicted_stays(how: str, each: int) -> None:
    data, y = table(), np.array([0, 0, 0, 1] * 20)
    made = fit_rows(data, SCHEMA, "trees", Truth("aim", y, ["a", "b"]), steps=[{**BALANCE, "how": how}])
    assert np.bincount(y[made.rows]).tolist() == [each, each]
    assert len(made.x) == 2 * each
    assert np.array_equal(made.x, made.encoder.transform(data)[made.rows], equal_nan=True)
    assert made.encoder.transform(data).shape[0] == 80
    assert read_encoder(json.loads(json.dumps(made.encoder.to_json()))).width == made.encoder.width


def test_groups_and_neighbours_fill_as_the_steps_of_a_recipe_do() -> None:
    data = table()
    size, town = data["size"], data["town"]
    assert isinstance(size, np.ndarray)
    assert isinstance(town, TextColumn)
    made = fit_rows(data, SCHEMA, "trees", answers(), steps=[
        {"step": "fill_missing", "columns": ["size"], "with": "median", "by": ["town"]}])
    place = made.encoder.feature_names.index("size")
    for row in np.flatnonzero(np.isnan(size)):
        assert made.x[row, place] == np.float32(np.nanmedian(size[town.codes == town.codes[row]]))
    near = fit_rows(data, SCHEMA, "trees", answers(), steps=[
        {"step": "fill_missing", "columns": ["size"], "with": "knn", "neighbours": 1, "using": ["left"]}])
    left = np.asarray(data["left"])
    there = np.flatnonzero(~np.isnan(size))
    for row in np.flatnonzero(np.isnan(size)):
        nearest = there[np.abs(left[there] - left[row]).argmin()]
        assert near.x[row, place] == np.float32(size[nearest])
    assert "MARKER" not in json.dumps(near.encoder.to_json())
