"""The Data page by a scripted user: each kind of file, filters, edits, versions, differences, a check, the bin."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pytestqt.qtbot import QtBot

from tests.desktop.data_user import data_job
from tests.desktop.scripted_user import play


def test_a_user_takes_tables_through_their_whole_life(tmp_path: Path, qtbot: QtBot) -> None:
    made = play(tmp_path / "home", lambda user: data_job(user, tmp_path), patience=25, meet_machine=False)
    with zipfile.ZipFile(made["aside"]) as aside:
        assert sorted(aside.namelist()) == ["report.html", "short.csv", "words.csv"]
