"""Datasets: a version never changes, a name can."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.library import Library
from mldesk.wire.objects import ObjectMissing
from tests.library.conftest import COLUMNS, Clock, add_run, add_table, journal, succeeded


def test_a_dataset_comes_out_as_it_went_in(library: Library, clock: Clock) -> None:
    problem = {"file": "penguins.csv", "line": 3, "column": "class", "message": "cut short"}
    version = add_table(library, problems=[problem])
    assert (version.label, version.columns, version.problems) == ("penguins@1", COLUMNS, (problem,))
    assert (version.created, version.parent, version.recipe, version.profile) == (clock.now(), None, None, None)
    dataset = library.datasets.get("penguins")
    assert (dataset.head, dataset.versions, dataset.removed) == (version, 1, None)
    assert library.datasets.list() == [dataset]


def test_the_same_name_again_is_the_next_version_and_the_head(library: Library) -> None:
    first = add_table(library)
    second = add_table(library, "PENGUINS", b"other", parent=1, recipe=[{"step": "drop", "columns": ["x"]}])
    assert (second.label, second.parent, second.recipe) == ("penguins@2", 1, ({"step": "drop", "columns": ["x"]},))
    assert library.datasets.version("penguins") == second
    assert library.datasets.version("Penguins", 1) == first
    assert library.datasets.versions("penguins") == [first, second]
    library.datasets.set_head("penguins", 1)
    assert library.datasets.version("penguins") == first
    assert add_table(library, content=b"third").number == 3


def test_a_new_dataset_may_insist_on_being_new(library: Library) -> None:
    add_table(library)
    with pytest.raises(Conflict) as caught:
        add_table(library, "PENGUINS", new=True)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["ペンギン", "Kündigungen 2024", "מחירים", "📈", "a" * 200, "x.csv", "-x", "می‌خواهم"])
def test_names_of_any_language_are_welcome(library: Library, name: str) -> None:
    add_table(library, name)
    assert library.datasets.get(name.upper()).name == name


def test_one_name_however_its_letters_are_composed(library: Library) -> None:
    add_table(library, "Caf\u00e9")
    assert add_table(library, "CAFE\u0301 ").number == 2


@pytest.mark.parametrize("name", ["", "  ", "a@1", "a/b", "a\nb", "a\0", "\u202eabc", "\ud800", "a" * 201, "\u200d"])
def test_names_that_could_not_be_typed_or_told_apart_are_refused(library: Library, name: str) -> None:
    with pytest.raises(BadInput):
        add_table(library, name)
    assert library.datasets.list() == []


def test_only_what_is_in_the_store_is_named(library: Library) -> None:
    with pytest.raises(ObjectMissing):
        library.datasets.add("x", manifest="0" * 64, rows=1, columns=COLUMNS, size=1, source="x")
    add_table(library)
    with pytest.raises(ObjectMissing):
        library.datasets.set_profile("penguins", 1, "0" * 64)
    with pytest.raises(NotFound):
        add_table(library, parent=7)
    assert len(library.datasets.versions("penguins")) == 1


def test_a_profile_is_kept_with_its_version(library: Library) -> None:
    add_table(library)
    digest = library.objects.put_bytes(b"{}")
    library.datasets.set_profile("penguins", 1, digest)
    assert library.datasets.version("penguins").profile == digest


def test_what_is_removed_lies_in_the_bin_and_comes_back(library: Library, clock: Clock) -> None:
    version = add_table(library)
    library.datasets.remove("penguins")
    assert library.datasets.list() == []
    binned, = library.datasets.list(removed=True)
    assert (binned.head, binned.removed) == (version, clock.now())
    with pytest.raises(NotFound) as caught:
        library.datasets.get("penguins")
    assert "bin" in caught.value.hint
    assert library.holdings.sweep(0) == []  # what lies in the bin is kept
    library.datasets.restore("PENGUINS")
    assert library.datasets.version("penguins") == version


def test_a_name_in_the_bin_may_be_used_again(library: Library, clock: Clock) -> None:
    add_table(library)
    library.datasets.remove("penguins")
    again = add_table(library, content=b"again")
    assert again.number == 1
    with pytest.raises(Conflict):
        library.datasets.restore("penguins")
    library.datasets.rename("penguins", "others")
    library.datasets.restore("penguins")
    assert [dataset.name for dataset in library.datasets.list()] == ["others", "penguins"]
    for name in ("penguins", "others"):
        clock.time += 1
        library.datasets.remove(name)
    assert [dataset.name for dataset in library.datasets.list(removed=True)] == ["others", "penguins"]
    with pytest.raises(NotFound):
        library.datasets.restore("nobody")


def test_runs_and_models_follow_a_renamed_dataset(library: Library) -> None:
    add_table(library)
    run = add_run(library)
    library.runs.apply(run.id, journal(*succeeded(library.datasets.version("penguins").manifest)))
    assert library.datasets.used_by("penguins") == ["penguins-class@1"]
    library.datasets.rename("penguins", "Birds")
    assert library.runs.get(run.id).dataset == "Birds@1"
    assert library.models.version("penguins-class").dataset == "Birds@1"
    assert library.datasets.used_by("birds") == ["penguins-class@1"]
    add_table(library, "penguins", b"quite another one")
    assert library.datasets.used_by("penguins") == []
    with pytest.raises(Conflict):
        library.datasets.rename("penguins", "bIRDS")
    library.datasets.rename("birds", "BIRDS")
    assert library.datasets.get("birds").name == "BIRDS"


def test_what_is_not_there_is_not_found(library: Library) -> None:
    add_table(library)
    datasets = library.datasets
    for question in (lambda: datasets.get("x"), lambda: datasets.version("penguins", 2), lambda: datasets.versions("x"),
                     lambda: datasets.set_head("penguins", 2), lambda: datasets.remove("x"),
                     lambda: datasets.rename("x", "y"), lambda: datasets.used_by("x")):
        with pytest.raises(NotFound):
            question()
