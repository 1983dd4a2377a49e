"""The demo's steps, each a few calls of the services and a few words about what came of them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.cli import words
from mldesk.cli.face import Face, facts, make_table
from mldesk.cli.failures import Failed
from mldesk.cli.following import RunDisplay
from mldesk.core.errors import WorkFailed
from mldesk.core.resources import resource
from mldesk.training.metric_words import title

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench

DATASET, TARGET, SAMPLE = "telco", "Churn", "telco_churn.csv"
NEW_CUSTOMERS = 8
SHOWN = ("customerID", "tenure", "Contract", "InternetService", "MonthlyCharges")


class Story:
    """Tells the main job while doing it. ``told`` gathers what ``--json`` prints at the end."""

    def __init__(self, face: Face, bench: Workbench) -> None:
        self._face, self._bench = face, bench
        self._steps = 0
        self.told: dict[str, Any] = {}

    def bring_in(self) -> None:
        """Import the sample as it came."""
        self._heading("Bring in a table", f"{SAMPLE}: real customers of a telephone company, as they were recorded")
        version = self._bench.datasets.import_files([resource("samples", SAMPLE)], DATASET).head
        self._say(f"{version.label}: {words.plural(version.rows, 'row')}, "
                  f"{words.plural(len(version.columns), 'column')}, {words.size(version.size)} as Parquet")
        for problem in version.problems[:3]:
            self._say(f"  ! {problem['message']}")
        self.told["rows"] = version.rows

    def look(self) -> None:
        """Profile the columns and show those that need care."""
        self._heading("Look at it", "every column is profiled once; these ask for attention")
        version = self._bench.datasets.show(DATASET)
        odd = [column for column in version.columns if column.missing or column.distinct == version.rows
               or column.name == TARGET]
        rows = [(column.name, column.type.value, words.count(column.missing), words.count(column.distinct),
                 "the target" if column.name == TARGET else "different in every row: nothing to learn from"
                 if column.distinct == version.rows else "blank for customers without a first bill")
                for column in odd]
        self._show(make_table(("column", "type", "missing", "distinct", ""), rows, right={"missing", "distinct"}))
        self._bench.datasets.profile(DATASET)

    def clean(self) -> None:
        """Apply a small recipe: what a person would have done by hand, as data that can be undone and repeated."""
        version = self._bench.datasets.show(DATASET)
        steps: list[dict[str, Any]] = [{"step": "drop", "columns": ["customerID"]}]
        types = {column.name: column.type.value for column in version.columns}
        if types.get("TotalCharges") == "text":
            steps.append({"step": "cast", "columns": ["TotalCharges"], "type": "number"})
        steps.append({"step": "fill_missing", "columns": ["TotalCharges"], "value": 0})
        self._heading("Clean it", "a recipe is data: it can be undone, repeated and compared")
        cleaned = self._bench.cleaning.clean(DATASET, steps)
        diff = self._bench.datasets.diff(DATASET, version.number, cleaned.number)
        self._show(facts({
            "recipe": ", then ".join(f"{step['step'].replace('_', ' ')} {', '.join(step['columns'])}"
                                     for step in steps),
            "columns": f"{len(version.columns)} → {len(cleaned.columns)}",
            "missing cells": ", ".join(f"{item['column']} {item['from']} → {item['to']}"
                                       for item in diff["missing"]),
            "kept as": f"{cleaned.label} ({version.label} is still there: mldesk data rollback {DATASET} 1)"}))
        self.told["version"] = cleaned.number

    def train(self, estimator: str, **parameters: str) -> Run:
        """Train one model on the local runner and watch its loss. Raises WorkFailed when the run fails."""
        from mldesk.workbench.orders import TrainOrder

        entry = next(entry for entry in self._bench.runs.estimators() if entry.name == estimator)
        self._heading(f"Train: {entry.title}", entry.help)
        run = self._bench.runs.start(TrainOrder(DATASET, TARGET, estimator=estimator, parameters=parameters))
        with RunDisplay(self._face, run.name) as display:
            for event in self._bench.runs.follow(run.id, trouble=display.trouble):
                display.event(event)
        run = self._bench.runs.get(run.id)
        if run.result is None:
            raise WorkFailed(f"The demo's run {run.name} {run.state.value}: {run.message}", hint=run.hint)
        losses: dict[str, list[float]] = {}
        for point in self._bench.runs.metrics(run.id):
            losses.setdefault(point.metric, []).append(point.value)
        metrics, rows = run.result["metrics"], run.result["rows"]
        self._show(facts({
            "model": run.model,
            "rows": ", ".join(f"{words.count(rows[part])} {part}" for part in ("train", "validation", "test")),
            **{title(name): f"{words.sparkline(losses[name])}  {words.score(losses[name][0])} → "
               f"{words.score(losses[name][-1])}" for name in ("train_loss", "validation_loss") if losses.get(name)},
            "on the test rows": ", ".join(f"{title(name)} {words.score(metrics[name])}" for name in
                                          ("roc_auc", "accuracy", "log_loss") if name in metrics),
            "time": words.duration(run.result.get("seconds"))}))
        return run

    def compare(self, runs: list[Run]) -> Run:
        """Put the runs side by side and return the better one."""
        self._heading("Compare", "the same rows were held back from both, so the scores may be compared")
        found = self._bench.judging.compare([run.id for run in runs])
        names = [run.estimator for run in runs]
        from mldesk.workbench.comparison import clear_best

        clear = clear_best(found)
        rows = [(title(metric), *(words.score(value) + (" ★" if clear.get(metric) == run.id else "  ")
                           for run, value in zip(runs, values, strict=True)))
                for metric, values in found["metrics"].items()]
        self._show(make_table(("on the test rows", *names), rows, right=set(names)))
        if clear:
            self._say("★ the best, by more than luck.")
        chosen = found["best"].get("roc_auc", runs[0].id)
        best = next(run for run in runs if run.id == chosen)
        self.told |= {"runs": found["runs"], "best": best.id, "metrics": found["metrics"]}
        return best

    def take_out(self, best: Run) -> Path:
        """Export the better model and look into the file without loading anything of it."""
        self._heading("Take it out", "one file, no pickle inside, checked before anything is loaded")
        path = self._bench.home.root / "churn.mlbundle"
        self._bench.models.export(best.model or "", path)
        report = self._bench.models.inspect(path)
        signed = report.signature.get("valid") is True
        self._show(facts({
            "file": f"{path.name}, {words.size(path.stat().st_size)}, {best.model}",
            "holds": ", ".join(str(item["path"]) for item in report.files),
            "signature": f"valid, by {str(report.signature['by'])[:23]}" if signed else
            f"none: {self._bench.models.signing_problem or 'no key here'}"}))
        self.told["bundle"] = {"name": path.name, "size": path.stat().st_size, "signed": signed,
                               "files": [dict(item) for item in report.files]}
        return path

    def use_elsewhere(self, best: Run, bundle: Path) -> None:
        """Predict in a fresh process with an empty library of its own: only the bundle is known there."""
        self._heading("Use it elsewhere", f"a fresh process, an empty library, {NEW_CUSTOMERS} customers that the "
                      "model has never seen")
        held_back = self._bench.library.objects.read((best.result or {})["split"])
        with tempfile.TemporaryDirectory(prefix="mldesk-elsewhere-") as folder:
            source, output = Path(folder) / "new_customers.csv", Path(folder) / "predictions.csv"
            customers, actual = _new_customers(source, held_back)
            command = [sys.executable, "-m", "mldesk", "--json", "--home", str(Path(folder) / "home"),
                       "predict", str(bundle), str(source), "-o", str(output)]
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  env={**os.environ, "MLDESK_HOME": ""})
            if done.returncode:
                self._face.note(done.stdout + done.stderr)
                raise Failed(done.returncode)
            with open(output, encoding="utf-8", newline="") as file:
                predictions = list(csv.DictReader(file))
        yes = next(name for name in predictions[0] if name in ("probability_Yes", "probability_true"))
        rows = [(*(customer[name] for name in SHOWN), f"{float(answer[yes]):.0%}", answer["prediction"], truth)
                for customer, answer, truth in zip(customers, predictions, actual, strict=True)]
        self._show(make_table((*SHOWN, "leaves", "prediction", "in truth"), rows,
                              right={"tenure", "MonthlyCharges", "leaves"}))
        self.told["predictions"] = {"rows": len(predictions), "columns": list(predictions[0]),
                                    "report": json.loads(done.stdout)}

    def _heading(self, title: str, words_about: str) -> None:
        self._steps += 1
        if self._face.json:
            self._face.note(f"{self._steps}. {title}")
            return
        from rich.text import Text

        self._say("")
        self._show(Text.assemble((f"{self._steps} · {title}", "bold cyan"), (f"   {words_about}", "dim")))

    def _say(self, text: str) -> None:
        if not self._face.json:
            self._face.say(text)

    def _show(self, item: Any) -> None:
        if not self._face.json:
            sys.stdout.flush()
            self._face.show(item)


def _new_customers(path: Path, membership: bytes) -> tuple[list[dict[str, str]], list[str]]:
    """Write some customers of the test part (2 in the split's membership, one byte per row) without the answer.

    Returns what was written and the answers.
    """
    with open(resource("samples", SAMPLE), encoding="utf-8", newline="") as file:
        tested = [row for row, part in zip(csv.DictReader(file), membership, strict=True) if part == 2]
    chosen = tested[::len(tested) // NEW_CUSTOMERS][:NEW_CUSTOMERS]
    actual = [row.pop(TARGET) for row in chosen]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return chosen, actual
