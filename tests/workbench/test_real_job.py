"""The services over a real library and the real runner of this machine, with real data."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.app import open_workbench
from mldesk.bundles.archive import Archive
from mldesk.bundles.contract import RowContract
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput, NotFound
from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.library.secrets import SecretStore
from mldesk.wire.schema import ColumnType
from mldesk.workbench import challenging
from mldesk.workbench.bench import Workbench
from mldesk.workbench.explaining import ExplainOrder
from mldesk.workbench.kept_predictions import save_predictions
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.searching import SearchOrder
from mldesk.workbench.what_if import WhatIf
from tests.data_folder import SHARED

# A machine under load may need minutes to start a trainer; nothing here is about speed.
pytestmark = pytest.mark.timeout(900)
PENGUINS = SHARED / "tabular" / "penguins_raw.csv"
QUICK: dict[str, dict[str, Any]] = {
    "linear": {}, "random_forest": {"trees": 10}, "hist_gradient_boosting": {"rounds": 15},
    "lightgbm": {"rounds": 15}, "mlp": {"epochs": 4}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    home = tmp_path / "home"
    secrets = SecretStore(home / "vault.json", passphrase=lambda new: "a long passphrase", find_keyring=lambda: None)
    with open_workbench(home, secrets=secrets) as opened:
        opened.datasets.import_files([PENGUINS], "penguins")
        try:
            yield opened
        finally:
            opened.runners.stop("local")


@pytest.mark.parametrize(("target", "outputs", "here"), [("Species", 4, False), ("Body Mass (g)", 1, True)])
def test_predictions_from_a_bundle_are_those_made_at_training_time(
        bench: Workbench, tmp_path: Path, target: str, outputs: int, here: bool,
        request: pytest.FixtureRequest) -> None:
    if here:
        request.getfixturevalue("trains_here")
    bench.datasets.export("penguins", tmp_path / "all.csv")
    for estimator, parameters in QUICK.items():
        run = bench.runs.start(TrainOrder("penguins", target, estimator=estimator, parameters=parameters))
        assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
        done = bench.runs.get(run.id)
        assert done.model is not None
        assert {point.metric for point in bench.runs.metrics(run.id)} >= {"validation_loss"}
        assert bench.judging.evaluation(run.id) == bench.models.evaluation(done.model)
        bundle = tmp_path / f"{estimator}.mlbundle"
        assert bench.models.export(done.model, bundle).signature["valid"] is True
        assert bench.models.inspect(bundle).signature["by"] == "you"
        report = bench.predictions.predict(str(bundle), tmp_path / "all.csv", tmp_path / "out.parquet")
        assert (report.rows, len(report.columns)) == (344, outputs)
        _same(bench, run.id, tmp_path / "out.parquet")
    best = bench.judging.compare([run.id for run in bench.runs.list()])
    assert best["comparable"], best["warnings"]


def _kept_as_files(bench: Workbench, run_id: str, folder: Path) -> None:
    run = bench.runs.get(run_id)
    assert run.result is not None
    tested = save_predictions(bench.library, run, folder / "tested.csv")
    assert tested == run.result["rows"]["test"] == len((folder / "tested.csv").read_text("utf-8").splitlines()) - 1
    assert save_predictions(bench.library, run, folder / "every.parquet", out_of_fold=True) == 344
    every = pq.read_table(folder / "every.parquet")
    assert (every.column("row").to_pylist(), set(every.column("fold").to_pylist())) == (list(range(1, 345)), {1, 2, 3})
    with pytest.raises(BadInput, match="no format"):
        save_predictions(bench.library, run, folder / "every")


def _same(bench: Workbench, run_id: str, path: Path) -> None:
    artifact = bench.library.runs.artifacts(run_id)["predictions"]
    then = pq.read_table(bench.library.objects.path(str(artifact["digest"])))
    now = pq.read_table(path).take(then.column("row"))
    for name in now.column_names:
        for old, new in zip(then.column(name).to_pylist(), now.column(name).to_pylist(), strict=True):
            assert old == new if isinstance(old, str) else new == pytest.approx(old, rel=1e-5, abs=1e-5), name


def _compare_with_other_rows(bench: Workbench, folder: Path) -> None:
    """The table itself has not shifted; one with another island has, in that column only."""
    assert bench.drift.check("penguins-Species", "penguins").shifted == ()
    found = bench.about.lineage("penguins-Species")
    assert (found["data"]["version"], found["split"]["method"]) == ("penguins@1", "random")
    (origin,) = found["data"]["line"]
    assert origin["version"] == "penguins@1" and origin["recipe"] is None
    assert [Path(file["path"]).suffix for file in origin["files"]] == [".csv"] and found["prepare"] == []
    bench.datasets.export("penguins", folder / "moved.parquet")
    table = pq.read_table(folder / "moved.parquet")
    place = table.column_names.index("Island")
    table = table.set_column(place, "Island", pa.array(["Atlantis"] * table.num_rows))
    pq.write_table(table, folder / "moved.parquet")
    report = bench.drift.check("penguins-Species", str(folder / "moved.parquet"))
    assert [(item.name, item.verdict, item.unseen) for item in report.shifted] == [
        ("Island", "much shifted", ("Atlantis",))]
    assert report.rows[1] == table.num_rows > report.rows[0]
    with pytest.raises(NotFound):
        bench.drift.check("penguins-Species", str(folder / "nothing.csv"))


def _train_again(bench: Workbench) -> None:
    """The same on the same data is the same model, and the older one learned from none of the rows it is tested on."""
    run = bench.retraining.start("penguins-Species", "penguins")
    assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
    assert bench.runs.get(run.id).model == "penguins-Species@2"
    found = bench.retraining.challenge("penguins-Species@2", "penguins-Species@1")
    assert (found.learned, found.better) == (0, found.scores["loss"][0] < found.scores["loss"][1])
    assert found.scores["accuracy"][0] == found.scores["accuracy"][1] == pytest.approx(
        bench.models.show("penguins-Species@2").metrics["accuracy"])
    assert found.scores["loss"][0] == pytest.approx(found.scores["loss"][1], abs=1e-5)
    assert not any(item["sure"] and abs(item["low"]) > 1e-5 for item in found.paired["differences"].values())
    bench.cleaning.clean("penguins", [{"step": "sample", "rows": 300}])   # other rows become test rows
    run = bench.retraining.start("penguins-Species", "penguins")
    list(bench.runs.follow(run.id))
    fair = bench.retraining.challenge("penguins-Species@3", "penguins-Species@1")
    assert (fair.rows + fair.left_out, fair.learned) == (100, 0) and fair.left_out > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(challenging, "ENOUGH", fair.rows + 1)   # too few that the older one has not seen
        found = bench.retraining.challenge("penguins-Species@3", "penguins-Species@1")
    assert (found.rows, found.learned, found.left_out) == (100, fair.left_out, 0)


def _one_row_of_the_data(bench: Workbench, tried: WhatIf) -> None:
    """A row is taken from the data; it says what holds the truth, and which rules of a contract it breaks."""
    page = bench.datasets.preview("penguins", rows=8)
    cells = bench.explaining.row("penguins-Species", 7)
    assert cells == dict(zip(page.columns, page.rows[7], strict=True)) and cells["Species"] in tried.classes
    with pytest.raises(BadInput, match="has no row"):
        bench.explaining.row("penguins-Species", 10**6)
    row = tried.row({asked.column.name: cells[asked.column.name] for asked in tried.form})
    answer = tried.ask(row, explain=False)
    frame = {name: [value] for name, value in row.items()}
    assert list(answer.within) == json.loads(tried._predictor.predict(frame, 0.9)["prediction_set"][0])
    rules = Contract((ColumnRule("Island", ColumnType.TEXT, values=("Dream",)),), extra="allow")
    held = WhatIf(tried.label, tried._predictor, tried._known, contract=RowContract("penguins@1", 1, rules))
    assert held.broken(tried.row({"Island": "Dream"})) == () == tried.broken(row)
    said, = held.broken(tried.row({"Island": "Biscoe"}))
    assert said.startswith("By contract 1 of penguins: 1 value of 'Island' is") and "(row" not in said


@pytest.mark.usefixtures("trains_here")
def test_a_model_is_explained_over_its_test_rows_and_for_one_row(bench: Workbench, tmp_path: Path) -> None:
    run = bench.runs.start(TrainOrder("penguins", "Species", estimator="linear", folds=3))
    list(bench.runs.follow(run.id))
    _kept_as_files(bench, run.id, tmp_path)
    _compare_with_other_rows(bench, tmp_path)
    assert bench.explaining.of_model("penguins-Species") is None
    why = bench.explaining.start(ExplainOrder("penguins-Species", features=["Island"], rows=5))
    assert [event.kind for event in bench.runs.follow(why.id)][-1] == "succeeded", bench.runs.get(why.id)
    found = bench.explaining.explanation(why.id)
    done = bench.runs.get(run.id).result
    assert done is not None
    assert (found["rows"], found["outputs"]) == (done["rows"]["test"], found["classes"])
    assert [curve["feature"] for curve in found["dependence"]] == ["Island"]
    told = bench.judging.evaluation(run.id)   # what it looks at is the same there, of the same shuffles
    assert found["importance_on"] == told["importance_on"]
    said, again = ({item["feature"]: item["value"] for item in part["importance"]} for part in (told, found))
    assert again == pytest.approx(said, abs=1e-3)
    assert len(found["shap"]["values"]) == 3
    newest = bench.explaining.of_model("penguins-Species@1")
    assert newest is not None
    assert newest.id == why.id
    with pytest.raises(NotFound, match="explains nothing"):
        bench.explaining.explanation(run.id)
    tried = bench.explaining.what_if("penguins-Species")
    answer = tried.ask(tried.row({"Island": "Biscoe"}))
    assert answer.value == pytest.approx(answer.base + sum(value for _, value in answer.contributions), abs=1e-5)
    assert sum(chance for _, chance in answer.probabilities) == pytest.approx(1, abs=1e-5)
    other = tried.ask(tried.usual(), about=tried.classes[2], explain=False)
    assert (other.explained, other.contributions) == (tried.classes[2], ())
    assert tried.unknown(tried.row({"Island": "Biscoe"})) == ()
    warned, = tried.unknown(tried.row({"Island": "Atlantis"}))
    assert "'Atlantis'" in warned and "Biscoe" in warned
    _one_row_of_the_data(bench, tried)
    with pytest.raises(BadInput, match="no column"):
        tried.row({"Iland": 1})
    number = next(asked.column.name for asked in tried.form if asked.column.type is ColumnType.NUMBER)
    for endless in ("1e400", "nan", "-inf", 10**400, float("nan")):
        with pytest.raises(BadInput, match="takes a number"):
            tried.row({number: endless})
    assert tried.row({number: None, "Island": "nan"})[number] is None
    bench.models.export("penguins-Species", tmp_path / "p.mlbundle")
    assert bench.explaining.what_if(str(tmp_path / "p.mlbundle")).ask(tried.usual()).contributions  # its sample rows
    _train_again(bench)


@pytest.mark.usefixtures("trains_here")
def test_a_bundle_comes_back_as_a_model_and_a_changed_one_does_not(bench: Workbench, tmp_path: Path) -> None:
    run = bench.runs.start(TrainOrder("penguins", "Species", estimator="linear"))
    list(bench.runs.follow(run.id))
    bundle = tmp_path / "penguins.mlbundle"
    bench.models.export("penguins-Species", bundle)
    same, made = bench.models.import_file(bundle)
    assert (same.label, made) == ("penguins-Species@1", False)
    again, made = bench.models.import_file(bundle, again=True)
    assert (made, again.label, again.run, again.target) == (True, "penguins-Species@2", None, "Species")
    assert again.manifest == bench.models.show("penguins-Species@1").manifest
    data = bytearray(bundle.read_bytes())
    with Archive(bundle) as archive:
        stored = archive.members["native/model.skops"]  # not deflated, where a bit may change and the content not
    data[stored.offset + stored.packed] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(BadBundle):
        bench.models.import_file(bundle)
    with pytest.raises(BadInput, match=r"ends in \.mlbundle"):
        bench.models.export("penguins-Species", tmp_path / "penguins.zip")
    with pytest.raises(NotFound):
        bench.models.export("penguin-Species", bundle)


@pytest.mark.usefixtures("trains_here")
def test_an_evaluation_of_a_stranger_that_is_none_gets_a_sentence(bench: Workbench, tmp_path: Path) -> None:
    run = bench.runs.start(TrainOrder("penguins", "Species", estimator="linear"))
    list(bench.runs.follow(run.id))
    bundle = tmp_path / "penguins.mlbundle"
    bench.models.export("penguins-Species", bundle)
    with zipfile.ZipFile(bundle) as held:
        files = {name: held.read(name) for name in held.namelist() if name != "signature.json"}
    for bad in (b"null", b'{"parts": 5}', b'{"parts": {"test": 5}}', b'{"doubts": 5}'):
        manifest = canonical.loads(files["manifest.json"])
        entry = next(item for item in manifest["files"] if item["path"] == "evaluation.json")
        manifest["signer"] = None
        entry.update(size=len(bad), sha256=hashlib.sha256(bad).hexdigest())
        with zipfile.ZipFile(bundle, "w") as made:
            for name, data in {**files, "evaluation.json": bad, "manifest.json": canonical.dumps(manifest)}.items():
                made.writestr(name, data)
        version = bench.models.import_file(bundle)[0]
        with pytest.raises(BadInput, match="evaluation that came with"):
            bench.models.evaluation(version.label)
        assert bench.models.doubts(version) == []


def test_tables_are_kept_as_versions(bench: Workbench, tmp_path: Path) -> None:
    datasets, cleaning = bench.datasets, bench.cleaning
    assert datasets.profile("penguins") == datasets.profile("penguins@1")
    assert datasets.show("penguins").profile is not None
    steps = [{"step": "drop", "columns": ["Comments", "Region"]}, {"step": "drop_missing", "columns": ["Sex"]}]
    preview = cleaning.preview_recipe("penguins", steps, rows=3)
    assert (len(preview.columns), len(preview.rows)) == (15, 3)
    assert datasets.show("penguins").number == 1
    cleaned = cleaning.clean("penguins", steps)
    assert (cleaned.number, cleaned.parent, cleaned.rows) == (2, 1, preview.total)
    assert datasets.diff("penguins", 1, 2)["rows"]["removed"] == 344 - cleaned.rows
    page = datasets.preview("penguins", rows=5, search="Biscoe", order_by=(("Body Mass (g)", True),))
    assert len(page.rows) == 5
    assert page.total < cleaned.rows
    assert all("Biscoe" in row for row in page.rows)
    datasets.rollback("penguins", 1)
    assert datasets.show("penguins").number == 1
    datasets.remove("penguins")
    with pytest.raises(NotFound, match="no dataset") as missing:
        datasets.show("penguins")
    assert "bin" in missing.value.hint
    assert datasets.restore("penguins").versions == 2
    with pytest.raises(BadInput, match="no steps"):
        cleaning.clean("penguins", [])
    with pytest.raises(BadInput, match="Step 1"):
        cleaning.clean("penguins", [{"step": "drop", "columns": ["Nothing"]}])
    assert [version.number for version in datasets.versions("penguins")] == [1, 2]


def test_a_search_is_a_run_whose_trials_can_be_read_and_whose_blend_leaves_as_a_bundle(
        bench: Workbench, tmp_path: Path) -> None:
    order = SearchOrder(TrainOrder("penguins", "Species"), trials=5,
                        estimators=("linear", "decision_tree", "neighbors"))
    run = bench.searches.start(order)
    assert (run.kind, run.estimator, run.target, run.parameters["trials"]) == ("search", "search", "Species", 5)
    kinds = [event.kind for event in bench.runs.follow(run.id)]
    assert (kinds[-1], kinds.count("trial"), "warning" in kinds) == ("succeeded", 5, True)
    tried = bench.searches.leaderboard(run.id)
    assert [trial["score"] for trial in tried] == sorted(trial["score"] for trial in tried)
    done = bench.runs.get(run.id)
    assert (done.estimator, done.model) == ("blend", "penguins-Species@1")
    assert {point.metric for point in bench.runs.metrics(run.id)} == {"best_log_loss", "trial_log_loss"}
    bundle = tmp_path / "blend.mlbundle"
    bench.models.export("penguins-Species", bundle)
    assert bench.models.import_file(bundle)[0].label == "penguins-Species@1"
    bench.datasets.export("penguins", tmp_path / "all.csv")
    bench.predictions.predict(str(bundle), tmp_path / "all.csv", tmp_path / "out.parquet")
    _same(bench, run.id, tmp_path / "out.parquet")


@pytest.mark.parametrize(("order", "words"), [
    ({"metric": "r2"}, "cannot strive for 'r2'"), ({"estimators": ("lightgmb",)}, "no model 'lightgmb'"),
    ({"trials": -1}, "less than no time"), ({"seconds": float("inf")}, "are numbers"),
    ({"target_score": float("nan")}, "are numbers")])
def test_a_search_that_cannot_be_done_is_refused_before_anything_is_written(
        bench: Workbench, order: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bench.searches.start(SearchOrder(TrainOrder("penguins", "Species"), **order))
    assert bench.runs.list() == []
