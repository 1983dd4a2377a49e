"""A table made on a runner of a file that lies there: the job's process, what it says, and what it does to the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.core.errors import BadInput
from mldesk.core.ids import new_id
from mldesk.data import TableView, import_table
from mldesk.data.imports.register import run_job
from mldesk.wire import linked
from mldesk.wire.imports import ImportedTable, ImportRequest
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.objects import ObjectStore
from mldesk.wire.spool import SpoolReader


class Work:
    """A job's folder and a runner's store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, ObjectStore(folder / "objects")
        self.job = folder / "job"
        self.attempt = 0

    def ask(self, path: Path | str, **options: Any) -> Path:
        self.job.mkdir(exist_ok=True)
        request = ImportRequest(str(path), "table", options.pop("options", {}), **options)
        spec = JobSpec(new_id(), "import", "an import", (), request.to_json(), Resources("cpu"))
        (self.job / "spec.json").write_bytes(json.dumps(spec.to_json()).encode())
        return self.job

    def run(self, path: Path | str, *, link_from: int = linked.LINK_FROM, **options: Any) -> dict[str, Any]:
        """Do an import; return its last event."""
        self.ask(path, **options)
        self.attempt += 1
        assert run_job(self.job, self.store.root, self.attempt, link_from=link_from) == 0
        return self.events()[-1]

    def events(self) -> list[dict[str, Any]]:
        lines = SpoolReader(self.job / f"spool.{self.attempt}").read()
        return [{"kind": line.kind, **line.payload} for line in lines]

    def table(self, end: dict[str, Any]) -> ImportedTable:
        assert end["kind"] == "succeeded", end
        return ImportedTable.from_json(json.loads(self.store.read(end["result"]["table"])))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def parquet(path: Path, rows: int = 1000, **columns: Any) -> Path:
    table = pa.table({"number": pa.array([i / 7 for i in range(rows)], pa.float64()),
                      "whole": pa.array(range(rows), pa.int64()),
                      "word": pa.array([None if i % 5 == 0 else f"w{i % 3}" for i in range(rows)], pa.string()),
                      **columns})
    pq.write_table(table, path, row_group_size=300)
    return path


