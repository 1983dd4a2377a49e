"""What a script requires is put beside the runner's own packages once, without an index where its wheels come along."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldesk.training.script_environment import Environments
from mldesk.training.script_pip import EnvironmentFailed, _failure

NOWHERE = "http://127.0.0.1:9/simple"   # nobody answers there


class Heard:
    """Stands in for a Report."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    monkeypatch.setenv("MLDESK_PACKAGE_INDEX", NOWHERE)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)   # whatever this machine's pip is told otherwise
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    return Heard()


@pytest.fixture
def made(tmp_path: Path, heard: Heard) -> Iterator[Environments]:
    environments = Environments(tmp_path / "environments", heard, lambda: None)   # type: ignore[arg-type]
    yield environments
    environments.close()


def put_wheel(folder: Path, word: str) -> None:
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "wheels" / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", f"WORD = {word!r}\n")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")


def said(python: str) -> str:
    return subprocess.run([python, "-c", "import numpy, tiny; print(tiny.WORD)"], check=True, capture_output=True,
                          text=True).stdout.strip()


def test_wheels_that_come_along_need_no_index(tmp_path: Path, made: Environments, heard: Heard) -> None:
    put_wheel(tmp_path, "first")
    python = made.python(["tiny"], tmp_path)
    assert said(python) == "first"
    assert any("Processing tiny-1-py3-none-any.whl" in stage for stage in heard.stages), heard.stages
    heard.stages.clear()
    assert made.python(["tiny"], tmp_path) == python and heard.stages == ["Preparing the environment"]
    put_wheel(tmp_path, "second")   # the same name, and another package
    assert said(made.python(["tiny"], tmp_path)) == "second"
    assert not list(tmp_path.glob(".mldesk*"))


def test_a_runner_without_a_way_to_an_index_says_so(tmp_path: Path, made: Environments) -> None:
    with pytest.raises(EnvironmentFailed, match="the runner reaches no package index from which to take tiny") as found:
        made.python(["tiny"], tmp_path)
    assert "folder `wheels`" in found.value.hint
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]   # nothing half made is left


def test_a_job_that_has_to_go_does_not_wait_for_pip(tmp_path: Path, heard: Heard) -> None:
    class Gone(Exception):
        pass

    def check() -> None:
        raise Gone

    environments = Environments(tmp_path / "environments", heard, check)   # type: ignore[arg-type]
    with pytest.raises(Gone):
        environments.python(["tiny"], tmp_path)
    environments.close()
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]


@pytest.mark.parametrize(("printed", "sentence"), [
    (("ERROR: Could not find a version that satisfies the requirement nosuch==9 (from versions: none)\n"
     "ERROR: No matching distribution found for nosuch==9"), "there is no package 'nosuch==9' for this Python."),
    (("WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(...)'\n"
     "ERROR: No matching distribution found for nosuch==9"), "reaches no package index from which to take nosuch==9."),
    ("noise\nERROR: Invalid requirement: '=='\n", "could not be made: Invalid requirement: '=='."),
    ("", "no reason was given.")])
def test_what_pip_says_becomes_a_sentence(printed: str, sentence: str) -> None:
    error: Any = _failure(printed, ["nosuch==9"])
    assert error.message.endswith(sentence) and error.hint
