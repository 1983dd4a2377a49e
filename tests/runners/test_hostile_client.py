"""A hostile client: whatever it asks of a real agent, it gets an answer or a refusal, and no way out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mldesk.core.errors import MldeskError
from mldesk.core.ids import new_id
from mldesk.core.paths import socket_directory
from mldesk.runners.local import SOCKET
from mldesk.wire.jobs import JobSpec
from mldesk.wire.link_client import Link, RemoteError, connect
from mldesk.wire.manifest import is_digest
from mldesk.wire.protocol import METHODS
from tests.runner_agent.bench import Bench
from tests.runners.ssh.test_hostile import NASTY

OUT = ["../../../../escaped", "/tmp/mldesk-escaped", "a" * 63 + "/", "..", "." * 64, "A" * 64, "a" * 64 + "\n"]


def good(bench: Bench) -> dict[str, Any]:
    """Return something fitting for every key of every method."""
    spec = bench.spec(steps=1)
    return {"protocol": [1, 2], "build": "x", "spec": spec.to_json(), "job": spec.id, "command": new_id(), "after": 0,
            "limit": 10, "wait": 0.0, "offset": 0, "digests": ["a" * 64], "digest": "a" * 64, "chunk": False,
            "manifest": "a" * 64, "before": "", "priority": 0, "on": False, "settings": {}, "history": "a" * 64,
            "checkpoint": None}


def refused_or_answered(link: Link, method: str, payload: dict[str, Any], body: bytes = b"") -> None:
    try:
        link.exchange(method, payload, body, timeout=30.0)
    except RemoteError as error:
        assert error.remote_code != "internal", (method, payload, str(error))
    except MldeskError as error:
        assert len(str(error)) < 3000, method


def test_no_question_breaks_an_agent_or_leads_out_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "around").mkdir()
    bench = Bench(tmp_path / "around")
    try:
        bench.runner.hello()
        outside = sorted(path for path in tmp_path.rglob("*") if bench.home.root not in path.parents)
        link = connect(socket_directory(bench.home.runner) / SOCKET)
        fitting = good(bench)
        for method, shape in METHODS.items():
            if method == "shutdown":
                continue
            whole = {key: fitting[key] for key in shape.fields if key in fitting}
            for key in shape.fields:
                for nasty in [*NASTY, *OUT]:
                    refused_or_answered(link, method, {**whole, key: nasty}, b"body" if shape.body else b"")
            refused_or_answered(link, method, {**whole, "unheard of": 1})
            refused_or_answered(link, method, {}, b"x" * (shape.body + 1 if shape.body < 1000 else 10))
        assert link.call("jobs", {})["jobs"] == bench.runner.jobs()
        link.close()
        assert sorted(path for path in tmp_path.rglob("*") if bench.home.root not in path.parents) == outside
        assert not list(Path("/tmp").glob("*escaped*"))
        assert all(is_digest(path.name) for path in bench.home.objects.glob("??/*"))
        names = {path.name for path in (bench.home.runner / "jobs").iterdir()}
        assert names <= {fitting["job"]}, names
    finally:
        bench.close()


def test_specs_with_anything_in_them_are_refused_or_make_a_job_of_their_own_id(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    try:
        bench.runner.hello()
        link = connect(socket_directory(bench.home.runner) / SOCKET)
        for key in JobSpec("x", "train", "a job", (), {}).to_json():
            for nasty in [*NASTY, *OUT]:
                refused_or_answered(link, "submit", {"spec": {**bench.spec(steps=1).to_json(), key: nasty}})
        jobs = {job["id"] for job in bench.runner.jobs()}
        assert {path.name for path in (bench.home.runner / "jobs").iterdir() if not path.name.startswith(".")} == jobs
        for job in jobs:
            bench.runner.state(job)
        link.close()
    finally:
        bench.close()
