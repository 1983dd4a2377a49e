"""A bare box becomes a runner from the command line, trains, and is left without a trace."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mldesk.cli import main
from mldesk.runners.provision import desktop, provisioning
from mldesk.runners.provision.desktop import Desktop
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.package import build_payload
from mldesk.runners.provision.probe import HostFacts, probe
from mldesk.runners.provision.training_plan import TrainingOffer
from tests.cli.conftest import make_table
from tests.cli.far_box import Desk, FarBox, until, usable
from tests.runners.ssh.box import PASSWORD

pytestmark = pytest.mark.skipif(not usable(), reason="needs root, sshd and a system's Python to play the box")


@pytest.fixture
def box() -> Iterator[FarBox]:
    box = FarBox()
    yield box
    box.close()


@pytest.fixture
def desk(tmp_path: Path, box: FarBox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk that has no packages to train with for the box, and knows no way to the internet."""
    def look(there: Exec, _url: str) -> HostFacts:
        facts = probe(there, "")
        return replace(facts, pythons=tuple(item for item in facts.pythons if item.path.startswith("/usr/bin/")))

    monkeypatch.setattr(provisioning, "probe", look)
    monkeypatch.setattr(Desktop, "python", lambda _self: None)
    monkeypatch.setattr(Desktop, "_training", lambda *_, **__: TrainingOffer())
    desk = Desk(tmp_path, box)
    monkeypatch.setenv("HOME", str(desk.user))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("MLDESK_TRAINER", box.command)
    yield desk
    if (desk.home / "runner").exists():
        from mldesk.app import open_workbench

        with open_workbench(desk.home) as bench:
            bench.runners.stop("local")


