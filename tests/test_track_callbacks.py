"""Other libraries' loops tell their curves and end when they are asked to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from mldesk import track
from mldesk.track_callbacks import lightgbm_callback, xgboost_callback

X = np.random.default_rng(0).normal(size=(200, 4))
Y = (X[:, 0] > 0).astype(float)


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLDESK_TRACK", str(tmp_path / "lines"))
    monkeypatch.setenv("MLDESK_STOP", str(tmp_path / "stop"))
    return lambda: [line for line in map(json.loads, (tmp_path / "lines").read_text("utf-8").splitlines())
                    if line["kind"] == "metrics"]


def boost(rounds: int) -> None:
    lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, Y), rounds,
                   valid_sets=[lightgbm.Dataset(X, Y)], callbacks=[lightgbm_callback()])


def test_lightgbm_tells_each_round_and_stops_when_asked(said: Any, tmp_path: Path) -> None:
    boost(3)
    assert [line["step"] for line in said()] == [1, 2, 3]
    assert list(said()[0]["values"]) == ["valid_0_binary_logloss"]
    (tmp_path / "stop").touch()
    boost(3)
    assert len(said()) == 4


def test_xgboost_tells_each_round_and_stops_when_asked(said: Any, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    data = xgboost.DMatrix(X, Y)
    for expected in (3, 4):
        xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3, evals=[(data, "fit")],
                      verbose_eval=False, callbacks=[xgboost_callback()])
        assert len(said()) == expected
        (tmp_path / "stop").touch()


def test_outside_a_job_everything_is_said_on_the_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    track.metrics(1, loss=float("inf"))
    assert track.parameter("rate", 0.5) == 0.5
    assert track.input("table") is None
    track.checkpoint(4)
    assert (track.resumed_from(), track.should_stop()) == (4, False)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == ["metrics", "parameters"]
    assert lines[0]["values"] == {"loss": "inf"}
