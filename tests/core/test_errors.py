"""Hints: what both faces read, and what the command line alone does."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput


@pytest.mark.parametrize(("hint", "advice"), [
    ("Or leave such files out (--skip-bad-files).", "Or leave such files out."),
    ("Split by it (--split group --split-column 'size (cm)').", "Split by it."),
    ("Train with folds (mldesk train --folds 5).", "Train with folds."),
    ("Predict them (without --strict), or mend them.", "Predict them, or mend them."),
    ("Choose another (there are two).", "Choose another (there are two)."), ("", "")])
def test_the_window_says_no_options_of_the_command_line(hint: str, advice: str) -> None:
    error = BadInput("No.", hint=hint)
    assert (error.hint, error.advice) == (hint, advice)
