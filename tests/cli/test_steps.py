"""What a recipe and an estimator can be told is found without reading the code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mldesk.data.recipes.steps import STEPS, check_steps
from mldesk.training.catalogue import ESTIMATORS
from tests.cli.conftest import Command


def test_every_step_is_listed_with_an_example_that_is_a_valid_recipe(mldesk: Command) -> None:
    listed = mldesk.good("data", "steps")["steps"]
    assert [item["step"] for item in listed] == [kind.name for kind in STEPS]
    for item in listed:
        assert check_steps([item["example"]])[0]["step"] == item["step"]
        assert mldesk.good("data", "steps", item["step"])["steps"] == [item]


def test_every_kind_of_model_is_listed_with_its_parameters(mldesk: Command) -> None:
    listed = mldesk.good("models", "kinds")["kinds"]
    assert [item["name"] for item in listed] == list(ESTIMATORS)
    for item in listed:
        assert mldesk.good("models", "kinds", item["name"])["kinds"] == [item]
        assert {parameter["name"] for parameter in item["parameters"]} == {
            parameter.name for parameter in ESTIMATORS[item["name"]].parameters}


def test_the_tables_name_every_field_its_choices_and_an_example(mldesk: Command) -> None:
    said = mldesk("data", "steps", "fill_missing").out
    assert all(word in said for word in ("columns", "with", "value", "constant, mean, median, mode", "needed"))
    example = json.loads(said.partition("Example: ")[2])
    assert example["steps"][0]["step"] == "fill_missing"
    assert "neighbours" not in example["steps"][0]   # which is for knn; the example fills with a constant
    said = mldesk("models", "kinds", "lightgbm").out
    assert all(word in said for word in ("learning_rate", "patience", "--param"))


@pytest.mark.parametrize(("words", "hint"), [(("data", "steps", "fil_missing"), "'fill_missing'"),
                                             (("models", "kinds", "lightgmb"), "'lightgbm'")])
def test_an_unknown_name_is_exit_3_with_the_nearest(mldesk: Command, words: tuple[str, ...], hint: str) -> None:
    answer = mldesk("--json", *words)
    assert answer.code == 3
    assert hint in answer.json["error"]["hint"]


def test_a_step_that_learns_from_all_rows_is_told_of_by_clean(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n,3\n5,4\n")
    (tmp_path / "r.json").write_text('{"steps": [{"step": "fill_missing", "columns": ["a"], "with": "median"}]}')
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    said = mldesk("data", "clean", "t", "--recipe", tmp_path / "r.json")
    assert said.code == 0
    assert "the median of 'a' is learnt from all rows" in said.err


def test_a_recipe_is_previewed_without_a_version(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n,3\n5,4\n")
    recipe = tmp_path / "r.json"
    recipe.write_text('[{"step": "fill_missing", "columns": ["a"], "with": "median"}, {"step": "drop", "columns": '
                      '["b"], "disabled": true}, {"step": "filter", "where": "b > 2"}]')
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    found = mldesk.good("data", "clean", "t", "--recipe", recipe, "--preview")
    assert (found["of"], found["rows_before"], found["rows_after"]) == ("t@1", 3, 2)
    assert found["steps"] == [
        {"step": "fill_missing", "rows_before": 3, "rows_after": 3, "cells_changed": 1},
        {"step": "filter", "rows_before": 3, "rows_after": 2, "cells_changed": 0}]
    assert found["before"]["rows"] == [[1, 2], [None, 3], [5, 4]]
    assert found["after"]["rows"] == [[3, 3], [5, 4]]
    assert [item["name"] for item in found["columns"]] == ["a", "b"]
    assert "learnt from all rows" in found["notices"][0]
    said = mldesk("data", "clean", "t", "--recipe", recipe, "--preview")
    assert said.code == 0
    assert "3 → 2" in said.out and "t@1 now: 3 rows" in said.out and "after the recipe: 2 rows" in said.out
    assert "No version was made" in said.err
    assert mldesk("data", "clean", "t", "--recipe", recipe, "--preview", "--export-script", tmp_path / "x").code == 2
    recipe.write_text('[{"step": "filter", "where": "b > 20"}]')
    refused = mldesk("data", "clean", "t", "--recipe", recipe, "--preview")
    assert (refused.code, "Step 1 (filter): no row meets" in refused.err) == (2, True)
    assert len(mldesk.good("data", "versions", "t")["versions"]) == 1


def _two_tables(mldesk: Command, folder: Path) -> Path:
    """Import t and o; return a recipe that joins them."""
    (folder / "t.csv").write_text("a,b\n1,2\n2,3\n5,4\n")
    (folder / "o.csv").write_text("a,c\n1,x\n2,y\n")
    recipe = folder / "r.json"
    recipe.write_text('[{"step": "join", "dataset": "o", "on": ["a"], "how": "inner"}]')
    for name in ("t", "o"):
        mldesk.good("data", "import", folder / f"{name}.csv", "--name", name)
    return recipe


def test_a_recipe_may_bring_in_another_dataset_and_become_a_script(mldesk: Command, tmp_path: Path) -> None:
    recipe = _two_tables(mldesk, tmp_path)
    made = mldesk.good("data", "clean", "t", "--recipe", recipe)
    assert (made["rows"], made["recipe"][0]["dataset"]) == (2, "o@1")
    script = tmp_path / "repeat.py"
    assert mldesk.good("data", "clean", "t@1", "--recipe", recipe, "--export-script", script)["steps"] == 1
    subprocess.run([sys.executable, script, tmp_path / "t.csv", tmp_path / "out.csv", tmp_path / "o.csv"], check=True)
    assert (tmp_path / "out.csv").read_text() == "a,b,c\n1,2,x\n2,3,y\n"
    (tmp_path / "o.csv").write_text("a,c\n1,z\n")
    mldesk.good("data", "import", tmp_path / "o.csv", "--name", "o")
    again = json.dumps([{**made["recipe"][0], "dataset": "o"}])
    recipe.write_text(again)
    found = mldesk.good("data", "clean", "t@1", "--recipe", recipe)   # by its rows, though the name means others now
    assert (found["recipe"], found["manifest"]) == (made["recipe"], made["manifest"])


def test_a_recipe_finds_what_it_joined_under_another_name(mldesk: Command, tmp_path: Path) -> None:
    recipe = _two_tables(mldesk, tmp_path)
    made = mldesk.good("data", "clean", "t", "--recipe", recipe)
    mldesk.good("data", "rename", "o", "others")
    again = ("data", "clean", "t@1", "--recipe", "from:t@2")
    assert "Step 1: o@1 of this recipe is others@1 now." in str(mldesk.good(*again, "--preview"))
    answer = mldesk(*again)
    assert (answer.code, "! Step 1: o@1 of this recipe is others@1 now." in answer.err) == (0, True)
    found = mldesk.good("data", "show", "t@3")
    assert (found["recipe"][0]["dataset"], found["manifest"]) == ("others@1", made["manifest"])
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "o")   # another table has the name now
    assert mldesk.good(*again)["manifest"] == made["manifest"]
    mldesk.good("data", "remove", "others")
    code, said = mldesk.here(*again)
    assert (code, "No dataset here has the rows of 'o@1'" in said["error"]["message"]) == (3, True)
    assert "bin" in said["error"]["hint"] and "digest" not in said["error"]["hint"]


def test_a_recipe_is_copied_changed_and_its_learning_left_to_the_model(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n,3\n5,4\n")
    recipe = tmp_path / "r.json"
    recipe.write_text(json.dumps([{"step": "filter", "where": "b > 2"}, {"step": "scale", "columns": ["b"]},
                                  {"step": "fill_missing", "columns": ["a"], "with": "mean"}]))
    for name in ("t", "u"):
        mldesk.good("data", "import", tmp_path / "t.csv", "--name", name)
    said = mldesk("data", "clean", "t", "--recipe", recipe)
    assert "Step 2 (scale): the scale of 'b' is learnt from all rows" in said.err and "--leave-to-model" in said.err
    said = mldesk("data", "clean", "u", "--recipe", "from:t@2", "--leave-to-model")
    assert "Step 3 (fill_missing) was skipped: training fills missing values" in said.err
    kept = mldesk.good("data", "show", "u")
    assert [step.get("disabled", False) for step in kept["recipe"]] == [False, True, True]
    assert [column["missing"] for column in kept["columns"]] == [1, 0]
    changed = mldesk.good("data", "recipe", "from:u@2", "--enable", "3", "--drop", "2", "--move", "3:1", "-o", recipe,
                          "--force")
    assert [step["step"] for step in changed["steps"]] == ["fill_missing", "filter"]
    assert "disabled" not in changed["steps"][0]
    assert json.loads(recipe.read_text()) == changed
    assert mldesk("--json", "data", "recipe", recipe, "--disable", "3").code == 2
    assert mldesk("--json", "data", "recipe", "from:t@1").code == 2
    assert "filter" in mldesk("data", "recipe", recipe).out


def test_python_in_a_recipe_runs_once_somebody_has_said_so(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    recipe = tmp_path / "r.json"
    recipe.write_text(json.dumps([{"step": "python", "code": "def step(f): return f.assign(c=f.a + f.b)"}]))
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    answer = mldesk("--json", "data", "clean", "t", "--recipe", recipe)
    assert (answer.code, answer.json["error"]["code"]) == (2, "code_not_trusted")
    assert "--allow-python" in answer.json["error"]["hint"]
    made = mldesk.good("data", "clean", "t", "--recipe", recipe, "--allow-python")
    assert [column["name"] for column in made["columns"]] == ["a", "b", "c"]
    script = tmp_path / "repeat.py"
    mldesk.good("data", "clean", "t@1", "--recipe", "from:t@2", "--export-script", script)  # allowed before
    subprocess.run([sys.executable, script, tmp_path / "t.csv", tmp_path / "out.csv"], check=True)
    assert (tmp_path / "out.csv").read_text() == "a,b,c\n1,2,3\n3,4,7\n"


def test_the_example_of_every_step_is_one_that_a_recipe_may_hold(mldesk: Command) -> None:
    from mldesk.data.recipes.steps import check_steps

    examples = [item["example"] for item in mldesk.good("data", "steps")["steps"]]
    assert [item["step"] for item in check_steps(examples)] == [item["step"] for item in examples]
