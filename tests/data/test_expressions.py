"""What a condition that users write is refused for, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from mldesk.core.errors import BadInput
from mldesk.data.expressions import check_expression

NAMES = ("age", "capital-gain", "capital-loss", "net worth")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


@pytest.mark.parametrize(("text", "hint"), [
    ("capital-gain - capital-loss > 0", '"capital-'),
    ("agee > 1", "Did you mean 'age'?"),
])
def test_a_name_that_is_no_word_is_to_be_quoted(connection: duckdb.DuckDBPyConnection, text: str, hint: str) -> None:
    with pytest.raises(BadInput, match="There is no column") as caught:
        check_expression(connection, text, NAMES)
    assert hint in str(caught.value.hint)


def test_quoted_names_are_taken(connection: duckdb.DuckDBPyConnection) -> None:
    text = '"capital-gain" - "capital-loss" > 0 AND "net worth" < age'
    assert check_expression(connection, text, NAMES) == f"{text}\n"


@pytest.mark.parametrize("text", ["(" * 3000 + "age > 1" + ")" * 3000, "abs(" * 700 + "age" + ")" * 700 + " > 1",
                                  " + ".join(["age"] * 2000) + " > 1"])
def test_what_lies_too_deep_is_refused_in_a_sentence(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(BadInput, match="too deep") as caught:
        check_expression(connection, text, NAMES)
    assert "setting" not in str(caught.value) and "SET" not in str(caught.value)
