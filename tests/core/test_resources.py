"""Icons, samples and templates are found in a checkout and in an installed wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mldesk.core.errors import NotFound
from mldesk.core.resources import folder, resource

ROOT = Path(__file__).resolve().parents[2]


def test_a_checkout_uses_its_own_folder() -> None:
    assert folder() == ROOT / "resources"
    assert resource("samples", "telco_churn.csv").is_file()
    assert resource("samples", "telco_churn.LICENSE.txt").read_text("utf-8").strip().startswith("Apache License")


def test_a_resource_that_is_missing_is_named() -> None:
    with pytest.raises(NotFound, match=r"lacks samples/nothing\.csv"):
        resource("samples", "nothing.csv")


def test_a_wheel_carries_them_and_finds_them(tmp_path: Path) -> None:
    tree, site = tmp_path / "tree", tmp_path / "site"
    tree.mkdir()
    for name in ("mldesk/core", "resources", "packaging"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "mldesk/__init__.py", "mldesk/py.typed"):
        shutil.copy(ROOT / name, tree / name)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=tree, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    find = "from mldesk.core.resources import resource; print(resource('samples', 'telco_churn.csv'))"
    found = subprocess.run([sys.executable, "-S", "-c", find], cwd=site, capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    assert path.is_relative_to(site)
    assert path.read_bytes() == resource("samples", "telco_churn.csv").read_bytes()
