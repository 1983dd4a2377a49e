"""What people say of runs, finding them again, and how often test rows were looked at."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, NotFound
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
    assert library.runs.count(RunFilter(text="first")) == 1
    assert RunFilter.from_json(RunFilter(text="a", tags=("b",)).to_json()) == RunFilter(text="a", tags=("b",))
    with pytest.raises(BadInput):
        RunFilter.from_json({"colour": "red"})
    with pytest.raises(BadInput):
        library.runs.annotate(first, tags=[" "])
    with pytest.raises(NotFound):
        library.runs.annotate("0" * 26, note="x")


def test_the_uses_of_test_rows_are_counted(library: Library) -> None:
    add_table(library)
    add_table(library, content=b"2")
    runs = [add_run(library, dataset).id for dataset in ("penguins@1", "penguins@1", "penguins@2", "penguins@1")]
    for run, split in zip(runs, (SPLIT, SPLIT, SPLIT, OTHER), strict=True):
        _succeed(library, run, split)
    assert [library.runs.looks(run) for run in runs] == [(2, 1), (2, 2), (1, 1), (1, 1)]
    assert library.runs.looks(add_run(library).id) == (0, 0)
