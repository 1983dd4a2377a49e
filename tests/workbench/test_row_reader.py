"""Pages of one version: what was found out for one is kept for the next, and what is not wanted any more stops."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput, WorkFailed
from mldesk.core.paths import Home
from mldesk.data.view import TableView
from mldesk.library import Library
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.row_reader import RowReader

ROWS = 12_000   # more than are asked for whole in an order


@pytest.fixture
def service(tmp_path: Path) -> Any:
    path = tmp_path / "t.csv"
    path.write_text("n,word\n" + "".join(f"{number * 7919 % ROWS},w{number % 10}\n" for number in range(ROWS)))
    home = Home(tmp_path / "home")
    with Library.open(home) as library:
        service = DatasetService(library, home)
        service.import_files([path], "t")
        yield service
    assert not [item for item in home.scratch.iterdir() if item.name.startswith("mldesk-view")]


def test_pages_are_those_of_a_preview_and_asked_of_the_database_once(
        service: DatasetService, monkeypatch: pytest.MonkeyPatch) -> None:
    orders: list[str] = []
    order = TableView._order
    monkeypatch.setattr(TableView, "_order", lambda self, sql: orders.append(sql) or order(self, sql))
    reader = service.reader(service.show("t"))
    for wish in ({}, {"order_by": (("n", True),)}, {"search": "w3"}, {"where": "n < 500", "order_by": (("n", False),)},
                 {"only": [7, 3, 9000]}, {"search": "nothing like it"}):
        for offset in (0, 200, 1100, ROWS - 100):
            expected = service.preview("t", rows=100, offset=offset, **wish)  # type: ignore[arg-type]
            found = reader.page(offset, 100, **wish)  # type: ignore[arg-type]
            assert (found.rows, list(found.places), found.total) == (
                expected.rows, list(expected.places), expected.total), (wish, offset)
    before = len(orders)
    engine: list[int] = []
    monkeypatch.setattr(TableView, "_engine", lambda self: engine.append(1))   # nothing more is asked of it
    again = [reader.page(offset, 100, search="nothing like it").total for offset in (0, 100)]
    assert again == [0, 0]
    assert len(orders) == before + 2
    assert not engine
    monkeypatch.undo()
    reader.close()
    reader.close()
    assert reader.page(0, 1).rows == [[0, "w0"]]   # it opens again
    reader.close()


def test_a_filter_that_cannot_be_used_says_so_and_the_next_page_comes(service: DatasetService) -> None:
    reader = service.reader(service.show("t"))
    with pytest.raises(BadInput, match="nosuch"):
        reader.page(0, 10, where="nosuch > 3")
    assert reader.page(0, 1).rows == [[0, "w0"]]
    reader.close()


def test_rows_that_are_not_wanted_any_more_are_not_read(service: DatasetService) -> None:
    held, first = threading.Event(), threading.Event()

    class Slow:
        """A view in which somebody reads until he is interrupted."""

        interrupted = False

        def arranged(self, offset: int, limit: int, **wish: Any) -> tuple[list[list[Any]], list[int], int]:
            if wish["search"] == "old":
                first.set()
                assert held.wait(60)
                raise WorkFailed("The filter was stopped.")
            return [[1, wish["search"]]], [0], 1

        def interrupt(self) -> None:
            self.interrupted = True
            held.set()

        def close(self) -> None:
            """Nothing is held."""

    view = Slow()
    reader = RowReader(service.show("t"), lambda _: view)  # type: ignore[arg-type, return-value]
    errors: list[str] = []

    def ask_for_old() -> None:
        try:
            reader.page(0, 1, search="old")
        except WorkFailed as error:
            errors.append(error.message)

    thread = threading.Thread(target=ask_for_old)
    thread.start()
    assert first.wait(60)
    assert reader.page(0, 1, search="new").rows == [[1, "new"]]
    thread.join()
    assert view.interrupted
    assert len(errors) == 1
    reader.close()
