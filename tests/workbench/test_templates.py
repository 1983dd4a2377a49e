"""Templates: the same data each time, what they say of themselves, and one of them trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.training.task_guess import guess_task, target_problem
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.starting import preset_of
from mldesk.workbench.templates import written
from mldesk.workbench.templates.table import TEMPLATES, Template


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with open_workbench(tmp_path / "home") as opened:
        try:
            yield opened
        finally:
            opened.runners.stop("local")


def test_each_is_drawn_alike_again_and_comes_in_without_problems(bench: Workbench) -> None:
    for template in TEMPLATES.values():
        assert written.csv_of(template) == written.csv_of(template)
        head = bench.templates.start(template.name).imported.head
        assert (head.dataset, head.rows, list(head.problems)) == (template.name, template.rows, [])
        assert [column.name for column in head.columns] == list(template.columns)
        assert any(column.missing for column in head.columns)
        target = next(column for column in head.columns if column.name == template.target)
        assert (target.missing, target_problem(target, head.rows, template.task)) == (0, None)
        assert guess_task(target, head.rows) == template.task
        check = bench.runs.check(preset_of(template).train_order(template.name))
        assert (check.why_not, check.task) == (None, template.task)
    assert set(bench.presets.list()) == set(TEMPLATES)
    assert not [path for path in bench.home.scratch.rglob("*") if path.is_file()]


def test_what_is_there_already_stays(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
    bench.datasets.import_files([tmp_path / "own.csv"], "text_sentiment")
    bench.presets.save("text_sentiment", TrainOrder("t", "b"))
    with pytest.raises(Conflict, match="not made from this template"):
        bench.templates.start("text_sentiment")
    template = TEMPLATES["text_sentiment"]
    assert bench.templates.name_for(template) == "text_sentiment-2"
    first = bench.templates.start("text_sentiment", "reviews")
    again = bench.templates.start("text_sentiment", "reviews")
    assert (first.preset, again.preset, first.imported.made, again.imported.made) == (
        "text_sentiment-2", "text_sentiment-2", True, False)
    assert bench.presets.get("text_sentiment").train["target"] == "b"
    clean = bench.cleaning.clean("reviews", [{"step": "drop", "columns": ["product"]}])
    assert bench.templates.of(clean) == template
    assert "synthetic" in first.imported.head.source
    assert not bench.datasets.import_again("reviews").made
    with pytest.raises(NotFound, match="no template 'wafers'"):
        bench.templates.start("wafers")
    with pytest.raises(BadInput):
        bench.datasets.register("template:wafer_faults", "r")


@pytest.mark.timeout(900)   # a machine under load may need minutes to start a trainer
def test_what_is_learnt_from_few_rows_is_better_than_chance(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = written.csv_of

    def few(template: Template) -> str:
        return drawn(template, 300)

    monkeypatch.setattr(written, "csv_of", few)
    started = bench.templates.start("text_sentiment")
    order = bench.presets.get(started.preset).train_order(started.imported.name)
    run = bench.runs.start(order)
    assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
    result = bench.runs.get(run.id).result
    assert result is not None
    assert result["metrics"]["accuracy"] > 0.75
