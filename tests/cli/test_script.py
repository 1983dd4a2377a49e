"""Programs of the user's own as runs: parameters, inputs, curves, checkpoints, and what becomes of their failures."""

from __future__ import annotations

import os
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import Command, make_table
from tests.event_logs import log

PROGRAM = '''
import argparse, math, time
from pathlib import Path
from mldesk import track
p = argparse.ArgumentParser()
p.add_argument("--rate", type=float)
p.add_argument("--steps", type=int)
p.add_argument("--pause", type=float)
a = p.parse_args()
table = track.input("table")
import pyarrow.parquet as pq
rows = sum(pq.ParquetFile(file).metadata.num_rows for file in table.rglob("*.parquet"))
track.metrics(0, loss=float("nan"))
for step in range(track.resumed_from() + 1, a.steps + 1):
    track.metrics(step, loss=a.rate / step, rows=rows)
    if step % 5 == 0:
        (track.checkpoint_folder() / "w.txt").write_text(str(step))
        track.checkpoint(step)
    if track.should_stop():
        break
    time.sleep(a.pause)
assert a.rate != 7, "seven is no rate"
(Path("out.txt")).write_text((track.checkpoint_folder() / "w.txt").read_text())
track.artifact("out", "out.txt")
track.artifact("nothing", "nothing.txt")
track.parameter("seen", 3)
print("all done")
''' + f'Path("logs.tfevents").write_bytes(bytes.fromhex("{log()[:-(1 << 17) - 16].hex()}"))\n'
SETTINGS = '[parameters]\nrate = 0.5\nsteps = 12\npause = 0.0\n[inputs]\ntable = "shop"\n'


@pytest.fixture
def script(mldesk: Command, tmp_path: Path) -> Path:
    mldesk.good("data", "import", make_table(tmp_path / "shop.csv"), "--name", "shop")
    folder = tmp_path / "script"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "secret").write_text("x")
    (folder / "train.py").write_text(PROGRAM)
    (folder / "mldesk.toml").write_text(SETTINGS)
    return folder


def points(mldesk: Command, run: str) -> list[tuple[int, Any]]:
    return [(event["step"], event["values"]["loss"]) for event in mldesk("runs", "events", run, "--json").lines
            if event["kind"] == "metrics" and "loss" in event["values"]]


