"""The encoder: the same numbers at training and prediction, nothing learned from what it was not shown."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Style
from mldesk.training.features import FeatureEncoder
from mldesk.training.roles import IDENTIFIER, Role, decide, looks_like_identifier
from mldesk.training.values import ColumnData, TextColumn, as_column, take
from mldesk.wire.schema import Column, ColumnType

STYLES: tuple[Style, ...] = get_args(Style)


def columns(rows: int = 60) -> tuple[dict[str, ColumnData], list[Column]]:
    draw = np.random.default_rng(0)
    number = draw.normal(size=rows)
    number[3] = np.nan
    moments = np.datetime64("2024-01-31T22:00", "us") + draw.integers(0, 10**14, rows)
    moments[5] = np.datetime64("NaT")
    data: dict[str, ColumnData] = {
        "size": number,
        "truth": draw.integers(0, 2, rows).astype(float),
        "colour": TextColumn.of([None if i == 7 else ("red", "green", "青い")[i % 3] for i in range(rows)]),
        "when": moments,
        "note": TextColumn.of([f"the {['good', 'bad'][i % 2]} thing number {i} came back" for i in range(rows)]),
    }
    types = (ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.TEXT, ColumnType.DATETIME, ColumnType.TEXT)
    return data, [Column(name, kind) for name, kind in zip(data, types, strict=True)]


@pytest.mark.parametrize("style", STYLES)
def test_an_encoder_read_back_from_json_gives_the_same_numbers(style: Style) -> None:
    data, schema = columns()
    encoder = FeatureEncoder.fit(data, schema, style)
    again = FeatureEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    first, second = encoder.transform(data), again.transform(data)
    assert first.dtype == np.float32
    assert first.shape == (60, len(encoder.feature_names)) == (60, len(encoder.origins))
    assert np.array_equal(first, second, equal_nan=True)
    assert again.categorical == encoder.categorical


@pytest.mark.parametrize("style", STYLES)
def test_rows_are_encoded_one_by_one(style: Style) -> None:
    data, schema = columns()
    encoder = FeatureEncoder.fit(data, schema, style)
    whole = encoder.transform(data)
    for row in (0, 3, 5, 7):
        alone = encoder.transform(take(data, np.array([row])))
        assert np.array_equal(alone[0], whole[row], equal_nan=True)


@pytest.mark.parametrize("style", ["dense", "embed"])
def test_only_trees_see_missing_values(style: Style) -> None:
    data, schema = columns()
    assert np.isnan(FeatureEncoder.fit(data, schema, "trees").transform(data)).any()
    encoder = FeatureEncoder.fit(data, schema, style)
    empty = {column.name: as_column([None], column) for column in schema}
    assert np.isfinite(encoder.transform(data)).all()
    assert np.isfinite(encoder.transform(empty)).all()


def test_numbers_that_no_float_holds_are_missing_and_large_ones_are_cut() -> None:
    schema = [Column("x", ColumnType.NUMBER)]
    encoder = FeatureEncoder.fit({"x": np.array([1.0, 2.0, np.inf, -np.inf, 1e300])}, schema, "trees")
    out = encoder.transform({"x": np.array([np.inf, -np.inf, 1e300, 2.0])})[:, 0]
    assert np.isnan(out[:2]).all()
    assert np.isfinite(out[2:]).all()


def test_codes_go_by_frequency_and_an_unseen_category_has_its_own() -> None:
    schema = [Column("c", ColumnType.TEXT)]
    encoder = FeatureEncoder.fit({"c": TextColumn.of(["b", "a", "b", None])}, schema, "trees")
    out = encoder.transform({"c": TextColumn.of(["b", "a", "never seen", None])})[:, 0]
    assert out[:3].tolist() == [0, 1, 2]
    assert np.isnan(out[3])
    dense = FeatureEncoder.fit({"c": TextColumn.of(["b", "a", "b", None])}, schema, "dense")
    assert dense.feature_names == ["c = b", "c = a", "c = (other)", "c is missing"]
    assert dense.transform({"c": TextColumn.of(["never seen", None])}).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]


def test_a_thousand_categories_are_capped_at_the_commonest() -> None:
    values = TextColumn.of([f"v{min(i % 1000, 600)}" for i in range(5000)])
    schema = [Column("c", ColumnType.TEXT)]
    encoder = FeatureEncoder.fit({"c": values}, schema, "embed")
    assert encoder.categorical == [(0, 256)]
    assert encoder.transform({"c": values}).max() == 254
    assert encoder.transform({"c": TextColumn.of(["v600"])})[0, 0] == 0
    assert FeatureEncoder.fit({"c": values}, schema, "dense").width == 101


def test_dates_become_their_parts() -> None:
    schema = [Column("d", ColumnType.DATE)]
    days = np.array(["2024-02-29", "2023-12-31", "1969-07-20"], "datetime64[D]").astype("datetime64[us]")
    encoder = FeatureEncoder.fit({"d": days}, schema, "trees")
    assert encoder.feature_names == ["d: year", "d: month", "d: day", "d: weekday"]
    assert encoder.transform({"d": days}).tolist() == [
        [2024, 2, 29, 3], [2023, 12, 31, 6], [1969, 7, 20, 6]]
    dense = FeatureEncoder.fit({"d": days}, schema, "dense")
    assert "d: month (sine)" in dense.feature_names
    assert "d: day of year" in dense.feature_names


def test_free_text_becomes_words_and_short_text_a_category() -> None:
    data, schema = columns()
    roles = decide(data, schema)
    assert roles.features == {"size": Role.NUMERIC, "truth": Role.NUMERIC, "colour": Role.CATEGORY,
                              "when": Role.TEMPORAL, "note": Role.WORDS}
    names = FeatureEncoder.fit(data, schema, "dense").feature_names
    assert "note: “bad”" in names
    assert "note: “the”" not in names  # it stands in every row


def test_empty_constant_and_identifier_columns_are_left_out_with_the_reason() -> None:
    rows = 50
    data: dict[str, ColumnData] = {
        "empty": np.full(rows, np.nan), "no text": TextColumn.of([None] * rows), "same": np.ones(rows),
        "customerID": TextColumn.of([f"{i:04d}-XQ" for i in range(rows)]), "No": np.arange(rows) * 1.0,
        "income": np.arange(rows) * 17.0, "half": np.where(np.arange(rows) % 2, 1.0, np.nan),
    }
    kinds = {"no text": ColumnType.TEXT, "customerID": ColumnType.TEXT, "No": ColumnType.INTEGER,
             "income": ColumnType.INTEGER}
    roles = decide(data, [Column(name, kinds.get(name, ColumnType.NUMBER)) for name in data])
    assert set(roles.features) == {"income", "half"}
    assert "empty" in roles.left_out["empty"]
    assert "same" in roles.left_out["same"]
    assert "identifier" in roles.left_out["customerID"]
    assert "identifier" in roles.left_out["No"]


def test_text_that_is_mostly_numbers_is_called_so_instead_of_an_identifier() -> None:
    texts = {
        "income (EUR)": [f"{16021 + 7 * i}.29" if i % 3 else f"€ {35 + i},370.57" for i in range(50)],
        "ticket id": [str(1000 + i) for i in range(50)], "zip": [f"0{1000 + i}" for i in range(50)],
    }
    roles = decide({name: TextColumn.of(values) for name, values in texts.items()},
                   [Column(name, ColumnType.TEXT) for name in texts])
    why = roles.left_out["income (EUR)"]
    assert "most of its values are numbers: import it with --type 'income (EUR)=number'" in why
    assert all(roles.left_out[name].startswith(IDENTIFIER) for name in ("ticket id", "zip"))


def test_a_numeric_identifier_that_the_user_chose_is_kept() -> None:
    data: dict[str, ColumnData] = {"id": np.arange(50) * 1.0}
    schema = [Column("id", ColumnType.INTEGER)]
    assert decide(data, schema).left_out
    assert decide(data, schema, chosen=True).features == {"id": Role.NUMERIC}


@pytest.mark.parametrize(("name", "is_one"), [
    ("id", True), ("Individual ID", True), ("customer_id", True), ("userId", True), ("No", True), ("row number", True),
    ("Unnamed: 0", True), ("", True), ("idle", False), ("nose", False), ("humid", False), ("grid", False),
    ("keyboard", False), ("income", False), ("windspeed", False), ("年齢", False),
])
def test_names_of_identifiers_are_told_from_others(name: str, is_one: bool) -> None:
    assert looks_like_identifier(name) is is_one


def test_nothing_left_to_learn_from_is_refused() -> None:
    with pytest.raises(BadInput, match="no column to learn from"):
        FeatureEncoder.fit({"x": np.ones(30)}, [Column("x", ColumnType.NUMBER)], "trees")


def test_a_missing_column_is_named_and_an_extra_one_ignored() -> None:
    data, schema = columns()
    encoder = FeatureEncoder.fit(data, schema, "trees")
    extra = {**data, "more": np.zeros(60)}
    assert np.array_equal(encoder.transform(extra), encoder.transform(data), equal_nan=True)
    del extra["colour"]
    with pytest.raises(BadInput, match="colour"):
        encoder.transform(extra)


@pytest.mark.parametrize(("kind", "good", "bad"), [
    (ColumnType.INTEGER, ["3", 4, None, " "], "x"), (ColumnType.NUMBER, ["1e3", 2.5, float("nan")], "1,5"),
    (ColumnType.BOOLEAN, ["Yes", False, 1, None], "maybe"), (ColumnType.DATE, ["2024-02-29", None], "29.2.24"),
    (ColumnType.DATETIME, ["2024-02-29 10:00", "2024-02-29T10:00:01+02:00"], "noon"),
    (ColumnType.TIME, ["6:05", "06:05:30", ""], "25:99"),
])
def test_plain_values_are_read_and_the_first_bad_one_is_named(kind: ColumnType, good: list[object], bad: str) -> None:
    assert len(as_column(good, Column("c", kind))) == len(good)
    with pytest.raises(BadInput, match=r"Row 2 of 'c'"):
        as_column([good[0], bad], Column("c", kind))


@pytest.mark.parametrize("value", [
    {}, {"format": 2}, {"format": 1, "style": "other", "columns": [], "left_out": {}},
    {"format": 1, "style": "trees", "columns": [{"name": "x", "type": "number", "role": "numeric"}], "left_out": {}},
    {"format": 1, "style": "trees", "left_out": {},
     "columns": [{"name": "x", "type": "number", "role": "numeric", "scale": [0, 0, 0], "gaps": False}]},
])
def test_a_damaged_encoder_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        FeatureEncoder.from_json(value)


def test_ten_thousand_columns_are_encoded() -> None:
    draw = np.random.default_rng(0)
    data: dict[str, ColumnData] = {f"c{i}": draw.normal(size=12) for i in range(10_000)}
    schema = [Column(name, ColumnType.NUMBER) for name in data]
    assert FeatureEncoder.fit(data, schema, "trees").transform(data).shape == (12, 10_000)


def test_the_encoder_needs_numpy_alone() -> None:
    code = "import sys, mldesk.training.features; print([m for m in sys.modules if '.' not in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for banned in ("torch", "sklearn", "pandas", "pyarrow", "scipy", "lightgbm"):
        assert f"'{banned}'" not in loaded
