"""Every file of the shared data that is no table as well: imported, or refused in one sentence, within 1.5 GiB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.data.every_file import places
from tests.data_folder import SHARED

MOST = 1536  # MiB


def test_whatever_lies_about_is_a_table_or_a_sentence_and_nothing_is_left() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.data.every_file"], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])
    found = json.loads(done.stdout)
    assert len(found["said"]) == len(places(everything=False))
    assert {name: said for name, said in found["said"].items() if said.startswith("!")} == {}
    pictures = [said for name, said in found["said"].items() if name.endswith((".jpg", ".png"))]
    assert pictures
    assert "taken" not in pictures
    assert found["peak"] < MOST


def test_the_chaos_loop_leaves_no_file_out() -> None:
    files = {path for path in SHARED.rglob("*") if path.is_file()}
    assert files <= set(places(everything=True))
