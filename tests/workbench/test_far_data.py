"""Tables that lie on a runner: a real agent with a store of its own stands for the other machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import Conflict, MldeskError, NotFound
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import Run, RunnerRecord
from mldesk.runners.client import RunnerClient
from mldesk.runners.local import LocalRunner
from mldesk.wire.imports import ImportedTable, ImportRequest
from mldesk.wire.jobs import JobSpec
from mldesk.wire.manifest import Manifest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.states import JobState
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.far_data import DataElsewhere
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from mldesk.workbench.summaries import run_details
from tests.runner_agent import fake_trainer
from tests.workbench.stand_ins import ScriptedRunner

TRAINER = f"""
import json, os, sys
sys.path.insert(0, {str(Path(fake_trainer.__file__).parent)!r})
if json.load(open(sys.argv[1] + "/spec.json"))["kind"] == "import":
    os.execv(sys.executable, [sys.executable, "-m", "mldesk.data.imports.register", *sys.argv[1:]])
import fake_trainer
fake_trainer.main()
"""
CSV = "day,amount,word\n" + "".join(f"2024-01-{1 + i % 28:02d},{i / 3:.3f},w{i % 4}\n" for i in range(500))


class FarRunner(LocalRunner):
    """Another machine, as far as data go: its objects are its own, and travel when they must."""

    def __init__(self, folder: Path, desk: ObjectStore) -> None:
        trainer = folder / "trainer.py"
        folder.mkdir(exist_ok=True)
        trainer.write_text(TRAINER)
        home = Home(folder / "home").make()
        super().__init__(home, agent_options=["--no-warm", "--trainer", json.dumps([sys.executable, str(trainer)])])
        self.name = folder.name
        self.own, self._desk = ObjectStore(home.objects), desk
        self.moved: list[str] = []     # manifests with files that went from one machine to the other

    def fetch(self, digest: str, store: ObjectStore) -> None:
        self._copy(digest, self.own, store)

    def _bring(self, manifest: str) -> None:
        self._copy(manifest, self._desk, self.own)

    def _copy(self, digest: str, source: ObjectStore, target: ObjectStore) -> None:
        data = source.read(digest)
        target.put_bytes(data)
        if data.startswith(b'{"entries":['):
            for entry in source.manifest(digest).entries:
                target.put_file(source.path(entry.sha256))
            self.moved.append(digest)


class Desk:
    """A library with two machines beside it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "desk").make()
        self.library = Library.open(self.home)
        self.far = {name: FarRunner(folder / name, self.library.objects) for name in ("box", "other")}
        clock = SystemClock()
        for name in self.far:
            self.library.runners.add(name, "ssh", f"me@{name}")
        self.runners = RunnerService(self.library, self._connect, clock)
        self.datasets = DatasetService(self.library, self.home)
        self.runs = RunService(self.library, self.datasets, self.runners, clock)

    def imported(self, path: Path | str, name: str = "sales") -> Run:
        run = self.runs.import_on("box", str(path), name)
        list(self.runs.follow(run.id))
        return self.runs.get(run.id)

    def trained(self, runner: str) -> Run:
        run = self.runs.start(TrainOrder("sales", "amount", runner=runner))
        list(self.runs.follow(run.id))
        return self.runs.get(run.id)

    def close(self) -> None:
        for runner in self.far.values():
            runner.stop_agent(kill_jobs=True)
            runner.close()
        self.runners.close()
        self.library.close()

    def _connect(self, record: RunnerRecord) -> RunnerClient:
        return self.far[record.name] if record.name in self.far else LocalRunner(self.home)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_a_table_is_made_where_its_file_lies_and_used_there_without_a_transfer(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    run = desk.imported(tmp_path / "sales.csv")
    assert (run.state, run.kind) == (JobState.SUCCEEDED, "import")
    version = desk.datasets.show("sales")
    assert (version.rows, [column.name for column in version.columns]) == (500, ["day", "amount", "word"])
    assert version.source == f"{tmp_path}/sales.csv on box"
    for look in (lambda: desk.datasets.preview("sales"), lambda: desk.datasets.profile("sales"),
                 lambda: desk.datasets.export("sales", tmp_path / "out.csv")):
        with pytest.raises(DataElsewhere, match="The data of sales@1 are on the runner box, not on") as why:
            look()
        assert why.value.hint == "Bring them here: mldesk data fetch sales@1."
    assert desk.trained("box").state is JobState.SUCCEEDED
    assert desk.far["box"].moved == []


def test_training_elsewhere_brings_the_rows_through_this_machine(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    desk.imported(tmp_path / "sales.csv")
    manifest = desk.datasets.show("sales").manifest
    assert desk.trained("other").state is JobState.SUCCEEDED
    assert (desk.far["box"].moved, desk.far["other"].moved) == ([manifest], [manifest])
    assert desk.datasets.preview("sales").rows


def test_the_rows_are_fetched_when_they_are_asked_for(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    desk.imported(tmp_path / "sales.csv")
    assert desk.runs.fetch_data("sales") == "box"
    assert desk.datasets.preview("sales", rows=1).rows == [["2024-01-01", 0.0, "w0"]]
    assert desk.runs.fetch_data("sales") is None
    assert desk.datasets.profile("sales")["rows"] == 500


def test_following_twice_makes_one_version_and_another_import_the_next(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    run = desk.runs.import_on("box", str(tmp_path / "sales.csv"), "sales")
    apply = desk.library.runs.apply

    def die(*_: object) -> int:
        raise KeyboardInterrupt  # after the version was made and before the end was kept

    while not desk.library.datasets.list():
        desk.library.runs.apply = die if desk.far["box"].state(run.id).ended else apply  # type: ignore[method-assign]
        try:
            desk.runs.pump(run.id, 1.0)
        except KeyboardInterrupt:
            break
    desk.library.runs.apply = apply  # type: ignore[method-assign]
    list(desk.runs.follow(run.id))
    assert len(desk.datasets.versions("sales")) == 1
    (tmp_path / "sales.csv").write_text(CSV + "2024-02-01,5,w1\n")
    desk.imported(tmp_path / "sales.csv")
    assert [version.rows for version in desk.datasets.versions("sales")] == [500, 501]


def test_a_file_that_is_not_there_is_said_and_makes_nothing(desk: Desk) -> None:
    run = desk.imported("/nowhere/sales.csv")
    assert (run.state, desk.datasets.list()) == (JobState.FAILED, [])
    assert "There is no file sales.csv" in run.message


def test_what_cannot_be_is_refused_before_anything_is_sent(desk: Desk) -> None:
    for runner, path, error in (("local", "/x.csv", Conflict), ("boxx", "/x.csv", NotFound),
                                ("box", "https://host/x.csv", MldeskError)):
        with pytest.raises(error):
            desk.runs.import_on(runner, path, "sales")
    assert desk.runs.list() == []


def test_a_runner_that_has_lost_the_rows_says_so(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    desk.imported(tmp_path / "sales.csv")
    box = desk.far["box"].own
    for entry in box.manifest(desk.datasets.show("sales").manifest).entries:
        box.delete(entry.sha256)
    with pytest.raises(NotFound, match="of this job is not on the runner"):
        desk.runs.start(TrainOrder("sales", "amount", runner="box"))


def test_a_hostile_description_makes_no_dataset(tmp_path: Path) -> None:
    home = Home(tmp_path / "desk").make()
    library, runner = Library.open(home), ScriptedRunner()
    library.runners.add("box", "ssh", "me@box")
    runners = RunnerService(library, lambda _: runner, SystemClock())
    datasets = DatasetService(library, home)
    runs = RunService(library, datasets, runners, SystemClock())
    good = ImportedTable(Manifest(()), 1, (), (), "x", {}, "copied").to_json()
    for content in (b"\xff", b"[]", b'{"manifest": 5}', json.dumps({**good, "rows": -1}).encode()):
        run = runs.import_on("box", "/x.csv", "sales")
        digest = library.objects.put_bytes(content)
        runner.say(run.id, "started", attempt=1, pid=1, host="box", device="cpu", resumed_from=None)
        runner.say(run.id, "artifact", name="table", digest=digest, size=len(content), type="json")
        runner.say(run.id, "succeeded", result={"table": digest, "manifest": digest, "rows": 5, "metrics": [1]})
        list(runs.follow(run.id))
        assert run_details(runs.get(run.id))["status"] == "succeeded"
        assert datasets.list() == []
    assert ImportRequest.from_json(JobSpec.from_json(run.spec).payload).path == "/x.csv"
    runners.close()
    library.close()
