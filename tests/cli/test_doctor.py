"""What ``mldesk doctor`` says where something is missing."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_a_failed_check_is_an_error_beside_the_report(mldesk: Command) -> None:
    mldesk.home.mkdir(parents=True, exist_ok=True)
    (mldesk.home / "library.db").write_text("this is no database, but long enough to be looked at " * 20)
    answer = mldesk("--json", "doctor")
    (mldesk.home / "library.db").unlink()
    assert answer.code == 1
    assert answer.json["ok"] is False
    assert len(answer.json["checks"]) > 5
    assert set(answer.json["error"]) == {"code", "message", "hint"}
    assert answer.json["error"]["code"] == "check_failed"
