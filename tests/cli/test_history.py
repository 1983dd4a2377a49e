"""Lineage, tags, notes, the bin and purging by commands; changed rows by key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.cli.conftest import Command


def test_versions_are_told_apart_tagged_and_thrown_away(mldesk: Command, tmp_path: Path) -> None:
    table, recipe = tmp_path / "shop.csv", tmp_path / "recipe.json"
    table.write_text("id,price\n" + "".join(f"{n},{n * 2}\n" for n in range(50)), "utf-8")
    recipe.write_text(json.dumps([{"step": "filter", "where": "id < 40"}, {"step": "replace", "columns": ["price"],
                                                                           "values": {"0": "7"}}]), "utf-8")
    mldesk("data", "import", str(table), "--name", "shop")
    mldesk("data", "clean", "shop", "--recipe", str(recipe))
    found = mldesk.good("data", "diff", "shop", "1", "2", "--key", "id")
    assert {key: found["rows"][key] for key in ("added", "removed", "changed")} == {
        "added": 0, "removed": 10, "changed": 1}
    assert found["rows"]["examples"] == [{"keys": [0], "column": "price", "from": 0, "to": 7}]
    assert mldesk("data", "diff", "shop", "1", "2", "--key", "nothing").code == 2
    guessed = mldesk.good("data", "diff", "shop", "1", "2")
    assert (guessed["rows"], found["rows"]["key_guessed"]) == ({**found["rows"], "key_guessed": True}, False)
    whole = mldesk.good("data", "diff", "shop", "1", "2", "--whole-rows")["rows"]
    assert "keys" not in whole and whole["added"] == found["rows"]["added"] + found["rows"]["changed"]
    said = mldesk("data", "diff", "shop", "1", "2").out
    assert "by id, which tells them apart" in said
    moved = mldesk.good("data", "diff", "shop", "1", "2", "--distributions")["distributions"]
    ids = next(item for item in moved if item["column"] == "id")
    assert (ids["from"]["mean"], ids["to"]["mean"], ids["to"]["max"]) == (24.5, 19.5, 39)
    assert abs(ids["shift"] - 5 / ids["from"]["std"]) < 1e-9
    assert mldesk.good("data", "tag", "shop@2", "gold", "--add", "checked")["tags"] == ["gold", "checked"]
    assert mldesk.good("data", "list", "--tag", "gold")["datasets"][0]["tags"] == ["gold", "checked"]
    assert mldesk.good("data", "list", "--find", "PRICE check")["datasets"][0]["dataset"] == "shop"
    assert mldesk.good("data", "list", "--tag", "lead")["datasets"] == []
    assert mldesk.good("data", "tag", "shop@2", "--remove", "gold")["tags"] == ["checked"]
    assert mldesk("data", "tag", "shop@2", "--remove", "gold").code == 2
    assert mldesk.good("data", "note", "shop", "Prices in cents.")["note"] == "Prices in cents."
    lineage = mldesk.good("data", "lineage", "shop")
    assert lineage["note"] == "Prices in cents."
    assert [(item["version"], item["parent"], item["steps"], item["tags"]) for item in lineage["versions"]] == [
        (1, None, 0, []), (2, 1, 2, ["checked"])]
    assert all(item["alone"] > 0 for item in lineage["versions"])
    first, second = lineage["versions"]
    assert [Path(file["path"]).name for file in first["files"]] == ["shop.csv"] and second["files"] == []
    assert first["files"][0]["sha256"] == hashlib.sha256(Path(first["files"][0]["path"]).read_bytes()).hexdigest()
    assert [step["step"] for step in second["recipe"]] == ["filter", "replace"]
    mldesk("data", "remove", "shop")
    assert mldesk.good("data", "bin")["datasets"][0]["dataset"] == "shop"
    assert mldesk("data", "purge", "--all").code == 2  # nobody said that it is meant
    assert mldesk("data", "purge", "other").code == 3  # there is none: that comes before the question
    assert mldesk.good("data", "purge", "shop", "--yes")["purged"] == ["shop"]
    assert mldesk("data", "restore", "shop").code == 3


def test_datasets_are_narrowed_by_size_and_task_and_put_in_order(mldesk: Command, tmp_path: Path) -> None:
    for name, rows in (("small", 3), ("large", 400), ("mid", 50)):
        (tmp_path / f"{name}.csv").write_text("a,b\n" + "".join(f"{row},{row * 7919 % 1013}\n" for row in range(rows)))
        mldesk.good("data", "import", tmp_path / f"{name}.csv", "--name", name)

    def names(*options: object) -> list[str]:
        return [item["dataset"] for item in mldesk.good("data", "list", *map(str, options))["datasets"]]

    assert names() == ["large", "mid", "small"]
    assert names("--sort", "rows") == ["small", "mid", "large"]
    assert names("--sort", "rows:desc", "--min-rows", 50) == ["large", "mid"]
    assert names("--max-rows", 49) == ["small"]
    assert names("--min-size", "1GB") == []
    assert len(names("--max-size", "1MB")) == 3
    assert names("--task", "classification") == []
    assert len(names("--task", "none")) == 3
    assert mldesk.here("data", "list", "--task", "clasification")[1]["error"]["hint"].startswith("Did you mean")
    assert mldesk.here("data", "list", "--sort", "weight")[0] == 2


def test_the_rows_of_one_old_version_are_purged_and_what_it_was_stays(mldesk: Command, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / "v.csv").write_text("a,b\n" + "".join(f"{row},{row * number}\n" for row in range(60)))
        mldesk.good("data", "import", tmp_path / "v.csv", "--name", "v")
    assert mldesk.here("data", "purge", "v@1")[0] == 2   # nobody said that it is meant
    code, said = mldesk.here("data", "purge", "v@3", "--yes")
    assert (code, "is the current version" in said["error"]["message"]) == (2, True)
    done = mldesk.good("data", "purge", "v@1", "--yes")
    assert done["purged"] == ["v@1"]
    assert done["freed"] + done["later"] > 0
    assert "were purged before" in mldesk.here("data", "purge", "v@1", "--yes")[1]["error"]["message"]
    code, said = mldesk.here("data", "preview", "v@1")
    assert (code, said["error"]["code"]) == (3, "data_purged")
    assert mldesk.here("data", "rollback", "v", "1")[0] == 2
    assert mldesk.here("data", "contract", "v@1", "--infer")[0] == 3
    assert mldesk.here("train", "v@1", "--target", "b")[0] == 2
    versions = mldesk.good("data", "versions", "v")["versions"]
    assert [item["purged"] is not None for item in versions] == [True, False, False]
    assert mldesk.good("data", "lineage", "v")["versions"][0]["purged"]
    (tmp_path / "v.csv").write_text("a,b\n" + "".join(f"{row},{row}\n" for row in range(60)))
    assert mldesk.good("data", "import", tmp_path / "v.csv", "--name", "v")["version"] == 4   # its rows again
    assert mldesk.good("data", "preview", "v", "--rows", 1)["rows"] == [[0, 0]]


def test_a_dataset_in_the_bin_is_said_to_be_there_whatever_is_named_alike(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    for name in ("sales_old", "sales_new"):
        mldesk.good("data", "import", tmp_path / "a.csv", "--name", name)
    mldesk.good("data", "remove", "sales_old")
    code, said = mldesk.here("data", "show", "sales_old")
    assert code == 3 and "in the bin" in said["error"]["hint"], said
    code, said = mldesk.here("data", "show", "sales_nev")
    assert code == 3 and "Did you mean 'sales_new'" in said["error"]["hint"], said
