"""A run written as a script: run where the application cannot be imported, it scores what the run did."""

from __future__ import annotations

import ast
import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import BadInput, Conflict
from mldesk.core.plain_source import plain_source
from mldesk.library.records import Run
from mldesk.library.secrets import SecretStore
from mldesk.training import steering
from mldesk.training.again import Unwatched, read_table
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search import one_fold, second
from mldesk.training.search.one_fold import Asking
from mldesk.training.steering import Steering
from mldesk.wire.control import Control
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench import run_script
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.run_script import beside, save_script, why_no_script
from mldesk.workbench.searching import SearchOrder
from tests.desktop.fake_workbench import make_run
from tests.training.tiny_encoder import write_encoder

# A machine under load; nothing here is about speed.
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("trains_here")]
RUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("linear", "kind", {}), ("random_forest", "amount", {"trees": 12}),
    ("hist_gradient_boosting", "kind", {"rounds": 12, "resampling": "smote"}),
    ("lightgbm", "amount", {"rounds": 15}), ("xgboost", "kind", {"rounds": 15}), ("mlp", "kind", {"epochs": 2})]
PREPARED = ({"step": "fill_missing", "columns": ["size"], "with": "mean"},
            {"step": "encode_target", "columns": ["town"], "target": "kind"}, {"step": "rebalance", "column": "kind"},
            {"step": "reduce", "columns": ["size", "id"]})
