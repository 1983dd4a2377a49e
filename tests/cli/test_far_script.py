"""A script on another machine: what was installed there runs it, with packages of its own, through cuts and kills."""

from __future__ import annotations

import json
import site
import zipfile
from pathlib import Path

import pytest

from tests.cli.far_box import Desk, FarBox, until, usable
from tests.cli.test_far_runner import box, desk

pytestmark = pytest.mark.skipif(not usable(), reason="needs root, sshd and a system's Python to play the box")
__all__ = ["box", "desk"]   # fixtures
PROGRAM = """
import sys, time
from pathlib import Path
import tiny
from mldesk import track, track_callbacks
for step in range(track.resumed_from(), 100_000):
    track.metrics(step, loss=1 / (step + 1))
    if step % 5 == 0:
        (track.checkpoint_folder() / "w.txt").write_text(str(step))
        track.checkpoint(step)
    if track.should_stop():
        break
    time.sleep(0.02)
Path("w\u00e9.txt").write_text((track.checkpoint_folder() / "w.txt").read_text())
track.artifact("w\u00e9.txt", "w\u00e9.txt")
print(tiny.WORD)
"""


def make_script(folder: Path) -> Path:
    (folder / "wheels").mkdir(parents=True)
    with zipfile.ZipFile(folder / "wheels" / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "WORD = 'tiny word'\n")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    (folder / "train.py").write_text(PROGRAM, "utf-8")
    (folder / "mldesk.toml").write_text('requirements = ["tiny"]\n')
    return folder


def let_it_train(box: FarBox) -> None:
    """Give the box the real trainer, by the code that was installed there, with the packages of this machine."""
    mine = f"{box.account.home}/.mldesk/current"
    path = box.account.home / ".mldesk" / "trainer"
    path.write_text(json.dumps(["/usr/bin/env", f"PYTHONPATH={mine}/lib:{':'.join(site.getsitepackages())}",
                                f"{mine}/env/bin/python3", "-P", "-m", "mldesk.training.run"]))
    box.account.give(path)
    box.run("$HOME/.mldesk/current/bin/mldesk-agent stop")


def test_a_script_runs_there_with_its_own_packages_and_goes_on_from_its_checkpoint(
        desk: Desk, box: FarBox, tmp_path: Path) -> None:
    told = desk.refuses("runners", "add", "far", box.address)[1]["error"]["message"]
    (key,) = [item for item in box.fingerprints if item in told]
    desk("runners", "add", "far", box.address, "--accept-key", key, "--yes")
    let_it_train(box)
    desk("runners", "upgrade", "far")   # it looks again at what is there
    folder = make_script(tmp_path / "script")
    run = desk("script", "run", folder, "--runner", "far", "--detach")["run"]

    def steps() -> list[int]:
        return [event["step"] for event in desk.events(run) if event["kind"] == "metrics"]

    until(lambda: len(steps()) > 12)
    box.sshd.stop()   # the line is gone; the script is not
    box.sshd.start()
    seen = len(steps())
    until(lambda: len(steps()) > seen)
    program = [process for process in box.processes() if "mldesk.training.script" in process.cmdline()]
    for process in program:
        process.kill()
    assert program
    until(lambda: bool(desk("runs", "show", run)["status"] == "interrupted"))
    assert not [process for process in box.processes() if "train.py" in process.cmdline()]
    before = steps()
    desk("runs", "resume", run)
    until(lambda: len(steps()) > len(before) + 5)
    desk("runs", "finish", run)
    desk.tries("runs", "follow", run)
    events = desk.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    second = [event["resumed_from"] for event in events if event["kind"] == "started"][1]
    assert second >= 10 and second % 5 == 0
    done = desk("runs", "show", run)
    assert done["status"] == "succeeded" and "tiny word" in desk("runs", "logs", run)["log"]
    desk("script", "artifact", run, "w\u00e9.txt", "-o", tmp_path / "w.txt")
    assert int((tmp_path / "w.txt").read_text()) >= second
    desk("runners", "remove", "far")
