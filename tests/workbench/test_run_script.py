"""A run written as a script: run where the application cannot be imported, it scores what the run did."""

from __future__ import annotations

import ast
import datetime
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import BadInput
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.core.plain_source import plain_source
from mldesk.library import Library
from mldesk.library.secrets import SecretStore
from mldesk.training.catalogue import ESTIMATORS
from mldesk.wire.jobs import JobSpec, TrainRequest
from mldesk.workbench import run_script
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.run_script import not_repeated, save_script, why_no_script
from mldesk.workbench.searching import SearchOrder
from tests.desktop.fake_workbench import make_run
from tests.library.conftest import COLUMNS, STARTED, add_table, journal

# A machine under load; nothing here is about speed.
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("trains_here")]
RUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("linear", "kind", {}), ("random_forest", "amount", {"trees": 12}),
    ("hist_gradient_boosting", "kind", {"rounds": 12, "resampling": "smote"}),
    ("lightgbm", "amount", {"rounds": 15}), ("xgboost", "kind", {"rounds": 15}), ("mlp", "kind", {"epochs": 2})]
PREPARED = ({"step": "fill_missing", "columns": ["size"], "with": "mean"},
            {"step": "encode_target", "columns": ["town"], "target": "kind"}, {"step": "rebalance", "column": "kind"},
            {"step": "reduce", "columns": ["size", "id"]})
