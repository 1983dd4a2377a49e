"""What a box trains with: one key for one set of packages, the wheels that fit it, and wheels made of what is here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from mldesk.runners.provision import own_wheels
from mldesk.runners.provision.environment import MODULES
from mldesk.runners.provision.own_wheels import OwnWheel, find_own, make, own_platform, own_python
from mldesk.runners.provision.package import NotWhole
from mldesk.runners.provision.torch_builds import BUILDS, CPU
from mldesk.runners.provision.wheelhouse import Lock, find_wheels, lock_training, make_wheels, normal
from tests.runners.provision.wheels import wheel

LOCK = Lock("3.12", "x86_64-glibc", "cpu", (("numpy", "2.0.0"), ("tool", "1.0"), ("torch", "2.10.0+cpu")))
CUDA = Lock("3.12", "x86_64-glibc", "cu130", (("torch", "2.10.0+cu130"),))


def own(name: str = "threadpoolctl") -> OwnWheel:
    found = find_own(name)
    assert found is not None
    return found


def test_a_lock_holds_what_trains_here_with_the_build_of_torch_for_the_box() -> None:
    lock = lock_training(BUILDS[0], (3, 12, 3), "x86_64-glibc")
    packages = dict(lock.packages)
    assert packages["torch"].endswith(f"+{BUILDS[0].name}") and {"numpy", "scikit-learn", "lightgbm"} <= packages.keys()
    assert "pyside6-essentials" not in packages and "pytest" not in packages
    assert ("pip" in packages) == (find_own("pip") is not None)   # it makes the environments of scripts
    assert f"numpy=={packages['numpy']}\n" in lock.requirements(builds=True)
    assert f"torch=={packages['torch']}\n" in lock.requirements(builds=True)
    assert f"torch=={packages['torch'].partition('+')[0]}\n" in lock.requirements(builds=False)


def test_what_a_box_must_load_comes_with_the_packages_that_it_gets() -> None:
    packages = dict(lock_training(CPU, (3, 12, 3), "x86_64-glibc").packages)
    tops = {name.partition(".")[0] for name in MODULES} - {"mldesk"}
    known = metadata.packages_distributions()
    assert {name: normal(known[name][0]) in packages for name in tops} == dict.fromkeys(tops, True)


def test_the_same_packages_have_one_key_and_others_another() -> None:
    one = lock_training(CPU, (3, 12), "x86_64-glibc")
    assert one.key == lock_training(CPU, (3, 12, 9), "x86_64-glibc").key
    others = {lock_training(BUILDS[0], (3, 12), "x86_64-glibc").key, lock_training(CPU, (3, 11), "x86_64-glibc").key,
              lock_training(CPU, (3, 12), "aarch64-glibc").key}
    assert one.key not in others and len(others) == 3


@pytest.mark.parametrize(("version", "tags", "fits"), [
    ("2.0.0", "cp312-cp312-manylinux_2_28_x86_64", True),
    ("2.0.0", "cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
    ("2.0.0", "cp311-abi3-linux_x86_64", True),
    ("2.0.0", "py3-none-any", True),
    ("2.0.0", "cp313-abi3-linux_x86_64", False),
    ("2.0.0", "cp311-cp311-manylinux_2_28_x86_64", False),
    ("2.0.0", "cp312-cp312-manylinux_2_28_aarch64", False),
    ("2.0.0", "cp312-cp312-musllinux_1_2_x86_64", False),
    ("2.0.1", "cp312-cp312-manylinux_2_28_x86_64", False),
])
def test_only_wheels_for_its_python_and_machine_are_taken(version: str, tags: str, fits: bool, tmp_path: Path) -> None:
    path = wheel(tmp_path, "numpy", version, tags=tags)
    house = find_wheels(LOCK, tmp_path, own=False)
    assert [item.path for item in house.wheels] == [path] * fits and ("numpy==2.0.0" in house.missing) is not fits
    assert house.size == path.stat().st_size * fits


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06 cut", b"wheel" * 100])
def test_a_wheel_that_was_cut_is_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "numpy-2.0.0-py3-none-any.whl").write_bytes(data)
    (tmp_path / "numpy.whl").write_bytes(data)
    assert "numpy==2.0.0" in find_wheels(LOCK, tmp_path, own=False).missing


def test_torch_for_cuda_brings_the_libraries_that_it_names_and_misses_the_others(tmp_path: Path) -> None:
    wheel(tmp_path, "torch", "2.10.0", tags="cp312-cp312-manylinux_2_28_x86_64", requires=(
        "nvidia-cublas==13.1; platform_system == 'Linux'", "triton==3.6; platform_system == 'Linux'", "sympy>=1.13"))
    wheel(tmp_path, "triton", "3.6")
    assert find_wheels(CUDA, tmp_path, own=False).missing == ("nvidia-cublas==any",)
    wheel(tmp_path, "nvidia_cublas", "13.1")
    house = find_wheels(CUDA, tmp_path, own=False)
    assert len(house.wheels) == 3 and not house.missing


def test_what_is_installed_here_is_there_for_a_box_of_our_kind(tmp_path: Path) -> None:
    version = metadata.version("threadpoolctl")
    lock = Lock(own_python(), own_platform(), "cpu", (("threadpoolctl", version), ("no-such", "1.0")))
    house = find_wheels(lock, tmp_path)
    assert house.missing == ("no-such==1.0",) and not house.made
    told: list[float] = []
    [made] = make_wheels(house, tmp_path, told.append)
    again = find_wheels(lock, tmp_path)
    assert again.made and again.size == made.stat().st_size and told == [1.0]
    other = Lock(own_python(), "sparc-glibc", "cpu", lock.packages)
    assert not find_wheels(other, tmp_path).wheels
    assert find_wheels(Lock(own_python(), own_platform(), "cpu", (("threadpoolctl", "0.1"),)), tmp_path).missing


def test_a_wheel_made_of_an_installation_is_the_same_bytes_and_its_record_is_right(tmp_path: Path) -> None:
    first, second = make(own(), tmp_path / "1"), make(own(), tmp_path / "2")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        [record] = [name for name in names if name.endswith("/RECORD")]
        lines = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert sorted(line[0] for line in lines) == sorted(names)
        for name, digest, size in lines[:-1]:
            data = archive.read(name)
            assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert int(size) == len(data)
    assert not [name for name in names if name.endswith((".pyc", "INSTALLER")) or ".." in name]


def test_a_wheel_is_made_once_and_again_when_the_package_was_installed_anew(tmp_path: Path) -> None:
    path = make(own(), tmp_path)
    before = path.stat().st_ino
    assert make(own(), tmp_path).stat().st_ino == before
    os.utime(path, (1, 1))
    assert own().made(tmp_path) is None and make(own(), tmp_path).stat().st_ino != before


def test_a_file_that_was_changed_after_it_was_installed_is_not_given_away(tmp_path: Path) -> None:
    wheel(tmp_path, "tool")
    (tmp_path / "tool.py").write_text("mine")
    (tmp_path / "RECORD").write_text("tool.py,sha256=AAAA,4\n")
    changed = OwnWheel("tool-1.0-py3-none-any.whl", tmp_path / "RECORD", "tool-1.0.dist-info",
                       (("tool.py", tmp_path / "tool.py"),), 4)
    with pytest.raises(NotWhole, match=r"tool\.py was changed"):
        make(changed, tmp_path / "made")
    assert not list((tmp_path / "made").iterdir())


def test_what_did_not_come_as_a_wheel_is_not_made_one() -> None:
    assert find_own("no-such-package") is None
    assert own_wheels.own_torch_build() in ("cpu", *(build.name for build in BUILDS))
