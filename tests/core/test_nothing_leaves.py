"""Nothing leaves this machine unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_onnxruntime_starts_no_session_with_its_maker(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", "import mldesk, onnxruntime"], check=True,
                   env={**environment, "TMPDIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []  # its telemetry writes the id of a session there, before anything is sent
