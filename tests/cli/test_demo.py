"""``mldesk demo``: the whole main job by one command, leaving nothing behind."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Command


@pytest.mark.timeout(900)
def test_the_demo_does_the_whole_job_and_leaves_nothing_behind(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    answer = mldesk("demo", "--json", TMPDIR=str(tmp_path / "tmp"))
    assert answer.code == 0, answer
    told = answer.json
    assert {"dataset", "runs", "best", "bundle", "predictions", "seconds", "home"} <= set(told)
    assert [run["status"] for run in told["runs"]] == ["succeeded", "succeeded"]
    assert {run["estimator"] for run in told["runs"]} == {"lightgbm", "mlp"}
    assert min(run["metrics"]["roc_auc"] for run in told["runs"]) > 0.8
    assert told["bundle"]["signed"]
    assert (told["predictions"]["rows"], told["home"]) == (8, None)
    left = [path for path in (tmp_path / "tmp").rglob("*") if path.is_file() or path.parent.name.startswith("mldesk-")]
    assert left == []
    assert not (tmp_path / "home").exists()
    running = [process for process in psutil.process_iter(["cmdline"])
               if any(str(tmp_path) in word for word in process.info["cmdline"] or ())]
    assert running == []


def test_the_demo_does_not_touch_a_folder_with_something_in_it(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", "utf-8")
    answer = mldesk("demo", "--keep", tmp_path / "mine", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "conflict")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
