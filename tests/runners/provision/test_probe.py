"""The probe's script under several shells, on boxes with broken parts, and its reader against noise and malice."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners import provision
from mldesk.runners.provision.execution import LocalExec
from mldesk.runners.provision.probe import probe, read
from mldesk.runners.provision.scripts import script
from tests.runners.provision.boxes import bare_path, program

SHELLS = [shell for shell in (("dash",), ("bash", "--posix"), ("busybox", "sh")) if shutil.which(shell[0])]
@pytest.fixture
def path(tmp_path: Path) -> str:
    return bare_path(tmp_path / "tools")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "box").mkdir()
    return tmp_path / "box"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: str(shell[0]))
def test_every_posix_shell_says_the_same_of_this_machine(shell: tuple[str, ...], home: Path, path: str) -> None:
    facts = probe(LocalExec(home, shell=shell, path=path), "")
    assert (facts.os, facts.arch, facts.uid) == ("Linux", os.uname().machine, os.getuid())
    assert facts.cores > 0 and facts.memory > 10**8 and facts.clock > 1_700_000_000
    assert facts.home.path == str(home) and facts.home.state == "ok" and facts.home.free > 0
    assert facts.libc in ("glibc", "musl") and facts.internet is None
    assert facts.crontab == "missing" and not facts.installs
    assert {"tar", "gzip", "sha256sum"} <= facts.tools
    assert list(home.iterdir()) == []


def test_the_script_has_no_syntax_that_a_posix_shell_lacks() -> None:
    for name in [path.stem for path in Path(provision.__file__).parent.glob("*.sh")]:
        subprocess.run(["dash", "-n"], input=script(name), text=True, check=True)


def test_the_interpreters_of_a_box_are_found_once_each(home: Path, tmp_path: Path, path: str) -> None:
    tools = Path(path)
    (tools / "python3").symlink_to("python3.11")
    program(tools, "python3.11", 'echo mldesk 3.11.2 venv 64 cpython /opt/python/bin/python3.11')
    program(tools, "python3.12", 'echo mldesk 3.12.1 bare 64 cpython /opt/other/python3.12')
    program(tools, "python3.13", "exit 1")
    facts = probe(LocalExec(home, path=path), "")
    ours = [python for python in facts.pythons if python.path.startswith("/opt/")]
    assert [(python.version, python.venv) for python in ours] == [((3, 12, 1), False), ((3, 11, 2), True)]


def test_the_interpreters_of_conda_are_found_where_it_notes_them(home: Path, path: str) -> None:
    for prefix, version in (("anaconda3", "3.11.9"), ("envs/mine", "3.12.7"), ("gone", "")):
        (home / prefix / "bin").mkdir(parents=True)
        if version:
            program(home / prefix / "bin", "python3", f"echo mldesk {version} venv 64 cpython /opt/{prefix}/python3")
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").write_text(f"{home}/anaconda3\n{home}/envs/mine\n{home}/gone\n/no such/one\n")
    facts = probe(LocalExec(home, path=path), "")
    ours = [(python.version, python.path) for python in facts.pythons if python.path.startswith("/opt/")]
    assert ours == [((3, 12, 7), "/opt/envs/mine/python3"), ((3, 11, 9), "/opt/anaconda3/python3")]


@pytest.mark.parametrize(("said", "kills"), [("yes", True), ("no", False)])
def test_a_machine_says_what_becomes_of_a_user_who_logs_out(home: Path, path: str, said: str, kills: bool) -> None:
    program(Path(path), "loginctl", f'[ "$*" = "show-session -p KillUserProcesses" ] && echo KillUserProcesses={said}')
    assert probe(LocalExec(home, path=path), "").logout_kills is kills


def test_a_driver_that_fails_is_reported_with_its_own_words(home: Path, path: str) -> None:
    program(Path(path), "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    facts = probe(LocalExec(home, path=path), "")
    assert facts.gpus == ()
    assert "Driver/library version mismatch" in facts.gpu_problem


def test_cards_are_listed_with_their_memory_and_driver(home: Path, path: str) -> None:
    program(Path(path), "nvidia-smi", "echo 'NVIDIA H200, 143771, 580.65.06'; echo 'NVIDIA H200, 143771, 580.65.06'")
    facts = probe(LocalExec(home, path=path), "")
    assert [(gpu.name, gpu.memory, gpu.driver) for gpu in facts.gpus] == [
        ("NVIDIA H200", 143771 * 2**20, "580.65.06")] * 2
    assert facts.gpu_problem == ""


@pytest.mark.parametrize(("answer", "said"), [
    ("echo '0 5 * * * true'", "ok"), ("echo 'no crontab for user' >&2; exit 1", "ok"),
    ("echo 'you are not allowed to use this program (crontab)' >&2; exit 1", "denied")])
def test_a_crontab_is_usable_empty_or_denied(answer: str, said: str, home: Path, path: str) -> None:
    program(Path(path), "crontab", answer)
    assert probe(LocalExec(home, path=path), "").crontab == said


@pytest.mark.parametrize(("code", "reached"), [(0, True), (6, False)])
def test_the_way_to_the_internet_is_tried(code: int, reached: bool, home: Path, path: str) -> None:
    program(Path(path), "curl", f"exit {code}")
    assert probe(LocalExec(home, path=path), "https://example.org/").internet is reached


def test_the_password_of_a_proxy_stays_on_the_box(home: Path, path: str) -> None:
    environment = {"https_proxy": "http://me:secret@proxy:3128/"}
    facts = probe(LocalExec(home, path=path, environment=environment), "")
    assert facts.proxies == ("https_proxy http://***@proxy:3128/",)


def test_what_is_installed_is_found(home: Path, path: str) -> None:
    version = home / ".mldesk/versions/0.1.0-abc"
    version.mkdir(parents=True)
    (version / "facts").write_text("protocol=1-2 python=3.12.3\n")
    (home / ".mldesk/versions/half").mkdir()
    (home / ".mldesk/current").symlink_to("versions/0.1.0-abc")
    facts = probe(LocalExec(home, path=path), "")
    assert facts.current == "0.1.0-abc"
    assert [(install.build, install.protocol) for install in facts.installs] == [("0.1.0-abc", (1, 2))]


def test_a_home_that_may_not_be_written_is_said_to_be_so(home: Path, path: str) -> None:
    facts = probe(LocalExec("/proc/self", path=path), "")
    assert facts.home.state == "unwritable"


def test_noise_around_the_answer_is_left_out() -> None:
    text = b"Welcome!\nos=Windows\n\nMLDESK-PROBE-begin 1\nos=Linux\nnonsense\n=\nMLDESK-PROBE-end 1\nos=bye\n"
    assert read(text).os == "Linux"


def test_hostile_values_become_short_plain_text_and_small_numbers() -> None:
    lines = [b"os=Linux\x1b[2J\x00\xff\xe2\x80\xae" + b"x" * 10_000, b"cores=" + b"9" * 400, b"memory_kb=-5",
             b"home.free_kb=1e9", b"gpu=,,", b"gpu=a,b", b"python=3.12 venv", b"install=../../x protocol=1-1 python=3",
             b"libc=glibc 2.99999999999999999999", *[b"gpu=card, 1, 580.1"] * 400]
    facts = read(b"\nMLDESK-PROBE-begin 1\n" + b"\n".join(lines) + b"\nMLDESK-PROBE-end 1\n")
    assert facts.os.isprintable() and len(facts.os) <= 200
    assert facts.cores <= 2**53 and facts.memory == 0 and facts.home.free == 1024
    assert len(facts.gpus) <= 64 and not facts.pythons and not facts.installs


@pytest.mark.parametrize("text", [b"", b"sh: not found", b"MLDESK-PROBE-begin 1\nos=Linux\n"])
def test_an_answer_without_its_marks_is_none(text: bytes) -> None:
    with pytest.raises(RunnerUnreachable):
        read(text)


@given(st.lists(st.tuples(st.sampled_from([
    "os", "gpu", "python", "install", "libc", "gpu.tool", "home.free_kb", "proxy", "tool", "systemd", "current"]),
    st.binary(max_size=80))))
def test_nothing_a_box_says_breaks_the_reader(values: list[tuple[str, bytes]]) -> None:
    body = b"\n".join(key.encode() + b"=" + value.replace(b"\n", b"") for key, value in values)
    read(b"\nMLDESK-PROBE-begin 1\n" + body + b"\nMLDESK-PROBE-end 1\n")