def test_a_script_is_a_run_with_curves_files_and_a_history(mldesk: Command, script: Path, tmp_path: Path) -> None:
    done = mldesk.good("script", "run", script, "--param", "rate=0.25")
    assert (done["status"], done["artifacts"], done["metrics"]["rows"]) == ("succeeded", ["out"], 240)
    assert done["metrics"]["accuracy"] == 0.75   # from what it wrote for TensorBoard
    assert points(mldesk, done["run"])[:3] == [(0, "NaN"), (1, 0.25), (2, 0.125)]
    shown = mldesk.good("runs", "show", done["run"])
    assert shown["parameters"] == {"rate": 0.25, "steps": 12, "pause": 0.0, "seen": 3}
    assert (shown["dataset"], shown["model"]) == ("shop@1", None)
    mldesk.good("script", "artifact", done["run"], "out", "-o", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "10"
    assert mldesk("script", "artifact", done["run"], "secret", "-o", tmp_path / "x").code == 3
    assert "all done" in mldesk.good("runs", "logs", done["run"])["log"]
    (script / "train.py").write_text(PROGRAM.replace("all done", "all is done"))
    again = mldesk.good("script", "run", script / "train.py", "--name", "script")
    assert mldesk.good("script", "diff", again["run"])["since"] == done["run"]
    changed = '-print("all done")\n+print("all is done")'
    assert changed in mldesk.good("script", "diff", again["run"])["diff"]
    assert changed in mldesk.good("runs", "compare", done["run"], again["run"])["script_diff"]
    mldesk.good("runs", "report", again["run"], "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "What changed in the script" in page and "all is done" in page


def test_a_script_that_fails_says_why_in_its_own_words(mldesk: Command, script: Path) -> None:
    answer = mldesk("script", "run", script, "--param", "rate=7", "--json")
    assert (answer.code, answer.json["status"], answer.json["cause"]) == (1, "failed", "user_error")
    line = PROGRAM.splitlines().index('assert a.rate != 7, "seven is no rate"') + 1
    assert (f"train.py ended with code 1 in line {line} of train.py: AssertionError: seven is no rate"
            in answer.json["error"]["message"])
    assert answer.json["error"]["hint"] == f"`mldesk runs logs {answer.json['run']}` shows all that it printed."


def test_the_example_runs_and_a_program_may_go_alone(mldesk: Command, tmp_path: Path) -> None:
    folder = tmp_path / "my script"
    assert mldesk.good("script", "new", folder)["folder"] == str(folder)
    assert mldesk("script", "new", folder, "--json").code == 2
    shown = mldesk.good("script", "show", folder)
    assert (shown["entry"], shown["files"], shown["parameters"]) == ("train.py", 2, {"rate": 0.1, "steps": 100})
    (folder / "other.py").write_text("")
    alone = mldesk.good("script", "show", folder / "train.py", "--alone")
    assert (alone["files"], alone["parameters"]) == (1, {})
    done = mldesk.good("script", "run", folder / "train.py", "--alone", "--param", "steps=20")
    assert (done["status"], done["artifacts"]) == ("succeeded", ["line"]) and done["metrics"]["loss"] < 3
    assert len(points(mldesk, done["run"])) == 20
    assert mldesk("script", "show", folder, "--alone", "--json").code == 2
    assert mldesk("script", "run", folder / "mldesk.toml", "--json").code == 2
    assert "train.py" in mldesk("script", "show", folder).out


@pytest.mark.parametrize(("change", "said"), [
    ({"mldesk.toml": "entry = 3"}, "'entry' has to be a text"), ({"mldesk.toml": "[what]\n"}, "what"),
    ({"mldesk.toml": "= 3"}, "cannot be read"), ({"mldesk.toml": 'entry = "../up.py"'}, "no program"),
    ({"mldesk.toml": "a=" + "[" * 5000 + "]" * 5000}, "nested too deep"),
    ({"mldesk.toml": '[inputs]\ntable = "nowhere"'}, "nowhere"), ({"mldesk.toml": "[parameters]\nrate = [1]"}, "rate"),
])
def test_bad_settings_are_named_before_anything_runs(mldesk: Command, script: Path, change: dict[str, str],
                                                     said: str) -> None:
    for name, text in change.items():
        (script / name).write_text(text)
    answer = mldesk("script", "run", script, "--json")
    assert answer.code in (2, 3), answer
    assert said in answer.json["error"]["message"]
    assert mldesk.good("runs", "list")["runs"] == []


def test_parameters_it_does_not_have_or_of_another_type_are_refused(mldesk: Command, script: Path) -> None:
    for given in ("speed=1", "steps=many", "rate"):
        assert mldesk("script", "run", script, "--param", given, "--json").code == 2
    assert mldesk("script", "run", script / "nowhere.py").code == 3


def test_a_parameter_that_nobody_asked_for_is_named(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "rate.py").write_text("from mldesk import track\nrate = track.parameter('learning_rate', 0.1)\n"
                                      "track.metrics(1, loss=rate)\n")
    done = mldesk.good("script", "run", tmp_path / "rate.py", "--param", "lerning_rate=3")
    assert done["never_read"] == ["lerning_rate"] and done["metrics"] == {"loss": 0.1}
    said = [event for event in mldesk("runs", "events", done["run"], "--json").lines if event["kind"] == "warning"]
    assert [(event["text"], event["hint"]) for event in said] == [
        ("The parameter 'lerning_rate' was never read: the script does not ask for it.",
         "Did you mean 'learning_rate'?")]
    again = mldesk.good("script", "run", tmp_path / "rate.py", "--param", "learning_rate=3")
    assert again["never_read"] == [] and again["metrics"] == {"loss": 3}


def test_an_interrupted_script_goes_on_from_its_checkpoint_and_finish_ends_it(mldesk: Command, script: Path) -> None:
    run = mldesk.good("script", "run", script, "--param", "pause=0.05", "--param", "steps=100000", "--detach")["run"]
    _until(lambda: any(step >= 12 for step, _ in _pulled(mldesk, run)))
    _kill_program(script)
    _until(lambda: mldesk.good("runs", "show", run)["status"] in ("failed", "interrupted"))
    shown = mldesk.good("runs", "show", run)
    assert (shown["status"], shown["cause"]) == ("interrupted", "killed_external"), shown
    before = max(step for step, _ in points(mldesk, run))
    mldesk.good("runs", "resume", run)
    _until(lambda: max(step for step, _ in _pulled(mldesk, run)) > before + 5)
    mldesk.good("runs", "finish", run)
    _until(lambda: mldesk.good("runs", "show", run)["status"] == "succeeded")
    started = [event for event in mldesk("runs", "events", run, "--json").lines if event["kind"] == "started"]
    assert started[1]["resumed_from"] % 5 == 0
    assert started[1]["resumed_from"] >= 10


def _pulled(mldesk: Command, run: str) -> list[tuple[int, Any]]:
    mldesk.good("runs", "show", run)
    return points(mldesk, run)


def _kill_program(script: Path) -> None:
    found = [process for process in psutil.process_iter() if "mldesk.training.script" in _command(process)
             and str(script.parent) in _command(process)]
    for process in found:
        os.kill(process.pid, signal.SIGKILL)
    assert found


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _until(condition: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_a_script_requires_is_put_beside_the_runners_own_packages(mldesk: Command, tmp_path: Path) -> None:
    package = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("tiny.py", "WORD = 'tiny word'\n")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    folder = tmp_path / "needy"
    folder.mkdir()
    (folder / "go.py").write_text("import numpy, tiny\nfrom mldesk import track\ntrack.log(tiny.WORD)\n")
    (folder / "mldesk.toml").write_text(f"requirements = ['{package}']\n")
    done = mldesk.good("script", "run", folder)
    logs = [event["text"] for event in mldesk("runs", "events", done["run"], "--json").lines if event["kind"] == "log"]
    assert logs == ["tiny word"]
    (folder / "mldesk.toml").write_text(f"requirements = ['{tmp_path / 'nothing'}']\n")
    answer = mldesk("script", "run", folder, "--json")
    assert answer.json["status"] == "failed"
    assert "environment of the script could not be made" in answer.json["error"]["message"]
