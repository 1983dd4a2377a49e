"""Filling an environment from wheels, as the program that is sent to a box does it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mldesk.runners.provision.scripts import program
from mldesk.runners.provision.unpack import destination, native, needless, unpack
from tests.runners.provision.wheels import wheel

SITE = "env/lib/python3.12/site-packages"


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside.py", "a/../../b.py", "a\\..\\b.py", "c:/b.py", "a\0b.py"])
def test_a_wheel_cannot_write_outside_of_its_environment(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        destination(name)


@pytest.mark.parametrize(("name", "target"), [
    ("tool/__init__.py", "tool/__init__.py"),
    ("tool-1.0.data/purelib/tool/a.py", "tool/a.py"),
    ("tool-1.0.data/platlib/tool/a.so", "tool/a.so"),
    ("tool-1.0.data/scripts/tool", ""),
    ("tool-1.0.data/data/share/man/tool.1", ""),
    ("tool-1.0.data/purelib", ""),
    ("numpy/_core/tests/test_a.py", ""),
    ("numpy/testing/_private/utils.py", "numpy/testing/_private/utils.py"),
    ("jinja2/tests.py", "jinja2/tests.py"),
    ("torch/include/ATen/ATen.h", ""),
    ("torch/lib/libtorch_cpu.so", "torch/lib/libtorch_cpu.so"),
    ("torch/lib/libtorchbind_test.so", ""),
    ("torch/bin/protoc", ""),
    ("torch/bin/torch_shm_manager", "torch/bin/torch_shm_manager"),
    ("tool/stub.pyi", ""),
])
def test_what_training_needs_is_kept_and_where_it_goes(name: str, target: str) -> None:
    assert destination(name) == target
    assert needless(name) is (not target) or ".data/" in name


def fill(root: Path, key: str, *wheels: Path, arrived: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    """Run the program as a box does, with those wheels that have arrived."""
    environment, incoming, listing = root / "environments" / key, root / "incoming", root / "list"
    (environment / SITE).mkdir(parents=True)
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir()
    for path in arrived:
        shutil.copy(path, incoming / path.stem)
    listing.write_text(json.dumps({"wheels": [{"digest": path.stem, "name": path.name} for path in wheels]}))
    done = subprocess.run([sys.executable, "-I", "-", str(root), str(environment), str(listing)], text=True,
                          input=program("unpack"), capture_output=True, check=False)
    if not done.returncode:
        (environment / "facts").touch()
    return done


def test_wheels_that_an_older_environment_holds_are_linked_and_need_not_be_sent(tmp_path: Path) -> None:
    root, tool, other = tmp_path / "root", wheel(tmp_path, "tool"), wheel(tmp_path, "other")
    assert fill(root, "first", tool, arrived=(tool,)).returncode == 0
    old = root / "environments/first" / SITE / "tool/__init__.py"
    assert old.read_text() == "VERSION = '1.0'\n"
    done = fill(root, "second", tool, other, arrived=(other,))
    assert (done.returncode, done.stderr) == (0, "")
    new = root / "environments/second"
    assert (new / SITE / "tool/__init__.py").samefile(old) and (new / SITE / "other/__init__.py").is_file()
    assert json.loads((new / f"parts/{tool.stem}.json").read_text())[0] == "tool/__init__.py"


def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    tool = wheel(tmp_path, "tool")
    tool.write_bytes(tool.read_bytes()[:-30])
    done = fill(tmp_path / "root", "key", tool, arrived=(tool,))
    assert done.returncode == 1 and done.stderr.startswith("tool-1.0-py3-none-any.whl cannot be unpacked: ")


def test_a_program_of_a_wheel_may_be_run_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "tool.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (("torch/bin/torch_shm_manager", 0o755), ("torch/a.py", 0o644)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, "x")
    names = unpack(path, tmp_path / "site")
    assert [bool((tmp_path / "site" / name).stat().st_mode & 0o100) for name in names] == [True, False]


def test_lightgbm_gets_the_openmp_of_another_package_where_the_machine_has_none(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / SITE
    (site / "scikit_learn.libs").mkdir(parents=True)
    (site / "scikit_learn.libs/libgomp-e985bcbb.so.1.0.0").write_text("library")

    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", lambda _name: None)
    native(tmp_path, site)
    assert not (tmp_path / "native").exists()
    monkeypatch.setattr("ctypes.CDLL", absent)
    native(tmp_path, site)
    assert (tmp_path / "native/libgomp.so.1").read_text() == "library"