# Given scripts and tables by turns, it runs them one after another. An entry of None makes every import of it fail.
_WITHOUT = """import runpy, sys
sys.modules["mldesk"] = None
given = sys.argv[1:]
for script, table in zip(given[::2], given[1::2]):
    print("script", script)
    sys.argv = [script, table]
    runpy.run_path(script, run_name="__main__")
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


def _run(*scripts: tuple[Path, Path]) -> subprocess.CompletedProcess[str]:
    """Run scripts, each on a table, where there is no MLDesk."""
    given = [str(path) for pair in scripts for path in pair]
    return subprocess.run([sys.executable, "-I", "-c", _WITHOUT, *given], check=False, capture_output=True, text=True,
                          encoding="utf-8", timeout=600, cwd=scripts[0][0].parent)


def _scored(said: subprocess.CompletedProcess[str]) -> list[dict[str, float]]:
    """Return what each script scored."""
    assert said.returncode == 0, said.stderr[-3000:]
    tables = [one[one.index("on the test rows"):].splitlines()[1:] for one in said.stdout.split("script ")[1:]]
    return [{name: ast.literal_eval(value) for name, value, _ in map(str.split, lines)} for lines in tables]


def _done(bench: Workbench, run: Run) -> Run:
    assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
    return bench.runs.get(run.id)


def _repeat(bench: Workbench, runs: list[Run], folder: Path) -> list[Path]:
    """Run the script of each run; fail unless it scores what the run did."""
    tables = {run.dataset: folder / f"{run.dataset}.parquet" for run in runs}
    for dataset, path in tables.items():
        bench.datasets.export(dataset, path)
    scripts = [save_script(bench.library, run, folder / f"{number}.py") for number, run in enumerate(runs)]
    found = _scored(_run(*((script, tables[run.dataset]) for script, run in zip(scripts, runs, strict=True))))
    for run, here in zip(runs, found, strict=True):
        assert here == pytest.approx(dict((run.result or {})["metrics"]), rel=1e-6, abs=1e-9), run.estimator
    return scripts


def test_the_script_scores_what_the_run_did(bench: Workbench, tmp_path: Path) -> None:
    begun = [bench.runs.start(TrainOrder("mixed", target, estimator=estimator, parameters=parameters, seed=3,
                                         prepare=PREPARED if estimator == "linear" else ()))
             for estimator, target, parameters in RUNS]
    runs = [_done(bench, run) for run in begun]
    scripts = _repeat(bench, runs, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_script, "not_repeated", lambda _: "It's not repeated.")
        told = ast.parse(run_script.script(bench.library, runs[-1]))
    assert "cores.\n\nIt's not repeated." in str(ast.get_docstring(told))
    assert 'print("It\'s not repeated.")' in ast.unparse(told)
    pq.write_table(pq.read_table(tmp_path / "mixed@1.parquet").slice(1), tmp_path / "other.parquet")
    said = _run((scripts[0], tmp_path / "other.parquet"))
    assert (said.returncode, "is not the table of this run: it has 239 rows" in said.stderr) == (1, True)
    with pytest.raises(BadInput, match="is a file that ends in"):
        save_script(bench.library, runs[0], tmp_path / "script.txt")


@pytest.mark.parametrize(("name", "why"), [
    ("other.parquet", "it has no column 'town'"), ("short.parquet", "it has 2 rows"),
    ("table.csv", "it is no Parquet file"), ("none.parquet", "it is no Parquet file"), (".", "it is no Parquet file")])
def test_the_script_says_that_a_file_is_another_table(tmp_path: Path, name: str, why: str) -> None:
    for table, columns in (("other", {"size": [1.0, 2.0, 3.0]}), ("short", {"size": [1.0, 2.0], "town": ["a", "b"]})):
        pq.write_table(pa.table(columns), tmp_path / f"{table}.parquet")
    (tmp_path / "table.csv").write_text("size,town\n1,a\n2,b\n3,c\n")
    with pytest.raises(SystemExit, match=f"is not the table of this run: {why}"):
        read_table(str(tmp_path / name), [Column("size", ColumnType.NUMBER), Column("town", ColumnType.TEXT)], 3)


def test_the_script_reads_texts_with_the_runs_encoder(bench: Workbench, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "tiny", layers=1)
    runs = [_done(bench, bench.runs.start(TrainOrder(
        "mixed", "kind", estimator=estimator, prepare=prepare, parameters={**parameters, "text_encoder": str(folder)})))
        for estimator, parameters, prepare in (("lightgbm", {"rounds": 10}, ()), ("mlp", {"epochs": 2}, ()),
                                               ("linear", {}, PREPARED[:1]))]
    script = _repeat(bench, runs, tmp_path)[0]
    folder.rename(tmp_path / "moved")
    table = tmp_path / "mixed@1.parquet"
    said = _run((script, table))
    assert (said.returncode, "no text encoder" in said.stderr) == (1, True)
    text = script.read_text().replace("sys.argv[2] if len(sys.argv) > 2 else", f"{str(tmp_path / 'moved')!r} or")
    script.write_text(text)
    assert _scored(_run((script, table)))[0] == pytest.approx((runs[0].result or {})["metrics"], rel=1e-6, abs=1e-9)


def test_a_run_that_went_on_from_a_model_has_it_beside_its_script(
        bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.workbench.warm_start.ENOUGH", 10)
    monkeypatch.setattr(steering, "_EVERY", 0.0)
    pq.write_table(pq.read_table(tmp_path / "mixed.parquet").slice(0, 120), tmp_path / "few.parquet")
    bench.datasets.import_files([tmp_path / "few.parquet"], "few")
    begun: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("lightgbm", "kind", {"rounds": 6}), ("hist_gradient_boosting", "kind", {"rounds": 6}),
        ("mlp", "amount", {"epochs": 1}))
    for estimator, target, parameters in begun:
        _done(bench, bench.runs.start(TrainOrder(
            "few", target, estimator=estimator, parameters=parameters, model=estimator, prepare=PREPARED[:1])))
    with monkeypatch.context() as patch:   # of each of the others the learning rate is changed on the way
        patch.setattr(Steering, "rate", lambda _self, heard, at: (["1"], 0.02) if at >= 8 and not heard else None)
        runs = [_done(bench, bench.retraining.start(name, "mixed", warm=True)) for name, _, _ in begun]
    manifest = bench.library.objects.manifest(str((runs[0].result or {})["model"]))
    assert json.loads(bench.library.objects.read(manifest.entry("model.json").sha256))["facts"]["rates"] == [[8, 0.02]]
    script = _repeat(bench, runs, tmp_path)[0]
    start = tmp_path / "0.start.zip"
    assert beside(runs[0], script) == start
    start.write_bytes(b"of somebody")
    with pytest.raises(Conflict, match="which would be lost"):
        save_script(bench.library, runs[0], script)
    start.unlink()
    said = _run((script, tmp_path / "mixed@1.parquet"))
    assert (said.returncode, "0.start.zip is not beside this script" in said.stderr) == (1, True)


def test_what_no_script_repeats_is_said() -> None:
    def why(kind: str, **result: Any) -> str:
        return why_no_script(cast(Any, make_run("01S", kind=kind, name="r", result=result or None)))

    assert "its figures are here, not what made them" in why("imported", estimator="sklearn")
    assert "whose own files are kept" in why("script", files=3)
    assert why("train").endswith("so there is nothing to repeat.")
    assert "kept its scores alone" in why("train", estimator="linear", parameters={})
    assert why("train", estimator="linear", parameters={"text_encoder": "x"}, model="m") == ""
    assert "by hand" in why("train", estimator="linear", parameters={}, model="m", finished_early=True)
    assert "more folds" in why("search", members=[{}])
    assert why("train", estimator="linear", parameters={}, model="m") == ""
    assert why("search", members=[{}], judged_by="x") == ""


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


def test_a_search_as_a_script_fits_its_blend_again(bench: Workbench, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    two: tuple[dict[str, Any], ...] = (
        {"estimator": "lightgbm", "parameters": {"rounds": 25, "leaves": 6}},
        {"estimator": "linear", "parameters": {}, "pipeline": {"text": "words"}})
    plain = bench.searches.start(SearchOrder(TrainOrder("mixed", "amount", seed=2), configurations=two))
    later = bench.searches.start(SearchOrder(TrainOrder("mixed", "amount", split="time", split_column="day", seed=2),
                                          configurations=two))
    monkeypatch.setattr(second, "_GAIN", -10.0)   # a second level is kept whatever it is worth
    stacked = bench.searches.start(SearchOrder(
        TrainOrder("mixed", "kind", split="group", split_column="day", seed=2, prepare=PREPARED), configurations=(
            {"estimator": "decision_tree", "parameters": {}}, {"estimator": "linear", "parameters": {}}),
        stack_columns=True, refit=True))
    runs = [_done(bench, run) for run in (plain, later, stacked)]
    results = [run.result or {} for run in runs]
    assert [bool(result.get("forward")) for result in results] == [False, True, False]
    assert [bool(item.get("refitted")) for item in results[2]["members"]] == [True, True]
    _repeat(bench, runs, tmp_path)


def test_the_script_cuts_fits_where_the_search_did(bench: Workbench, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    class Hurried(Asking):
        def __init__(self, control: Control) -> None:
            super().__init__(cast(Any, Unwatched(cut=7)))   # as if the time were up by then
            self.check = control.check   # type: ignore[method-assign]

    monkeypatch.setattr(one_fold, "Asking", Hurried)
    made: tuple[dict[str, Any], ...] = (
        {"estimator": "lightgbm", "parameters": {"rounds": 40}}, {"estimator": "mlp", "parameters": {"epochs": 20}},
        {"estimator": "hist_gradient_boosting", "parameters": {"rounds": 40}})
    runs = [_done(bench, bench.searches.start(SearchOrder(
        TrainOrder("mixed", "amount", seed=2), configurations=made, stack=True, refit=refit)))
        for refit in (False, True)]
    members = [item for run in runs for item in (run.result or {})["members"]]
    assert len(members) > 2
    assert all(set(item["cuts"]) == {7} and item.get("refit_cut", 7) == 7 for item in members)
    assert [run_script.not_repeated(run) for run in runs] == ["", ""]
    scripts = _repeat(bench, runs, tmp_path)
    text = scripts[0].read_text()
    assert text.index("OMP_WAIT_POLICY") < text.index("import numpy")   # which may load OpenMP
    assert "digits. In the" in " ".join(str(ast.get_docstring(ast.parse(text))).split())


def test_what_a_search_kept_is_named() -> None:
    assert run_script._made_of(1) == "one trial"
    assert run_script._made_of(7) == "a blend of 7 trials"


def test_what_cut_the_fits_of_a_search_short_is_said() -> None:
    def said(seconds: float, *, early: bool = False) -> str:
        return run_script.not_repeated(make_run("01S", kind="search", spec={"payload": {"seconds": seconds}},
                                                result={"finished_early": early}))

    assert "a limit of time, and fits that it cut short" in said(60.0)
    assert "finished by hand" in said(0.0, early=True)
    assert said(0.0) == ""
    member = {"estimator": "random_forest", "cuts": [0, 0]}
    cut = make_run("01S", kind="search", spec={"payload": {"seconds": 60.0}}, result={"members": [member]})
    assert run_script.not_repeated(cut) == ""
    member["cuts"] = [0, 3]
    assert "a limit of time" in run_script.not_repeated(cut)


def test_of_a_search_that_no_script_repeats_the_way_to_its_best_trial_is_told(tmp_path: Path) -> None:
    search: Any = make_run("01S", kind="search", name="s", result={"estimator": "blend", "best_trial": 3})
    library: Any = None
    with pytest.raises(BadInput) as error:
        save_script(library, search, tmp_path / "x.py")
    assert "mldesk runs trial 01S 3 --train" in error.value.hint
