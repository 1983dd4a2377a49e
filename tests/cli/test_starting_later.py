"""``--at``, ``--repeat``, ``--every`` and ``runs at``, as a script and a person see them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tests.cli.conftest import Command, make_table

ORDER = ("train", "shop", "--target", "grade")


def test_a_run_waits_for_its_time_is_seen_to_and_starts_when_told(mldesk: Command) -> None:
    mldesk.good("data", "import", make_table(mldesk.folder / "shop.csv"), "--name", "shop")
    at = (datetime.now(timezone.utc) + timedelta(hours=30)).replace(microsecond=0)
    written = at.isoformat().replace("+00:00", ".000Z")
    answer = mldesk.good(*ORDER, "--at", at.isoformat())     # it is left alone by itself
    run = answer["run"]
    assert answer == {"run": run, "status": "queued", "not_before": written}
    shown = mldesk.good("runs", "show", run)
    assert (shown["status"], shown["not_before"]) == ("queued", written)
    assert "queued, starts 20" in mldesk.told("runs", "show", run).out
    assert "queued until 20" in mldesk.told("runs", "list").out
    waiting = mldesk.good("runners", "queue", "local")["waiting"]
    assert [(item["job"], item["starts"]) for item in waiting] == [(run, written)]

    mldesk.good("runners", "drain", "local")                 # so that nothing is trained here
    several = mldesk.good(*ORDER, "--repeat", "2", "--every", "1d", "--name", "daily")
    assert [item["name"] for item in several["runs"]] == ["daily", "daily-2"]
    assert several["runs"][0]["not_before"] is None
    compared = mldesk.told("runs", "compare", *(item["run"] for item in several["runs"]))   # no report of them yet
    assert compared.err.endswith(f"Next: mldesk runs follow {several['runs'][0]['run']}\n")
    group = mldesk.good("runs", "list", "--group", several["group"])["runs"]
    assert {item["run"] for item in group} == {item["run"] for item in several["runs"]}
    seeds = mldesk.good(*ORDER, "--repeat", "3", "--detach")
    assert len({item["run"] for item in seeds["runs"]}) == 3

    assert mldesk.good("runs", "at", run, "now") == {"run": run, "status": "queued", "not_before": None}
    assert mldesk.good("runs", "at", run, "+1h")["not_before"] > at.isoformat()[:4]
    assert mldesk.here("runs", "at", run, "2020-01-01")[1]["error"]["message"] == "2020-01-01 00:00 is in the past."
    mldesk.good("runs", "cancel", run)
    code, refused = mldesk.here("runs", "at", run, "now")
    assert (code, "has ended" in refused["error"]["message"]) == (2, True)


def test_a_time_that_cannot_be_meant_is_refused_before_anything_is_read(mldesk: Command) -> None:
    for options, why in ((("--at", "soon"), "is no moment"), (("--at", "2020-01-01"), "is in the past"),
                         (("--every", "1d"), "need a number"), (("--repeat", "101"), "1 to 100 times"),
                         (("--repeat", "2", "--every", "often"), "is no length of time")):
        code, refused = mldesk.here(*ORDER, *options)
        assert (code, why in refused["error"]["message"]) == (2, True), refused
