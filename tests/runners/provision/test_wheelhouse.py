"""What a box trains with: one key for one set of packages, and the wheels that fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.runners.provision.torch_builds import BUILDS, CPU
from mldesk.runners.provision.wheelhouse import Lock, find_wheels, lock_training

LOCK = Lock("3.12", "x86_64-glibc", "cpu", (("numpy", "2.0.0"), ("tool", "1.0"), ("torch", "2.10.0+cpu")))


def test_a_lock_holds_what_trains_here_with_the_build_of_torch_for_the_box() -> None:
    lock = lock_training(BUILDS[0], (3, 12, 3), "x86_64-glibc")
    packages = dict(lock.packages)
    assert packages["torch"].endswith(f"+{BUILDS[0].name}") and {"numpy", "scikit-learn", "lightgbm"} <= packages.keys()
    assert "pyside6-essentials" not in packages and "pytest" not in packages
    assert f"numpy=={packages['numpy']}\n" in lock.requirements


def test_the_same_packages_have_one_key_and_others_another() -> None:
    one = lock_training(CPU, (3, 12), "x86_64-glibc")
    assert one.key == lock_training(CPU, (3, 12, 9), "x86_64-glibc").key
    others = {lock_training(BUILDS[0], (3, 12), "x86_64-glibc").key, lock_training(CPU, (3, 11), "x86_64-glibc").key,
              lock_training(CPU, (3, 12), "aarch64-glibc").key}
    assert one.key not in others and len(others) == 3


@pytest.mark.parametrize(("name", "fits"), [
    ("numpy-2.0.0-cp312-cp312-manylinux_2_28_x86_64.whl", True),
    ("numpy-2.0.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", True),
    ("numpy-2.0.0-cp311-abi3-linux_x86_64.whl", True),
    ("numpy-2.0.0-py3-none-any.whl", True),
    ("numpy-2.0.0-cp313-abi3-linux_x86_64.whl", False),
    ("numpy-2.0.0-cp311-cp311-manylinux_2_28_x86_64.whl", False),
    ("numpy-2.0.0-cp312-cp312-manylinux_2_28_aarch64.whl", False),
    ("numpy-2.0.0-cp312-cp312-musllinux_1_2_x86_64.whl", False),
    ("numpy-2.0.1-cp312-cp312-manylinux_2_28_x86_64.whl", False),
    ("numpy.whl", False),
])
def test_only_wheels_for_its_python_and_machine_are_taken(name: str, fits: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"wheel")
    house = find_wheels(LOCK, tmp_path)
    assert bool(house.wheels) is fits and ("numpy==2.0.0" in house.missing) is not fits
    assert house.size == (5 if fits else 0)
