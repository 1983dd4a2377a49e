"""What a search's report says of its blend and its trials."""

from __future__ import annotations

from mldesk.reports.document import Table, Text
from mldesk.workbench.report_search import blend, trials
from mldesk.workbench.report_words import number, plain


def test_the_members_of_a_blend_are_listed_with_their_parameters_the_heaviest_first() -> None:
    section = blend([{"trial": 3, "estimator": "linear", "weight": 0.25, "parameters": {}, "score": 0.7,
                      "pipeline": {"target": "log"}},
                     {"trial": 8, "estimator": "lightgbm", "weight": 0.75, "parameters": {"rounds": 90}, "score": 0.8}])
    table = section.blocks[0]
    assert isinstance(table, Table)
    assert [(*row[1:3], *row[4:]) for row in table.rows] == [
        ("75%", "8", "standard", "rounds 90"), ("25%", "3", "logarithm of the target", "")]
    assert blend([]).blocks == []


def test_one_trial_more_than_are_listed_is_one_trial() -> None:
    section = trials([{"number": number, "estimator": "linear", "metric": "accuracy", "score": 0.5}
                      for number in range(61)])
    last = section.blocks[-1]
    assert isinstance(last, Text)
    assert last.text == "and 1 more trial"


def test_settings_and_cells_are_written_as_they_were_given() -> None:
    given = (0.06, 0.4, 1e-5, 0.001234, 29.0, 1490400.0, 20640.75, 1e20, None)
    assert [plain(value) for value in given] == [
        "0.06", "0.4", "1e-05", "0.001234", "29", "1,490,400", "20,641", "1e+20", "–"]
    assert [number(value) for value in (59938.4, 0.9325, 1e20)] == ["59,938", "0.9325", "100,000,000,000,000,000,000"]
