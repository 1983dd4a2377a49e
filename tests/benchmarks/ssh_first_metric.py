"""From pressing Train to the first number on another machine: a warm runner against ``ssh host python train.py``.

The plain script is that of ``first_metric``; its table is there already, and so is MLDesk's after the first run. The
box has this checkout's Python, with torch.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from mldesk.core.clock import SystemClock
from mldesk.library import Library
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runs import RunService
from tests.benchmarks._report import median, report
from tests.benchmarks.first_metric import PLAIN, ROUNDS, TABLE, WARM_UP
from tests.benchmarks.ssh_transfer import Rivals
from tests.chaos._desk import runners
from tests.chaos._far import Far, far_box
from tests.runners.ssh.box import packages, python_of


def plain(far: Far, python: str, script: Path, table: Path) -> float:
    """Return the seconds until the script's first number came over ssh."""
    rivals = Rivals(far)
    words = ["ssh", "-p", rivals.port, *rivals.options, rivals.where, f"PYTHONPATH={packages()}", python, str(script),
             str(table)]
    started = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - started
        assert line, "the plain script said nothing"
        process.wait()
    return taken


def ours(runs: RunService) -> float:
    """Return the seconds from the order to the first metric in the library."""
    started, taken = time.perf_counter(), 0.0
    run = runs.start(TrainOrder("telco", "Churn", estimator="mlp", parameters={"epochs": 2}, runner="box"))
    for event in runs.follow(run.id):
        if event.kind == "metrics" and not taken:
            taken = time.perf_counter() - started
    assert runs.get(run.id).result is not None, runs.get(run.id)
    return taken


def main() -> None:
    """Print the medians and their ratio."""
    # The trainer's Python is the box's own, which finds this checkout's packages.
    trainer = json.dumps(["{python}", "-m", "mldesk.training.run"])
    with tempfile.TemporaryDirectory() as name, far_box(
            Path(name), MLDESK_TRAINER=trainer, MLDESK_NO_WARM="0") as far:
        python = python_of(far.account)
        far.person.pin(far.sshd)
        script, table = far.account.folder / "train.py", far.account.folder / "telco.csv"
        script.write_text(PLAIN, "utf-8")
        shutil.copy(TABLE, table)
        for path in (script, table):
            os.chmod(path, 0o644)
        home, clock = far.person.home, SystemClock()  # what the runner sends comes from there
        runner = far.box.runner(far.person, far.sshd.port)
        with Library.open(home) as library:
            service = runners(library, runner, clock)
            datasets = DatasetService(library, home)
            runs = RunService(library, datasets, service, clock)
            datasets.import_files([TABLE], "telco")
            plain(far, python, script, table)  # warms the page cache
            cold = ours(runs)
            warm, script_took = [], []
            for _ in range(ROUNDS):
                time.sleep(WARM_UP)
                warm.append(ours(runs))
                script_took.append(plain(far, python, script, table))
            runner.close()
    report("ssh_first_metric", [
        ("ssh host python train.py", median(script_took), "s"), ("MLDesk, warm runner", median(warm), "s"),
        ("MLDesk, agent cold, data not there", cold, "s"),
        ("warm / ssh host python train.py", median([a / b for a, b in zip(warm, script_took, strict=True)]), "×")],
        {"warm, slowest": f"{max(warm):.3f} s", "goal": "warm below 1.5 s"})


if __name__ == "__main__":
    main()
