"""Models, runners and settings."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.library import Library
from mldesk.wire.objects import ObjectMissing
from tests.library.conftest import add_run, add_table, journal, succeeded


@pytest.fixture
def manifest(library: Library) -> str:
    return library.objects.put_manifest({"model.onnx": library.objects.put_bytes(b"weights")})


@pytest.fixture
def three(library: Library, manifest: str) -> str:
    add_table(library)
    for _ in range(3):
        library.runs.apply(add_run(library, model="Vögel").id, journal(*succeeded(manifest)))
    return "Vögel"


def test_the_bare_name_means_the_newest_until_one_is_promoted(library: Library, three: str) -> None:
    assert library.models.version("vögel").number == 3
    library.models.promote("VÖGEL", 2)
    assert library.models.version(three).label == "Vögel@2"
    assert library.models.version(three, 3).number == 3
    model = library.models.get(three)
    assert (model.promoted, model.head.number, model.versions) == (2, 3, 3)
    assert [item.meant.number for item in library.models.list() if item.name == model.name] == [2]
    assert library.models.list() == [model]
    assert [version.number for version in library.models.versions(three)] == [1, 2, 3]


def test_what_tests_left_behind_is_told_from_models_that_somebody_wants(library: Library, manifest: str) -> None:
    add_table(library)

    def made(model: str, *tags: str) -> None:
        run = add_run(library, model=model)
        library.runs.apply(run.id, journal(*succeeded(manifest)))
        library.runs.annotate(run.id, tags=list(tags))

    for model in ("left-5x2cv", "mixed-5x2cv", "kept-5x2cv", "shop"):
        made(model, "5x2cv", "red")
        made(model, "5x2cv")
    made("mixed-5x2cv", "my 5x2cv")
    library.models.promote("kept-5x2cv", 1)
    library.models.add_imported(manifest, {"name": "theirs-5x2cv"})
    assert library.models.of_tests("5x2cv") == {"left-5x2cv"}
    assert {model.name for model in library.models.list()} == {"left-5x2cv", "mixed-5x2cv", "kept-5x2cv", "shop",
                                                               "theirs-5x2cv"}


def test_rolling_back_goes_back_only(library: Library, three: str) -> None:
    library.models.rollback(three, 2)
    assert library.models.version(three).number == 2
    with pytest.raises(Conflict) as caught:
        library.models.rollback(three, 3)
    assert "promote" in caught.value.hint


def test_notes_are_kept_with_their_version(library: Library, three: str) -> None:
    library.models.set_notes(three, 2, "the good one")
    library.models.set_tags(three, 2, ["für Ada", "small", "small"])
    library.models.set_stage(three, 2, "candidate")   # beside which they stand
    assert [(version.notes, version.tags) for version in library.models.versions(three)] == [
        ("", ()), ("the good one", ("für Ada", "small")), ("", ())]


def test_an_imported_bundle_becomes_a_version(library: Library, manifest: str) -> None:
    facts = {"name": "churn", "version": 7, "task": "tabular_regression", "target": "y", "estimator": "mlp",
             "metrics": {"r2": 0.5, "odd": "NaN"}, "provenance": {"dataset": "theirs@3"}, "notes": ""}
    version = library.models.add_imported(manifest, facts, source="churn.mlbundle")
    assert (version.label, version.run, version.dataset, version.size) == ("churn@1", None, "theirs@3", 7)
    assert (version.metrics, version.notes) == ({"r2": 0.5}, "Imported from churn.mlbundle")
    assert library.models.add_imported(manifest, facts, name="mine").label == "mine@1"
    assert library.models.add_imported(manifest, facts).label == "churn@2"
    with pytest.raises(BadInput):
        library.models.add_imported(manifest, facts, name="a@b")
    with pytest.raises(ObjectMissing):
        library.models.add_imported("0" * 64, facts)


@pytest.mark.parametrize("facts", [{}, {"name": "//"}, {"name": None, "metrics": [1], "provenance": "x", "task": 7},
                                   {"name": "\ud800\u202e", "target": "\ud800", "notes": ["x"]}])
def test_a_strangers_words_never_break_the_import(library: Library, manifest: str, facts: dict[str, Any]) -> None:
    version = library.models.add_imported(manifest, facts)
    assert library.models.version(version.model) == version


def test_models_that_are_not_there_are_not_found(library: Library, three: str) -> None:
    models = library.models
    for question in (lambda: models.get("x"), lambda: models.version(three, 4), lambda: models.versions("x"),
                     lambda: models.promote(three, 4), lambda: models.rollback("x", 1),
                     lambda: models.set_notes(three, 9, "")):
        with pytest.raises(NotFound):
            question()


def test_this_machine_is_always_a_runner(library: Library) -> None:
    local, = library.runners.list()
    assert (local.name, local.kind, local.address, local.facts, local.seen) == ("local", "local", "", {}, None)
    for cores in (2, 4):
        library.runners.set_facts("local", {"cores": cores}, 5.0)
    assert (library.runners.get("local").facts, library.runners.get("local").seen) == ({"cores": 4}, 5.0)
    with pytest.raises(Conflict):
        library.runners.remove("local")
    with pytest.raises(Conflict):
        library.runners.add("local", "ssh", "me@there")


def test_runners_are_added_and_forgotten(library: Library) -> None:
    library.runners.add("gpu box", "ssh", "me@there:22")
    library.runners.set_facts("gpu box", {"devices": ["x"]}, 5.0)
    assert [runner.name for runner in library.runners.list()] == ["local", "gpu box"]
    with pytest.raises(Conflict):
        library.runners.add("gpu box", "ssh", "other")
    library.runners.remove("gpu box")
    for question in (lambda: library.runners.get("gpu box"), lambda: library.runners.remove("gpu box"),
                     lambda: library.runners.set_facts("gpu box", {}, 1.0)):
        with pytest.raises(NotFound):
            question()


def test_settings_are_plain_data_by_key(library: Library) -> None:
    assert library.settings.get("theme", "light") == "light"
    library.settings.set("theme", {"mode": "dark", "größe": [1, None]})
    library.settings.set("theme", {"mode": "light", "größe": [1, None]})
    assert library.settings.get("theme") == {"mode": "light", "größe": [1, None]}
    assert library.settings.all() == {"theme": {"mode": "light", "größe": [1, None]}}
    library.settings.delete("theme")
    library.settings.delete("theme")
    assert library.settings.get("theme") is None


def test_versions_go_from_stage_to_stage_and_the_history_says_how(library: Library, three: str) -> None:
    models = library.models
    models.set_stage(three, 2, "candidate", "It looks good.")
    models.promote(three, 2)
    models.promote(three, 2)   # changes nothing
    models.promote(three, 3, "It is better.")
    assert [version.stage for version in models.versions(three)] == ["", "archived", "promoted"]
    assert models.rollback(three, note="It is not.") == 2
    assert [version.stage for version in models.versions(three)] == ["", "promoted", "archived"]
    assert [(change.number, change.before, change.after, change.note) for change in models.stage_changes(three)] == [
        (2, "archived", "promoted", "It is not."), (3, "promoted", "archived", "Rolled back."),
        (3, "", "promoted", "It is better."), (2, "promoted", "archived", ""), (2, "candidate", "promoted", ""),
        (2, "", "candidate", "It looks good.")]
    with pytest.raises(Conflict, match="was promoted before"):
        models.rollback(three)
    with pytest.raises(Conflict, match="is promoted"):
        models.set_stage(three, 2, "archived")
    with pytest.raises(BadInput, match="no stage 'live'"):
        models.set_stage(three, 1, "live")


def test_going_back_goes_by_what_was_promoted_before_whatever_its_number(library: Library, three: str) -> None:
    models = library.models
    models.promote(three, 2)
    models.promote(three, 1)
    assert models.rollback(three) == 2
    with pytest.raises(Conflict, match="was promoted before version 2"):
        models.rollback(three)
    for number in (3, 1):
        models.promote(three, number)
    assert [models.rollback(three), models.rollback(three)] == [3, 2]   # further back each time, not to and fro
    models.promote(three, 1)
    assert models.rollback(three, 2) == 2   # named, and not by its number an earlier one


def test_a_card_is_kept_and_given_up_again(library: Library, three: str) -> None:
    assert library.models.card(three, 2) is None
    library.models.set_card(three, 2, "# Mine")
    library.models.set_stage(three, 2, "candidate")
    assert (library.models.card(three, 2), library.models.card(three, 1)) == ("# Mine", None)
    library.models.set_card(three, 2, None)
    assert library.models.card(three, 2) is None
    assert library.models.version(three, 2).stage == "candidate"


def test_predictions_are_listed_by_model(library: Library, three: str) -> None:
    for model in (f"{three}@2", "stranger.mlbundle"):
        library.predictions.add(model=model, manifest="0" * 64, source="in.csv", source_digest="1" * 64,
                                output="out.csv", output_digest="2" * 64, rows=3, left_out=0, options={"level": 0.9})
    assert [record.model for record in library.predictions.list()] == ["stranger.mlbundle", f"{three}@2"]
    record, = library.predictions.list("vögel")
    assert (record.model, record.rows, record.options) == (f"{three}@2", 3, {"level": 0.9})
