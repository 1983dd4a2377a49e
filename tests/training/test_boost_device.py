"""Where boosters grow their trees, as decisions: no card is here, and what a tiny fit on one says is given."""

from __future__ import annotations

import pytest

from mldesk.training.estimators import boost_device
from mldesk.training.estimators.boost_device import Choice, choose, tried

CARD = "NVIDIA Test"


def works(_library: str, _kind: str) -> str:
    return ""


def never(_library: str, _kind: str) -> str:
    raise AssertionError("nothing is to be tried")


@pytest.mark.parametrize(("asked", "rows", "card"), [
    ("cpu", 10**6, CARD), ("auto", 10**6, ""), ("auto", 49_999, CARD)])
def test_the_processor_is_used_in_silence_where_nobody_asked_for_more(asked: str, rows: int, card: str) -> None:
    assert choose("xgboost", asked, rows, card, never) == Choice()


@pytest.mark.parametrize(("library", "kind"), [("xgboost", "cuda"), ("lightgbm", "cuda"), ("catboost", "GPU")])
def test_a_card_is_used_where_a_tiny_fit_works_there(library: str, kind: str) -> None:
    for asked, rows in (("auto", 50_000), ("cuda", 10), ("cuda:1", 10)):
        choice = choose(library, asked, rows, CARD, works)
        assert choice.kind == kind and CARD in choice.said


def test_the_next_best_kind_is_tried_and_a_build_without_cards_uses_the_processor() -> None:
    said = {"cuda": "CUDA Tree Learner was not enabled in this build.", "gpu": ""}
    assert choose("lightgbm", "cuda", 10, CARD, lambda _, kind: said[kind]).kind == "gpu"
    said["gpu"] = "No OpenCL device found"
    choice = choose("lightgbm", "cuda", 10, CARD, lambda _, kind: said[kind])
    assert (choice.kind, choice.said) == (
        "", f"LightGBM cannot use {CARD} here, so it uses the processor: No OpenCL device found")
    assert "there is none here" in choose("catboost", "cuda", 10, "", never).said


@pytest.mark.parametrize(("library", "kind"), [("lightgbm", "cuda"), ("xgboost", "cuda")])
def test_a_try_on_a_machine_without_cards_says_why_it_failed(library: str, kind: str) -> None:
    pytest.importorskip(library)
    assert tried(library, kind)


def test_a_try_works_on_what_is_here_and_a_library_that_ends_its_process_ends_no_job(
        monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried("lightgbm", "cpu") == ""
    monkeypatch.setitem(boost_device._TRIES, "catboost", "import os; os.abort()")
    assert tried("catboost", "gpu of a test") == "the try ended with code -6."
