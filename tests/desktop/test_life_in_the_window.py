"""A messy table's whole life in the window, from what is odd about it to predictions of a model that a search found."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.desktop.life_user import life
from tests.desktop.scripted_user import play

pytestmark = pytest.mark.timeout(900)   # a machine under load may need minutes to start a trainer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_messy_table_becomes_predictions_of_the_best_model(home: Path, tmp_path: Path, qtbot: QtBot) -> None:
    told = play(home, lambda user: life(user, tmp_path), patience=300, meet_machine=False)
    assert told["search"].kind == "search" or told["search"].result["trials"] >= 2
    assert told["single"].dataset == told["search"].dataset == "customers@3"
    text = told["report"].read_text("utf-8")
    assert told["search"].name in text
    assert told["single"].name in text
    with told["predictions"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert {row["prediction"] for row in rows} <= {"yes", "no"}
