"""An upgrade while a job runs: the job goes on unharmed, and its version's files stay until it has ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.ids import new_id
from mldesk.core.paths import socket_directory
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.install import AGENT, InstallBusy, install
from mldesk.runners.provision.package import Payload, build_payload
from mldesk.runners.provision.plan import Offer, make_plan
from mldesk.wire.jobs import JobSpec
from mldesk.wire.link_client import connect
from mldesk.wire.protocol import METHODS
from tests.runners.provision.test_install import SYSTEM_PYTHON, box, facts_of, home

__all__ = ["box", "home"]  # fixtures
FAKE = Path(__file__).parents[2] / "runner_agent/fake_trainer.py"
PATIENCE = 60.0


def bring(box: Exec, payload: Payload) -> None:
    """Install a build on the box, whatever is there."""
    facts = facts_of(box)
    install(box, facts, make_plan(facts, Offer(payload.build, 1, 1), upgrade=True), payload, token="me")


def ask(home: Path, method: str, **values: Any) -> dict[str, Any]:
    """Ask the agent of the box over its socket."""
    link = connect(socket_directory(home / ".local/share/mldesk-runner/runner") / "agent.sock")
    try:
        return dict(link.call(method, values, METHODS[method].seconds))
    finally:
        link.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def builds(box: Exec) -> set[str]:
    return {item.build for item in facts_of(box).installs}


def test_a_job_goes_on_under_upgrades_and_only_an_agent_that_could_not_read_it_is_refused(
        box: Exec, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)  # as the agent does, so that both mean the same socket
    payload = build_payload()
    bring(box, payload)
    (home / ".mldesk/trainer").write_text(json.dumps([SYSTEM_PYTHON, str(FAKE)]))
    assert box.run(f"{AGENT} stop && {AGENT} start").status == 0  # it takes the trainer up
    spec = JobSpec(id=new_id(), kind="train", name="n", payload={"steps": 100_000, "delay": 0.02}, inputs=())
    ask(home, "submit", spec=spec.to_json())
    until(lambda: ask(home, "state", job=spec.id)["last_seq"] > 3)
    folder = home / ".local/share/mldesk-runner/runner/jobs" / spec.id
    trainer = json.loads((folder / "processes.json").read_text())["trainer"]

    for build in ("0.8-x", "0.9-x"):  # the second time, its version is neither the current one nor the one before
        bring(box, replace(payload, build=build))
    assert builds(box) == {payload.build, "0.8-x", "0.9-x"} and facts_of(box).current == "0.9-x"
    state = ask(home, "state", job=spec.id)
    assert (state["state"], state["attempt"]) == ("running", 1)
    assert json.loads((folder / "processes.json").read_text())["trainer"] == trainer

    facts = home / f".mldesk/versions/{payload.build}/facts"
    facts.write_text(facts.read_text().replace("journal=1", "journal=2"))  # as if a newer one had begun it
    with pytest.raises(InstallBusy, match=f"MLDesk {payload.build} began .*0.7-x cannot read their journals"):
        bring(box, replace(payload, build="0.7-x"))
    assert facts_of(box).current == "0.9-x"

    ask(home, "finish", job=spec.id, command=new_id())
    until(lambda: ask(home, "state", job=spec.id)["state"] == "succeeded")
    assert (folder / "starts").read_bytes() == b"x"
    until(lambda: not box.run(f"ps -eo args | grep '[v]ersions/{payload.build}/env'").stdout)
    bring(box, replace(payload, build="0.7-x"))
    assert builds(box) == {"0.9-x", "0.7-x"}
