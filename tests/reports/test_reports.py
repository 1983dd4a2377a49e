"""A report as a page and as a PDF: whole in itself, the same every time, deaf to what a table tells it to do."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader

from mldesk.library.records import MetricPoint
from mldesk.reports.charts import draw
from mldesk.reports.document import (
    Bars,
    Code,
    Facts,
    Histogram,
    Lines,
    Matrix,
    Report,
    Section,
    Series,
    Table,
    Text,
    Tile,
    Tiles,
)
from mldesk.reports.page import write_page
from mldesk.reports.pdf import write_pdf
from mldesk.workbench import report_compared
from mldesk.workbench.report_compared import common_errors
from mldesk.workbench.report_evaluation import examples, folds, sections
from mldesk.workbench.report_facts import curves, files

EVIL = '<script>alert(1)</script>"&$x^2$\x07'


def report(word: str = "plain") -> Report:
    curve = Series(word, [1, 2, 3], [0.5, float("nan"), 0.25])
    return Report(f"Report of {word}", word, [
        Section("Numbers", [Tiles([Tile(word, "0.93", "0.9 to 0.95")]), Facts({word: word, "größe": "東京"}),
                            Table(("name", "rows"), [(word, "12"), ("b", "7")], frozenset({"rows"}),
                                  frozenset({(1, 1)})), Text(word, "warning"), Code(f"line\n  {word}")]),
        Section("Pictures", [
            Lines(word, "Step", "loss", [curve, Series("chance", [1, 3], [1, 1], quiet=True)]),
            Lines("cloud", "x", "y", [Series("rows", [1.0], [2.0])], points=True),
            Lines("ROC", "x", "y", [Series("one", [0, 1], [0, 1])], square=True),
            Bars("Importance", "loss", [word, "b"], [0.4, -0.1], [0.1, 0.0]),
            Histogram("Errors", "error", [0.0, 1.0, 2.0], [3, 4]), Matrix("Confusion", [word, "no"], [[3, 0], [0, 0]]),
        ])], "made for a test", ("a", word))


class _Reader(HTMLParser):
    """Collects the elements of a page and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "data", "action"):
                self.addresses.append(value or "")


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_a_page_needs_nothing_from_anywhere_and_holds_every_chart() -> None:
    found = read(write_page(report()))
    assert found.elements.count("svg") == 6
    assert not {"script", "link", "iframe", "img", "object"} & set(found.elements)
    assert all(address.startswith("#") for address in found.addresses)
    assert "default-src 'none'" in write_page(report())


def test_long_titles_take_several_lines() -> None:
    said = draw(Matrix(f"Confusion matrix of {'a run ' * 5}that ends", ["long label of a class"], [[1]]), "a")
    lines = re.findall(r">([^<>]*(?:Confusion|ends)[^<>]*)<", said)
    assert lines == ["Confusion matrix of a run a run a", "run a run a run that ends"]


def test_ids_are_used_once_and_links_within_lead_somewhere() -> None:
    found = read(write_page(report()))
    assert len(found.ids) == len(set(found.ids))
    assert {address[1:] for address in found.addresses} <= set(found.ids)


def test_what_a_table_says_stays_text() -> None:
    page = write_page(report(EVIL))
    assert "script" not in read(page).elements
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;$x^2$" in page
    assert "\x07" not in page


def test_the_same_report_is_the_same_bytes() -> None:
    assert write_page(report()) == write_page(report())
    assert write_pdf(report()) == write_pdf(report())


def test_a_pdf_holds_the_text_the_charts_and_letters_of_the_world() -> None:
    document = PdfReader(io.BytesIO(write_pdf(report())))
    text = " ".join(page.extract_text() for page in document.pages)
    assert document.metadata is not None
    assert document.metadata.title == "Report of plain"
    for word in ("0.93", "größe", "東京", "Importance", "Confusion", "Step", "1 / "):
        assert word in text


def test_the_scores_of_folds_stand_in_a_section_of_their_own() -> None:
    section = folds({"folds": 2, "metrics": {"roc_auc": {"mean": 0.8, "std": 0.1, "values": [0.7, 0.9]}}})
    table = section.blocks[0]
    assert isinstance(table, Table)
    assert table.rows == [("ROC AUC", "0.8000", "0.1000", "0.7000", "0.9000")]
    assert table.head[-1] == "fold 2"
    assert not folds({}).blocks


def test_a_script_with_thousands_of_metrics_has_a_report_with_some_of_the_curves() -> None:
    points = [MetricPoint(f"m{number}", step, 0.0, None, 1) for number in range(3000) for step in (1, 2)]
    (section,) = curves(points)
    assert len(section.blocks) == 41
    assert isinstance(last := section.blocks[-1], Text)
    assert "2,960 more" in last.text


