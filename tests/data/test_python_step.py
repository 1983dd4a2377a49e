"""A recipe's Python runs in a process that can compute and nothing else, and what it tries beyond that is said."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from mldesk.core.errors import BadInput
from mldesk.data import ImportCancelled, Table, apply_recipe
from mldesk.data.recipes.code_trust import CodeNotTrusted, code_digest
from mldesk.data.recipes.confined import seccomp
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds

TABLE = "id,n,b,t,d\n1,9007199254740993,true,a,2024-01-01\n2,,,b,\n3,3,false,,2024-01-03\n"
LINUX = sys.platform == "linux"


@pytest.fixture
def table(take: Import) -> Table:
    return take(TABLE)


@pytest.fixture
def cook(table: Table, store: ObjectStore, scratch: Path) -> Any:
    def cook(code: str, **fields: Any) -> Table:
        step = {"step": "python", "code": code, "seconds": 30, "memory": 0.5, **fields}
        try:
            return apply_recipe(store, scratch, table.manifest, table.columns, [step], trusted={code_digest(code)},
                                cancelled=lambda: False)
        finally:
            assert not list(scratch.iterdir())
            assert not psutil.Process().children()

    return cook


def body(line: str) -> str:
    return f"def step(f):\n    {line}\n    return f\n"


@pytest.mark.parametrize(("line", "words"), [
    ("open('made', 'w')", "tried to write the file 'made'"),
    ("import os; os.remove('x')", "tried to change files"),
    ("import socket; socket.socket()", "tried to open a network connection"),
    ("import subprocess; subprocess.run(['true'])", "tried to start or end a process"),
    ("import os; os.kill(os.getppid(), 0)", "tried to start or end a process"),
    ("open('/etc/hostname').read()", "may not read the file '/etc/hostname'"),
    ("import ctypes; ctypes.CDLL(None).getpid()", "may not reach into the system"),
    ("f.nothing", "its function failed in line 2: AttributeError"),
    ("return 3", "gave int, not a DataFrame"),
    ("f = f.assign(z=[1, 'a', None])", "column 'z' of its answer holds values of several kinds"),
    ("f = f.assign(z=[[1], [2], [3]])", "column 'z' of its answer is of the kind list"),
    ("f = f[f.id > 9]", "gave no rows"),
    ("import os; os._exit(7)", "gave no table: its process ended with code 7"),
    ("import os; os.write(1, b'x' * 99)", "gave no table"),
    ("x = bytearray(1 << 30)", "needs more than 0.5 GiB of memory"),
])
def test_what_a_function_may_not_do_or_cannot_is_said_in_one_sentence(line: str, words: str, cook: Any) -> None:
    with pytest.raises(BadInput) as caught:
        cook(body(line))
    assert words in caught.value.message
    assert caught.value.message.startswith("Step 1 (python): ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("line", ["while True: pass", "import time; time.sleep(1e6)"])
def test_a_function_that_does_not_end_is_ended(line: str, cook: Any) -> None:
    with pytest.raises(BadInput, match="as it took longer than 1 s"):
        cook(body(line), seconds=1)


@pytest.mark.parametrize(("number", "seconds", "words"), [(1, 60, "something else into its answer"),
                                                          (2, 2, "longer than 2 s")])
def test_what_a_function_floods_us_with_is_not_kept(number: int, seconds: int, words: str, cook: Any) -> None:
    before = _peak()
    with pytest.raises(BadInput, match=words):
        cook(body(f"import os\n    while True: os.write({number}, b'x' * 1_000_000)"), seconds=seconds)
    assert _peak() - before < 300  # it writes some GiB a second


def _peak() -> int:
    """Return the most memory that this process ever took, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def test_a_function_is_cancelled_with_its_recipe(table: Table, store: ObjectStore, scratch: Path) -> None:
    code = body("while True: pass")
    with pytest.raises(ImportCancelled):
        apply_recipe(store, scratch, table.manifest, table.columns, [{"step": "python", "code": code, "seconds": 600}],
                     trusted={code_digest(code)}, cancelled=lambda: bool(psutil.Process().children()))
    assert not list(scratch.iterdir())
    assert not psutil.Process().children()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("python-step")]


