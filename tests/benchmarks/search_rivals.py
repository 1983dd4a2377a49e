"""A search against FLAML and AutoGluon: the same rows, seconds and cores, one after another; a table and mean ranks.

Each result is kept in ``--results`` at once, so a run that is cut goes on where it was. The rivals live in virtual
environments below ``--place``, which are made there if they are not. Not part of ``make bench``: it takes hours.

usage: python -m tests.benchmarks.search_rivals --run [--seconds 60] [--who mldesk,flaml,autogluon] [--minutes 4] [SET]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from mldesk.core import canonical
from mldesk.core.ids import new_id
from mldesk.training.catalogue import CLASSIFICATION, REGRESSION
from mldesk.wire.jobs import JobSpec, Resources, SearchRequest, SplitRequest, TrainRequest
from tests.benchmarks.scores import _as_imported, _module, _splits
from tests.data_folder import SHARED
from tests.training.jobs import put_table, result, start

WHO = ("mldesk", "flaml", "autogluon")
PACKAGES = {"flaml": ["flaml[automl]", "pyarrow"], "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost,fastai]"]}
_GRACE = 3.0   # times the seconds until a rival is given up


def main(arguments: list[str]) -> int:
    """Run what is missing until the minutes are over, then print the table of what there is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--run", action="store_true", help="measure; only print the table without it")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--who", default=",".join(WHO))
    parser.add_argument("--minutes", type=float, default=1e9, help="begin nothing that would last longer")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "rivals")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args(arguments)
    kept = given.results or given.place / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    until = time.monotonic() + given.minutes * 60
    for spec in json.loads((SHARED / "baselines.json").read_text("utf-8"))["sets"] if given.run else ():
        if given.sets and not any(name in spec["name"] for name in given.sets):
            continue
        for split, who in [(split, who) for split in (("random", "last 20 %") if spec.get("time") else ("random",))
                           for who in given.who.split(",")]:
            key = f"{spec['name']}|{split}|{given.seconds:g}|{who}"
            if key in results or time.monotonic() + given.seconds * 1.1 > until:
                continue
            results[key] = _measure(given.place, spec, split, who, given.seconds)
            print(key, json.dumps(results[key]), flush=True)
            kept.write_text(json.dumps(results, indent=0), "utf-8")
    show(results, given.seconds)
    return 0


def show(results: dict[str, Any], seconds: float) -> None:
    """Print a row per set and split that everybody has a result for, and the mean ranks over those."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, value in results.items():
        name, split, budget, who = key.split("|")
        if float(budget) == seconds:
            found.setdefault((name, split), {})[who] = value
    print(f"\n{seconds:g} s\n\n| set | split | metric | " + " | ".join(WHO) + " |\n" + "| --- " * (3 + len(WHO)) + "|")
    ranks = []
    for (name, split), row in found.items():
        metric = next(iter(row.values()))["metric"]
        cells = [f"{row[who]['score']:.5g} ({row[who]['seconds']:.0f} s)" if who in row else "" for who in WHO]
        print(f"| {name} | {split} | {metric} | " + " | ".join(cells) + " |")
        if all(who in row for who in WHO):
            losses = [-row[who]["score"] if metric == "roc_auc" else row[who]["score"] for who in WHO]
            ranks.append(pd.Series(np.round(losses, 6)).rank().to_numpy())
    if ranks:
        print(f"\nmean rank over {len(ranks)}: " + ", ".join(
            f"{who} {rank:.2f}" for who, rank in zip(WHO, np.mean(ranks, axis=0), strict=True)))


def _measure(place: Path, spec: dict[str, Any], split: str, who: str, seconds: float) -> dict[str, Any]:
    baselines = _module()
    raw = baselines.load(str(SHARED), spec)
    x, y = baselines.prepare(raw, spec)
    membership = dict(_splits(len(y), bool(spec.get("time"))))[split]
    truth = y.to_numpy()[membership == 2]
    with tempfile.TemporaryDirectory() as folder:
        if who == "mldesk":
            prediction, classes, took = _ours(Path(folder), _as_imported(raw, x, y, spec), spec, membership, seconds)
        else:
            prediction, classes, took = _theirs(place, Path(folder), who, x, y, membership, seconds)
    if not classes:
        return {"metric": "rmse", "score": float(root_mean_squared_error(truth, prediction)), "seconds": took}
    if len(classes) == 2:
        score = roc_auc_score(truth == classes[1], prediction[:, 1])
        return {"metric": "roc_auc", "score": float(score), "seconds": took}
    ordered = prediction[:, np.argsort(classes)]
    return {"metric": "log_loss", "score": float(log_loss(truth, ordered / ordered.sum(1, keepdims=True),
                                                          labels=sorted(classes))), "seconds": took}


def _theirs(place: Path, folder: Path, who: str, x: pd.DataFrame, y: pd.Series, membership: Any,
            seconds: float) -> tuple[Any, list[str], float]:
    python = place / who / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place / who)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[who]], check=True)
    x.assign(__y=y if y.dtype == float else y.astype(str), __test=membership == 2).to_parquet(folder / "table.parquet")
    subprocess.run([python, Path(__file__).with_name("_rival.py"), who, folder / "table.parquet", str(seconds),
                    folder / "out.npz"], check=True, timeout=seconds * _GRACE + 60, cwd=folder,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with np.load(folder / "out.npz") as said:
        facts = json.loads(str(said["facts"]))
        return said["prediction"], facts["classes"], facts["fit"]


def _ours(folder: Path, table: Any, spec: dict[str, Any], membership: Any,
          seconds: float) -> tuple[Any, list[str], float]:
    import pyarrow.parquet as pq

    stored = put_table(folder, table)
    given = stored.store.put_bytes(membership.tobytes())
    train = TrainRequest(
        stored.manifest, "test@1", tuple(column.to_json() for column in stored.columns), spec["target"],
        task=REGRESSION if spec["task"] == "regression" else CLASSIFICATION,
        features=tuple(name for name in table.column_names if name != spec["target"]),
        split=SplitRequest(method="given", membership=given))
    job = JobSpec(new_id(), "search", "test", (stored.manifest,), SearchRequest(train, seconds=seconds).to_json(),
                  Resources("cpu", 0))
    place = folder / "jobs" / job.id
    place.mkdir(parents=True)
    (place / "spec.json").write_bytes(canonical.dumps(job.to_json()))
    began = time.monotonic()
    assert start(place, stored).wait(timeout=seconds * _GRACE + 60) == 0
    took = time.monotonic() - began
    said = [json.loads(line) for line in (place / "spool.1").read_bytes().splitlines()]
    if log := os.environ.get("SEARCH_LOG"):
        with open(log, "ab") as file:
            file.write((place / "spool.1").read_bytes())
    done = result(said)
    digest = next(event["digest"] for event in said if event.get("name") == "predictions")
    predicted = pq.read_table(stored.store.path(digest))
    columns = [name for name in predicted.column_names if name.startswith("probability_")]
    if not columns:
        return predicted["prediction"].to_numpy(), [], took
    model = json.loads(stored.store.read(stored.store.manifest(done["model"]).entry("model.json").sha256))
    return (np.column_stack([predicted[name].to_numpy() for name in columns]),
            [str(item) for item in model["classes"]], took)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
