"""``models list``: what 5x2cv tests of earlier releases left behind is counted, not listed."""

from __future__ import annotations

from pathlib import Path

from mldesk.app import open_workbench
from tests.cli.conftest import Command
from tests.library.conftest import add_run, add_table, journal, succeeded


def test_models_that_tests_left_behind_are_listed_on_demand(tmp_path: Path) -> None:
    command = Command(tmp_path / "home", tmp_path)
    with open_workbench(command.home) as bench:
        library = bench.library
        manifest = library.objects.put_manifest({"model.onnx": library.objects.put_bytes(b"weights")})
        add_table(library)
        for model, tags in (("shop-5x2cv", ["5x2cv"]), ("shop", [])):
            run = add_run(library, model=model)
            library.runs.apply(run.id, journal(*succeeded(manifest)))
            library.runs.annotate(run.id, tags=tags)
    assert [item["name"] for item in command.good("models", "list")["models"]] == ["shop"]
    assert {item["name"] for item in command.good("models", "list", "--all")["models"]} == {"shop", "shop-5x2cv"}
    said = command("models", "list")
    assert "shop@1" in said.out and "5x2cv" not in said.out
    assert said.err.strip() == "· Not listed: 1 model that 5x2cv tests left behind; --all lists them."
    assert command.good("models", "show", "shop-5x2cv")["model"] == "shop-5x2cv@1"


def test_of_versions_none_of_which_is_promoted_it_is_said_which_is_in_use(tmp_path: Path) -> None:
    command = Command(tmp_path / "home", tmp_path)
    with open_workbench(command.home) as bench:
        library = bench.library
        add_table(library)
        for accuracy, split in ((0.8, b"\0\2\0"), (0.75, b"\0\1\2"), (0.7, b"\0\0\2")):
            manifest = library.objects.put_manifest({"model.onnx": library.objects.put_bytes(b"%f" % accuracy)})
            made, (kind, ended) = succeeded(manifest)
            ended["result"].update(metrics={"accuracy": accuracy}, split=library.objects.put_bytes(split))
            library.runs.apply(add_run(library, model="shop").id, journal(made, (kind, ended)))
    said = command.told("predict", "shop", "none.csv", "-o", "made.csv").err
    assert "shop@3 predicts, the newest of 3 versions; none is promoted." in said
    assert "shop@2 scored better on the same test rows: Accuracy 0.7500 against 0.7000." in said
    assert "To use it: mldesk models promote shop 2" in said and "shop@1" not in said
    assert "promoted" not in command.told("predict", "shop@3", "none.csv", "-o", "made.csv").err
    command.good("models", "promote", "shop", "2")
    assert "promoted" not in command.told("predict", "shop", "none.csv", "-o", "made.csv").err
    assert command.good("models", "list")["models"][0]["model"] == "shop@2"
    assert "shop@2" in command.told("models", "list").out


def test_models_are_listed_by_the_tags_of_their_versions(tmp_path: Path) -> None:
    command = Command(tmp_path / "home", tmp_path)
    with open_workbench(command.home) as bench:
        library = bench.library
        add_table(library)
        for number, model in enumerate(("shop", "shop", "other")):
            manifest = library.objects.put_manifest({"model.onnx": library.objects.put_bytes(b"%d" % number)})
            library.runs.apply(add_run(library, model=model).id, journal(*succeeded(manifest)))
        bench.models.tag("shop@1", ["small"])
        bench.models.tag("shop@2", ["Öl"])
        bench.models.tag("other@1", ["small", "gone"])
        bench.models.tag("other@1", (), ["gone"])

    def listed(*tags: str) -> list[str]:
        return [item["name"] for item in command.good("models", "list", *(f"--tag={tag}" for tag in tags))["models"]]

    assert listed() == listed("small") == ["other", "shop"]
    assert listed("small", "Öl") == ["shop"]
    assert listed("gone") == []
    assert command.good("models", "list", "--tag", "Öl")["models"][0]["tags_of_versions"] == ["small", "Öl"]
    assert "No model has a version with these tags" in command.told("models", "list", "--tag", "gone").out
