from __future__ import annotations

from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.core.ids import new_id
from mldesk.wire import protocol
from mldesk.wire.protocol import METHODS, check, shared_version

_JOB = new_id()


def test_every_method_is_explained_where_it_is_declared() -> None:
    for name in METHODS:
        assert f"\n    {name} " in str(protocol.__doc__), name


def test_defaults_are_filled_in() -> None:
    assert check("events", {"job": _JOB, "after": 3}, b"") == {"job": _JOB, "after": 3, "limit": 1000, "wait": 0.0}


@pytest.mark.parametrize(("name", "payload"), [
    ("state", {}), ("state", {"job": _JOB, "more": 1}), ("state", {"job": "../../etc/passwd"}), ("state", {"job": 5}),
    ("state", {"job": _JOB.lower()}), ("state", {"job": _JOB + "\n"}), ("cancel", {"job": _JOB, "command": "x"}),
    ("events", {"job": _JOB, "after": -1}), ("events", {"job": _JOB, "after": True}),
    ("events", {"job": _JOB, "after": 1.0}), ("events", {"job": _JOB, "after": 1, "wait": 26}),
    ("events", {"job": _JOB, "after": 1, "wait": float("nan")}), ("events", {"job": _JOB, "after": 1, "limit": 0}),
    ("log", {"job": _JOB, "limit": 1 << 30}), ("submit", {"spec": []}), ("have", {"digests": ["ab"]}),
    ("have", {"digests": ["A" * 64]}), ("have", {"digests": "a" * 64}), ("get", {"digest": "a" * 63 + "/"}),
    ("shutdown", {"kill_jobs": 1}), ("hello", {"protocol": [1], "build": "x"}),
    ("hello", {"protocol": "11", "build": "x"}), ("hello", {"protocol": [1, 1], "build": "x" * 300}),
    ("have", {"digests": ["a" * 64] * (protocol.MAX_DIGESTS + 1)}),
    ("submit", {"spec": {}, "priority": 11}), ("submit", {"spec": {}, "priority": 1.0}),
    ("prioritize", {"job": _JOB, "priority": -11}), ("reorder", {"job": _JOB, "before": "x"}),
    ("reorder", {"job": "", "before": _JOB}), ("drain", {"on": 1}), ("configure", {"settings": []}),
    ("telemetry", {"after": -1}), ("telemetry", {"wait": 26}), ("agent_log", {"limit": 1 << 30}),
    ("release", {"job": _JOB}), ("take_over", {"spec": {}, "history": "x"}),
    ("take_over", {"spec": {}, "history": "a" * 64, "checkpoint": ""}), ("forget_job", {"job": "../x"}),
])
def test_what_a_peer_may_not_ask_is_refused(name: str, payload: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"^{name}"):
        check(name, payload, b"")


def test_raw_bytes_are_taken_only_where_they_belong() -> None:
    with pytest.raises(BadInput, match="at most 0 raw bytes"):
        check("state", {"job": _JOB}, b"x")
    with pytest.raises(BadInput, match="at most 4194304 raw bytes"):
        check("put", {"digest": "a" * 64}, b"x" * (4194304 + 1))


@pytest.mark.parametrize(("theirs", "version"), [([1, 1], 1), ([1, 9], 2), ((1, 1), 1), ([2, 3], 2)])
def test_the_highest_version_both_speak_is_used(theirs: Any, version: int) -> None:
    assert shared_version(theirs, (1, 2)) == version


@pytest.mark.parametrize(("theirs", "ours", "peer", "older", "remedy"), [
    ([1, 1], (2, 3), "runner", "runner", "mldesk runners upgrade"),
    ([4, 5], (2, 3), "runner", "MLDesk", "Upgrade MLDesk"),
    ([1, 1], (2, 3), "MLDesk", "MLDesk", "Upgrade MLDesk"),
    ([4, 5], (2, 3), "MLDesk", "runner", "mldesk runners upgrade"),
])
def test_no_common_version_is_refused_with_the_one_step_that_mends_it(
        theirs: Any, ours: tuple[int, int], peer: str, older: str, remedy: str) -> None:
    with pytest.raises(BadInput, match=f"^The {older} is too old") as caught:
        shared_version(theirs, ours, peer=peer)
    assert remedy in caught.value.hint


@pytest.mark.parametrize("theirs", [None, [1], "1", [None, 2], {}, 5])
def test_a_version_that_is_none_is_refused(theirs: Any) -> None:
    with pytest.raises(BadInput, match="does not say which protocol") as caught:
        shared_version(theirs)
    assert "Upgrade" in caught.value.hint
