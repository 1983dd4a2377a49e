from __future__ import annotations

import pytest

from mldesk.desktop.actions import Action, Actions


def registry(*titles: str) -> Actions:
    actions = Actions()
    for index, title in enumerate(titles):
        actions.add(Action(f"a{index}", title, lambda: None))
    return actions


def test_the_palette_finds_what_begins_with_the_words_first() -> None:
    actions = registry("Go to runs", "Import files", "Compare runs", "Run query")
    assert [action.title for action in actions.find("run")][:1] == ["Run query"]
    assert {action.title for action in actions.find("run")} >= {"Go to runs", "Compare runs"}


def test_the_palette_forgives_letters_left_out() -> None:
    assert [action.title for action in registry("Go to runs", "Import files").find("imfl")] == ["Import files"]


def test_nothing_typed_lists_everything_in_order() -> None:
    assert [action.title for action in registry("b", "a").find("  ")] == ["b", "a"]


def test_an_action_that_cannot_run_says_why_and_does_not_run() -> None:
    actions, ran, reasons = Actions(), [], []
    actions.add(Action("cancel", "Cancel", lambda: ran.append(1), why_not=lambda: "No run is going on."))
    actions.refused.subscribe(reasons.append)
    assert not actions.trigger("cancel")
    assert (ran, reasons) == ([], ["No run is going on."])


def test_two_actions_cannot_share_a_shortcut_or_an_id() -> None:
    actions = registry("one")
    actions.add(Action("x", "X", lambda: None, shortcut="Ctrl+X"))
    with pytest.raises(ValueError, match=r"Ctrl\+X"):
        actions.add(Action("y", "Y", lambda: None, shortcut="Ctrl+X"))
    with pytest.raises(ValueError, match="two actions"):
        actions.add(Action("x", "X", lambda: None))
