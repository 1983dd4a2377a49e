"""Finish now, cancel, kill and resume: with real processes where a signal is involved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.core.errors import DiskFull
from mldesk.training import checkpoints, job
from mldesk.training.again import Unwatched
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.parameters import resolve
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from tests.training.jobs import Died, die_after, events, make_job, of, put_table, result, run_here, start
from tests.training.tables import FAST, MODELS, mixed

LONG = {
    "linear": {"iterations": 100_000, "regularization": 1e-8},
    "random_forest": {"trees": 10_000},
    "extra_trees": {"trees": 10_000},
    "hist_gradient_boosting": {"rounds": 100_000, "patience": None},
    "lightgbm": {"rounds": 100_000, "patience": None},
    "mlp": {"epochs": 100_000, "patience": None},
}
MIDDLE = {
    "lightgbm": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "mlp": {"epochs": 4, "width": 32, "blocks": 1},
    "xgboost": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "hist_gradient_boosting": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "catboost": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "random_forest": {"trees": 24},
    "extra_trees": {"trees": 24},
    "tabm": {"epochs": 3, "width": 16, "blocks": 1, "members": 3},
    "ft_transformer": {"epochs": 3, "width": 8, "blocks": 1},
}
KILLED = ("lightgbm", "mlp")   # the others share their code, or are watched here in one process


def wait_for(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


@pytest.mark.parametrize(("estimator", "task"), [
    *((name, task) for name in ("lightgbm", "mlp", "xgboost", "hist_gradient_boosting")
      for task in ("two", "classes", "number")),
    ("tabm", "classes"), ("ft_transformer", "number"), ("random_forest", "classes"), ("extra_trees", "number"),
    *(("catboost", task) for task in ("two", "classes", "number") if "catboost" in MODELS)])
def test_a_run_that_died_anywhere_ends_like_one_that_did_not(
        tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch, estimator: str, task: str) -> None:
    table = put_table(tmp_path, mixed(150, task))
    order = {"estimator": estimator, "parameters": MIDDLE[estimator],
             "threads": 1 if "trees" in MIDDLE[estimator] else 2}   # the death of a thread would be heard by nobody
    whole = run_here(make_job(tmp_path, table, "y", **order), table)
    steps = len(of("checkpoint", whole))
    assert steps > 20
    write = Report.event
    for moment in (1, steps // 3, steps // 3 + 1, steps - 2):   # an even and an odd round among them
        folder = make_job(tmp_path, table, "y", **order)
        left = moment

        def dying(self: Report, kind: str, **payload: Any) -> None:
            nonlocal left
            write(self, kind, **payload)
            left -= kind == "checkpoint"
            if kind == "checkpoint" and not left:   # and not in the thread that tells of memory
                raise Died

        monkeypatch.setattr(Report, "event", dying)
        with pytest.raises(Died):
            run_here(folder, table)
        monkeypatch.setattr(Report, "event", write)
        before, after = events(folder), run_here(folder, table, attempt=2)
        assert after[0]["resumed_from"] == of("checkpoint", before)[-1]["step"]
        for name in ("metrics", "validation_metrics"):
            assert result(after)[name] == result(whole)[name]
        last = {point["step"]: point["values"].get("validation_loss") for point in of("metrics", whole)}
        for point in of("metrics", after):
            if point["step"] in last and "validation_loss" in point["values"]:
                assert point["values"]["validation_loss"] == last[point["step"]]


@pytest.mark.parametrize("estimator", ["lightgbm", "xgboost", "hist_gradient_boosting"])
def test_a_run_that_died_when_its_patience_was_over_does_not_try_on(
        tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch, estimator: str) -> None:
    table = put_table(tmp_path, mixed(150))
    order = {"estimator": estimator, "parameters": {"rounds": 400, "patience": 1, "learning_rate": 0.5, "refit": False}}
    whole = run_here(make_job(tmp_path, table, "y", **order), table)
    last = of("checkpoint", whole)[-1]["step"]
    assert 1 < last < 400
    folder, write = make_job(tmp_path, table, "y", **order), Report.event

    def dying(self: Report, kind: str, **payload: Any) -> None:
        write(self, kind, **payload)
        if kind == "checkpoint" and payload["step"] == last:
            raise Died

    monkeypatch.setattr(Report, "event", dying)
    with pytest.raises(Died):
        run_here(folder, table)
    monkeypatch.setattr(Report, "event", write)
    after = run_here(folder, table, attempt=2)
    assert after[0]["resumed_from"] == last and not of("metrics", after)
    assert result(after)["metrics"] == result(whole)["metrics"]


@pytest.mark.parametrize("estimator", KILLED)
def test_a_killed_process_is_gone_on_with_from_its_checkpoint(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(150))
    long_enough = {"lightgbm": {"rounds": 9_000, "patience": None}, "mlp": {"epochs": 120, "patience": None}}[estimator]
    order = {"estimator": estimator, "parameters": long_enough, "threads": 1}
    whole = start(folder := make_job(tmp_path, table, "y", **order), table)
    other = start(killed := make_job(tmp_path, table, "y", **order), table, hasty=True)
    wait_for(lambda: of("checkpoint", events(killed)) and len(of("metrics", events(killed))) > 5)
    other.send_signal(signal.SIGKILL)
    assert other.wait() == -signal.SIGKILL
    assert whole.wait() == 0
    assert start(killed, table, 2).wait() == 0
    assert events(killed, 2)[0]["resumed_from"] == of("checkpoint", events(killed))[-1]["step"]
    assert result(events(killed, 2))["metrics"] == result(events(folder))["metrics"]


@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "random_forest", "xgboost",
                                       *(name for name in MODELS if name == "catboost")])
def test_a_trainer_killed_at_a_checkpoint_is_gone_on_with_to_the_same_numbers(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(150))
    order = {"estimator": estimator, "parameters": MIDDLE[estimator]}
    whole = result(run_here(make_job(tmp_path, table, "y", **order), table))
    die_after(7, folder := make_job(tmp_path, table, "y", **order), table)
    assert len(of("checkpoint", events(folder))) == 7
    after = run_here(folder, table, attempt=2)
    assert after[0]["resumed_from"] == of("checkpoint", events(folder))[-1]["step"]
    for name in ("metrics", "validation_metrics"):
        assert result(after)[name] == whole[name]


@pytest.mark.parametrize("estimator", KILLED)
def test_sigterm_leaves_a_checkpoint_and_no_last_word(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(150))
    folder = make_job(tmp_path, table, "y", estimator=estimator, parameters=LONG[estimator])
    process = start(folder, table)
    wait_for(lambda: len(of("metrics", events(folder))) > 5)
    process.terminate()
    assert process.wait(30) == 143
    said = events(folder)
    assert said[-1]["kind"] not in ("succeeded", "failed", "cancelled")
    step = of("metrics", said)[-1]["step"]
    assert of("checkpoint", said)[-1]["step"] >= step - 1
    resumed = start(folder, table, 2)
    wait_for(lambda: of("metrics", events(folder, 2)))
    (folder / "control").write_text("finish")
    assert resumed.wait(60) == 0
    assert events(folder, 2)[0]["resumed_from"] == of("checkpoint", said)[-1]["step"]
    assert result(events(folder, 2))["finished_early"]


@pytest.mark.parametrize("estimator", list(LONG))
def test_finish_now_keeps_the_best_so_far(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(400))
    folder = make_job(tmp_path, table, "y", estimator=estimator, parameters=LONG[estimator])
    if estimator == "linear":  # so quick that only a wish from the beginning comes in time
        (folder / "control").write_text("finish")
    process = start(folder, table)
    enough = 20 if estimator == "mlp" else 2   # a network knows little after two epochs
    wait_for(lambda: len(of("metrics", events(folder))) >= enough or estimator == "linear")
    (folder / "control").write_text("finish")
    assert process.wait(120) == 0
    done = result(events(folder))
    assert done["finished_early"]
    assert done["metrics"]["accuracy"] > 0.4
    assert done["model"]


@pytest.mark.parametrize("estimator", [name for name in LONG if name != "extra_trees"])
def test_cancel_ends_the_process_with_one_last_word(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(400))
    folder = make_job(tmp_path, table, "y", estimator=estimator, parameters=LONG[estimator])
    process = start(folder, table)
    wait_for(lambda: of("metrics", events(folder)))
    (folder / "control").write_text("cancel")
    assert process.wait(30) == 0
    said = events(folder)
    assert said[-1]["kind"] == "cancelled"
    assert [event["n"] for event in said] == list(range(1, len(said) + 1))


class _Hasty(Unwatched):
    """Asks to finish as soon as the second fit begins."""

    finish = False

    def stage(self, name: str) -> None:
        self.finish = True


@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "random_forest", "extra_trees", "xgboost"])
def test_a_second_fit_that_hardly_began_is_left_for_the_first_one(estimator: str) -> None:
    draw, hasty, entry = np.random.default_rng(0), _Hasty(), ESTIMATORS[estimator]
    x = draw.normal(size=(300, 4)).astype(np.float32)
    watching: Any = hasty
    fitted = load_estimator(entry).fit(FitContext(
        classes=0, parameters=resolve(entry.parameters, MIDDLE[estimator]), train=Part(x[:200], x[:200, 0] * 2.0),
        validation=Part(x[200:], x[200:, 0] * 2.0), report=watching, control=watching, checkpoints=watching))
    assert hasty.finish and fitted.finished_early
    assert fitted.facts.get("rounds", fitted.facts.get("trees")) > 12
    said = load_estimator(entry).predict(fitted.native, x[200:], 0)
    assert said == pytest.approx(fitted.validation)


def test_a_finish_asked_for_before_anything_began_gives_a_model(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(100))
    for estimator in MODELS:
        folder = make_job(tmp_path, table, "y", estimator=estimator, parameters=FAST[estimator])
        (folder / "control").write_text("finish")
        assert result(run_here(folder, table))["metrics"]


def test_a_warm_trainer_says_that_it_is_ready_and_takes_its_job_from_stdin(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(100))
    folder = make_job(tmp_path, table, "y", parameters=FAST["lightgbm"])
    said = tmp_path / "output.log"
    with said.open("ab") as output, subprocess.Popen([sys.executable, "-m", "mldesk.training.run", "--warm"],
                                                     stdin=subprocess.PIPE, stdout=output, text=True) as process:
        assert process.stdin is not None
        while process.poll() is None and said.read_text() != "ready\n":
            time.sleep(0.05)
        job = {"job": str(folder), "objects": str(table.store.root), "attempt": 4}
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        assert process.wait(60) == 0
    assert result(events(folder, 4))["model"]
    assert "ready" not in said.read_text(), "the run's log begins with the run"


def test_a_warm_trainer_without_a_job_ends(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "mldesk.training.run", "--warm"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "ready\n")


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = put_table(tmp_path, mixed(100))
    folder = make_job(tmp_path, table, "y", parameters=FAST["lightgbm"])

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ObjectStore, "put_manifest", full)
    last = run_here(folder, table)[-1]
    assert (last["kind"], last["cause"]) == ("failed", "disk_full")
    assert last["message"].startswith("The disk is full")
    assert {item.name for item in folder.iterdir()} == {"spec.json", "spool.1"}


def test_an_error_of_our_own_goes_to_the_log_and_is_said(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    table = put_table(tmp_path, mixed(100))
    for error, cause in ((ZeroDivisionError("oops"), "internal"), (MemoryError(), "host_oom")):
        def broken(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(job, "make_split", broken)
        last = run_here(make_job(tmp_path, table, "y"), table)[-1]
        assert (last["kind"], last["cause"]) == ("failed", cause)
        assert "Traceback" in capfd.readouterr().err


def test_a_gpu_that_is_too_small_gets_half_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mldesk.training.estimators import torch_fit  # loads torch

    step = torch_fit._Fit._step

    def small(self: Any, rows: Any, progress: float) -> None:
        if len(rows) > 5:
            raise torch_fit.torch.OutOfMemoryError("CUDA out of memory")
        step(self, rows, progress)

    monkeypatch.setattr(torch_fit._Fit, "_step", small)
    monkeypatch.setattr(torch_fit.torch.cuda, "empty_cache", lambda: None)
    table = put_table(tmp_path, mixed(60))
    order = {"estimator": "mlp", "parameters": {**FAST["mlp"], "batch_size": 20}}
    said = run_here(make_job(tmp_path, table, "y", **order), table)
    assert result(said)["metrics"]
    sizes = [event["text"].rpartition("batches of ")[2] for event in of("warning", said) if "GPU" in event["text"]]
    assert sizes == ["10 rows.", "5 rows."]

    def never(*_: Any) -> None:
        raise torch_fit.torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch_fit._Fit, "_step", never)
    last = run_here(make_job(tmp_path, table, "y", **order), table)[-1]
    assert (last["kind"], last["cause"]) == ("failed", "gpu_oom")


def test_a_torn_or_altered_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    said: list[tuple[int, str]] = []
    keeper = Checkpoints(tmp_path / "c", lambda step, name: said.append((step, name)))
    assert keeper.newest() is None
    for step in (10, 20, 30):
        keeper.save(step, {"step": step}, lambda folder, step=step: (folder / "w").write_text(str(step)))  # type: ignore[misc]
    assert [step for step, _ in said] == [10, 20, 30]
    kept = sorted(item.name for item in (tmp_path / "c").iterdir())
    assert kept == [name for _, name in said[1:]]
    newest = Checkpoints(tmp_path / "c", lambda *_: None).newest()
    assert newest is not None
    assert (newest.step, newest.facts()) == (30, {"step": 30})
    (tmp_path / "c" / kept[1] / "w").write_text("altered")
    found = Checkpoints(tmp_path / "c", lambda *_: None).newest()
    assert found is not None
    assert found.step == 20
    (tmp_path / "c" / kept[0] / "hashes.json").unlink()
    assert Checkpoints(tmp_path / "c", lambda *_: None).newest() is None


def test_a_checkpoint_on_a_full_disk_leaves_the_old_ones(tmp_path: Path) -> None:
    keeper = Checkpoints(tmp_path / "c", lambda *_: None)
    keeper.save(1, {}, lambda folder: None)

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        keeper.save(2, {}, full)
    assert len(os.listdir(tmp_path / "c")) == 1
    assert Checkpoints(tmp_path / "c", lambda *_: None).newest() is not None


def test_a_checkpoint_that_cannot_be_read_is_passed_over_and_strays_are_left_alone(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    order: dict[str, Any] = {"estimator": "mlp", "parameters": MIDDLE["mlp"]}
    whole = result(run_here(make_job(tmp_path, table, "y", **order), table))
    die_after(4, folder := make_job(tmp_path, table, "y", **order), table)
    kept = folder / "checkpoints"
    for stray in ("zz-1", "lost+found", "000001-x"):   # of a backup, of the system
        (kept / stray).mkdir()
    *oldest, before, last = sorted(kept.glob("0*-[0-9]*"))
    for item in oldest:   # it was killed before it could
        shutil.rmtree(item)
    shutil.copytree(folder, spoilt := tmp_path / "spoilt")
    _reseal(last)
    after = run_here(folder, table, attempt=2)
    steps = [int(item.name.split("-")[1]) for item in (last, before)]
    assert [event["resumed_from"] for event in of("started", after)] == steps
    assert any(last.name in event["text"] for event in of("log", after))
    assert result(after)["metrics"] == whole["metrics"]
    for item in (before, last):
        _reseal(spoilt / "checkpoints" / item.name)
    failed = run_here(spoilt, table, attempt=2)[-1]
    assert (failed["kind"], failed["cause"]) == ("failed", "checkpoint_damaged"), failed
    assert before.name in failed["message"] and "from the beginning" in failed["hint"]


def _reseal(checkpoint: Path) -> None:
    """Put other bytes in the place of the state, with the hashes that belong to them."""
    for item in checkpoint.iterdir():
        if item.suffix in (".safetensors", ".npz"):
            item.write_bytes(b"other")
    (checkpoint / "hashes.json").unlink()
    checkpoints._seal(checkpoint)


def test_facts_that_are_no_object_are_no_checkpoint(tmp_path: Path) -> None:
    keeper = Checkpoints(tmp_path / "c", lambda *_: None)
    keeper.save(3, {"a": 1}, lambda _: None)
    folder, = (tmp_path / "c").iterdir()
    (folder / "facts.json").write_text("[]")
    (folder / "hashes.json").unlink()
    checkpoints._seal(folder)
    assert Checkpoints(tmp_path / "c", lambda *_: None).newest() is None
