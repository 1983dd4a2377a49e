"""The main job through the commands, as real processes: table in, cleaned, trained, out as a bundle, used."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, make_table

RESULT = {"run", "status", "cause", "model", "task", "metrics", "rows", "seconds"}
DETAILS = RESULT | {"last_seq", "runner", "parameters", "dataset", "created", "finished"}


def test_from_a_table_to_predictions_elsewhere(mldesk: Command, tmp_path: Path) -> None:
    _bring_in_and_clean(mldesk, tmp_path)
    answer = mldesk("train", "shop", "--target", "grade", "--model", "linear", "--name", "plain", "--json")
    assert answer.code == 0, answer
    first = answer.json
    assert set(first) >= RESULT
    assert (first["status"], first["cause"], first["model"], first["task"]) == (
        "succeeded", None, "shop-grade@1", "tabular_classification")
    assert {"accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss"} <= set(first["metrics"])
    assert sum(first["rows"].values()) == 240
    second = mldesk.good("train", "shop@2", "--target", "grade", "--model", "lightgbm", "--param", "rounds=20",
                         "--seed", "0", "--test-size", "0.2")
    _look_at_the_runs(mldesk, first, second)
    _choose_a_version(mldesk)
    bundle = _take_it_out(mldesk, tmp_path)
    _use_it(mldesk, tmp_path, bundle)


def _bring_in_and_clean(mldesk: Command, folder: Path) -> None:
    table = make_table(folder / "shop.csv")
    made = mldesk("data", "import", table, "--name", "shop", "--json").json
    assert (made["dataset"], made["version"], made["rows"], made["problems"]) == ("shop", 1, 240, [])
    assert made["columns"][3] == {"name": "weight", "type": "number", "missing": 13, "distinct": 97} | {
        "distinct": made["columns"][3]["distinct"]}
    page = mldesk.good("data", "preview", "shop", "--rows", "2", "--offset", "19")
    assert (page["columns"], page["offset"], page["total"]) == (["id", "size", "colour", "weight", "grade"], 19, 240)
    assert page["rows"][0] == ["r19", 0.3, "green", None, "poor"]
    assert mldesk.good("data", "query", "shop", "SELECT count(*) AS n FROM data")["rows"] == [[240]]
    assert {item["name"] for item in mldesk.good("data", "profile", "shop")["columns"]} == set(page["columns"])
    (folder / "recipe.json").write_text(json.dumps({"steps": [
        {"step": "drop", "columns": ["id"]}, {"step": "fill_missing", "columns": ["weight"], "value": 0}]}), "utf-8")
    cleaned = mldesk.good("data", "clean", "shop", "--recipe", folder / "recipe.json")
    assert (cleaned["version"], cleaned["parent"], len(cleaned["columns"])) == (2, 1, 4)
    diff = mldesk.good("data", "diff", "shop", "1", "2")
    assert (diff["columns"]["removed"], diff["missing"]) == (["id"], [{"column": "weight", "from": 13, "to": 0}])
    assert mldesk.good("data", "rollback", "shop", "1")["version"] == 1
    assert mldesk.good("data", "show", "shop")["version"] == 1
    assert [item["version"] for item in mldesk.good("data", "versions", "shop")["versions"]] == [1, 2]
    mldesk.good("data", "rollback", "shop", "2")
    mldesk.good("data", "export", "shop@1", folder / "back.csv")
    assert len((folder / "back.csv").read_text("utf-8").splitlines()) == 241
    mldesk.good("data", "remove", "shop")
    assert mldesk.good("data", "list")["datasets"] == []
    mldesk.good("data", "restore", "shop")


def _look_at_the_runs(mldesk: Command, first: dict[str, Any], second: dict[str, Any]) -> None:
    shown = mldesk.good("runs", "show", "plain")
    assert set(shown) >= DETAILS
    assert {key: shown[key] for key in RESULT} == {key: first[key] for key in RESULT}
    assert (shown["runner"], shown["dataset"]) == ("local", "shop@2")
    events = mldesk("runs", "events", "plain", "--json").lines
    assert [event["seq"] for event in events] == list(range(1, shown["last_seq"] + 1))
    assert all({"seq", "time", "kind"} <= set(event) for event in events)
    assert (events[0]["kind"], events[-1]["kind"]) == ("queued", "succeeded")
    assert mldesk("runs", "events", "plain", "--after", "5", "--json").lines == events[5:]
    assert mldesk("runs", "follow", "plain", "--json").lines == events
    _read_reports(mldesk, first, second)
    listed = [run["run"] for run in mldesk.good("runs", "list")["runs"]]
    assert listed == [second["run"], first["run"]]
    compared = mldesk.good("runs", "compare", first["run"], second["run"])
    assert compared["comparable"], compared["warnings"]
    assert set(compared["best"].values()) <= set(listed)
    assert "log" in mldesk.good("runs", "logs", "plain")
    code, document = mldesk.here("explain", "plain")
    assert (code, document["error"]["hint"]) == (3, f"plain is a run; its model is {first['model']}.")
    assert mldesk("runs", "cancel", "plain", "--json").json["error"]["code"] == "conflict"


def _read_reports(mldesk: Command, first: dict[str, Any], second: dict[str, Any]) -> None:
    """One run as a page, both side by side as a PDF."""
    page = mldesk.home.parent / "plain.html"
    assert mldesk.good("runs", "report", "plain", "-o", page)["file"] == str(page)
    text = page.read_text("utf-8")
    assert all(word in text for word in ("Confusion matrix", "Worst errors", f"{first['metrics']['accuracy']:.4f}"))
    again = page.with_name("again.html")
    mldesk.good("runs", "report", "plain", "-o", again)
    assert again.read_bytes() == page.read_bytes()
    script = page.with_name("again.py")
    assert mldesk.good("runs", "script", "plain", "-o", script)["dataset"] == "shop@2"
    assert "SETTINGS = {" in script.read_text("utf-8")
    assert mldesk("runs", "script", "plain", "-o", page.with_suffix(".txt")).code == 2
    both = page.with_name("both.pdf")
    mldesk.good("runs", "report", first["run"], second["run"], "-o", both)
    assert both.read_bytes().startswith(b"%PDF-")
    assert mldesk("runs", "report", "plain", "-o", page.with_suffix(".txt")).code == 2
    assert mldesk("runs", "report", "nobody", "-o", page).code == 3


def _choose_a_version(mldesk: Command) -> None:
    (model,) = mldesk.good("models", "list")["models"]
    assert (model["model"], model["versions"], model["promoted"]) == ("shop-grade@2", 2, None)
    assert mldesk.good("models", "promote", "shop-grade", "2")["version"] == 2
    assert mldesk.good("models", "rollback", "shop-grade", "1")["version"] == 1
    assert mldesk.good("models", "show", "shop-grade")["version"] == 1
    mldesk.good("models", "promote", "shop-grade", "2", "--note", "It is the better one.")
    changes = mldesk.good("models", "history", "shop-grade")["changes"]
    assert [(item["version"], item["to"]) for item in changes[:2]] == [(2, "promoted"), (1, "archived")]
    assert changes[0]["note"] == "It is the better one."
    assert mldesk.good("models", "stage", "shop-grade", "1", "candidate")["stage"] == "candidate"
    assert mldesk("models", "stage", "shop-grade", "2", "archived").code == 2
    assert mldesk.good("models", "rollback", "shop-grade")["version"] == 1
    mldesk.good("models", "promote", "shop-grade", "2")


def _take_it_out(mldesk: Command, folder: Path) -> Path:
    bundle = folder / "grade.mlbundle"
    mldesk.good("models", "export", "shop-grade", bundle)
    for words in (["models", "export", "shop-grade", bundle], ["runs", "report", "plain", "-o", bundle],
                  ["runs", "script", "plain", "-o", bundle], ["runs", "predictions", "plain", "-o", bundle],
                  ["models", "card", "shop-grade", "-o", bundle]):
        assert mldesk.here(*words)[1]["error"]["code"] == "conflict", words
    assert mldesk.here("models", "export", "shop-grade", bundle, "--as", "onnx", "--force")[1]["error"]["hint"] == \
        "Write grade.onnx."
    mldesk.good("models", "export", "shop-grade", bundle, "--force")
    inside = mldesk.good("models", "inspect", bundle)
    assert {"path", "size", "sha256"} <= set(inside["files"][0])
    assert "model.onnx" in {item["path"] for item in inside["files"]}
    assert inside["signature"]["valid"] is False  # there is no keyring in tests
    assert (inside["target"], inside["task"]) == ("grade", "tabular_classification")
    same = mldesk.good("models", "import", bundle)
    assert (same["model"], same["made"]) == ("shop-grade@2", False)
    assert mldesk.good("models", "import", bundle, "--again")["model"] == "shop-grade@3"
    return bundle


def _use_it(mldesk: Command, folder: Path, bundle: Path) -> None:
    new = folder / "new.csv"
    new.write_text("weight,colour,size\n9.5,red,4.0\n,violet,9.1\n3.0,green,\n", "utf-8")
    elsewhere = ["--home", str(folder / "elsewhere")]
    report = mldesk("predict", bundle, new, "-o", folder / "a.csv", *elsewhere, "--json").json
    assert (report["rows"], report["columns"]) == (3, ["prediction", "probability_good", "probability_poor"])
    assert any("violet" in warning or "colour" in warning for warning in report["warnings"])
    mldesk.good("predict", "shop-grade", new, "-o", folder / "b.csv")
    with open(folder / "a.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (folder / "a.csv").read_text("utf-8") == (folder / "b.csv").read_text("utf-8")
    assert list(rows[0]) == report["columns"]
    assert all(abs(float(row["probability_good"]) + float(row["probability_poor"]) - 1) < 1e-5 for row in rows)
    for output in ("a.parquet", "a.jsonl"):
        mldesk.good("predict", bundle, new, "--output", folder / output)
        assert (folder / output).stat().st_size > 50
    sets = mldesk.good("predict", bundle, new, "-o", folder / "a.xlsx", "--interval", "0.9")
    assert sets["columns"] == [*report["columns"], "prediction_set"]
    assert mldesk("predict", bundle, new, "-o", folder / "c.csv", "--interval", "2").code == 2
    _keep_and_replace(mldesk, folder, new)
    missing = folder / "missing.csv"
    missing.write_text("colour,size\nred,4.0\n", "utf-8")
    answer = mldesk("predict", bundle, missing, "-o", folder / "c.csv", "--json")
    assert (answer.code, "weight" in answer.json["error"]["message"]) == (2, True)
    assert not (folder / "c.csv").exists()
    assert mldesk("predict", bundle, new, "-o", folder / "c.xyz").code == 2


def _keep_and_replace(mldesk: Command, folder: Path, new: Path) -> None:
    """Predictions that can be made again give way, nothing else does; the history has all of them."""
    words = ("predict", "shop-grade", new, "-o", folder / "b.csv")
    kept = mldesk.good(*words, "--keep", "colour", "--keep", "size")
    assert kept["columns"] == ["colour", "size", "prediction", "probability_good", "probability_poor"]
    with open(folder / "b.csv", encoding="utf-8", newline="") as file:
        assert [row["colour"] for row in csv.DictReader(file)] == ["red", "violet", "green"]
    assert len(mldesk.good(*words, "--keep-all")["columns"]) == 6
    assert mldesk("--json", *words, "--keep", "color").json["error"]["hint"] == "Did you mean 'colour'?"
    (folder / "b.csv").write_text("mine\n", "utf-8")
    refused = mldesk("--json", *words)
    assert (refused.code, refused.json["error"]["code"]) == (2, "conflict")
    assert (folder / "b.csv").read_text("utf-8") == "mine\n"
    mldesk.good(*words, "--force")
    made = mldesk.good("models", "predictions", "shop-grade", "--check")["predictions"]
    assert [(item["model"], item["rows"], item["state"]) for item in made[:2]] == [
        ("shop-grade@2", 3, "unchanged"), ("shop-grade@2", 3, "changed")]
    assert made[0]["input_sha256"] == hashlib.sha256(new.read_bytes()).hexdigest()


@pytest.fixture
def shop(mldesk: Command, tmp_path: Path) -> Command:
    mldesk.good("data", "import", make_table(tmp_path / "shop.csv"), "--name", "shop")
    return mldesk


# A machine under load may need minutes to start a trainer; nothing here is about speed.
pytestmark = pytest.mark.timeout(900)
LONG = ("train", "shop", "--target", "grade", "--model", "mlp", "--param", "epochs=5000", "--param", "patience=none")


def test_a_detached_run_is_accepted_found_finished_and_gives_its_model(shop: Command) -> None:
    answer = shop.good(*LONG, "--name", "long", "--detach")
    assert answer == {"run": answer["run"], "status": "queued"}
    _until(lambda: shop.good("runs", "show", "long")["status"] == "running" and
           any(event["kind"] == "metrics" for event in shop("runs", "events", "long", "--json").lines))
    assert shop.good("runs", "finish", "long")["status"] in ("running", "stopping", "succeeded")
    events = shop("runs", "follow", "long", "--json").lines
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    shown = shop.good("runs", "show", "long")
    assert (shown["status"], shown["finished_early"], shown["model"]) == ("succeeded", True, "shop-grade@1")


def test_a_follower_that_is_killed_loses_nothing_and_ctrl_c_only_detaches(shop: Command) -> None:
    process = _start(shop, *LONG, "--name", "long")
    _until(lambda: any(event["kind"] == "metrics" for event in _events(shop)))
    process.kill()
    process.communicate()
    second = _start(shop, "runs", "follow", "long", "--json")
    assert second.stdout is not None
    lines = [second.stdout.readline() for _ in range(5)]
    os.killpg(second.pid, signal.SIGINT)
    os.killpg(second.pid, signal.SIGINT)
    rest_of_it = second.stdout.read()  # communicate() would lose what readline has buffered
    assert second.stderr is not None
    err = second.stderr.read()
    second.stdout.close()
    second.stderr.close()
    assert second.wait(300) == 130
    assert "Traceback" not in err
    assert "goes on" in err
    seen = [json.loads(line)["seq"] for line in [*lines, *rest_of_it.splitlines()]]
    assert seen == list(range(1, len(seen) + 1))
    assert shop.good("runs", "show", "long")["status"] == "running"
    assert shop.good("runs", "cancel", "long")["run"]
    answer = shop("runs", "follow", "long", "--after", str(seen[-1]), "--json")
    assert answer.code == 1
    rest = [event["seq"] for event in answer.lines]
    assert rest == list(range(seen[-1] + 1, seen[-1] + 1 + len(rest)))
    assert answer.lines[-1]["kind"] == "cancelled"
    assert shop.good("runs", "show", "long")["status"] == "cancelled"


def test_ctrl_c_in_train_prints_one_document_and_leaves_the_run_alone(shop: Command) -> None:
    process = _start(shop, *LONG, "--name", "long", "--json")
    _until(lambda: any(event["kind"] == "metrics" for event in _events(shop)))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    document = json.loads(out)
    assert document["error"]["code"] == "interrupted"
    assert document["run"] in document["error"]["hint"]
    assert shop.good("runs", "show", document["run"])["status"] == "running"


def test_a_run_that_cannot_work_fails_with_its_reason(shop: Command, tmp_path: Path) -> None:
    one_class = tmp_path / "one.csv"
    one_class.write_text("a,b\n" + "".join(f"{index},same\n" for index in range(30)), "utf-8")
    shop.good("data", "import", one_class, "--name", "one")
    answer = shop("train", "one", "--target", "b", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "bad_input")
    assert "same value" in answer.json["error"]["message"]
    answer = shop("train", "shop", "--target", "grad", "--json")
    assert (answer.code, answer.json["error"]["hint"]) == (2, "Did you mean 'grade'?")
    answer = shop("train", "shop", "--target", "grade", "--param", "rounds")
    assert (answer.code, "name=value" in answer.err) == (2, True)
    assert shop.good("runs", "list")["runs"] == []


def test_a_model_is_served_over_http(shop: Command) -> None:
    import urllib.request

    shop.good("train", "shop", "--target", "grade", "--model", "linear")
    server = _start(shop, "serve", "shop-grade", "--port", "0", "--json")
    assert server.stdout is not None
    try:
        url = json.loads(server.stdout.readline())["url"]
        body = json.dumps({"rows": [{"id": "x", "size": 4, "colour": "red", "weight": 2}]}).encode()
        request = urllib.request.Request(url + "/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            assert "prediction" in response.read().decode()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        _, err = server.communicate(timeout=300)
    assert "Traceback" not in err
    assert server.returncode in (0, 130)


def _events(command: Command) -> list[Any]:
    answer = command("runs", "events", "long", "--json")
    return answer.lines if answer.code == 0 else []


def _start(command: Command, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "mldesk", *arguments], stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.PIPE, env=command.environment(), cwd=command.folder,
                            start_new_session=True, stdin=subprocess.DEVNULL)


def _until(condition: Any, seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
