"""Damaged files of every kind: taken or refused in one sentence, and nothing is left of a refused one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.damaged_files import KINDS, check, whole


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**40))
def test_a_damaged_file_is_a_table_or_a_sentence(seed: int, tmp_path: Path) -> None:
    assert check(seed, tmp_path)


def test_a_database_whose_schema_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    assert "damaged" in check(2203000770, tmp_path)  # what SQLite said of it could not be decoded


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_whole_before_they_are_damaged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.data.damaged_files.damaged", lambda _: (f"f.{kind}", whole(kind)))
    assert check(0, tmp_path) == "taken"
