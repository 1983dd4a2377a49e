"""Cells on their way to the clipboard."""

from __future__ import annotations

from mldesk.desktop.widgets.copying import as_text

NAMES, ROWS = ["city", "a|b", "ok"], [["Graz\nWest", 1, True], [None, None, False], ["c\\d|e", 2.5, None]]


def test_cells_are_parted_by_tabs_and_stay_on_their_lines() -> None:
    assert as_text(NAMES, ROWS, "cells") == "Graz West\t1\tTrue\n\t\tFalse\nc\\d|e\t2.5\t"
    assert as_text(NAMES, ROWS, "named").splitlines()[0] == "city\ta|b\tok"


def test_a_markdown_table_keeps_its_columns_whatever_is_in_the_cells() -> None:
    assert as_text(NAMES, ROWS, "markdown").splitlines() == [
        "| city | a\\|b | ok |", "| --- | ---: | --- |", "| Graz West | 1 | True |", "|  |  | False |",
        "| c\\\\d\\|e | 2.5 |  |"]
    assert as_text(["x"], [], "markdown") == "| x |\n| --- |"
