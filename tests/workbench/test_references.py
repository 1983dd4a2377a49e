"""Names people type."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.workbench.references import did_you_mean, listed, model_name, parse_reference, slug
from tests.workbench.stand_ins import COLUMNS, Desk


@pytest.mark.parametrize(("text", "name", "number"), [
    ("churn", "churn", None), ("churn@2", "churn", 2), ("a@b@12", "a@b", 12), ("you@home", "you@home", None),
    ("서울@1", "서울", 1), (" churn ", "churn", None)])
def test_a_reference_is_a_name_and_perhaps_a_number(text: str, name: str, number: int | None) -> None:
    assert parse_reference(text) == (name, number)


def test_an_empty_reference_is_refused() -> None:
    with pytest.raises(BadInput):
        parse_reference("  ")


@pytest.mark.parametrize(("dataset", "target", "name"), [
    ("telco", "Churn", "telco-Churn"), ("seoul", "대여 수", "seoul-대여-수"), ("a b", "pm2.5", "a-b-pm2-5"),
    ("x", "%%", "x"), ("!", "?", "model")])
def test_a_model_is_named_readably_after_its_data_and_target(dataset: str, target: str, name: str) -> None:
    assert model_name(dataset, target) == name


def test_a_slug_is_one_word() -> None:
    assert slug("  Rented Bike_Count (°C) ") == "Rented-Bike-Count-C"
    assert len(slug("x" * 500)) == 60


def test_near_words_are_offered_and_far_ones_are_not() -> None:
    assert did_you_mean("churm", ["Churn", "tenure"]) == "Did you mean 'Churn'?"
    assert did_you_mean("zzz", ["Churn", "tenure"]) == ""


def test_a_word_is_not_near_for_sharing_some_letters() -> None:
    assert did_you_mean("nope", ["income"]) == ""


def test_a_missing_version_of_a_known_name_is_answered_with_those_there_are(desk: Desk) -> None:
    manifest = desk.library.datasets.version("shop").manifest
    desk.library.datasets.add("shops", manifest=manifest, rows=200, columns=COLUMNS, size=7, source="test")
    with pytest.raises(NotFound) as refused:
        desk.datasets.show("shop@999")
    assert refused.value.hint == "shop has version 1."
    with pytest.raises(NotFound) as refused:
        desk.datasets.show("shopp")
    assert refused.value.hint == "Did you mean 'shop' or 'shops'?"


def test_long_lists_are_cut_with_a_count() -> None:
    assert listed([str(number) for number in range(20)], 3) == "0, 1, 2 and 17 more"
