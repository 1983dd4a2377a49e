"""What is loaded when: the first paint waits for nothing slow, and nothing that trains is ever loaded here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TRAINERS = {"torch", "sklearn", "lightgbm", "skops", "skl2onnx", "onnx", "onnxmltools", "pandas"}
SLOW = {"sqlalchemy", "numpy", "pyqtgraph", "duckdb", "pyarrow", "alembic", "rpyc", "cryptography", "keyring"}

AT_FIRST_PAINT = """
import sys
from mldesk.desktop import window
paint = window.MainWindow.paintEvent
def paintEvent(self, event):
    paint(self, event)
    print("modules", *sorted(sys.modules))
window.MainWindow.paintEvent = paintEvent
from mldesk.desktop.main import main
sys.exit(main(["--quit-at-first-paint"]))
"""

AFTER_A_LOOK_AROUND = """
import sys, tempfile
from pathlib import Path
from tests.desktop.scripted_user import play

async def script(user):
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    window.import_sample()
    page = await user.until(window.dataset_page, "the sample")
    page.show_tab("columns")
    await user.until(lambda: page.state.profile.value, "the profile")
    for place in ("home", "runs", "models", "settings"):
        window.go(place)
        await user.pause(0.1)
    window.train("telco_churn")
    await user.pause(1.0)

play(Path(sys.argv[1]), script, meet_machine=False)
print("modules", *sorted(sys.modules))
"""


def modules(code: str, *arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
                          cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for line in done.stdout.splitlines() if line.startswith("modules ")
            for name in line.split()[1:]}


def test_the_first_paint_waits_for_qt_and_our_own_code_only() -> None:
    loaded = modules(AT_FIRST_PAINT)
    assert "PySide6" in loaded
    assert not loaded & (SLOW | TRAINERS)


def test_nothing_that_trains_is_ever_loaded_in_the_window(tmp_path: Path) -> None:
    loaded = modules(AFTER_A_LOOK_AROUND, str(tmp_path / "home"))
    assert loaded >= {"sqlalchemy", "pyqtgraph", "duckdb"}
    assert not loaded & TRAINERS


def test_ctrl_c_in_the_terminal_closes_the_window(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen([sys.executable, "-m", "mldesk.desktop.main", "--home", str(home)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        deadline = time.monotonic() + 60
        while not (home / "library.db").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        from tests.desktop.scripted_user import stop_agent

        stop_agent(home)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
