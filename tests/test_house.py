"""The house's own rules: what may be imported where, what the project says about itself, what the tree may not hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("statement", "banned"), [
    ("import mldesk", {"sqlalchemy", "numpy", "typer", "rpyc", "PySide6"}),
    ("import runner_agent", {"numpy", "torch", "PySide6", "sqlalchemy", "pandas"}),
    ("import mldesk.training.catalogue", {"torch", "sklearn", "lightgbm", "pandas", "numpy"}),
    ("import mldesk.library", {"alembic", "keyring", "cryptography", "pandas", "torch"}),
    ("import mldesk.bundles", {"torch", "sklearn", "onnxruntime", "fastapi"}),
    ("import mldesk.app", {"torch", "sklearn", "pandas", "duckdb", "onnxruntime", "alembic", "PySide6", "numpy"}),
    ("from mldesk.training.export import native; native._skops().dump", {"torch"}),
])
def test_importing_a_package_stays_light(statement: str, banned: set[str]) -> None:
    assert not _modules_after(statement) & banned


def test_a_command_hardly_ever_looks_for_garbage_while_it_starts() -> None:
    code = ("import gc, sys\nfrom mldesk.__main__ import main\nsys.argv = ['mldesk', '--help']\ntry:\n    main()\n"
            "finally:\n    print(*(each['collections'] for each in gc.get_stats()), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    young, _, old = map(int, done.stderr.split())
    assert (young < 50, old) == (True, 0)   # by itself Python does so over a hundred times


def test_every_pinned_requirement_of_the_project_is_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {_normal(line.split("==")[0]) for line in (ROOT / "packaging/constraints.txt").read_text("utf-8").split()}
    wanted = list(project["dependencies"])
    for name, extra in project["optional-dependencies"].items():
        wanted += [] if name == "all" else extra
    assert {_normal(re.split(r"[<>=\[]", item)[0]) for item in wanted} <= pinned


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    own = Path(__file__).resolve()
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file() or path == own or path.suffix in {".png", ".parquet", ".gz", ".db", ".csv"}:
            continue
        text = path.read_text("utf-8", "replace")
        assert not re.search(r"/root/|/work/|/home/(?!user\b)\w+/|pypi\.org|pythonhosted|index-url", text), name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
