"""One JSON object that holds the table: small ones whole, large ones on the way through, with the list's path."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk.data import ImportOptions, ImportRefused, import_table, preview_import
from mldesk.data.readers import json_objects
from mldesk.data.readers.json_objects import Walk
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import said

RECORDS = [{"n": number, "t": f'a "{number}" \\ ]}}'} for number in range(50)]
AROUND = {"about": {"text": 'brackets [{" in a \\" text', "list": [1, [2, {"x": 3}], "]"], "none": None, "n": -1.5e3},
          "data": {"count": 2, "rows": RECORDS}, "more": [{"z": 1}]}


def _nothing(_: int) -> None:
    return


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("dump", [json.dumps, lambda value: json.dumps(value, indent=3)])
def test_the_way_to_a_list_is_the_same_however_a_file_is_cut(monkeypatch: pytest.MonkeyPatch, piece: int,
                                                             dump: Callable[[Any], str]) -> None:
    monkeypatch.setattr(json_objects, "_PIECE", piece)
    for wanted, path, value in ((None, "data.rows", RECORDS), ("data.rows", "data.rows", RECORDS),
                                ("more", "more", AROUND["more"])):
        found = Walk(io.StringIO(dump(AROUND)), _nothing).to_list(wanted)
        assert found is not None and found[0] == path
        text = "".join(iter(lambda rest=found[1]: rest.read(100), ""))
        assert json.JSONDecoder().raw_decode(text)[0] == value
    assert Walk(io.StringIO(dump(AROUND)), _nothing).to_list("nothing") is None


def test_the_list_in_an_object_is_the_table_and_others_are_offered(store: ObjectStore, scratch: Path,
                                                                   tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"status": "ok", "data": {"rows": RECORDS, "notes": [{"x": 1}]}}), "utf-8")
    found = preview_import([path], None, scratch)
    assert (found.total, found.choices) == (50, ("data.rows", "data.notes"))
    fix = next(problem.fix for problem in found.problems if problem.fix is not None)
    assert fix.changes == {"table": "data.notes"}
    assert import_table([path], store, scratch).rows == 50
    assert import_table([path], store, scratch, ImportOptions().changed(fix.changes)).rows == 1
    with pytest.raises(ImportRefused, match="no list of records 'rows'"):
        import_table([path], store, scratch, ImportOptions(table="rows"))


def test_a_large_object_is_read_piece_by_piece(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    rows = 120_000
    with path.open("w", encoding="utf-8") as file:
        file.write('{"meta": {"made": "today"}, "rows": [\n')
        file.writelines(f'{"," if number else ""}{{"n": {number}, "text": "{"x" * 60}"}}\n' for number in range(rows))
        file.write('], "end": true}')
    assert path.stat().st_size > 8 * 1024 * 1024
    found = preview_import([path], None, scratch)
    assert [column.name for column in found.columns] == ["n", "text"]
    assert not found.whole and found.total is not None and abs(found.total - rows) < rows / 10
    table = import_table([path], store, scratch)
    assert table.rows == rows
    assert "The table is the list 'rows'" in said(table)
    path.write_text('{"a": {"0": "' + "y" * 9_000_000 + '"}}', "utf-8")
    with pytest.raises(ImportRefused, match="no list of records near its beginning"):
        preview_import([path], None, scratch)
    assert import_table([path], store, scratch).rows == 1
    path.write_text('{"a": ' + "[" * 9_000_000, "utf-8")
    with pytest.raises(ImportRefused):
        import_table([path], store, scratch)