def test_a_bare_box_becomes_a_runner_and_is_left_without_a_trace(
        desk: Desk, box: FarBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = box.left()
    # First contact: nothing is trusted, and nothing is done, without a word.
    code, told = desk.refuses("runners", "add", "far", box.address)
    assert (code, told["error"]["code"]) == (1, "unknown_host")
    (key,) = [item for item in box.fingerprints if item in told["error"]["message"]]
    assert f"--accept-key {key}" in told["error"]["hint"]
    assert desk.refuses("runners", "add", "far", box.address, "--accept-key", "SHA256:no")[1]["error"][
        "code"] == "unknown_host"
    code, told = desk.refuses("runners", "add", "far", box.address, "--accept-key", key)
    assert (code, told["error"]["code"]) == (2, "not_agreed")
    assert any("/usr/bin/python3" in line for line in told["plan"])
    assert box.left() == before

    added = desk("runners", "add", "far", box.address, "--yes")
    assert (added["runner"], added["address"], added["unreachable"]) == ("far", box.address, None)
    assert added["facts"]["cores"] > 0
    assert desk.refuses("runners", "add", "other", box.address, "--yes")[1]["error"]["code"] == "conflict"
    assert [item["runner"] for item in desk("runners", "list")["runners"]] == ["local", "far"]
    box.can_train()
    assert desk("runners", "upgrade", "far")["facts"]["agent"] == added["facts"]["agent"]

    desk("data", "import", make_table(tmp_path / "shop.csv"), "--name", "shop")
    done = desk("train", "shop", "--target", "grade", "--runner", "far", "--name", "first")
    assert done["status"] == "succeeded"
    assert desk("runs", "show", "first")["runner"] == "far"

    queue_is_steered(desk)
    run_moves_here_and_back(desk, box)

    silence_is_noted_and_changes_no_run(desk, box, monkeypatch)
    job_goes_on_under_an_upgrade(desk, box, monkeypatch)

    assert desk("runners", "settings", "far", "--cpu-slots", "2", "--quiet", "22:00-07:00", "--quota", "50GB")[
        "settings"]["quota"] == 50 * 10**9
    assert desk("runners", "settings", "far")["settings"]["quiet"] == [[1320, 420]]
    code, lines = desk.tries("runners", "watch", "far", "--samples", "2")
    first, second = map(json.loads, lines.splitlines())
    assert (code, second["seq"]) == (0, first["seq"] + 1)
    assert desk("runners", "log", "far")["log"]

    assert desk("runners", "remove", "far") == {"runner": "far", "removed": True, "left": []}
    assert box.left() == before
    until(lambda: not box.processes())
    assert desk("runs", "show", "first")["status"] == "succeeded"
    assert desk.refuses("runners", "show", "far")[0] == 3


def queue_is_steered(desk: Desk) -> None:
    """Nothing starts while it is drained; what waits can be put in another order, from any face."""
    assert desk("runners", "drain", "far")["draining"] is True
    runs = [desk("train", "shop", "--target", "grade", "--runner", "far", "--name", name, "--detach", *more)["run"]
            for name, more in (("one", ()), ("two", ()), ("urgent", ("--priority", "5")))]
    waiting = desk("runners", "queue", "far")
    assert [item["job"] for item in waiting["waiting"]] == [runs[2], runs[0], runs[1]]
    assert waiting["draining"] is True
    moved = desk("runners", "queue", "far", "--move", "two", "--before", "one")
    assert [item["name"] for item in moved["waiting"]] == ["urgent", "two", "one"]
    moved = desk("runners", "queue", "far", "--move", "one", "--priority", "9")
    assert [item["name"] for item in moved["waiting"]] == ["one", "urgent", "two"]
    assert desk.refuses("train", "shop", "--target", "grade", "--runner", "any:24GB")[0] == 2
    desk("runners", "drain", "far", "--off")
    for run in runs:
        desk.tries("runs", "follow", run)
        assert desk("runs", "show", run)["status"] == "succeeded"


def run_moves_here_and_back(desk: Desk, box: FarBox) -> None:
    """A run goes on elsewhere from its last checkpoint, in either direction; its history has no gap."""
    def steps() -> list[int]:
        return [event["step"] for event in desk.events(run) if event["kind"] == "metrics"]

    box.steps(10_000, delay=0.05)
    run = desk("train", "shop", "--target", "grade", "--runner", "far", "--name", "nomad", "--detach")["run"]
    until(lambda: len(steps()) > 5)
    assert desk.refuses("runners", "remove", "far")[1]["error"]["code"] == "install_busy"
    moved = desk("runs", "move", "nomad", "local")
    assert (moved["run"], moved["runner"]) == (run, "local")
    before = len(steps())
    until(lambda: len(steps()) > before)
    box.steps(steps()[-1] + 300)
    assert desk("runs", "move", "nomad", "far")["runner"] == "far"
    desk.tries("runs", "follow", run)
    events = desk.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    starts = [event for event in events if event["kind"] == "started"]
    assert [start["attempt"] for start in starts] == [1, 2, 3]
    assert 5 < starts[1]["resumed_from"] < starts[2]["resumed_from"]
    assert steps() == sorted(set(steps()))
    assert desk("runs", "show", run)["status"] == "succeeded"
    assert desk("runs", "move", run, "far")["runner"] == "far"
    assert desk.refuses("runs", "move", run, "local")[1]["error"]["code"] == "conflict"
    box.steps(3)


def silence_is_noted_and_changes_no_run(desk: Desk, box: FarBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is out of reach is said to be so since then; its job goes on, and nothing of it is missing."""
    box.steps(40, delay=0.05)
    run = desk("train", "shop", "--target", "grade", "--runner", "far", "--detach")["run"]
    box.sshd.stop()
    with monkeypatch.context() as impatient:
        impatient.setattr("mldesk.runners.ssh.client.PERSISTENCE", 0.5)
        code, told = desk.refuses("runners", "check", "far")
        assert (code, told["error"]["code"]) == (1, "runner_unreachable")
        noted = desk("runners", "show", "far")
        assert (noted["unreachable"] is not None, noted["trouble"]) == (True, told["error"]["message"])
        shown = desk("runs", "show", run)
        assert (shown["status"], shown["cause"]) in {("queued", None), ("running", None)}
        assert desk("runners", "show", "far")["unreachable"] == noted["unreachable"]
    box.sshd.start()
    desk.tries("runs", "follow", run)
    assert desk("runners", "show", "far")["unreachable"] is None
    events = desk.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert desk("runs", "show", run)["status"] == "succeeded"


def job_goes_on_under_an_upgrade(desk: Desk, box: FarBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the agent takes over; the job under way does not notice."""
    box.steps(60, delay=0.05)
    run = desk("train", "shop", "--target", "grade", "--runner", "far", "--detach")["run"]
    until(lambda: any(event["kind"] == "metrics" for event in desk.events(run)))
    payload = build_payload()
    newer = replace(payload, build=f"9.9.9-{payload.content[:12]}")
    for module in (provisioning, desktop):
        monkeypatch.setattr(module, "build_payload", lambda: newer)
    desk("runners", "upgrade", "far")
    assert (box.account.home / ".mldesk/current").readlink().name == newer.build
    box.steps(3)
    desk.tries("runs", "follow", run)
    events = desk.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["kind"] for event in events].count("started") == 1
    assert desk("runs", "show", run)["status"] == "succeeded"


def test_a_person_is_shown_the_key_and_the_plan_and_may_say_no(desk: Desk, box: FarBox,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    before = box.left()
    monkeypatch.setattr("mldesk.cli.runners.at_terminal", lambda: True)

    def add(answers: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            code = main.run(["runners", "add", "far", box.address, "--home", str(desk.home)],
                       open_window=lambda home, gallery: 1)
        return code, err.getvalue()

    code, said = add("no\n")
    assert (code, "[SHA256]" in said, any(key in said for key in box.fingerprints)) == (1, True, True)
    code, said = add("yes\nno\n")
    assert (code, "/usr/bin/python3" in said, "Go on? [y/N]" in said, "Nothing was done." in said) == (2, *[True] * 3)
    assert "[SHA256]" not in add("no\n")[1]  # its key is known now
    assert box.left() == before


def test_a_password_comes_from_standard_input_and_is_kept_only_when_asked(
        desk: Desk, box: FarBox, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.user / ".ssh" / "id_ed25519").unlink()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("MLDESK_VAULT_PASSPHRASE", "a long passphrase")
    (key,) = [word for word in desk.refuses("runners", "add", "far", box.address)[1]["error"]["hint"].split()
              if word.startswith("SHA256:")]

    def add(*more: str, password: str | None = None) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("" if password is None else f"{password}\n"))
        words = ["--password-stdin"] if password is not None else []
        return str(desk.refuses("runners", "add", "far", box.address, "--accept-key", key, *words, *more)[1][
            "error"]["code"])

    assert add() == "login_refused"
    assert add(password="wrong") == "login_refused"
    assert add(password=PASSWORD) == "not_agreed"  # it was let in, and shows what it would do
    assert add() == "login_refused"
    assert add("--remember", password="wrong") == "login_refused"
    assert add() == "login_refused"
    assert add("--remember", password=PASSWORD) == "not_agreed"
    assert add() == "not_agreed"
    kept = b"".join(path.read_bytes() for path in desk.home.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
