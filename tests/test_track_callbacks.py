"""Other libraries' loops tell their curves and end when they are asked to."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from mldesk import track
from mldesk.track_callbacks import (
    keras_callback,
    lightgbm_callback,
    lightning_callback,
    transformers_callback,
    xgboost_callback,
)

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


def _stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **classes: type) -> None:
    """Let a library be there that is not installed here, with what the callbacks take from it."""
    for depth in range(1, name.count(".") + 2):
        part = ".".join(name.split(".")[:depth])
        monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
    for word, value in classes.items():
        setattr(sys.modules[name], word, value)


class _Base:
    """What a library's callback class is to ours: something to inherit from."""

    model: Any = None
    params: Any = None


def test_keras_tells_each_epoch_and_keeps_what_it_saved(said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                        ) -> None:
    """The hooks as Keras 3.15 calls them: by place, logs a dict, params with the number of epochs."""
    monkeypatch.setenv("MLDESK_CHECKPOINT", str(tmp_path / "state"))
    _stand_in(monkeypatch, "keras.callbacks", Callback=_Base)
    tell = keras_callback()
    tell.model = types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=np.float32(0.5)),
                                       stop_training=False)
    tell.params = {"epochs": 4, "steps": 6, "verbose": 2}
    tell.on_train_begin({})
    tell.on_train_batch_end(0, {"loss": 1.0})
    (track.checkpoint_folder() / "epoch.keras").write_text("weights")
    tell.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    tell.on_epoch_end(1, {"loss": 1.0})   # nothing new was saved
    assert [(line["step"], line["epoch"], line["values"]) for line in said()] == [
        (1, 1.0, {"learning_rate": 0.5, "loss": 1.0, "val_loss": 2.0}), (2, 2.0, {"learning_rate": 0.5, "loss": 1.0})]
    assert track.resumed_from() == 1
    (tmp_path / "stop").touch()
    tell.on_train_batch_end(1, None)
    assert tell.model.stop_training


def test_lightning_tells_steps_and_epochs(said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks as Lightning 2.6 calls them: trainer and module first, outputs of a step a mapping with its loss."""
    monkeypatch.setenv("MLDESK_CHECKPOINT", str(tmp_path / "state"))
    _stand_in(monkeypatch, "lightning.pytorch.callbacks", Callback=_Base)
    tell = lightning_callback()
    optimizer = types.SimpleNamespace(param_groups=[{"lr": 0.5}, {"lr": 0.25}])
    trainer = types.SimpleNamespace(is_global_zero=True, global_step=10, log_every_n_steps=5, current_epoch=0,
                                    max_steps=-1, max_epochs=3, optimizers=[optimizer], should_stop=False,
                                    callback_metrics={"val_loss": np.float64(2.0), "table": np.zeros(3)})
    tell.on_train_start(trainer, None)
    tell.on_train_batch_end(trainer, None, {"loss": np.float64(1.0)}, None, 9)
    tell.on_train_epoch_end(trainer, None)
    (track.checkpoint_folder() / "last.ckpt").write_text("weights")
    tell.on_train_epoch_start(trainer, None)
    assert [(line["step"], line["epoch"], line["values"]) for line in said()] == [
        (10, 0.0, {"loss_step": 1.0}), (10, 1.0, {"learning_rate": 0.5, "learning_rate1": 0.25, "val_loss": 2.0})]
    assert track.resumed_from() == 10
    (tmp_path / "stop").touch()
    tell.on_train_batch_end(trainer, None, None, None, 10)
    assert trainer.should_stop


def test_hugging_faces_trainer_tells_its_logs(said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks as transformers 5 calls them: args, state and control by place, all else by name."""
    monkeypatch.setenv("MLDESK_CHECKPOINT", str(tmp_path / "state"))
    _stand_in(monkeypatch, "transformers", TrainerCallback=_Base)
    tell = transformers_callback()
    state = types.SimpleNamespace(global_step=8, epoch=0.5, max_steps=64, is_world_process_zero=True)
    control, more = types.SimpleNamespace(should_training_stop=False), {"model": None, "optimizer": None}
    tell.on_train_begin(None, state, control, **more)
    tell.on_step_end(None, state, control, **more)
    tell.on_log(None, state, control, logs={"loss": 1.0, "epoch": 0.5, "note": "x"}, **more)
    (track.checkpoint_folder() / "model.safetensors").write_text("weights")
    tell.on_save(None, state, control, **more)
    assert [(line["step"], line["epoch"], line["values"]) for line in said()] == [(8, 0.5, {"loss": 1.0})]
    assert track.resumed_from() == 8 and not control.should_training_stop
    (tmp_path / "stop").touch()
    tell.on_step_end(None, state, control, **more)
    assert control.should_training_stop


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
