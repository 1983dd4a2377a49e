"""What ``mldesk doctor`` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mldesk.app import examine_machine
from mldesk.core.errors import SecretsLocked
from mldesk.core.paths import Home, socket_directory
from mldesk.workbench import health


def test_every_part_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    findings = {finding.name: finding for finding in examine_machine(home)}
    assert list(findings) == ["python", "mldesk", "training", "window", "gpu", "memory", "disk", "sockets", "secrets",
                              "library", "agent", "display"]
    assert all(finding.text.endswith(".") for finding in findings.values())
    assert not home.exists()
    assert not socket_directory(Home(home).runner).exists()
    assert findings["training"].facts["torch"]


def test_nothing_heavy_is_imported_to_know_its_version(tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from mldesk.app import examine_machine; "
            f"list(examine_machine(Path({str(tmp_path / 'home')!r}))); "
            "assert not {'torch', 'sklearn', 'lightgbm', 'duckdb', 'PySide6'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_requirements", lambda extra: ["numpy", "no-such-thing"])
    finding = health.packages("window", "the window", "desktop")
    assert (finding.status, finding.facts["no-such-thing"]) == ("missing", None)
    assert "pip install 'mldesk[desktop]'" in finding.hint


def test_a_part_that_refuses_is_quoted() -> None:
    def locked() -> str:
        raise SecretsLocked("It is locked.", hint="Unlock it.")

    assert health.asked("secrets", locked, "warning") == health.Finding("secrets", "warning", "It is locked.",
                                                                        "Unlock it.")


def test_a_graphics_card_that_torch_cannot_use_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA X, 24576, 570.1'\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(health, "_version", lambda name: "2.13.0+cpu")
    finding = health.gpu()
    assert (finding.status, finding.facts["devices"]) == (
        "warning", [{"name": "NVIDIA X", "memory_mib": "24576", "driver": "570.1"}])
    program.write_text("#!/bin/sh\nexit 9\n", "utf-8")
    assert "gives no answer" in health.gpu().text
