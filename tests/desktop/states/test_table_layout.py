"""A table's layout holds for versions with other columns, and for what cannot be read."""

from __future__ import annotations

from mldesk.desktop.states.table_layout import TableLayout, merged


def test_new_columns_stand_behind_the_one_they_follow() -> None:
    layout = TableLayout(order=("c", "a", "gone", "b"), pinned=("gone", "b"))
    assert layout.arranged(["new", "a", "after_a", "b", "c"]) == ["b", "new", "c", "a", "after_a"]
    assert TableLayout().arranged(["x", "y"]) == ["x", "y"]
    assert merged(["b", "a"], ["a", "gone", "b"]) == ["b", "a", "gone"]


def test_there_is_always_something_to_see() -> None:
    layout = TableLayout(hidden=frozenset("ab"))
    assert layout.hidden_of("abc") == {"a", "b"}
    assert layout.hidden_of("ab") == set()


def test_it_is_read_as_it_was_written_and_never_fails() -> None:
    layout = TableLayout(("b", "a"), frozenset("a"), ("b",), {"a": 90})
    assert TableLayout.from_json(layout.to_json()) == layout
    widths = {"a": "wide", "b": -1, "c": True}
    for odd in (None, [], {"order": 3, "hidden": [1, None], "pinned": "b", "widths": widths}):
        assert TableLayout.from_json(odd) == TableLayout()