def test_a_text_file_becomes_a_table_and_is_told_of_as_it_goes(work: Work, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("day,amount\n2024-01-02,3.5\n2024-01-03,\n")
    end = work.run(tmp_path / "sales.csv")
    assert [event["kind"] for event in work.events() if event["kind"] != "progress"] == [
        "started", "stage", "artifact", "succeeded"]
    table = work.table(end)
    assert [(column.name, column.type.value, column.missing) for column in table.columns] == [
        ("day", "date", 0), ("amount", "number", 1)]
    result = end["result"]
    assert (result["row_count"], result["column_count"], result["kept"], table.kept) == (2, 2, "converted", "converted")
    assert not work.store.missing(result["manifest"])
    assert result["manifest"] == work.store.put_bytes(table.manifest.to_bytes())
    assert not (work.job / "scratch").exists()


def test_its_process_does_without_pandas_which_takes_longer_to_load_than_most_imports(work: Work,
                                                                                        tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("day,amount\n2024-01-02,3.5\n2024-01-03,\n")
    work.ask(tmp_path / "sales.csv")
    code = ("import importlib.util, sys\nfrom mldesk.data.imports.register import main\n"
            "print(main(sys.argv[1:]), 'pandas' in sys.modules, importlib.util.find_spec('pandas') is not None)")
    done = subprocess.run([sys.executable, "-c", code, str(work.job), "--objects", str(work.store.root),
                           "--attempt", "1"], capture_output=True, text=True, check=True)
    work.attempt = 1
    assert (done.stdout.split(), work.events()[-1]["kind"]) == (["0", "False", "True"], "succeeded")


def test_the_same_as_an_ordinary_import_comes_of_it(work: Work, tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet")
    for link in (True, False):
        table = work.table(work.run(path, link=link))
        other = import_table([path], ObjectStore(tmp_path / "other"), tmp_path / "scratch")
        assert (table.columns, table.rows) == (other.columns, other.rows)
        assert (table.kept == "converted") is not link
    with TableView(work.store, work.run(path)["result"]["manifest"], table.columns) as ours, \
            TableView(ObjectStore(tmp_path / "other"), other.manifest, other.columns) as theirs:
        for offset, count in ((0, 5), (295, 10), (299, 1), (600, 400), (990, 50), (1000, 5)):
            assert ours.rows(offset, count) == theirs.rows(offset, count)
        assert ours.rows(3, 4, order_by=(("number", True),)) == theirs.rows(3, 4, order_by=(("number", True),))


def test_a_large_parquet_file_is_not_copied_where_the_disk_allows(work: Work, tmp_path: Path) -> None:
    path = parquet(tmp_path / "big.parquet")
    before = path.stat()
    end = work.run(path, link_from=1)
    entry = work.table(end).manifest.entries[0]
    assert end["result"]["kept"] in ("linked", "cloned")
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)
    if end["result"]["kept"] == "linked":
        assert path.samefile(work.store.path(entry.sha256))
        assert linked.source_of(work.store.root, entry.sha256) == str(path)
        assert linked.changed(work.store.root, [entry.sha256]) == []
        with open(path, "ab") as file:
            file.write(b"more")
        assert linked.changed(work.store.root, [entry.sha256]) == [entry.sha256]
        linked.drop(work.store.root, entry.sha256)
        assert path.exists() and not work.store.has(entry.sha256)


def test_a_small_parquet_file_is_copied(work: Work, tmp_path: Path) -> None:
    path = parquet(tmp_path / "small.parquet")
    end = work.run(path)
    digest = work.table(end).manifest.entries[0].sha256
    assert end["result"]["kept"] in ("copied", "cloned")
    path.write_bytes(b"written over")
    work.store.verify(digest)


@pytest.mark.parametrize("column", [
    pa.array([float("nan")] * 1000, pa.float64()), pa.array([" "] * 1000, pa.string()),
    pa.array([1] * 1000, pa.int32()), pa.array(["x"] * 1000, pa.string()).dictionary_encode(),
    pa.array([[1]] * 1000), pa.array([b"x"] * 1000, pa.binary()),
])
def test_a_file_that_an_import_would_change_is_converted(work: Work, tmp_path: Path, column: pa.Array) -> None:
    end = work.run(parquet(tmp_path / "odd.parquet", odd=column), link_from=1)
    assert end["result"]["kept"] == "converted"
    other = import_table([tmp_path / "odd.parquet"], ObjectStore(tmp_path / "other"), tmp_path / "scratch")
    assert end["result"]["manifest"] == other.manifest


def test_a_folder_of_parquet_files_is_one_table(work: Work, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(3):
        parquet(tmp_path / "many" / f"{number}.parquet", rows=500 + number)
    end = work.run(tmp_path / "many")
    assert end["result"]["row_count"] == 1503
    assert [entry.path for entry in work.table(end).manifest.entries] == [f"parts/0000{n}.parquet" for n in range(3)]
    (tmp_path / "many" / "more.csv").write_text("number,whole,word\n1.5,2,x\n")
    assert work.run(tmp_path / "many")["kind"] == "failed"  # text and Parquet cannot make one table


@pytest.mark.parametrize(("path", "words"), [
    ("/nowhere/at/all.csv", "no file"), ("~no-such-user-here/x.csv", "user who is not"), ("/dev/null", "device"),
])
def test_a_file_that_is_not_there_is_said_in_a_sentence(work: Work, path: str, words: str) -> None:
    end = work.run(path)
    assert (end["kind"], end["cause"]) == ("failed", "user_error")
    assert words in end["message"]
    assert list(work.store.digests()) == []


@pytest.mark.parametrize("path", ["", "  ", "https://host/file.csv", "a\0b", "x" * 5000])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="no path"):
        ImportRequest.from_json(ImportRequest(path, "n").to_json())


@pytest.mark.parametrize("asked", ["cancel", "term"])
def test_it_stops_when_it_is_asked_and_leaves_nothing(work: Work, tmp_path: Path, asked: str) -> None:
    path = tmp_path / "long.csv"
    with open(path, "w") as file:
        file.writelines(f"{number},{number % 7},text {number}\n" for number in range(1_500_000))
    work.ask(path)
    work.attempt = 1
    process = subprocess.Popen([sys.executable, "-m", "mldesk.data.imports.register", str(work.job), "--objects",
                                str(work.store.root), "--attempt", "1"])
    reader, seen = SpoolReader(work.job / "spool.1"), False
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        seen = any(line.kind == "progress" for line in reader.read())
        time.sleep(0.01)
    assert seen
    if asked == "cancel":
        (work.job / "control").write_text("cancel")
    else:
        process.terminate()
    assert process.wait(60) == (0 if asked == "cancel" else 143)
    assert (work.events()[-1]["kind"] == "cancelled") is (asked == "cancel")
    assert list(work.store.digests()) == [] and not (work.job / "scratch").exists()


def test_the_trainers_command_does_imports_as_well(work: Work, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    work.ask(tmp_path / "t.csv")
    work.attempt = 1
    environment = {**os.environ, "MLDESK_ATTEMPT": "1"}
    process = subprocess.Popen([sys.executable, "-m", "mldesk.training.run", str(work.job), "--objects",
                                str(work.store.root)], env=environment)
    assert process.wait(60) == 0
    started, end = work.events()[0], work.events()[-1]
    assert (started["pid"], end["kind"]) == (process.pid, "succeeded")


def test_a_description_that_a_runner_made_up_is_refused(work: Work, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    good = work.table(work.run(tmp_path / "t.csv")).to_json()
    assert ImportedTable.from_json(good).to_json() == good
    for key, bad in (("rows", -1), ("rows", "5"), ("columns", []), ("columns", [{"name": "a"}]), ("kept", "stolen"),
                     *(("columns", [{**good["columns"][0], "name": name}]) for name in ("\x1b[2J", "\n", "\ud800", "")),
                     ("columns", good["columns"] * 2), ("manifest", {"format": 1, "entries": [{"path": "../x"}]}),
                     ("problems", [1]), ("source", None), ("reading", 3)):
        with pytest.raises(BadInput):
            ImportedTable.from_json({**good, key: bad})
    with pytest.raises(BadInput):
        ImportedTable.from_json([])
