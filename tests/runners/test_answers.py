"""What a runner says is checked before anybody uses it."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.core.errors import LibraryDamaged, RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.runners import answers
from mldesk.wire.events import Event
from mldesk.wire.journal import encode
from mldesk.wire.states import JobState


def test_events_must_go_on_where_they_were_asked_from() -> None:
    lines = b"".join(encode(Event(seq, 1.0, "log", {"text": "x"}), mark=(1, seq)) for seq in (5, 6, 7))
    assert [event.seq for event in answers.events(lines, new_id(), 4)] == [5, 6, 7]
    assert answers.events(b"", new_id(), 4) == []
    for after in (0, 3, 5):
        with pytest.raises(LibraryDamaged):
            answers.events(lines, new_id(), after)
    with pytest.raises(LibraryDamaged):
        answers.events(lines.replace(b'"x"', b'"y"'), new_id(), 4)


@pytest.mark.parametrize("answer", [{}, {"state": "dancing"}, {"state": 5}, {"state": ["queued"]}])
def test_a_state_that_is_none_is_not_believed(answer: dict[str, Any]) -> None:
    with pytest.raises(RunnerUnreachable, match="makes no sense"):
        answers.state(answer)


def test_a_log_that_does_not_add_up_is_not_believed() -> None:
    assert answers.offset({"next": 7}, b"abc", 4) == 7
    for claimed in (6, -1, "7", None):
        with pytest.raises(RunnerUnreachable):
            answers.offset({"next": claimed}, b"abc", 4)


def test_names_of_jobs_are_plain_and_ids_are_ids() -> None:
    job = new_id()
    found = answers.jobs({"jobs": [
        {"id": job, "name": "a\x1b[31m job" + "x" * 1000, "state": "running", "position": -3},
        {"id": "../../x", "name": "", "state": "running"}, "text", None, {"name": "no id", "state": "running"}]})
    assert [item["id"] for item in found] == [job]
    assert found[0]["name"].startswith("a[31m job")
    assert (len(found[0]["name"]), found[0]["position"], found[0]["state"]) <= (200, 0, JobState.RUNNING.value)
    with pytest.raises(RunnerUnreachable):
        answers.jobs({"jobs": {}})


def test_facts_hold_nothing_but_what_is_expected() -> None:
    facts = answers.facts({"cores": "many", "memory": -1, "devices": [{"name": 5, "memory": 3}, "gpu"] * 100,
                           "versions": {"torch": "2\n", "x" * 500: 1}, "python": None, "surprise": "!"})
    assert facts["cores"] == facts["memory"] == 0
    assert facts["devices"][0] == {"name": "", "kind": "", "memory": 3, "index": 0, "uuid": ""}
    assert len(facts["devices"]) <= 64
    assert facts["versions"]["torch"] == "2"
    assert facts["python"] == ""
    assert "surprise" not in facts
