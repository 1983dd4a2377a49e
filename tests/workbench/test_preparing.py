"""Which steps recipes offer to a model."""

from __future__ import annotations

from mldesk.workbench.preparing import learnable, on_offer

FILL = {"step": "fill_missing", "columns": ["a"], "with": "median"}
CONSTANT = {"step": "fill_missing", "columns": ["a"], "with": "constant", "value": 0}
SCALE = {"step": "scale", "columns": ["a"], "how": "standard"}
DROP = {"step": "drop", "columns": ["b"]}


def test_of_the_versions_that_rows_came_from_only_what_was_left_out_is_offered() -> None:
    line = [("t@3", [DROP, {**FILL, "disabled": True}, SCALE]), ("t@1", [])]
    assert on_offer(line, [("t@2", [SCALE, CONSTANT, {**FILL, "disabled": True}]), ("t@4", [DROP])]) == [
        ("t@3", (FILL,)), ("t@2", (SCALE, FILL))]


def test_of_a_file_what_is_done_and_can_be_learnt_is_taken() -> None:
    assert learnable([DROP, CONSTANT, FILL, {**SCALE, "disabled": True}]) == (FILL,)
