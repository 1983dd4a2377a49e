"""Samples, text from the clipboard, imports made again, and long looks at a table that are stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.paths import Home
from mldesk.data import ImportCancelled, ImportOptions
from mldesk.library import Library
from mldesk.workbench.cleaning import CleaningService
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.sources import SAMPLES, name_of


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(Home(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def datasets(library: Library, tmp_path: Path) -> DatasetService:
    return DatasetService(library, Home(tmp_path / "home"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_sample_is_what_it_is_said_to_be_and_has_its_licence(
    sample: object, datasets: DatasetService
) -> None:
    from mldesk.core.resources import resource
    from mldesk.workbench.sources import Sample

    assert isinstance(sample, Sample)
    source = f"sample:{sample.name}"
    head = datasets.import_files([source], name_of(source)).head
    assert (head.dataset, head.rows, len(head.columns)) == (sample.name, sample.rows, sample.columns)
    assert sample.target in {column.name for column in head.columns}
    assert resource("samples", f"{sample.name}.LICENSE.txt").read_text("utf-8")
    assert head.reading is not None
    assert head.reading["sources"] == [source]


def test_a_sample_that_does_not_exist_is_not_found(datasets: DatasetService) -> None:
    with pytest.raises(NotFound, match="no sample 'titanic'"):
        datasets.import_files(["sample:titanic"], "t")
    with pytest.raises(NotFound, match="no sample ''") as none:
        datasets.import_files(["sample:"], name_of("sample:"))
    assert "penguins" in none.value.hint


@pytest.mark.parametrize("text", [
    "a\tb\n1\tx, y\n2\tz\n", "a,b\n1,\"x, y\"\n2,z\n",
    "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>x, y</td></tr><tr><td>2<td>z</table>",
    "Version:0.9\r\nStartHTML:00000097\r\n<html><body><table><tr><th>a<th>b<tr><td>1<td>x, y<tr><td>2<td>z</table>",
])
def test_a_table_from_the_clipboard_is_the_same_however_it_was_copied(text: str, datasets: DatasetService) -> None:
    found = datasets.preview_text(text)
    assert found.rows == [[1, "x, y"], [2, "z"]]
    head = datasets.import_text(text, "pasted").head
    assert datasets.preview("pasted").rows == found.rows
    assert head.source == "the clipboard"
    with pytest.raises(Conflict, match="not imported from files"):
        datasets.import_again("pasted")


def test_an_empty_clipboard_is_a_sentence(datasets: DatasetService) -> None:
    with pytest.raises(BadInput, match="no text on the clipboard"):
        datasets.import_text(" \n", "pasted")


def test_an_import_made_again_takes_the_file_as_it_is_now_in_the_same_way(
    datasets: DatasetService, tmp_path: Path
) -> None:
    path = tmp_path / "t.txt"
    path.write_text("a::b\n1::x\n")
    datasets.import_files([path], "t", options=ImportOptions(delimiter="::", types=(("a", "text"),)))
    path.write_text("a::b\n1::x\n2::y\n")
    head = datasets.import_again("t").head
    assert (head.number, head.rows, head.columns[0].type.value) == (2, 2, "text")
    assert not list((tmp_path / "home" / "scratch").iterdir())


def test_long_looks_at_a_table_are_stopped_in_the_middle(
    library: Library, datasets: DatasetService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaning = CleaningService(library, datasets, Home(tmp_path / "home"))
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n2,y\n")   # no column in which every value is different
    datasets.import_files([tmp_path / "t.csv"], "t")
    cleaning.clean("t", [{"step": "filter", "where": "a > 1"}])
    endless = "(SELECT count(*) FROM range(100000) p, range(100000) q, range(100) r WHERE p.range + q.range <> 1)"
    monkeypatch.setattr("mldesk.data.statistics.profiling._duplicates",
                        lambda connection, *_: connection.execute(endless))
    monkeypatch.setattr("mldesk.data.statistics.differences.relation",
                        lambda _: endless.replace("count(*)", "p.range a, 'x' b"))
    works: list[Callable[[Callable[[], bool]], object]] = [
        lambda stop: datasets.profile("t@1", cancelled=stop), lambda stop: datasets.diff("t", 1, 2, cancelled=stop)]
    for work in works:
        asked = iter(range(5))
        with pytest.raises(ImportCancelled):
            work(lambda asked=asked: next(asked, None) is None)  # type: ignore[misc]
    for look in (cleaning.preview_recipe, cleaning.clean):
        with pytest.raises(ImportCancelled):
            look("t", [{"step": "filter", "where": "a > 1"}], cancelled=lambda: True)
    assert not list((tmp_path / "home" / "scratch").iterdir())
    assert datasets.show("t").number == 2


@pytest.mark.parametrize("source", ["", "  "])
def test_a_source_without_a_name_is_not_the_folder_one_is_in(datasets: DatasetService, source: str) -> None:
    with pytest.raises(BadInput, match="No file was named"):
        datasets.import_files([source], "all")
    assert datasets.list() == []
