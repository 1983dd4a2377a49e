"""From pressing Train to the first number: MLDesk with a warm and a cold trainer against ``python train.py``.

The plain script does the same with torch alone: read the table, encode it, make a network, take steps, print the loss
of the first. Its clock starts with its process, MLDesk's with the order.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mldesk.app import open_workbench
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from tests.benchmarks._report import median, report
from tests.data_folder import SHARED

ROUNDS = 5
TABLE = SHARED / "tabular" / "telco_churn.csv"
WARM_UP = 20.0  # seconds given to the agent to have a trainer ready again

PLAIN = """
import sys
import pandas
import torch
table = pandas.read_csv(sys.argv[1]).drop(columns="customerID")
target = torch.tensor((table.pop("Churn") == "Yes").to_numpy(dtype="float32"))
table["TotalCharges"] = pandas.to_numeric(table["TotalCharges"], errors="coerce").fillna(0)
features = torch.tensor(pandas.get_dummies(table).to_numpy(dtype="float32"))
features = (features - features.mean(0)) / (features.std(0) + 1e-6)
model = torch.nn.Sequential(torch.nn.Linear(features.shape[1], 192), torch.nn.ReLU(), torch.nn.Linear(192, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
for start in range(0, len(features), 256):
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        model(features[start:start + 256]).squeeze(1), target[start:start + 256])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), flush=True)
    break
"""


def _plain(script: Path) -> float:
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, str(script), str(TABLE)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = time.perf_counter() - started
        process.wait()
    return taken


def _ours(bench: Workbench) -> float:
    started = time.perf_counter()
    run = bench.runs.start(TrainOrder("telco", "Churn", estimator="mlp", parameters={"epochs": 2}))
    taken = 0.0
    for event in bench.runs.follow(run.id):
        if event.kind == "metrics" and not taken:
            taken = time.perf_counter() - started
    assert bench.runs.get(run.id).result is not None, bench.runs.get(run.id)
    return taken


def main() -> None:
    """Print the medians and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "train.py"
        script.write_text(PLAIN, "utf-8")
        os.environ["MLDESK_HOME"] = str(Path(folder) / "home")
        with open_workbench() as bench:
            bench.datasets.import_files([TABLE], "telco")
            _plain(script)  # warms the page cache
            cold = _ours(bench)  # the agent starts for it
            warm, plain = [], []
            try:
                for _ in range(ROUNDS):
                    time.sleep(WARM_UP)
                    warm.append(_ours(bench))
                    plain.append(_plain(script))
            finally:
                bench.runners.stop("local")
    report("first_metric", [
        ("python train.py", median(plain), "s"), ("MLDesk, warm trainer", median(warm), "s"),
        ("MLDesk, agent and trainer cold", cold, "s"),
        ("warm / python train.py", median([a / b for a, b in zip(warm, plain, strict=True)]), "×")],
        {"warm, slowest": f"{max(warm):.3f} s", "goal": "warm below 1 s"})


if __name__ == "__main__":
    main()