# An entry of None makes every import of it fail.
_WITHOUT = """import runpy, sys
sys.modules["mldesk"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _mixed_table(path: Path) -> None:
    """Numbers, truths, days, categories, free text, an id; each with gaps."""
    draw = np.random.default_rng(5)
    rows = 240

    def some(values: list[Any]) -> list[Any]:
        return [None if gap else value for gap, value in zip(draw.random(rows) < 0.1, values, strict=True)]

    days = [datetime.date(2024, 1, 1) + datetime.timedelta(int(count)) for count in draw.integers(0, 700, rows)]
    size, town = draw.normal(10, 3, rows), draw.choice(["Ulm", "Köln", "Bonn", "Trier"], rows)
    amount = 3 * size + 5 * (town == "Ulm") + draw.normal(0, 2, rows)
    words = ["late again sadly", "came quickly and whole", "nothing to say here"]
    pq.write_table(pa.table({
        "id": list(range(rows)), "size": some(size.tolist()), "town": some(town.tolist()),
        "member": some((draw.random(rows) < 0.5).tolist()),
        "day": some(days),
        "said": some([f"{words[int(which)]} {number}" for number, which in enumerate(draw.integers(0, 3, rows))]),
        "amount": some(amount.tolist()),
        "kind": some(np.where(amount > 35, "high", np.where(amount > 28, "middle", "low")).tolist())}), path)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    folder = tmp_path
    secrets = SecretStore(folder / "vault.json", passphrase=lambda new: "a long passphrase", find_keyring=lambda: None)
    _mixed_table(folder / "mixed.parquet")
    with open_workbench(folder / "home", secrets=secrets) as opened:
        opened.datasets.import_files([folder / "mixed.parquet"], "mixed")
        try:
            yield opened
        finally:
            opened.runners.stop("local")


def _table_of(script: Path, table: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-c", _WITHOUT, str(script), str(table)], check=False,
                          capture_output=True, text=True, encoding="utf-8", timeout=600, cwd=script.parent)


def test_the_script_scores_what_the_run_did(bench: Workbench, tmp_path: Path) -> None:
    table = tmp_path / "table.parquet"
    bench.datasets.export("mixed", table)
    begun = [bench.runs.start(TrainOrder("mixed", target, estimator=estimator, parameters=parameters, seed=3,
                                         prepare=PREPARED if estimator == "linear" else ()))
             for estimator, target, parameters in RUNS]
    for run in begun:
        assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
        done = bench.runs.get(run.id)
        script = save_script(bench.library, done, tmp_path / f"{done.estimator}.py")
        said = _table_of(script, table)
        assert said.returncode == 0, (done.estimator, said.stderr[-3000:])
        lines = said.stdout[said.stdout.index("on the test rows"):].splitlines()[1:]
        here = {name: ast.literal_eval(value) for name, value, _ in map(str.split, lines)}
        assert done.result is not None
        assert here == pytest.approx(dict(done.result["metrics"]), rel=1e-6, abs=1e-9), done.estimator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_script, "not_repeated", lambda *_: "It's not repeated.")
        told = ast.parse(run_script.script(bench.library, done))
    assert "last digits.\n\nIt's not repeated." in str(ast.get_docstring(told))
    assert 'print("It\'s not repeated.")' in ast.unparse(told)
    pq.write_table(pq.read_table(table).slice(1), tmp_path / "other.parquet")
    said = _table_of(script, tmp_path / "other.parquet")
    assert (said.returncode, "is not the table of this run: it has 239 rows" in said.stderr) == (1, True)
    with pytest.raises(BadInput, match="is a file that ends in"):
        save_script(bench.library, done, tmp_path / "script.txt")


def test_a_learning_rate_changed_by_hand_is_said_not_to_be_repeated(tmp_path: Path) -> None:
    def said(estimator: str, *texts: str) -> str:
        request = TrainRequest("0" * 64, "penguins@1", tuple(column.to_json() for column in COLUMNS), "class",
                               estimator=estimator, model="m")
        run = library.runs.add(JobSpec(new_id(), "train", "r", ("0" * 64,), request.to_json()), "local", "penguins@1")
        library.runs.apply(run.id, journal(STARTED, *(("log", {"text": text}) for text in texts)))
        return not_repeated(library, library.runs.get(run.id))

    told = "The learning rate is 0.01 after round {}, as asked for."
    with Library.open(Home(tmp_path / "home")) as library:
        add_table(library)
        assert said("lightgbm", "Reading.") == said("linear", told.format(3)) == ""
        assert "by hand once while" in said("lightgbm", told.format(3), told.format(3))
        assert "by hand 2 times" in said("mlp", told.format(3), told.format(5))


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("encoder", [("mldesk.training.again", "fit_plain"),
                                     ("mldesk.training.prepared", "fit_rows")])
def test_every_models_code_stands_on_its_own(name: str, encoder: tuple[str, str]) -> None:
    module, kind = ESTIMATORS[name].implementation.split(":")
    imports, code = plain_source([encoder, ("mldesk.training.again", "repeat"), (module, kind)])
    tree = ast.parse("\n".join([*imports, code]))
    defined = [item.name for item in tree.body if isinstance(item, (ast.FunctionDef, ast.ClassDef))]
    assert len(defined) == len(set(defined))
    assert {kind, "repeat", encoder[1]} <= set(defined)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "mldesk" in str(node.module)]


def test_a_search_as_a_script_fits_its_blend_again(bench: Workbench, tmp_path: Path) -> None:
    order = SearchOrder(TrainOrder("mixed", "amount", seed=2), configurations=(
        {"estimator": "lightgbm", "parameters": {"rounds": 25, "leaves": 6}},
        {"estimator": "linear", "parameters": {}, "pipeline": {"text": "words"}}))
    run = bench.searches.start(order)
    for _ in bench.runs.follow(run.id):
        pass
    run = bench.runs.get(run.id)
    assert run.result is not None and run.result["members"], run.message
    table = tmp_path / "table.parquet"
    bench.datasets.export("mixed", table)
    said = _table_of(save_script(bench.library, run, tmp_path / "again.py"), table)
    assert said.returncode == 0, said.stderr[-3000:]
    lines = said.stdout[said.stdout.index("on the test rows"):].splitlines()[1:]
    here = {name: ast.literal_eval(value) for name, value, _ in map(str.split, lines)}
    assert here == pytest.approx(dict(run.result["metrics"]), rel=1e-6, abs=1e-9)
    stacked = replace(run, spec={**run.spec, "payload": {**run.spec["payload"], "stack": True}})
    assert "stack" in why_no_script(stacked)


def test_a_limit_of_time_is_said_not_to_be_repeated() -> None:
    def said(seconds: float) -> str:
        run = make_run("01S", kind="search", spec={"payload": {"seconds": seconds}})
        return run_script.not_repeated(cast(Any, None), run)

    assert "cut short" in said(60.0) and said(0.0) == ""


def test_of_a_search_that_no_script_repeats_the_way_to_its_best_trial_is_told(tmp_path: Path) -> None:
    search: Any = make_run("01S", kind="search", name="s", result={"estimator": "blend", "best_trial": 3})
    library: Any = None
    with pytest.raises(BadInput) as error:
        save_script(library, search, tmp_path / "x.py")
    assert "mldesk runs trial 01S 3 --train" in error.value.hint
