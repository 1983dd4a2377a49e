"""The lines of a log that matter: by how grave they are, and by what they hold."""

from __future__ import annotations

from mldesk.cli.run_logs import matching
from mldesk.core.log_levels import Level

LOG = ["reading", "UserWarning: a few rows", "Traceback (most recent call last):", "  File x", "ValueError: No Rows",
       "done"]


def test_a_level_keeps_what_is_graver_and_tracebacks_whole() -> None:
    assert list(matching(LOG, Level.ERROR, "")) == LOG[2:5]
    assert list(matching(LOG, Level.WARNING, "")) == LOG[1:5]
    assert list(matching(LOG, Level.INFO, "")) == LOG


def test_a_text_is_found_in_whatever_case() -> None:
    assert list(matching(LOG, Level.INFO, "ROWS")) == [LOG[1], LOG[4]]
    assert list(matching(LOG, Level.ERROR, "rows")) == [LOG[4]]
    assert list(matching(["  File x"], Level.ERROR, "")) == []
