"""What a predictor takes, what it refuses, and what it says about rows that are odd."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mldesk.bundles import Predictor, session
from mldesk.core.errors import BadBundle, BadInput, NotFound
from mldesk.training.export.parity import deviation
from mldesk.training.reach import whole_of
from mldesk.training.values import TextColumn
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.predictions import PredictionReport
from mldesk.workbench.what_if import WhatIf, most_usual
from tests.bundles.making import StoredModel, stored_model


@pytest.fixture
def predictor(model: StoredModel) -> Predictor:
    return Predictor.from_manifest(model.digest, model.store)


def test_the_schema_is_the_columns_a_prediction_needs(predictor: Predictor, model: StoredModel) -> None:
    assert {column.name for column in predictor.schema} <= model.rows.keys()
    assert next(column.type for column in predictor.schema if column.name == "age") is ColumnType.NUMBER
    assert predictor.classes == ("<=50K", ">50K")


def test_a_missing_column_is_named_with_the_one_that_was_meant(predictor: Predictor, model: StoredModel) -> None:
    rows = dict(model.rows)
    rows["Age "] = rows.pop("age")
    rows["marital_status"] = rows.pop("marital-status")
    with pytest.raises(BadInput, match="no columns 'age', 'marital-status'") as caught:
        predictor.predict(rows)
    assert caught.value.hint == "Rename 'Age ' to 'age', 'marital_status' to 'marital-status'?"
    with pytest.raises(BadInput, match="no columns 'age'") as caught:
        predictor.predict({})
    assert "Add the missing columns" in caught.value.hint


def test_columns_nobody_asked_for_are_ignored_and_reported_once(predictor: Predictor, model: StoredModel) -> None:
    plain = predictor.predict(model.rows)
    more = {"{shoe size}": [1] * 100, **model.rows, "income": ["?"] * 100}
    for _ in range(2):
        assert np.array_equal(predictor.predict(more)["probability_>50K"], plain["probability_>50K"])
    assert [text for text in predictor.warnings if "ignored" in text] == [
        "Columns the model does not know are ignored: '{shoe size}'."]
    ignored = tuple(text for text in predictor.warnings if "ignored" in text)
    report = PredictionReport("m@1", 100, ("prediction",), Path("out.csv"), ignored)
    assert not report.doubtful and replace(report, warnings=(*ignored, "A category was never seen.")).doubtful


def test_categories_that_training_never_saw_are_counted_over_all_batches(
        predictor: Predictor, model: StoredModel) -> None:
    rows = {**model.rows, "sex": ["Martian", None, *model.rows["sex"][2:]]}
    for _ in range(2):
        predictor.predict(rows)
    assert "'sex' holds values that training never saw, or hardly ever, in 2 rows." in predictor.warnings


def test_wrong_types_are_reported_by_column_and_row(predictor: Predictor, model: StoredModel) -> None:
    rows = {**model.rows, "age": ["forty", *model.rows["age"][1:]],
            "hours-per-week": [*model.rows["hours-per-week"][:-1], "often"]}
    with pytest.raises(BadInput) as caught:
        predictor.predict(rows)
    assert "Row 1 of 'age' is 'forty', not a number." in caught.value.message
    assert "Row 100 of 'hours-per-week' is 'often', not a number." in caught.value.message


def test_columns_of_different_lengths_are_refused(predictor: Predictor, model: StoredModel) -> None:
    with pytest.raises(BadInput, match="'age' has 3 rows"):
        predictor.predict({**model.rows, "age": [1, 2, 3]})


def test_arrow_numpy_text_and_plain_columns_predict_alike(models: Callable[[str, str], StoredModel]) -> None:
    model = models("hist_gradient_boosting", "multiclass")
    predictor = Predictor.from_manifest(model.digest, model.store)
    plain = predictor.predict(model.rows)
    arrow = {name: pa.array(values) for name, values in model.rows.items()}
    arrow["Date Egg"] = arrow["Date Egg"].cast(pa.date32())
    texts = {name: [None if value is None else str(value) for value in values] for name, values in model.rows.items()}
    arrays = {name: np.array([np.nan if value is None else value for value in values], float)
              if values and all(value is None or isinstance(value, float) for value in values) else values
              for name, values in model.rows.items()}
    chunked = {name: pa.chunked_array([values.slice(0, 3), values.slice(3)]) for name, values in arrow.items()}
    for rows in (arrow, chunked, texts, arrays, {**arrow, "Date Egg": arrow["Date Egg"].cast(pa.timestamp("us"))}):
        answer = predictor.predict(rows)
        assert all(np.array_equal(answer[name], plain[name]) for name in plain)


def test_no_rows_give_no_predictions(predictor: Predictor, model: StoredModel) -> None:
    answer = predictor.predict({name: [] for name in model.rows})
    assert list(answer) == list(model.expected) and all(len(values) == 0 for values in answer.values())


def test_rows_beyond_one_batch_come_back_in_their_order(
        predictor: Predictor, model: StoredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = predictor.predict(model.rows)["probability_>50K"]
    monkeypatch.setattr("mldesk.bundles.predictor.BATCH", 7)
    assert deviation(predictor.predict(model.rows)["probability_>50K"], whole) < 1e-6


def test_rows_that_are_all_empty_still_get_an_answer(predictor: Predictor, model: StoredModel) -> None:
    answer = predictor.predict({name: [None, float("nan")] for name in model.rows})
    assert np.isfinite(answer["probability_>50K"]).all()


def test_several_threads_may_predict_at_once(predictor: Predictor, model: StoredModel) -> None:
    expected = predictor.predict(model.rows)["probability_>50K"]
    wrong: list[int] = []

    def work() -> None:
        for number in range(20):
            answer = predictor.predict(model.rows)
            if not np.array_equal(answer["probability_>50K"], expected):
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_sample_that_travels_along_is_predicted_as_at_training_time(predictor: Predictor) -> None:
    assert predictor.self_test() < 1e-6
    assert predictor.warnings == ()
    assert len(predictor.sample()) == 5


def test_labels_that_are_numbers_or_truth_values_come_back_as_such() -> None:
    from mldesk.bundles.predictor import _labels

    assert _labels((1, 2)).dtype.kind == "i" and _labels((False, True)).dtype.kind == "b"
    assert _labels((0.5, 1)).dtype.kind == "f" and _labels(("a", 1)).tolist() == ["a", "1"]


def test_a_model_that_is_not_there_or_lacks_its_graph(model: StoredModel, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Predictor.open(tmp_path / "nothing.mlbundle")
    with pytest.raises(NotFound):
        Predictor.open(tmp_path)
    store = ObjectStore(tmp_path / "objects")
    manifest = model.store.manifest(model.digest)
    files = {entry.path: model.store.path(entry.sha256) for entry in manifest.entries if entry.path != "model.onnx"}
    with pytest.raises(BadBundle, match=r"no model\.onnx"):
        Predictor.from_manifest(store.put_manifest(files), store)


def test_a_level_adds_what_holds_the_truth_that_often(tmp_path: Path) -> None:
    numbers = _with_margins("regression", tmp_path / "numbers", [0.5] * 49 + [None])
    plain, wide = numbers[0].predict(numbers[1].rows), numbers[0].predict(numbers[1].rows, 0.9)
    assert list(wide) == ["prediction", "prediction_low", "prediction_high"]
    assert wide["prediction_low"] == pytest.approx(plain["prediction"] - 0.5, abs=1e-6)
    for level in (0.4, 0.99, 1.5):
        with pytest.raises(BadInput):
            numbers[0].predict(numbers[1].rows, level)
    classes = _with_margins("binary", tmp_path / "classes", [0.2] * 25 + [1.0] * 25)
    few, all_ = (classes[0].predict(classes[1].rows, level)["prediction_set"] for level in (0.5, 0.9))
    assert set(all_) == {json.dumps(list(classes[0].classes))}
    sure = classes[0].predict(classes[1].rows)
    assert all(json.loads(text)[0] == label for text, label in zip(few, sure["prediction"], strict=True))


def test_intervals_end_where_the_target_does_and_say_so_without_alarm(tmp_path: Path) -> None:
    predictor, stored = _with_margins("regression", tmp_path, [1e6] * 49 + [None], floor=0.0)
    wide = predictor.predict(stored.rows, 0.9)
    assert (wide["prediction_low"] == 0).all() and (wide["prediction_high"] > 1e6).all()
    said, = (text for text in predictor.warnings if text.startswith("Intervals"))
    assert said == "Intervals end at 0, as no target that the model learned from was below it, in 100 rows."
    assert not PredictionReport("m@1", 100, ("prediction",), Path("out.csv"), (said,)).doubtful


def test_numbers_far_outside_what_training_saw_are_counted(tmp_path: Path) -> None:
    def add(files: Path) -> None:
        described = json.loads((files / "model.json").read_bytes())
        described["reach"] = {"median_income": [0.0, 10.0], "households": [0.0, 1e9]}
        (files / "model.json").write_text(json.dumps(described), "utf-8")

    stored = stored_model("lightgbm", "regression", tmp_path, add)
    predictor = Predictor.from_manifest(stored.digest, stored.store)
    rows = {name: values[:5] for name, values in stored.rows.items()} | {"median_income": [-1, 10.5, 11.5, -2, None]}
    predictor.predict(rows)
    assert [text for text in predictor.warnings if "far outside" in text] == [
        "'median_income' lies far outside what training saw (0 to 10), where the model was taught nothing, in 2 rows."]
    tried = WhatIf("m@1", predictor, predictor.sample())
    assert tried.unknown({**tried.usual(), "median_income": "12"}) == (
        "'median_income' lies far outside what training saw (0 to 10), where the model was taught nothing.",)
    assert tried.unknown({**tried.usual(), "median_income": "11"}) == tried.unknown(
        {**tried.usual(), "median_income": "what"}) == ()


def test_values_that_are_missing_where_none_was_in_training_are_counted(tmp_path: Path) -> None:
    def add(files: Path) -> None:
        described = json.loads((files / "model.json").read_bytes())
        described["whole"] = ["median_income", "households"]
        (files / "model.json").write_text(json.dumps(described), "utf-8")

    stored = stored_model("lightgbm", "regression", tmp_path, add)
    predictor = Predictor.from_manifest(stored.digest, stored.store)
    rows = {name: values[:4] for name, values in stored.rows.items()}
    predictor.predict({**rows, "median_income": [3.0, None, math.nan, 4.0], "population": [None] * 4})
    said = "'median_income' is missing in 2 rows; in training it never was."
    assert [text for text in predictor.warnings if "missing" in text] == [said]
    assert PredictionReport("m@1", 4, ("prediction",), Path("out.csv"), (said,)).doubtful
    tried = WhatIf("m@1", predictor, predictor.sample())
    assert tried.unknown({**tried.usual(), "median_income": None, "population": None}) == (
        "'median_income' is missing; in training it never was.",)


def test_only_columns_without_a_gap_in_what_was_learned_from_count_as_whole() -> None:
    columns = {"a": np.array([1.0, 2.0, np.nan]), "b": np.array([np.nan, 2.0, 3.0]),
               "c": TextColumn.of(["x", None, "y"]), "d": np.array(["2026-01-01", "2026-01-02", "NaT"], "M8[us]")}
    kinds = {"a": ColumnType.NUMBER, "b": ColumnType.NUMBER, "c": ColumnType.TEXT, "d": ColumnType.DATE}
    learned = np.array([True, True, False])   # the last row is one of the test
    assert whole_of(columns, [Column(name, kind) for name, kind in kinds.items()], learned) == {"a", "d"}


@pytest.mark.parametrize(("key", "value"), [
    *(("whole", value) for value in (3, "a", [1], {"a": 1})),
    *(("reach", value) for value in (3, {"a": 1}, {"a": [2, 1]}, {"a": [0, "nan"]}, {"a": ["low", 1]}))])
def test_what_training_saw_is_refused_where_it_is_none(model: StoredModel, key: str, value: object) -> None:
    described = json.loads(model.store.read(next(
        entry.sha256 for entry in model.store.manifest(model.digest).entries if entry.path == "model.json")))

    def read(name: str) -> bytes:
        return json.dumps({**described, key: value}).encode() if name == "model.json" else b""

    with pytest.raises(BadBundle, match="does not describe a model"):
        Predictor(read)


def test_the_usual_row_is_a_real_one_near_the_middle_of_every_column() -> None:
    schema = [Column("hour", ColumnType.NUMBER), Column("light", ColumnType.NUMBER), Column("sky", ColumnType.TEXT)]
    days = [{"hour": hour, "light": float(6 <= hour <= 18) * 100, "sky": "clear" if hour % 3 else "clouds"}
            for hour in range(24)]
    nights = [{"hour": 2, "light": 0.0, "sky": "clear"}] * 20
    row = most_usual([*days, *nights, {"hour": 5, "light": None, "sky": None}], schema)
    assert row in days or row in nights
    assert row["sky"] == "clear"
    assert most_usual([], schema) == {}


def test_a_model_without_margins_says_so(predictor: Predictor, model: StoredModel) -> None:
    with pytest.raises(BadInput, match="older MLDesk"):
        predictor.predict(model.rows, 0.9)


def _with_margins(name: str, folder: Path, margins: list[float | None], **more: float) -> tuple[Predictor, StoredModel]:
    def add(files: Path) -> None:
        described = json.loads((files / "model.json").read_bytes())
        described["margins"] = {"margins": margins, "classes": len(described["classes"]), **more}
        (files / "model.json").write_text(json.dumps(described), "utf-8")

    stored = stored_model("lightgbm", name, folder, add)
    return Predictor.from_manifest(stored.digest, stored.store), stored


def test_a_graph_takes_the_cores_it_may_use_and_lets_waiting_threads_sleep(
        model: StoredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "usable_cores", lambda: 3)
    for asked, taken in ((0, 3), (1, 1)):
        opened = Predictor.from_manifest(model.digest, model.store, asked)
        options = opened._session._session.get_session_options()
        assert options.intra_op_num_threads == taken
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
