"""What a program says by mldesk.track is what arrives."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk import track

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    monkeypatch.setenv("MLDESK_TRACK", str(tmp_path / "lines"))
    return lambda: [json.loads(line) for line in (tmp_path / "lines").read_text("utf-8").splitlines()]


def test_readings_may_have_any_name(said: Said) -> None:
    track.metrics(1, {"val/loss": 0.5}, rows=3)
    track.metrics(step=2, loss=0.25, epoch=1)
    assert [(line["step"], line["values"], line["epoch"]) for line in said()] == [
        (1, {"val/loss": 0.5, "rows": 3.0}, None), (2, {"loss": 0.25}, 1.0)]
    with pytest.raises(TypeError, match="needs the step"):
        track.metrics(loss=1)


@pytest.mark.parametrize(("given", "default", "value"), [
    ("False", True, False), ("no", True, False), (1, False, True), (3, 0.5, 3.0), (4.0, 1, 4), (7, "x", "7"),
    ("x", None, "x")])
def test_a_parameter_has_the_type_of_its_default(monkeypatch: pytest.MonkeyPatch, given: Any, default: Any,
                                                 value: Any) -> None:
    monkeypatch.setenv("MLDESK_PARAMETERS", json.dumps({"p": given}))
    found = track.parameter("p", default)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("given", "default", "why"), [
    (2.5, 1, "'p' has to be a whole number, not 2.5"), ("many", 1.0, "'p' has to be a number, not 'many'"),
    ("perhaps", True, "'p' has to be true or false, not 'perhaps'")])
def test_a_parameter_that_is_none_of_its_type_is_named(monkeypatch: pytest.MonkeyPatch, given: Any, default: Any,
                                                       why: str) -> None:
    monkeypatch.setenv("MLDESK_PARAMETERS", json.dumps({"p": given}))
    with pytest.raises(ValueError, match=why):
        track.parameter("p", default)


def test_a_file_is_kept_as_it_was_when_it_was_told(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "plot.txt"
    for text in ("first", "second"):
        file.write_text(text)
        track.artifact(text, file)
    file.unlink()
    assert [Path(line["path"]).read_text() for line in said()] == ["first", "second"]
    track.artifact("gone", file)
    assert said()[-1]["path"] == str(file)   # which says that there is none


def test_a_program_may_close_all_its_files(said: Said, tmp_path: Path) -> None:
    track.log("first")
    file = track._OPEN[str(tmp_path / "lines")][0]
    os.close(file)
    with open(tmp_path / "own.txt", "w") as own:   # which may have the same number now
        track.log("second")
        own.write("mine")
    assert [line["text"] for line in said()] == ["first", "second"]
    assert (tmp_path / "own.txt").read_text() == "mine"


class _Figure:
    def savefig(self, path: Path, format: str) -> None:  # noqa: A002 - as matplotlib calls it
        path.write_text(format)


def test_a_figure_is_kept_as_a_picture_for_each_step(said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("a")
    track.image("curve", _Figure())
    track.image("curve", _Figure(), 3)
    track.image("photo", tmp_path / "a.jpg", 3)
    track.image("photo", tmp_path / "a.jpg")
    assert [line["name"] for line in said()] == ["curve.png", "curve/3.png", "photo/3.jpg", "photo"]
    assert Path(said()[0]["path"]).read_text() == "png"
