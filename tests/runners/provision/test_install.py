"""Installing, upgrading and removing on a real box: this machine under another home, with its system's Python."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.provision import package
from mldesk.runners.provision.execution import Exec, LocalExec, Ran
from mldesk.runners.provision.install import AGENT, Archive, InstallBusy, Installed, InstallFailed, install, uninstall
from mldesk.runners.provision.package import Payload, build_payload
from mldesk.runners.provision.plan import Offer, Way, make_plan, platform_of
from mldesk.runners.provision.probe import HostFacts, Python, probe
from mldesk.runners.provision.runtime import pack_own_python
from tests.runners.provision.boxes import bare_path, program

SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin") or shutil.which("python3") or ""
PIECE = 64 * 1024


@pytest.fixture(scope="module")
def payload() -> Payload:
    return build_payload()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "box").mkdir()
    return tmp_path / "box"


@pytest.fixture
def box(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exec]:
    path = bare_path(tmp_path / "tools")
    program(tmp_path / "tools", "python3", f'exec {SYSTEM_PYTHON} "$@"')
    monkeypatch.setattr("mldesk.runners.provision.steps.PIECE", PIECE)
    box = LocalExec(home, path=path)
    yield box
    box.run(f"[ ! -x {AGENT} ] || {AGENT} stop --kill-jobs")


def facts_of(box: Exec) -> HostFacts:
    facts = probe(box, "")
    return replace(facts, pythons=tuple(python for python in facts.pythons if python.path.startswith("/usr/bin/")))


def set_up(box: Exec, payload: Payload, token: str = "me") -> Installed:
    facts = facts_of(box)
    plan = make_plan(facts, Offer(payload.build, len(payload.data), payload.installed))
    return install(box, facts, plan, payload, token=token)


def newer(payload: Payload) -> Payload:
    """The same agent as another build."""
    return replace(payload, build=payload.build.replace("0.1.0-", "0.2.0-"))


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Cut:
    """A box whose link is cut in the middle of one run, and stays so."""

    def __init__(self, box: Exec, at: int) -> None:
        self.box, self.at, self.count = box, at, 0

    def run(self, script: str, stdin: bytes | None = None, timeout: float = 60.0) -> Ran:
        self.count += 1
        if self.count >= self.at:
            if stdin and self.count == self.at:  # half of it had arrived
                self.box.run(script, stdin[:len(stdin) // 2], timeout)
            raise RunnerUnreachable("cut")
        return self.box.run(script, stdin, timeout)


def test_the_payload_is_the_same_bytes_every_time_and_names_its_content(payload: Payload) -> None:
    package._compressed.cache_clear()
    again = build_payload()
    assert again.data == payload.data and again.build == payload.build
    assert len(payload.data) < 2_000_000
    assert {"lib/runner_agent/__main__.py", "lib/mldesk/wire/protocol.py", "lib/rpyc/__init__.py",
            "lib/plumbum/__init__.py"} <= payload.files.keys()
    assert {"lib/mldesk/track.py", "lib/mldesk/track_callbacks.py"} <= payload.files.keys()   # for scripts
    assert not [name for name in payload.files if "/desktop/" in name or "/library/" in name or ".." in name]


def test_a_box_with_python_becomes_a_runner_and_is_left_without_a_trace(
        box: Exec, home: Path, payload: Payload) -> None:
    (home / ".profile").write_text("# mine\n")
    before = files_below(home)
    done = set_up(box, payload)
    assert (done.build, done.previous, done.uploaded) == (payload.build, "", len(payload.data))
    assert json.loads(done.selftest)["protocol"]

    facts = facts_of(box)
    assert facts.current == payload.build and [item.build for item in facts.installs] == [payload.build]
    assert make_plan(facts, Offer(payload.build, 1, 1)).way is Way.EXISTING
    assert not (home / ".mldesk/lock").exists() and not (home / ".mldesk/incoming").exists()
    assert box.run(f"{AGENT} start").stdout == b'{"running": true}\n'
    assert list((home / f".mldesk/versions/{payload.build}").rglob("*.pyc"))

    assert uninstall(box, data=True).left == ()
    assert files_below(home) == before
    assert (home / ".profile").read_text() == "# mine\n"


def test_an_installation_that_is_cut_anywhere_goes_on_where_it_was(box: Exec, home: Path, payload: Payload) -> None:
    facts = facts_of(box)
    plan = make_plan(facts, Offer(payload.build, len(payload.data), payload.installed))
    cuts, done = 0, None
    while done is None:
        try:
            done = install(Cut(box, 1 + 2 * cuts), facts, plan, payload, token="me")
        except RunnerUnreachable:
            cuts += 1
    assert cuts > 3 and done.build == payload.build
    assert facts_of(box).current == payload.build
    assert not (home / ".mldesk/lock").exists()


def test_an_upload_is_taken_up_at_the_byte_where_it_ended(box: Exec, home: Path, payload: Payload) -> None:
    facts = facts_of(box)
    plan = make_plan(facts, Offer(payload.build, len(payload.data), payload.installed))
    with pytest.raises(RunnerUnreachable):
        install(Cut(box, 5), facts, plan, payload, token="me")  # lock, arrived, two pieces, and half of the third
    assert (home / f".mldesk/incoming/{payload.digest}.part").stat().st_size == 2 * PIECE + PIECE // 2
    done = install(box, facts, plan, payload, token="me")
    assert done.uploaded == len(payload.data) - 2 * PIECE - PIECE // 2


def test_a_damaged_upload_is_thrown_away_and_sent_again(box: Exec, home: Path, payload: Payload) -> None:
    incoming = home / ".mldesk/incoming"
    incoming.mkdir(parents=True)
    (incoming / f"{payload.digest}.part").write_bytes(b"x" * 1000)
    assert set_up(box, payload).uploaded == 2 * len(payload.data) - 1000


def test_two_cannot_install_at_once_but_a_stale_lock_is_broken(box: Exec, home: Path, payload: Payload) -> None:
    lock = home / ".mldesk/lock"
    lock.mkdir(parents=True)
    (lock / "owner").write_text("somebody\n")
    with pytest.raises(InstallBusy):
        set_up(box, payload)
    assert (lock / "owner").read_text() == "somebody\n"
    subprocess.run(["touch", "-d", "1 hour ago", str(lock)], check=True)
    assert set_up(box, payload).build == payload.build


def test_a_version_that_fails_its_self_test_is_not_taken_into_use(box: Exec, home: Path, payload: Payload) -> None:
    first = set_up(box, payload)
    facts, other = facts_of(box), newer(payload)
    plan = make_plan(facts, Offer(other.build, 1, 1), upgrade=True)
    with pytest.raises(InstallFailed, match="sees 0 graphics cards there, and the probe saw 1"):
        install(box, replace(facts, gpus=(None,)), plan, other, token="me")  # type: ignore[arg-type]
    assert facts_of(box).current == first.build
    assert not (home / ".mldesk/lock").exists()
    assert "graphics cards" in (home / ".mldesk/install.log").read_text()


def test_an_upgrade_hands_over_and_keeps_the_version_before(box: Exec, home: Path, payload: Payload) -> None:
    set_up(box, payload)
    assert box.run(f"{AGENT} start").status == 0
    for other in (newer(payload), replace(payload, build="0.3.0-x")):
        facts = facts_of(box)
        plan = make_plan(facts, Offer(other.build, 1, 1), upgrade=True)
        install(box, facts, plan, other, token="me")
    facts = facts_of(box)
    assert facts.current == "0.3.0-x"
    assert {item.build for item in facts.installs} == {"0.3.0-x", newer(payload).build}
    running = box.run("for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file 2>/dev/null; echo; done").stdout
    assert f"{home}/.mldesk/versions/0.3.0-x/env/bin/python -m runner_agent serve".encode() in running
    assert uninstall(box, data=True).left == ()
    assert files_below(home) == []


def test_what_somebody_put_beside_ours_is_left_and_named(box: Exec, home: Path, payload: Payload) -> None:
    set_up(box, payload)
    mine = home / f".mldesk/versions/{payload.build}/notes.txt"
    mine.write_text("mine")
    left = uninstall(box, data=True).left
    assert str(mine.parent) in left and mine.read_text() == "mine"
    assert [path for path in (home / ".mldesk").rglob("*") if path.is_file()] == [mine]


def test_nothing_is_removed_while_something_runs_from_it(
        box: Exec, home: Path, payload: Payload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.runners.provision.install.ENDING", 0.0)
    set_up(box, payload)
    job = subprocess.Popen([str(home / f".mldesk/versions/{payload.build}/env/bin/python"), "-c", "input()"],
                           stdin=subprocess.PIPE)
    try:
        with pytest.raises(InstallBusy, match=str(job.pid)):
            uninstall(box, data=True)
        assert facts_of(box).current == payload.build
    finally:
        job.communicate(b"\n")
    assert uninstall(box, data=True).left == ()


def test_a_python_that_makes_no_environment_is_named_as_the_reason(box: Exec, home: Path, payload: Payload) -> None:
    facts = facts_of(box)
    program(home / "bin", "python3", "echo no venv here >&2; exit 1")
    plan = make_plan(replace(facts, pythons=(Python((3, 12), f"{home}/bin/python3", True, 64, "cpython"),)),
                     Offer(payload.build, 1, 1))
    with pytest.raises(InstallFailed, match="no venv here"):
        install(box, facts, plan, payload, token="me")


def test_a_box_without_python_gets_this_desktops_own(tmp_path: Path, home: Path, payload: Payload) -> None:
    box = LocalExec(home, path=bare_path(tmp_path / "bare"))
    python = pack_own_python(tmp_path)
    facts = replace(probe(box, ""), pythons=())
    offer = Offer(payload.build, len(payload.data), payload.installed,
                  dict.fromkeys(python.platforms, python.runtime))
    plan = make_plan(facts, offer)
    assert plan.way is Way.UPLOAD and plan.python == python.runtime.version
    try:
        done = install(box, facts, plan, payload, runtime=python.archive)
        assert done.uploaded == plan.upload == len(payload.data) + python.archive.size
        assert probe(box, "").runtimes == {python.archive.digest[:16]}
    finally:
        assert uninstall(box, data=True).left == ()
    assert files_below(home) == []


def test_another_user_of_the_box_installs_for_themselves_and_nobody_else_looks_in(payload: Payload) -> None:
    with tempfile.TemporaryDirectory(prefix="mldesk-user-") as name:
        Path(name).chmod(0o755)
        home = Path(name) / "home"
        home.mkdir()
        user = 4321 if os.getuid() == 0 else None  # as root, a box of somebody else's
        if user is not None:
            os.chown(home, user, user)
        box = LocalExec(home, path="/usr/bin:/bin", user=user)
        set_up(box, payload)
        assert {(home / part).stat().st_mode & 0o077 for part in (".mldesk", ".mldesk/current/bin/mldesk-agent")} == {0}
        assert (home / ".mldesk").stat().st_uid == (user or os.getuid())
        assert uninstall(box, data=True).left == ()
        assert files_below(home) == []


def test_uv_brings_a_python_below_our_own_folder(box: Exec, home: Path, tmp_path: Path, payload: Payload) -> None:
    # A stand-in for uv: "python install" makes a folder where it is told to, "python find" says what is in it.
    script = f"""case "$*" in
    *"python install"*) mkdir -p "$UV_PYTHON_INSTALL_DIR/cpython/bin"
        ln -s {SYSTEM_PYTHON} "$UV_PYTHON_INSTALL_DIR/cpython/bin/python3" ;;
    *"python find"*) echo "$UV_PYTHON_INSTALL_DIR/cpython/bin/python3" ;;
esac"""
    program(tmp_path, "uv", script)
    digest = hashlib.sha256((tmp_path / "uv").read_bytes()).hexdigest()
    facts = replace(probe(box, ""), internet=True, pythons=())
    plan = make_plan(facts, Offer(payload.build, 1, 1, uv={platform_of(facts): 100}))
    assert plan.way is Way.UV and plan.download > 0
    install(box, facts, plan, payload, uv=Archive(tmp_path / "uv", digest))
    configuration = (home / ".mldesk/current/env/pyvenv.cfg").read_text()
    assert probe(box, "").current == payload.build and "executable" in configuration
    assert uninstall(box, data=True).left == ()
    assert files_below(home) == []
