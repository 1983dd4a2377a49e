"""What a script's mldesk.toml declares, and which files of its folder go along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.workbench.script_parameters import declared, range_words, typed
from mldesk.workbench.script_settings import files_of, links_left, parameters_of, read_settings

SETTINGS = """
[parameters]
steps = 100
fast = true
rate = {default = 0.1, min = 0.0, max = 1.0, help = "how far a step goes"}
kernel = {default = "rbf", choices = ["rbf", "linear"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("")
    (tmp_path / "mldesk.toml").write_text(SETTINGS)
    return tmp_path


def test_parameters_are_of_the_type_and_range_that_is_declared(folder: Path) -> None:
    _, settings = read_settings(folder)
    assert settings["parameters"] == {"steps": 100, "fast": True, "rate": 0.1, "kernel": "rbf"}
    assert settings["declared"]["rate"]["help"] == "how far a step goes"
    given = {"steps": "7", "fast": "FALSE", "rate": "1", "kernel": "linear"}
    assert parameters_of(settings, given) == {"steps": 7, "fast": False, "rate": 1.0, "kernel": "linear"}


@pytest.mark.parametrize(("given", "said"), [
    ({"steps": "2.5"}, "has to be a whole number, not '2.5'"), ({"rate": "1.5"}, "has to be from 0.0 to 1.0"),
    ({"rate": "nan"}, "has to be a number"), ({"fast": "perhaps"}, "has to be true or false"),
    ({"kernel": "linaer"}, "has to be one of rbf, linear"), ({"stepz": "3"}, "no parameter 'stepz'")])
def test_what_is_declared_otherwise_is_refused(folder: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parameters_of(read_settings(folder)[1], given)


@pytest.mark.parametrize(("said", "why"), [
    ({"min": 0}, "has no default"), ({"default": 0.1, "mini": 0}, "mini, which is nothing"),
    ({"default": 2.0, "max": 1}, "at most 1"), ({"default": 1, "min": 3, "max": 2}, "min above its max"),
    ({"default": "x", "min": 3}, "The min of"), ({"default": "x", "choices": [1]}, "The choices of"),
    ({"default": "x", "choices": ["y"]}, "one of y"), ({"default": [1]}, "neither a number"),
    ({"default": True, "help": 3}, "The help of"),
    ({"default": 16**5000}, "too long"), ({"default": 1, "max": 16**5000}, "The max of"),
    ({"default": "a\0b"}, "zero byte")])
def test_a_declaration_that_cannot_be_is_named(said: Any, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        declared("rate", said)


def test_a_parameter_that_nobody_declared_is_what_it_looks_like() -> None:
    given = ("3", "-0.5", "1e-3", "False", "007", "nan", "1_000", "x")
    assert [typed("a", text, None) for text in given] == [3, -0.5, 0.001, False, "007", "nan", "1_000", "x"]
    assert range_words({"default": 1}) == "" and range_words({"default": 1, "min": 1}) == "at least 1"


def test_requirements_may_stand_in_a_file(folder: Path) -> None:
    (folder / "needs.txt").write_text("# what it needs\nnumpy>=2  # arrays\n\nscipy \\\n  ==1.16\n")
    (folder / "mldesk.toml").write_text('requirements = "needs.txt"\n')
    assert read_settings(folder)[1]["requirements"] == ["numpy>=2", "scipy    ==1.16"]
    for bad in ('"other.txt"', '"../needs.txt"', "[3]"):
        (folder / "mldesk.toml").write_text(f"requirements = {bad}\n")
        with pytest.raises(BadInput):
            read_settings(folder)


@pytest.mark.parametrize(("text", "why"), [
    ("[parameters]\nx = " + "9" * 5000, "cannot be read"), ("a." * 100_001 + "b = 1", "longer than 200,000 bytes"),
    ('[inputs]\n"a/b" = "t"', "'a/b' cannot be"), ('requirements = ["numpy\\u2028scipy"]', "each of one line"),
    ('requirements = ["numpy\\u0000"]', "each of one line"), ('requirements = ["-r /etc/passwd"]', "another file"),
    ('requirements = ["numpy", "-c=../limits.txt"]', "another file"),
    ('requirements = ["--requirement=more.txt"]', "another file"), ('requirements = ["-rmore.txt"]', "another file")])
def test_a_hostile_file_gets_a_sentence(folder: Path, text: str, why: str) -> None:
    (folder / "mldesk.toml").write_text(text)
    with pytest.raises(BadInput, match=why):
        read_settings(folder)


def test_links_within_the_folder_go_along_and_environments_do_not(folder: Path, tmp_path_factory: pytest.TempPathFactory
                                                                  ) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("x")
    (folder / "alias.py").symlink_to("train.py")
    (folder / "away.txt").symlink_to(outside / "secret")
    (folder / "data").symlink_to(outside)
    (folder / "gone").symlink_to(outside / "nothing")
    (folder / "env").mkdir()
    (folder / "env" / "__init__.py").write_text("")   # a module of that name
    (folder / "py").mkdir()
    (folder / "py" / "pyvenv.cfg").write_text("")
    (folder / "py" / "much.py").write_text("")
    assert sorted(files_of(folder, "train.py")) == ["alias.py", "env/__init__.py", "mldesk.toml", "train.py"]
    assert sorted(links_left(folder)) == ["away.txt", "data", "gone"]
