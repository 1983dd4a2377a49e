"""``models retrain`` where the new data cannot be learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("trains_here")


def test_a_retraining_that_fails_says_why_as_any_other_run(mldesk: Command, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text("size,answer\n" + "".join(f"{n},{('yes', 'no')[n % 2]}\n" for n in range(60)), "utf-8")
    mldesk.good("data", "import", table)
    model = mldesk.good("train", "old", "--target", "answer", "--model", "linear")["model"]
    before = {path for path in mldesk.home.rglob("objects/*/*") if path.is_file()}
    mldesk.good("data", "import", table, "--name", "new", "--missing", "7")
    for path in {path for path in mldesk.home.rglob("objects/*/*") if path.is_file()} - before:
        if path.read_bytes()[:4] == b"PAR1":   # its rows are spoilt
            path.chmod(0o600)
            path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 4))
    failed = mldesk("--json", "models", "retrain", model, "new")
    assert failed.code == 1 and failed.json["status"] == "failed", failed
    assert failed.json["error"]["message"]
    assert mldesk.good("models", "show", "old-answer")["version"] == 1   # there is no other
