"""Statistics, the guard and other splits from the command line."""

from __future__ import annotations

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
    guarded = mldesk.good("data", "guard", "birds", "--target", "Species", "--folds", "5")
    assert set(guarded["rows"]) == {"train", "validation", "test"}
    assert any(item["kind"] == "tiny_test" for item in guarded["concerns"])
    assert "What goes together" in mldesk("data", "explore", "birds").out
    refused = mldesk("data", "guard", "birds", "--target", "Species", "--split", "groups")
    assert refused.code == 2
    assert "Did you mean" in refused.err
