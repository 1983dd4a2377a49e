"""Labels of runs, saved views, and the list as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.run_filter import RunFilter
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.run_book import RunBook, table
from tests.workbench.stand_ins import Desk


def test_runs_are_labelled_found_and_written_as_csv(desk: Desk, tmp_path: Path) -> None:
    book = RunBook(desk.library)
    one = desk.runs.start(TrainOrder("shop", "grade", parameters={"rounds": 7}))
    desk.finish_job(one.id, "lightgbm", accuracy=0.8)
    list(desk.runs.follow(one.id))
    two = desk.runs.start(TrainOrder("shop", "price"))
    book.annotate(one.id, note="the first, with a comma", group="tries")
    assert [run.tags for run in book.tag([one.id, two.id], ["a", "b"])] == [("a", "b"), ("a", "b")]
    assert [run.tags for run in book.tag([one.id], ["c"], ["a"])] == [("b", "c")]
    book.save_view("mine", RunFilter(tags=("c",)))
    assert [run.id for run in book.find(book.view("mine"))] == [one.id]
    with pytest.raises(NotFound, match="no view") as caught:
        book.view("mien")
    assert "mine" in caught.value.hint
    with pytest.raises(BadInput):
        book.save_view("a/b", RunFilter())
    book.remove_view("mine")
    assert book.views() == {}
    rows = list(csv.DictReader(io.StringIO(table(book.find(RunFilter())))))
    assert [row["target"] for row in rows] == ["price", "grade"]
    assert (rows[1]["metric accuracy"], rows[1]["note"], rows[1]["group"]) == (
        "0.8", "the first, with a comma", "tries")
    assert rows[0]["metric accuracy"] == ""
    book.export(book.find(RunFilter()), tmp_path / "runs.csv")
    assert (tmp_path / "runs.csv").read_text("utf-8").startswith("run,name,kind,status")
    book.annotate(one.id, note="=1+1", group="-5")
    row = next(csv.DictReader(io.StringIO(table([desk.library.runs.get(one.id)]))))
    assert (row["note"], row["group"]) == ("'=1+1", "-5")   # no formula for a spreadsheet; a number stays one
    with pytest.raises(NotFound):
        book.export([], tmp_path / "no" / "runs.csv")
