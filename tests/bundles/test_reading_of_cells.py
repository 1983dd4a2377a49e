"""What a bundle says of how cells are read: only what decides what a file leaves open, and nothing strange."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.bundles.as_imported import from_bytes, to_bytes
from mldesk.core import canonical
from mldesk.core.errors import BadBundle
from mldesk.data.columns.as_imported import AsImported
from mldesk.data.options import Reading

SAID = AsImported({"decimal": ",", "missing": ["never"]},
                  {"day": Reading(None, "", ((".", "mdy"), ("/", "dmy"))), "size": Reading(",")})


def test_it_comes_out_as_it_went_in() -> None:
    assert from_bytes(to_bytes(SAID)) == SAID
    options = SAID.options()
    assert (options.decimal, options.missing, dict(options.readings)) == (",", ("never",), dict(SAID.columns))
    assert options.to_json() == dict(SAID.said)   # what columns told is nobody's word


@pytest.mark.parametrize("change", [
    {"format": 2}, {"options": {"format": "csv"}}, {"options": {"decimal": "x"}}, {"options": []}, {"columns": []},
    {"options": {"dates": "%d" + " " * 60 + "%m %Y"}}, {"options": {"missing": ["a" * 200]}},
    {"columns": {"day": {"decimal": None, "orders": {"x": "dmy"}}}}, {"columns": {"day": {"orders": {}}}},
    {"columns": {"day": {"decimal": "'", "orders": {}}}}, {"columns": {"day": {"decimal": None, "orders": ["/"]}}},
    {"columns": {"day": {"decimal": None, "orders": {"/": ["dmy"]}}}}, {"columns": {"day": 3}},
])
def test_a_strangers_words_are_refused_with_the_reason(change: dict[str, Any]) -> None:
    document = {"format": 1, **SAID.to_json(), **change}
    with pytest.raises(BadBundle, match="What this bundle says of cells"):
        from_bytes(canonical.dumps(document))
