"""Process start to first paint: MLDesk's window against a bare PySide6 + pyqtgraph window, in turn.

Both run offscreen and end themselves at the first paint of their top-level window; a whole-process time each.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 9

BARE = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph
class Plot(pyqtgraph.PlotWidget):  # covers the window, which therefore is never painted itself
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, QApplication.instance().quit)
app = QApplication(sys.argv)
window = QMainWindow()
window.resize(1200, 800)
window.setCentralWidget(Plot())
window.show()
app.exec()
"""

OURS = [sys.executable, "-m", "mldesk.desktop.main", "--quit-at-first-paint"]


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print the medians and the ratio."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MLDESK_HOME": home}
        bare, ours = [], []
        for run in range(RUNS + 1):
            pair = _seconds([sys.executable, "-c", BARE], environment), _seconds(OURS, environment)
            if run:  # the first pair warms the page cache
                bare.append(pair[0])
                ours.append(pair[1])
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    print(f"bare PySide6 + pyqtgraph window   {statistics.median(bare):.3f} s")
    print(f"MLDesk window to first paint      {statistics.median(ours):.3f} s")
    spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
    print(f"ratio, median of pairs            {statistics.median(ratios):.2f}  {spread}")


if __name__ == "__main__":
    main()
