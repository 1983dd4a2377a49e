"""``models retrain`` where the new data cannot be learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("trains_here")


def test_a_retraining_that_fails_says_why_as_any_other_run(mldesk: Command, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text("size,answer\n" + "".join(f"{n},{('yes', 'no')[n % 2]}\n" for n in range(60)), "utf-8")
    mldesk.good("data", "import", table)
    model = mldesk.good("train", "old", "--target", "answer", "--model", "linear")["model"]
    before = {path for path in mldesk.home.rglob("objects/*/*") if path.is_file()}
    mldesk.good("data", "import", table, "--name", "new", "--missing", "7")
    for path in {path for path in mldesk.home.rglob("objects/*/*") if path.is_file()} - before:
        if path.read_bytes()[:4] == b"PAR1":   # its rows are spoilt
            path.chmod(0o600)
            path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 4))
    failed = mldesk("--json", "models", "retrain", model, "new")
    assert failed.code == 1 and failed.json["status"] == "failed", failed
    assert failed.json["error"]["message"]
    assert mldesk.good("models", "show", "old-answer")["version"] == 1   # there is no other


def test_a_version_that_cannot_be_compared_is_made_all_the_same_and_named(mldesk: Command, tmp_path: Path) -> None:
    """Columns of another type, columns that are gone, other classes: the training was no failure."""
    rows = [(n, n % 7, ("yes", "no")[n % 2]) for n in range(60)]

    def table(name: str, head: str, lines: list[str]) -> None:
        (tmp_path / f"{name}.csv").write_text("\n".join((head, *lines)), "utf-8")
        mldesk.good("data", "import", tmp_path / f"{name}.csv", "--name", name)

    table("old", "size,age,answer", [f"{n},{age},{answer}" for n, age, answer in rows])
    table("texts", "size,age,answer", [f"n{n % 5},{age},{answer}" for n, age, answer in rows])
    table("less", "age,answer", [f"{age},{answer}" for _, age, answer in rows])
    table("others", "size,age,answer", [f"{n},{age},{answer}!" for n, age, answer in rows])
    model = mldesk.good("train", "old", "--target", "answer", "--model", "linear")["model"]
    for number, (name, why) in enumerate({"texts": "holds texts", "less": "lack the column 'size'",
                                          "others": "knows other classes"}.items(), start=2):
        made = mldesk.good("models", "retrain", model, name, "--promote")
        assert (made["model"], made["promoted"]) == (f"old-answer@{number}", False) and why in made["why_not"]
        assert made["in_use"] == model == mldesk.good("models", "show", "old-answer")["model"]   # nothing was promoted
    said = mldesk("models", "retrain", model, "others")
    assert "(no, yes)" in said.err and "(no!, yes!)" in said.err and "retrain" in said.err, said
    assert f"In use: {model}. To use the new one: mldesk models promote old-answer 5" in said.err
    refused = mldesk("--json", "models", "challenge", "old-answer@2", model)
    assert refused.code == 2 and "learned from integers" in refused.json["error"]["message"], refused
    refused = mldesk("--json", "explain", model, "--data", "texts")
    assert refused.code == 1 and "holds texts in texts@1" in refused.json["error"]["message"], refused


def test_a_retraining_to_the_same_is_compared_with_the_version_in_use_and_not_promoted(mldesk: Command,
                                                                                        tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text("size,answer\n" + "".join(f"{n},{('yes', 'no')[n > 30]}\n" for n in range(60)), "utf-8")
    mldesk.good("data", "import", table)
    model = mldesk.good("train", "old", "--target", "answer", "--model", "linear")["model"]
    mldesk.good("train", "old", "--target", "answer", "--model", "linear")
    mldesk.good("models", "promote", "old-answer", "1")
    said = mldesk("models", "retrain", "old-answer@2", "old", "--promote")
    assert said.code == 0 and f"Compared with {model}, the version in use" in said.err, said
    assert "old-answer@3 is not promoted" in said.out and f"of {model}), not better" in said.out
    made = mldesk.good("models", "retrain", "old-answer@2", "old", "--promote")
    assert (made["promoted"], made["old"], made["better"], made["equal"]) == (False, model, False, True)
    assert mldesk.good("models", "list")["models"][0]["model"] == model
