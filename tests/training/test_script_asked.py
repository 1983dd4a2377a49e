"""Which parameters a script was given for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk import track
from mldesk.training.script_asked import never_asked, said_of


def test_what_was_given_and_not_asked_for_is_named_unless_it_may_have_been_read_otherwise(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("from mldesk import track\ntrack.parameter('rate', 1)\n")
    assert never_asked(["rate", "rat"], ["rate"], tmp_path) == ["rat"]
    assert never_asked(["rate"], ["rate", "epochs"], tmp_path) == []
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "options.py").write_text("import argparse\n")
    assert never_asked(["rate", "rat"], ["rate"], tmp_path) == []


def test_the_warning_offers_what_may_have_been_meant() -> None:
    assert said_of("lerning_rate", ["learning_rate", "epochs"], ["lerning_rate"])[1] == "Did you mean 'learning_rate'?"
    assert said_of("x", ["learning_rate", "epochs"], ["x"])[1] == "It asks for: epochs, learning_rate."
    assert said_of("rates", ["rate"], ["rate", "rates"])[1] == "It asks for: rate."   # that one was given, too
    assert said_of("x", [], ["x"])[1] == "It asks for: none."


def test_who_takes_all_parameters_at_once_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDESK_PARAMETERS", '{"rate": 0.5}')
    assert track.parameters() == {"rate": 0.5}   # outside a job nothing is said
    monkeypatch.setenv("MLDESK_TRACK", str(tmp_path / "lines"))
    assert track.parameter("rate", 1.0) == 0.5
    assert "asked_for_all" not in (tmp_path / "lines").read_text()
    track.parameters()
    assert '"kind": "asked_for_all"' in (tmp_path / "lines").read_text()
