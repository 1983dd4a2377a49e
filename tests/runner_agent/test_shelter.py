"""Where a logout ends what a user runs, the agent starts in a scope of the user's systemd; stand-ins say so here."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from runner_agent import bridge, shelter
from runner_agent.place import Place

KILLS = "echo KillUserProcesses=yes"


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which a test puts what the machine has, for a user who lingers and whose systemd runs."""
    folder, linger, run = tmp_path / "tools", tmp_path / "linger", tmp_path / "run"
    for made in (folder, linger, run / str(os.getuid())):
        made.mkdir(parents=True)
    (linger / pwd.getpwuid(os.getuid()).pw_name).touch()
    monkeypatch.setattr(shelter, "_LINGER", linger)
    monkeypatch.setattr(shelter, "_RUN", run)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    program(folder, "loginctl", KILLS)
    program(folder, "systemd-run", f'echo "$XDG_RUNTIME_DIR" >{tmp_path}/asked; while [ "$1" != -- ]; do shift; done; '
                                   'shift; exec "$@"')
    return folder


def test_where_a_logout_kills_the_agent_is_started_out_of_its_reach(tools: Path, tmp_path: Path) -> None:
    found = shelter.sheltered(["sh", "-c", 'echo "runs ${XDG_RUNTIME_DIR-without}"'])
    assert found is not None
    line, environment = found
    assert line[:3] == ["systemd-run", "--user", "--scope"]
    done = subprocess.run(line, env=dict(environment), capture_output=True, text=True, check=True)
    assert done.stdout == "runs without\n"  # it finds its socket as others do
    assert (tmp_path / "asked").read_text() == f"{tmp_path}/run/{os.getuid()}\n"


@pytest.mark.parametrize("lacking", ["kills", "linger", "systemd", "logind"])
def test_elsewhere_a_session_of_its_own_is_enough_or_all_there_is(tools: Path, tmp_path: Path, lacking: str) -> None:
    if lacking == "kills":
        program(tools, "loginctl", "echo KillUserProcesses=no")
    elif lacking == "linger":
        next((tmp_path / "linger").iterdir()).unlink()
    elif lacking == "systemd":
        (tmp_path / "run" / str(os.getuid())).rmdir()
    else:
        program(tools, "loginctl", "exit 1")
    assert shelter.sheltered(["true"]) is None


def test_an_agent_that_systemd_does_not_take_is_started_the_plain_way(
        tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tools, "systemd-run", "echo refused; exit 1")
    program(tools, "python", f"echo started >>{tmp_path}/started")
    monkeypatch.setattr("sys.executable", str(tools / "python"))
    place = Place(tmp_path / "place").make()
    bridge.start_agent(place)
    assert (tmp_path / "started").read_text() == "started\n"
    assert "refused" in place.log.read_text()
