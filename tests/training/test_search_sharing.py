"""Folds that another process fits: the trial is the same; whoever dies or comes too late costs nothing but its fits."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import numpy as np
import pytest

from mldesk.training.job import Workplace, open_table
from mldesk.training.search.crew import Task
from mldesk.training.search.dealing import deal
from mldesk.training.search.measures import find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.quiet import NoCheckpoints
from mldesk.training.search.records import Records
from mldesk.training.search.rows import Rows
from mldesk.training.search.sharing import Came, Sharing, keep_wave, read_wave
from mldesk.training.search.trial import Bounds, Outcome, Weak, run_trial
from mldesk.training.search.workers import Workers
from mldesk.wire.control import Control
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import JobSpec, SearchRequest
from mldesk.wire.report import Report
from tests.training.jobs import events, of, put_table, result, run_here
from tests.training.tables import mixed
from tests.training.test_search import order

TREE = Configuration("decision_tree", {}, "portfolio")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    folder = tmp_path_factory.mktemp("rows")
    table = put_table(folder, mixed(120))
    request = SearchRequest.from_json(JobSpec.read(order(folder, table, trials=1)).payload)
    work = Workplace(table.store, _report(folder), Control(folder / "control", lambda: None, lambda: None),
                     NoCheckpoints(), folder / "scratch", 1, "cpu")
    return deal(request, *open_table(request.train, work))


def _report(folder: Path) -> Report:
    return Report(Spool(folder / "spool"))


class _Helped(Control):
    """While a trial looks whether to go on, two of its waves are given away, and fitted at once or lost."""

    finish = terminate = False

    def __init__(self, task: Task, sharing: Sharing, folder: Path, report: Report, *, lost: bool = False) -> None:
        self._task, self._sharing, self._folder, self._report, self._lost = task, sharing, folder, report, lost
        self.models: dict[int, Any] = {}
        self._left = 2

    def check(self) -> None:
        if not self._left or (lent := self._sharing.lend(1)) is None:
            return
        self._left -= 1
        if not self._lost:
            predictions, cuts, models = self._task.fit_wave(lent[0], TREE, self, self._report, np.inf)
            keep_wave(self._folder, 1, lent[0], predictions, cuts)
            self.models |= models
        self._sharing.back(1, lent[0], None if self._lost else 0.5)


def _made(rows: Rows, folder: Path, *, lost: bool = False,
          weak: Sequence[float] = ()) -> tuple[Outcome, dict[int, Any]]:
    report, sharing = _report(folder), Sharing(folder / "folds")
    task = Task(rows, find_aim(None, rows.classes), 0, 1, "cpu")
    helped = _Helped(task, sharing, folder / "folds", report, lost=lost)
    return run_trial(1, TREE, rows, task.aim, report, helped, seed=0, threads=1, device="cpu",
                     bounds=Bounds(weak=weak), sharing=sharing), helped.models


def test_a_trial_is_the_same_when_another_process_fits_some_of_its_folds(rows: Rows, tmp_path: Path) -> None:
    assert len(rows.folds) == 5
    alone = run_trial(1, TREE, rows, find_aim(None, rows.classes), _report(tmp_path),
                      Control(tmp_path / "control", lambda: None, lambda: None), seed=0, threads=1, device="cpu")
    shared, models = _made(rows, tmp_path)
    assert [native is None for native in shared.natives] == [False, False, False, True, True]
    assert sorted(models) == [3, 4]
    assert np.array_equal(shared.prediction, alone.prediction)
    assert (shared.loss, shared.fold_losses, shared.curve) == (alone.loss, alone.fold_losses, alone.curve)
    assert (shared.cuts, alone.cuts) == ([0] * 5, [0] * 5)
    assert not list((tmp_path / "folds").iterdir())
    lost, _ = _made(rows, tmp_path, lost=True)
    assert np.array_equal(lost.prediction, alone.prediction)
    assert None not in lost.natives


def test_a_weak_trial_is_given_up_at_the_same_fold(rows: Rows, tmp_path: Path) -> None:
    """Losses count in the order of the folds, whoever comes to them first."""
    with pytest.raises(Weak) as weak:
        _made(rows, tmp_path, weak=(np.inf, np.inf, 0.0, 0.0))
    assert weak.value.folds == 3


def test_what_was_half_written_is_not_read(tmp_path: Path) -> None:
    keep_wave(tmp_path, 1, 2, [np.ones(300)], [4])
    path, = tmp_path.iterdir()   # no draft is left
    path.write_bytes(path.read_bytes()[:900])
    assert read_wave(tmp_path, 1, 2) is None


def test_nothing_is_given_away_that_has_begun_or_ended(tmp_path: Path) -> None:
    sharing = Sharing(tmp_path)
    assert sharing.lend(1) is None
    sharing.begin(1, 3, np.inf)
    assert sharing.lend(1) is None     # the first tells whether the others are worth it
    assert sharing.take(0) == np.inf
    assert sharing.lend(2) is None
    assert sharing.lend(1) == (2, np.inf)
    assert sharing.take(1) == np.inf
    assert sharing.lend(1) is None
    sharing.back(1, 2, None)
    assert sharing.lend(1) == (2, np.inf)
    keep_wave(tmp_path, 1, 2, [np.ones(3)], [4])
    later = threading.Timer(0.05, sharing.back, (1, 2, 9.0))   # it is waited for, however long it takes
    later.start()
    came = sharing.take(2)
    later.join()
    assert isinstance(came, Came)
    assert came.cuts == [4]
    assert came.predictions[0].tolist() == [1, 1, 1]
    sharing.end()
    assert sharing.lend(1) is None


class _Scripted:
    """A worker that says what it is given to say, and keeps what it is told."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.orders: Any = io.BytesIO()
        self.answers: IO[bytes] = os.fdopen(reading, "rb")

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.orders.getvalue().splitlines()][1:]   # the first is what all share

    def say(self, **line: Any) -> None:
        os.write(self._writing, json.dumps(line).encode() + b"\n")

    def end(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1


@contextmanager
def _crew(rows: Rows, folder: Path) -> Iterator[tuple[Workers, list[_Scripted]]]:
    hands = [_Scripted(), _Scripted()]
    work: Any = SimpleNamespace(control=SimpleNamespace(finish=False, check=lambda: None))
    before = set(threading.enumerate())
    crew = Workers(hands, Task(rows, find_aim(None, rows.classes), 0, 2, "cpu"), Records(folder), folder, work)
    listening = set(threading.enumerate()) - before
    try:
        yield crew, hands
    finally:
        crew.close()
        for thread in listening:
            thread.join(60)
        for hand in hands:
            hand.answers.close()


def test_who_has_nothing_to_do_is_lent_a_fold_and_its_death_costs_nothing_else(rows: Rows, tmp_path: Path) -> None:
    with _crew(rows, tmp_path) as (crew, (owner, other)):
        crew.begin(1, TREE, Bounds(), np.inf)
        crew.share()
        crew.share()     # it is asked for already
        assert owner.told[1:] == [{"lend": 1}]
        assert not crew.free
        owner.say(lent=4, of=1, seconds=9.0)
        assert crew.ended(60.0) == []
        assert (other.told[0]["wave"], other.told[0]["number"], other.told[0]["seconds"]) == (4, 1, 9.0)
        other.say(fitted=4, of=1, seconds=2.0)
        crew.ended(60.0)
        assert owner.told[2:] == [{"back": 4, "of": 1, "seconds": 2.0}]
        crew.share()
        owner.say(lent=3, of=1, seconds=9.0)
        crew.ended(60.0)
        other.end()
        crew.ended(60.0)
        assert owner.told[4:] == [{"back": 3, "of": 1, "seconds": None}]
        assert crew.busy
        crew.share()
        assert len(owner.told) == 5


def test_a_trial_that_ends_leaves_its_helpers_free(rows: Rows, tmp_path: Path) -> None:
    with _crew(rows, tmp_path) as (crew, (owner, other)):
        crew.begin(1, TREE, Bounds(), np.inf)
        crew.share()
        owner.say(lent=4, of=1, seconds=9.0)
        crew.ended(60.0)
        owner.say(number=1, state="weak", seconds=1.0, facts={"loss": 1.0, "folds": 2, "curve": []})
        (done,) = crew.ended(60.0)
        assert (done.state, crew.busy, crew.free) == ("weak", False, True)
        assert other.told[1:] == [{"leave": 1}]
        other.say(fitted=4, of=1, seconds=2.0)
        crew.ended(60.0)
        assert other.told[2:] == [{"drop": 1}]
        crew.begin(2, TREE, Bounds(), np.inf)
        crew.share()
        owner.say(lent=None, of=2, seconds=None)
        crew.ended(60.0)
        crew.share()
        assert owner.told[-1] == {"lend": 2}, "one that has nothing to give is not asked again"
        assert crew.free


# As the trainer that has loaded all does it, but for loading all.
_SPLIT = """
import sys
from pathlib import Path
from mldesk.training.run import run_job
from mldesk.training.search.hands import split_off
from mldesk.training.search.worker import serve
sys.exit(run_job(Path(sys.argv[1]), Path(sys.argv[2]), 1, split_off(2, serve)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_processes_that_were_split_off_come_to_what_one_comes_to(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    fields: dict[str, Any] = {"trials": 3, "estimators": ("lightgbm", "random_forest")}
    alone = run_here(order(tmp_path, table, **fields), table)
    folder = order(tmp_path, table, parallel=2, **fields)
    done = subprocess.run([sys.executable, "-c", _SPLIT, str(folder), str(table.store.root)], capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    at_once = events(folder)

    def scores(said: list[dict[str, Any]]) -> dict[str, float]:
        return {json.dumps([trial["estimator"], trial["parameters"]]): round(trial["score"], 9)
                for trial in of("trial", said)}

    assert scores(alone) == scores(at_once)
    assert [member["weight"] for member in result(at_once)["members"]] == [
        member["weight"] for member in result(alone)["members"]]
