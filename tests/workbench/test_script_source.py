"""A script's files as text: read, written over what was read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.workbench.script_source import read_source, save_source, source_files


def test_a_file_is_written_with_the_line_ends_it_had(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(b"a = 1\r\nb = 2\r\n")
    path.chmod(0o755)
    before = read_source(path)
    assert save_source(path, before, "a = 3\nb = 2\n") == ""
    assert path.read_bytes() == b"a = 3\r\nb = 2\r\n" and path.stat().st_mode & 0o777 == 0o755
    with pytest.raises(Conflict):
        save_source(path, before, "a = 4\n")
    assert save_source(path, read_source(path), "a = (\n").startswith("Line 1:")
    assert read_source(path) == "a = (\r\n"


def test_what_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "mldesk.toml").write_text("")
    (tmp_path / "train.py").write_text("")
    (tmp_path / ".secret.txt").write_text("")
    with pytest.raises(BadInput):
        read_source(tmp_path / "data.txt")
    with pytest.raises(NotFound):
        read_source(tmp_path / "none.py")
    assert source_files(tmp_path, "train.py") == ["train.py", "mldesk.toml", "data.txt"]
