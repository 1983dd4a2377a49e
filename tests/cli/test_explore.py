"""Statistics, the guard and other splits from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_a_table_is_explored_guarded_and_kept_in_the_cache(mldesk: Command) -> None:
    mldesk.good("data", "import", "sample:penguins", "--name", "birds")
    found = mldesk.good("data", "explore", "birds")
    assert {"associations", "missing", "outliers", "repeats"} <= set(found)
    kept = list((mldesk.home / "cache").glob("statistics-*.json"))
    assert len(kept) == 1
    kept[0].write_bytes(b"spoilt")
    assert mldesk.good("data", "explore", "birds@1") == found
    beside = mldesk.good("data", "explore", "birds", "--target", "Species")
    assert beside["classes"] is True
    assert beside["columns"][0]["power"] > 0.5
    said = mldesk.told("data", "explore", "birds", "--target", "Species")
    assert "\nBy class\n" in said.out   # numbers by their quantiles, dates as dates
    assert "Gentoo penguin (Pygoscelis papua)" in said.out
    assert "Biscoe 100%" in said.out
    guarded = mldesk.good("data", "guard", "birds", "--target", "Species", "--folds", "5")
    assert set(guarded["rows"]) == {"train", "validation", "test"}
    assert any(item["kind"] == "tiny_test" for item in guarded["concerns"])
    assert "What goes together" in mldesk("data", "explore", "birds").out
    refused = mldesk("data", "guard", "birds", "--target", "Species", "--split", "groups")
    assert refused.code == 2
    assert "Did you mean" in refused.err


def test_rows_are_counted_from_one_wherever_they_are_named(mldesk: Command, tmp_path: Path) -> None:
    lines = [f"{row * 7919 % 1009},{row * 31 % 1013},{'yes' if row % 3 else 'no'}" for row in range(300)]
    lines[299] = lines[0]
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n", "utf-8")
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    assert mldesk.good("data", "explore", "t")["repeats"]["same"]["examples"] == [[1, 300]]
    for seed in range(20):  # until the two copies lie in different parts
        found = mldesk.good("data", "guard", "t", "--target", "y", "--seed", str(seed))["concerns"]
        copies = [concern for concern in found if concern["kind"] == "duplicates"]
        if copies:
            break
    assert copies[0]["rows"] == [1, 300]
    assert [one["row"] for one in copies[0]["groups"][0]] == [1, 300]
    assert {one["part"] for one in copies[0]["groups"][0]} in ({"train", "test"}, {"train", "validation"})
    said = mldesk("data", "guard", "t", "--target", "y", "--seed", str(seed)).out
    assert "see them: mldesk data preview t --only 1,300" in said
    page = mldesk.good("data", "preview", "t", "--only", "300,1")
    assert (page["numbers"], page["rows"][0], page["total"]) == ([300, 1], page["rows"][1], 2)
    where = mldesk.good("data", "preview", "t", "--where", f"a = {page['rows'][0][0]}")
    assert (where["numbers"], where["total"]) == ([1, 300], 2)
    assert mldesk.good("data", "preview", "t", "--rows", "1", "--offset", "299")["numbers"] == [300]
    assert mldesk("data", "preview", "t", "--only", "0").code == 2


def test_rows_that_are_nearly_alike_are_so_but_for_what_names_them(mldesk: Command, tmp_path: Path) -> None:
    lines = [f"{row},{row % 20},{row % 7},{'yes' if row % 3 else 'no'}" for row in range(60)]
    lines += ["60,4,4,no", "61,4,4,yes"]
    (tmp_path / "t.csv").write_text("number,a,b,y\n" + "\n".join(lines) + "\n", "utf-8")
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    said = mldesk("data", "explore", "t")
    assert "apart in y only" in said.out
    assert "columns that name their row are left out: number." in said.err
    assert "to look for rows" not in said.err
    (tmp_path / "two.csv").write_text("a,y\n" + "".join(f"{row % 7},{row % 3}\n" for row in range(60)), "utf-8")
    mldesk.good("data", "import", tmp_path / "two.csv", "--name", "two")
    assert "has too few columns that do not number" in mldesk("data", "explore", "two").err


def test_a_column_that_tells_by_being_missing_is_named_so(mldesk: Command, tmp_path: Path) -> None:
    lines = [f"{row * 7919 % 1009},{row * 31 % 1013 if row % 3 else ''},{'yes' if row % 3 else 'no'}"
             for row in range(300)]
    (tmp_path / "t.csv").write_text("a,refund,y\n" + "\n".join(lines) + "\n", "utf-8")
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    found = {item["name"]: item["absence"] for item in mldesk.good("data", "explore", "t", "--target", "y")["columns"]}
    assert found == {"a": None, "refund": "leak"}
    assert "whether it is missing gives the target away (ROC AUC 1.000)" in mldesk(
        "data", "explore", "t", "--target", "y").out
    assert "1 pair cannot be compared, as one of the two has no other value where both are there: refund and y" in \
        mldesk("data", "explore", "t").err


def test_a_class_that_falls_wholly_out_of_training_is_a_concern_with_its_rows(mldesk: Command, tmp_path: Path) -> None:
    lines = [f"{row * 7919 % 1009},{'abc'[row % 3]},{'xyz'[row % 3]}" for row in range(300)]   # a class in each group
    (tmp_path / "t.csv").write_text("a,g,y\n" + "\n".join(lines) + "\n", "utf-8")
    mldesk.good("data", "import", tmp_path / "t.csv", "--name", "t")
    words = ("t", "--target", "y", "--split", "group", "--split-column", "g")
    found = mldesk.good("data", "guard", *words)
    gone = next(item for item in found["concerns"] if item["kind"] == "classes" and item["level"] == "danger")
    assert gone["text"].startswith("No training row is ")
    assert mldesk.good("data", "preview", "t", "--where", gone["where"])["total"] == gone["count"] == 200


def test_every_chart_of_the_window_is_drawn_or_told_in_figures(mldesk: Command, tmp_path: Path) -> None:
    lines = [f"{row % 7},{row / 3},{'abc'[row % 3]},{'yx'[row % 2]},2024-0{row % 9 + 1}-02" for row in range(60)]
    (tmp_path / "t.csv").write_text("n,m,a,b,day\n" + "\n".join(lines) + "\n", "utf-8")
    mldesk.here("data", "import", str(tmp_path / "t.csv"), "--name", "t")
    for kind, axes in (("histogram", "--x n --by a"), ("histogram", "--x a"), ("box", "--y day --by a"),
                       ("scatter", "--x m --y n --by b"), ("density", "--x day --y m"), ("bar", "--x a --y day"),
                       ("line", "--x day --y m"), ("heat", "--x a --y b")):
        path = tmp_path / f"{kind}{'.png' if kind == 'box' else '.svg'}"
        code, said = mldesk.here("data", "chart", "t", "--kind", kind, *axes.split(), "-o", str(path), "--force")
        assert (code, said["kind"], said["rows"], said["file"]) == (0, kind, 60, str(path))
        assert path.read_bytes().startswith(b"\x89PNG" if kind == "box" else b"<?xml")
    code, said = mldesk.here("data", "chart", "t", "--kind", "heat", "--x", "a", "--y", "b", "--where", "n = 0")
    assert (code, said["rows"], said["file"]) == (0, 9, None)
    assert sum(map(sum, said["counts"])) == 9
    code, said = mldesk.here("data", "chart", "t", "--kind", "scatter", "--x", "n", "--y", "m")
    assert said["row"][0] == 1   # counted from 1
    for words, message in ((("heat", "--x", "a"), "needs a column for y"),
                           (("bar", "--x", "a", "--by", "b"), "no --by"),
                           (("scatter", "--x", "a", "--y", "n"), "not numbers"),
                           (("bar", "--x", "a", "-o", str(tmp_path / "x.gif")), "no kind of picture")):
        code, said = mldesk.here("data", "chart", "t", "--kind", *words)
        assert code == 2
        assert message in said["error"]["message"]
    assert "mean of m" in mldesk.told("data", "chart", "t", "--kind", "line", "--x", "n", "--y", "m").out
