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
