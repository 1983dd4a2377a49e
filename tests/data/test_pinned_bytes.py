"""The bytes that recipes give are those they gave before: a new DuckDB or pyarrow that changes them is seen here.

A version's digest is to be the same on every machine. Where such a release comes in on purpose, the digests below are
written anew, and the change log says that replaying a recipe gives other bytes than before. The name and number of the
library that wrote a Parquet file, which stand at its end, do not count here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mldesk.data import apply_recipe, parse_recipe
from mldesk.data.parts import part_paths
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

TOWNS = ("Lyon", "Oslo", "Rome", "Bern")
TABLE = "id,n,x,t,d\n" + "".join(
    f"{row},{row * 7919 % 101 if row % 11 else ''},{row * 31 % 257 / 8},{TOWNS[row * 7 % 4]},"
    f"2024-{row % 12 + 1:02d}-{row % 28 + 1:02d}\n" for row in range(3000))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a Parquet file without what says which library wrote it."""
    raw, by = path.read_bytes(), str(pq.read_metadata(path).created_by).encode()
    begin = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")   # of the footer, before its length and "PAR1"
    footer = raw[begin:-8]
    assert footer.count(by) == 1 and len(by) < 128                # so that one byte before it says how long it is
    return hashlib.sha256(raw[:begin] + footer.replace(bytes([len(by)]) + by, b"")).hexdigest()


@pytest.mark.parametrize(("steps", "digest"), [
    ([{"step": "fill_missing", "columns": ["n"], "with": "median"},
      {"step": "derive", "name": "rate", "expression": "x / (n + 1)"},
      {"step": "filter", "where": "d >= DATE '2024-03-01' AND t <> 'Rome'"},
      {"step": "clean_text", "columns": ["t"], "case": "upper"}],
     "30e6f79e5bad4c13c50c3daf7b4cf7f2800db1e4e294bbafb4e1be5ca5bf2799"),
    ([{"step": "sample", "rows": 1000},
      {"step": "group", "by": ["t", "d"], "columns": ["x", "n"], "functions": ["mean", "std"]},
      {"step": "encode", "columns": ["t"], "how": "one_hot"}],
     "68a3075ee38279c709fe6fc2f5a7200f95358fe6d509628253884bb95e306740"),
], ids=["rows", "groups"])
def test_two_recipes_give_the_bytes_they_always_gave(
    steps: list[dict[str, Any]], digest: str, take: Import, store: ObjectStore, scratch: Path
) -> None:
    table = take(TABLE)
    done = apply_recipe(store, scratch, table.manifest, table.columns, parse_recipe(json.dumps({"steps": steps})))
    (part,) = part_paths(store, done.manifest)
    assert digest_of(part) == digest
