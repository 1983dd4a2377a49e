"""What a killed process left in scratch is removed by the next one; what others are at work on is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mldesk.core.scratch import owner, sweep, working_folder_in

_LEAVE = """
import os, sys
from pathlib import Path
from mldesk.core.scratch import working_folder_in
print(working_folder_in(Path(sys.argv[1]), "import"), flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


def test_only_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _LEAVE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        (left / "rows").write_text("1")
        mine = working_folder_in(tmp_path, "import")
        others = [tmp_path / "anything", tmp_path / "import~other.1.2.3~abc"]
        for folder in others:
            folder.mkdir()
        assert sweep(tmp_path) == []
        process.communicate("")
    assert process.returncode == -9
    assert sweep(tmp_path) == [left]
    assert sorted(tmp_path.iterdir()) == sorted([mine, *others])


def test_a_process_that_has_the_number_of_a_dead_one_is_another(tmp_path: Path) -> None:
    here = owner(os.getpid())
    assert here is not None
    machine, pid, start, boot = here.split(".")
    reused = tmp_path / f"import~{machine}.{pid}.{int(start) - 1}.{boot}~x"
    earlier = tmp_path / f"import~{machine}.{pid}.{start}.00000000~x"
    for folder in (reused, earlier):
        folder.mkdir()
    assert sorted(sweep(tmp_path)) == sorted([reused, earlier])
