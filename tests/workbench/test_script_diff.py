"""What changed in a script: lines, names, files that are no text."""

from __future__ import annotations

from hashlib import sha256

from mldesk.workbench.script_diff import script_diff

PROGRAM = b"import this\nrate = 1\nfor step in range(10):\n    print(step * rate)\n"


def diff(old: dict[str, bytes], new: dict[str, bytes]) -> str:
    digests = [{path: sha256(data).hexdigest() for path, data in files.items()} for files in (old, new)]
    known = {sha256(data).hexdigest(): data for files in (old, new) for data in files.values()}
    return script_diff(*digests, known.__getitem__, ("one 1", "two 2"))


def test_a_renamed_file_is_no_new_one_even_where_a_line_of_it_changed() -> None:
    assert diff({"train.py": PROGRAM}, {"train.py": PROGRAM}) == ""
    assert diff({"train.py": PROGRAM, "a.py": b"x"}, {"fit.py": PROGRAM, "a.py": b"x"}) == (
        "renamed: train.py -> fit.py\n")
    said = diff({"train.py": PROGRAM}, {"sub/fit.py": PROGRAM.replace(b"= 1", b"= 2")})
    assert said.startswith("renamed: train.py -> sub/fit.py\n--- train.py\tone 1\n+++ sub/fit.py\ttwo 2\n")
    assert "-rate = 1\n+rate = 2\n" in said and "-import this" not in said


def test_files_that_came_or_went_are_said_even_if_they_are_empty() -> None:
    said = diff({"old.txt": b"quite\nanother\nthing\n"}, {"__init__.py": b"", "new.py": PROGRAM})
    assert "--- /dev/null\n+++ __init__.py\ttwo 2\n" in said
    assert "--- old.txt\tone 1\n+++ /dev/null\n" in said and "--- /dev/null\n+++ new.py\ttwo 2\n" in said
    assert "renamed" not in said


def test_a_file_that_is_no_text_and_a_missing_end_of_line_are_told() -> None:
    said = diff({"w.bin": b"\xff\x00" * 600}, {"w.bin": b"\xff\x01" * 700})
    assert "-(not text, 1,200 bytes, SHA-256 " in said and "+(not text, 1,400 bytes, SHA-256 " in said
    assert "-x = 1\n\\ No newline at end of file\n+x = 1\n" in diff({"a.py": b"x = 1"}, {"a.py": b"x = 1\n"})