def test_lift_is_gain_over_the_share_of_rows() -> None:
    test = {"gain": {"share": [0.0, 0.1, 0.5, 1.0], "found": [0.0, 0.3, 0.75, 1.0]}}
    plots = next(section for section in sections({"parts": {"test": test}}, {}) if section.title == "Plots")
    lift = next(chart for chart in plots.blocks if isinstance(chart, Lines) and chart.title == "Lift")
    assert list(lift.series[0].y) == pytest.approx([3.0, 1.5, 1.0])


def _run(run_id: str, dataset: str) -> Any:
    return SimpleNamespace(id=run_id, dataset=dataset)


def test_what_is_not_drawn_of_very_many_classes_is_said() -> None:
    def told(classes: int, **test: Any) -> list[str]:
        found = sections({"classes": [*range(classes)], "parts": {"test": {"metrics": {"accuracy": 0.5}, **test}}}, {})
        plots = next(section for section in found if section.title == "Plots")
        return [block.text for block in plots.blocks if isinstance(block, Text)]

    assert told(2, confusion={"labels": ["no", "yes"], "counts": [[1, 0], [0, 1]]}) == []
    assert len(said := told(1000)) == 1 and said[0].startswith("Of 1,000 classes there is no confusion matrix")
    scored = [{"class": n, "precision": n / 100, "recall": 1.0, "f1": 1 - n / 100, "rows": 1} for n in range(99)]
    found = sections({"classes": [*range(99)], "parts": {"test": {"metrics": {}, "per_class": scored, "confused": [
        {"actual": 7, "predicted": 8, "rows": 3, "of": 4}]}}}, {})
    tables = {section.title: [block for block in section.blocks if isinstance(block, Table)] for section in found}
    assert tables["Plots"][0].rows == [("7", "8", "3", "4")]
    assert [row[0] for row in tables["Classes"][0].rows[:2]] == ["98", "97"]   # the worst


def test_a_table_of_some_of_many_runs_has_no_line_that_is_empty_in_all_of_them() -> None:
    rows = [("accuracy", "1", "2", "3", "4", ""), ("r2", "", "", "", "", "5"), ("took", "1", "1", "1", "1", "1")]
    first, second = report_compared._tables("score", list("abcde"), rows, frozenset({(1, 5)}))
    assert isinstance(first, Table) and isinstance(second, Table)
    assert [row[0] for row in first.rows] == ["accuracy", "took"] and not first.strong
    assert second.rows == [("r2", "5"), ("took", "1")] and second.strong == {(0, 1)}


def test_errors_in_common_are_rows_that_several_runs_miss() -> None:
    def worst(*items: tuple[int, str, str], loss: float = 1.0) -> dict[str, Any]:
        return {"parts": {"test": {"worst": [
            {"row": row, "actual": actual, "predicted": predicted, "loss": loss * row}
            for row, actual, predicted in items]}}}

    told = {"a": worst((4, "x", "y"), (2, "x", "x"), (7, "y", "x")), "b": worst((7, "y", "x"), (2, "x", "x")),
            "c": worst((4, "x", "x"), (7, "y", "y"))}
    runs = [_run(name, "d@1") for name in told]
    found = common_errors(runs, told)
    assert [(error.row, error.actual, list(error.said)) for error in found] == [
        (7, "y", ["x", "x", "y"]), (4, "x", ["y", "–", "x"])]
    assert common_errors([_run("a", "d@1"), _run("b", "d@2")], told) == []
    both = worst((2, "x", "y"), (7, "x", "y"), (4, "x", "y"))
    assert [error.row for error in common_errors(runs[:2], {"a": both, "b": both})] == [7, 4, 2]   # the worst first


def test_the_worst_errors_of_a_wide_table_stay_on_the_page() -> None:
    names = [f"a_measured_length_{number}" for number in range(9)]
    section = examples([{"row": 4, "actual": 1.5, "predicted": 2.5}], [[1234.56 + at for at in range(9)]], names)
    head = list(next(block.head for block in section.blocks if isinstance(block, Table)))
    assert head[:4] == ["row", "actual", "predicted", names[0]], "numbers have no chance of their own"
    assert any(isinstance(block, Text) and "more column" in block.text for block in section.blocks)
    wide = Table([f"{name}_of_the_sepal" for name in names], [["x" * 30] * 9])
    document = PdfReader(io.BytesIO(write_pdf(Report("R", "r", [section, Section("Wide", [wide])], "f"))))
    places: list[float] = []
    document.pages[0].extract_text(visitor_text=lambda text, cm, tm, *_: places.append(
        cm[0] * tm[4] + cm[4]) if text.strip() else None)
    assert max(places) < 595 - 45, "points; the page's margin is 16 mm"


def test_files_that_a_run_kept_are_listed_with_their_digests() -> None:
    kept = {f"f{place}": {"size": 1000 + place, "digest": f"{place:064x}", "kind": "bytes"} for place in range(201)}
    table, more = files(kept).blocks
    assert isinstance(table, Table) and table.rows[0] == ("f0", "1,000", "0" * 16) and len(table.rows) == 200
    assert isinstance(more, Text) and more.text == "And 1 more."
    assert files({}).blocks == []
