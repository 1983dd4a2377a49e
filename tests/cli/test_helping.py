"""What --help shows: paragraphs that flow, and no types where there is nothing to type."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize("command", [("runs", "compare"), ("script", "run"), ("search",)])
def test_paragraphs_flow_and_switches_have_no_type(mldesk: Command, command: tuple[str, ...]) -> None:
    said = mldesk(*command, "--help")
    assert said.code == 0
    assert not re.search(r"<(bool|str|path|list)", said.out)
    prose = said.out.split("Arguments")[0].strip().splitlines()
    short = [line for line in prose[:-1] if 0 < len(line.strip()) < 60]   # of 120 columns
    assert all(line.rstrip().endswith((".", "}", "...", ")")) for line in short), short
