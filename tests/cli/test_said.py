"""Answers and refusals that tell a beginner what was decided, or the way on."""

from __future__ import annotations

import pytest

from mldesk.cli.model_retrain import promotion
from mldesk.cli.run_trial import curve_lines
from mldesk.cli.search import in_words
from mldesk.training.search.budget import Estimate
from mldesk.workbench.challenging import Challenge
from tests.cli.conftest import Command


@pytest.mark.parametrize(("scores", "low", "said"), [
    ((0.406, 0.407), -0.3, "is promoted: its loss on the same rows is lower (0.4060 against 0.4070 of m@1), {LUCK}."),
    ((0.3, 0.4), -0.3, "is promoted: its loss on the same rows is lower (0.3000 against 0.4000 of m@1)."),
    ((0.5, 0.4), 0.1, "is not promoted: its loss on the same rows is not lower (0.5000 against 0.4000 of m@1)."),
    ((0.4, 0.4 * (1 + 1e-10)), -0.1,
     "is not promoted: its loss on the same rows is as good (0.4000 against 0.4000 of m@1), not better.")])
def test_a_promotion_says_by_what(scores: tuple[float, float], low: float, said: str) -> None:
    sure = "LUCK" not in said
    differences = {"log_loss": {"low": low, "high": low + 0.2, "sure": sure}}
    found = Challenge("m@2", "m@1", 100, 0, 0, {"loss": scores, "accuracy": (0.8, 0.8)}, {"differences": differences},
                      "log_loss", "log_loss")
    assert promotion(found) == "m@2 " + said.format(LUCK="though that may be luck")


def test_a_tag_in_the_place_of_a_run_is_told_how_tags_are_given(mldesk: Command) -> None:
    code, document = mldesk.here("runs", "tag", "hunt", "good")
    assert code == 3 and "`mldesk runs tag hunt --add good`" in document["error"]["hint"]


def test_files_of_other_columns_may_be_taken_together(mldesk: Command) -> None:
    (mldesk.folder / "one.csv").write_text("a,b\n1,2\n", "utf-8")
    (mldesk.folder / "two.csv").write_text("a,b,c\n1,2,3\n", "utf-8")
    code, document = mldesk.here("data", "import", mldesk.folder / "one.csv", mldesk.folder / "two.csv", "--name", "t")
    assert code == 2 and "(--union)" in document["error"]["hint"]
    assert mldesk.good("data", "import", mldesk.folder / "one.csv", mldesk.folder / "two.csv", "--name", "t",
                       "--union")["rows"] == 2


def test_how_sure_a_preview_is_says_nothing_of_text(mldesk: Command) -> None:
    text = "n,city\n" + "".join(f"{row},{'Oslo' if row % 50 == 0 else row}\n" for row in range(200))
    (mldesk.folder / "t.csv").write_text(text, "utf-8")
    lines = mldesk("data", "import", mldesk.folder / "t.csv", "--preview").out.splitlines()
    (number,) = (line for line in lines if line.startswith("n ") and "integer" in line)
    (city,) = (line for line in lines if line.startswith("city") and "text" in line)
    assert "100%" in number and "%" not in city


@pytest.mark.parametrize(("folds", "split", "said"), [
    (5, "random", "5 folds"), (4, "group", "4 folds of whole groups"), (1, "column", "one validation part"),
    (3, "time", "the last 3 parts, each by a model of the rows before it")])
def test_a_search_says_beforehand_what_will_judge_its_trials(folds: int, split: str, said: str) -> None:
    assert in_words(Estimate(folds, 40, 600.0, split)) == f"About 40 trials in 10:00, each judged by {said}."
    assert in_words(Estimate(folds, 40, 600.0, split, 5)).startswith("About 5 to 40 trials")


def test_a_trials_curve_is_drawn_in_a_line_and_said_in_another() -> None:
    bars, said = curve_lines([[1, 0.8], [2, 0.4], [3, 0.6]])
    assert bars == "█▁▄" and said == (
        "Validation loss of its first fold: 0.8 at step 1, least 0.4 at 2, 0.6 at 3.")
    assert len(curve_lines([[step, 1.0] for step in range(100)])[0]) == 60
    assert curve_lines([[1, 0.5]]) == ["It has no curve: its model is fitted in one step."]
