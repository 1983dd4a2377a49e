"""What Explore begins with: a column that tells something, not the numbers of the rows."""

from __future__ import annotations

from mldesk.desktop.pages.data.explore_pictures import first_shown
from mldesk.wire.schema import Column, ColumnType

NAME = Column("name", ColumnType.TEXT, 0, 90)
ID = Column("id", ColumnType.INTEGER, 0, 100)
COUNTER = Column("row", ColumnType.INTEGER, 0, 100)
PRICE = Column("price", ColumnType.NUMBER, 0, 80)


def test_explore_begins_with_numbers_that_are_no_identifier() -> None:
    assert first_shown([NAME, ID, COUNTER, PRICE]) == PRICE
    assert first_shown([NAME, ID]) == ID   # there is nothing better
    assert first_shown([NAME]) == NAME