def test_types_places_and_gaps_survive(cook: Any, rows: Rows) -> None:
    same = cook("def step(f): return f")
    assert kinds(same) == {"id": "integer", "n": "integer", "b": "boolean", "t": "text", "d": "date"}
    assert rows(same)[:2] == [[1, 9007199254740993, True, "a", "2024-01-01"], [2, None, None, "b", None]]
    other = cook("def step(f): return f.assign(d=f.d + pd.Timedelta(hours=1), b=None, q=[1, 2, None], "
                 "z=pd.to_datetime(f.d).dt.tz_localize('Europe/Paris')).drop(columns='t')")
    assert kinds(other) == {"id": "integer", "n": "integer", "b": "boolean", "d": "datetime", "q": "number",
                            "z": "datetime"}
    assert rows(other)[2] == [3, 3, None, "2024-01-03 01:00:00", None, "2024-01-02 23:00:00"]


def test_what_it_prints_is_told_and_chance_is_the_same_every_time(cook: Any) -> None:
    code = ("import random\ndef step(f):\n    print('rows', len(f))\n"
            "    return f.assign(r=np.random.rand(len(f)), s=random.random(), h=hash('a'))")
    one, two = cook(code), cook(code)
    assert one.manifest == two.manifest
    assert [problem.message for problem in one.problems] == ["Step 1 (python): its function printed: rows 3"]


def test_code_that_nobody_allowed_is_not_run(table: Table, store: ObjectStore, scratch: Path) -> None:
    step = {"step": "python", "code": body("raise SystemExit")}
    with pytest.raises(CodeNotTrusted) as caught:
        apply_recipe(store, scratch, table.manifest, table.columns, [step], trusted={code_digest("other")})
    assert (caught.value.number, caught.value.source) == (1, step["code"])
    off = [{**step, "disabled": True}, {"step": "drop", "columns": ["t"]}]
    assert apply_recipe(store, scratch, table.manifest, table.columns, off).rows == 3


# What holds where the hooks do not: each is tried in a process that has no hooks.
_ATTEMPTS = {
    "socket": "import socket; socket.socket()",
    "write": "import os; os.open(os.path.join({folder!r}, 'x'), os.O_WRONLY | os.O_CREAT)",
    "remove": "import os; os.unlink({file!r})",
    "read": "open({file!r}).read()",
    "process": "import os; os.fork()",
    "program": "import os; os.execv('/bin/true', ['true'])",
    "signal": "import os; os.kill(os.getppid(), 0)",
    "limits": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
}
_CONFINED = """
import sys, sysconfig
from mldesk.data.recipes.confined import landlock, seccomp
held = {{"landlock": lambda: landlock.restrict(["/usr/lib", "/lib", "/lib64", sys.base_prefix, sys.prefix]),
         "seccomp": seccomp.restrict}}
import resource, socket
if not held[sys.argv[1]]():
    sys.exit(77)
try:
    {attempt}
except (OSError, ValueError):
    sys.exit(3)
sys.exit(0)
"""


@pytest.mark.skipif(not LINUX, reason="Linux confines processes like this")
@pytest.mark.parametrize(("by", "what"), [
    ("seccomp", "socket"), ("seccomp", "write"), ("seccomp", "remove"), ("seccomp", "process"), ("seccomp", "program"),
    ("seccomp", "signal"), ("seccomp", "limits"), ("landlock", "write"), ("landlock", "remove"), ("landlock", "read"),
])
def test_the_kernel_holds_it_too(by: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("secret")
    program = _CONFINED.format(attempt=_ATTEMPTS[what].format(folder=str(tmp_path), file=str(file)))
    done = subprocess.run([sys.executable, "-B", "-c", program, by], capture_output=True, text=True, check=False)
    assert done.returncode in (3, 77), done.stderr  # 77: this kernel has none of it
    assert file.read_text() == "secret"
    assert os.listdir(tmp_path) == ["mine"]


def test_the_filter_lists_no_call_twice_and_jumps_within_bounds() -> None:
    for machine in ("x86_64", "aarch64"):
        program = seccomp._program(machine, 1)
        assert len(program) < 4096
        for place, (code, yes, no, _value) in enumerate(program):
            assert code == 6 or place + 1 + max(yes, no) < len(program)
            assert max(yes, no) < 256
        listed = [step[3] for step in program[4:] if step[:3] == (0x15, 0, 1)]
        assert len(listed) == len(set(listed))


def test_a_listening_socket_hears_nothing(cook: Any) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.1)
        with pytest.raises(BadInput, match="network"):
            cook(body(f"import socket; socket.create_connection({server.getsockname()!r})"))
        with pytest.raises(TimeoutError):
            server.accept()
