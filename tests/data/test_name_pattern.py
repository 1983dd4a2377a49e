"""Patterns of file names: matched as Python would, but never for long."""

from __future__ import annotations

import re

import pytest

from mldesk.core.errors import BadInput
from mldesk.data.contracts.contract import Contract
from mldesk.data.contracts.name_pattern import compiled, match

PATTERNS = (r"(?P<station>\w+)_(?P<day>\d{8})\.csv", r"[\w.-]+", r"a|bc", r"[]x^-]+", r"[^]x]+\.csv\Z",
            r"(?i)Sales(_\D+)?(?P<year>\d\d)?\.CSV", r"\S+ \S+", r"(?:ab)*\\?", r"x{2,3}[\d\]]*")
NAMES = ("Köln_20240131.csv", "a_1.csv", "a", "bc", "abc", "]^-x", "é.csv", "SALES_é24.csv", "sales.csv", "a b",
         "abab\\", "xx12]", "", "a\n", "٣٤", "x٣")


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("ignore_case", [False, True])
def test_a_name_matches_as_python_says(pattern: str, ignore_case: bool) -> None:
    assert compiled(pattern) == tuple(re.compile(pattern).groupindex)
    for name in NAMES:
        found = re.fullmatch(pattern, name, re.IGNORECASE if ignore_case else 0)
        expected = None if found is None else {key: text or "" for key, text in found.groupdict().items()}
        assert match(pattern, name, ignore_case) == expected, name


def test_a_pattern_that_keeps_pythons_matcher_for_ever_is_answered() -> None:
    assert match("(x+x+)+y", "x" * 250 + ".csv", False) is None


@pytest.mark.parametrize("pattern", [r"(?=a)a", r"(a)\1", r"(a", "a" * 2 + "{2000000}"])
def test_what_cannot_be_matched_is_refused_when_the_contract_is_read(pattern: str) -> None:
    with pytest.raises(BadInput, match="pattern for file names cannot be read"):
        Contract.from_json({"columns": [{"name": "a", "type": "text"}], "file_name": {"pattern": pattern}})
