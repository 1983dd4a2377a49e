"""Workbooks that we write: every cell comes back as what it was, and what would not fit is refused."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from python_calamine import load_workbook

from mldesk.core.errors import BadInput
from mldesk.data import TableView, import_table, sheet_output
from mldesk.data.sheet_output import SheetWriter
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import


def written(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    file = io.BytesIO()
    sheet = SheetWriter(file, names)
    try:
        sheet.write(rows)
    finally:
        sheet.close()
    return load_workbook(io.BytesIO(file.getvalue())).get_sheet_by_index(0).to_python()


def test_cells_keep_what_they_are_and_text_is_never_a_formula() -> None:
    moment = dt.datetime.fromisoformat("2024-01-31T10:20:30")
    row = [1, -0.5, True, "=1+1", "http://a.b", "007", dt.date(2024, 1, 31), moment, None]
    head, got = written([f"c{place}" for place in range(len(row))], [row])
    assert head == [f"c{place}" for place in range(9)]
    assert got == [*row[:8], ""]


def test_what_a_sheet_has_no_numbers_or_days_for_is_written_as_text() -> None:
    _, got = written(["a", "b", "c", "d"], [[2**60, float("inf"), dt.date(1850, 1, 2),
                                             dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]])
    assert got == [str(2**60), "inf", "1850-01-02", "2024-01-01T00:00:00+00:00"]


def test_what_does_not_fit_into_a_sheet_is_refused_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"32,767 letters, and row 2 of 'b'"):
        written(["a", "b"], [[1, "x"], [2, "y" * 40_000]])
    with pytest.raises(BadInput, match=r"16,384 columns, and there are 16,385"):
        SheetWriter(io.BytesIO(), [str(place) for place in range(16_385)])
    monkeypatch.setattr(sheet_output, "MOST_ROWS", 2)
    with pytest.raises(BadInput, match="room for 2 rows"):
        written(["a"], [[1], [2], [3]])


def test_a_table_written_as_a_workbook_comes_back_the_same(take: Import, store: ObjectStore, scratch: Path,
                                                          tmp_path: Path) -> None:
    table = take("n,t,d,ts,x\n1,a b,2024-01-31,2024-01-31 10:20:30,1.5\n2,=1+1,,,\n3,é,2024-02-01,2024-02-01 00:00:00,"
                 "-0.1\n")
    with TableView(store, table.manifest, table.columns) as view:
        view.export(tmp_path / "out.xlsx")
    again = import_table([tmp_path / "out.xlsx"], store, scratch)
    assert (again.manifest, again.columns) == (table.manifest, table.columns)
