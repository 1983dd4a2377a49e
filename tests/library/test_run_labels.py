"""What people say of runs, finding them again, and how often test rows were looked at."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.run_filter import RunFilter
from mldesk.library import Library
from tests.library.conftest import add_run, add_table, journal

SPLIT, OTHER = "a" * 64, "b" * 64


def _succeed(library: Library, run: str, split: str) -> None:
    library.runs.apply(run, journal(("succeeded", {"result": {"task": "tabular_regression", "split": split}})))


def test_notes_groups_and_tags_are_kept_and_found(library: Library) -> None:
    add_table(library)
    first, second = (add_run(library, name=name).id for name in ("first", "second 100%"))
    named = library.runs.annotate(first, note=" A note. ", group="tries", tags=["slow", "ünique", "slow"])
    assert (named.note, named.group, named.tags) == ("A note.", "tries", ("slow", "ünique"))
    assert library.runs.annotate(first, tags=["slow"]).group == "tries"
    assert library.runs.annotate(second, name="100% sure", tags=["slow"]).name == "100% sure"
    assert library.runs.labels() == ({"slow": 2}, {"tries": 1})

    def found(**wanted: object) -> list[str]:
        return [run.name for run in library.runs.list(wanted=RunFilter(**wanted))]  # type: ignore[arg-type]

    assert found(tags=("slow",)) == ["100% sure", "first"]
    assert found(text="SLOW tri") == ["first"]
    assert found(text="0%") == ["100% sure"]
    assert found(text="%_") == []
    assert found(group="tries", dataset="penguins", estimator="linear", states=("created",)) == ["first"]
    assert found(dataset="penguin") == found(tags=("slo",)) == found(states=("bewitched",)) == []
    assert found(kind="train", estimator="linear") == ["100% sure", "first"] and found(target="island") == []
    assert library.runs.count(RunFilter(text="first")) == 1
    assert RunFilter.from_json(RunFilter(text="a", tags=("b",)).to_json()) == RunFilter(text="a", tags=("b",))
    with pytest.raises(BadInput):
        RunFilter.from_json({"colour": "red"})
    with pytest.raises(BadInput):
        library.runs.annotate(first, tags=[" "])
    with pytest.raises(NotFound):
        library.runs.annotate("0" * 26, note="x")


def test_runs_are_found_by_their_scores(library: Library) -> None:
    add_table(library)
    for name, metrics in (("good", {"roc_auc": 0.9, "odd one": 3}), ("poor", {"roc_auc": 0.5}),
                          ("none", {"roc_auc": "NaN"}), ("untold", {})):
        library.runs.apply(add_run(library, name=name).id, journal(("succeeded", {"result": {
            "task": "tabular_regression", "metrics": metrics}})))
    add_run(library, name="going on")

    def found(*bounds: str) -> list[str]:
        return [run.name for run in library.runs.list(wanted=RunFilter(scores=bounds))]

    assert found("roc_auc>=0.9") == found("roc_auc > 0.6") == ["good"]
    assert found("roc_auc<0.9") == ["poor"] and found("roc_auc<=0.9", "roc_auc>0.1") == ["poor", "good"]
    assert found("odd one>2") == ["good"] and found("other>0") == []
    for text in ("roc_auc", "roc_auc>", "roc_auc>x", "roc_auc>nan", "roc_auc>1e999", '"> 1', ">1", ""):
        with pytest.raises(BadInput, match="no condition on a score"):
            found(text)
    facets = library.runs.facets()
    assert (facets["metric"], facets["dataset"], facets["kind"]) == (("odd one", "roc_auc"), ("penguins",), ("train",))


def test_the_uses_of_test_rows_are_counted(library: Library) -> None:
    add_table(library)
    add_table(library, content=b"2")
    runs = [add_run(library, dataset).id for dataset in ("penguins@1", "penguins@1", "penguins@2", "penguins@1")]
    for run, split in zip(runs, (SPLIT, SPLIT, SPLIT, OTHER), strict=True):
        _succeed(library, run, split)
    assert [library.runs.looks(run) for run in runs] == [(2, 1), (2, 2), (1, 1), (1, 1)]
    assert library.runs.looks(add_run(library).id) == (0, 0)


def test_a_run_that_nobody_named_gets_a_number_of_its_own(library: Library) -> None:
    add_table(library)
    names = [add_run(library, name=name, numbered=True).name for name in ("telco-linear", "telco-linear", "telco")]
    assert names == ["telco-linear-1", "telco-linear-2", "telco-1"]
    library.runs.annotate(library.runs.get("telco-linear-2").id, name="Telco-Linear-9")
    again = add_run(library, name="telco-linear", numbered=True)
    assert (again.name, again.spec["name"]) == ("telco-linear-10", "telco-linear-10")
    assert add_run(library, name="x" * 200, numbered=True).name == "x" * 192 + "-1"


def test_a_chosen_name_that_another_run_has_gets_a_number(library: Library) -> None:
    runs = [add_run(library, name=name, apart=True) for name in ("lk", "LK", "lk", "other")]
    assert [run.name for run in runs] == ["lk", "LK-2", "lk-3", "other"]
    assert runs[1].spec["name"] == "LK-2"
    assert library.runs.get("lk").id == runs[0].id


def test_a_run_is_meant_by_what_no_other_begins_with(library: Library) -> None:
    add_table(library)
    first, second, third, fourth = (add_run(library, name=name) for name in ("night", "night", "day-1", "day-12"))
    assert library.runs.get(" DAY-1 ").id == third.id    # a whole name goes before the start of another
    assert library.runs.get("day-12").id == library.runs.get(fourth.id.lower()).id == fourth.id
    for words in ("night", "day", first.id[:4]):
        with pytest.raises(BadInput, match="more than one run"):
            library.runs.get(words)
    with pytest.raises(BadInput) as refused:
        library.runs.get("night")
    assert first.id in refused.value.hint and second.id in refused.value.hint
    assert library.runs.annotate(second.id, name="late night").name == "late night"
    assert library.runs.get("nig").id == first.id and library.runs.get("late").id == second.id
    with pytest.raises(Conflict):
        library.runs.annotate(second.id, name="Night")
    assert library.runs.annotate(first.id, name="Night", note="its own name").name == "Night"
    for nothing in ("noon", "", "%", "_"):
        with pytest.raises(NotFound):
            library.runs.get(nothing)


@pytest.mark.parametrize("name", ["-rf", "--json", "01M8H3G9AXYCCEA45H3HFD9P1Y", "01m8h3g9axyccea45h3hfd9p1y"])
def test_a_run_is_not_called_what_a_command_takes_for_something_else(library: Library, name: str) -> None:
    add_table(library)
    run = add_run(library, name="first")
    with pytest.raises(BadInput, match="cannot be the name of a run"):
        library.runs.annotate(run.id, name=name)
    assert library.runs.get(run.id).name == "first"
    assert library.runs.annotate(run.id, name="01M8-rf").name == "01M8-rf"
