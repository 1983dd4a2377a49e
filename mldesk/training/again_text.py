"""How a script that repeats a run reads texts with an encoder, as the run did.

As ``training.again``, nothing here runs in the application but its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.training.over_text import OverText, categories
from mldesk.training.prepared import OneEncoder
from mldesk.training.text_encoder import read_text_encoder
from mldesk.training.topics import TextWish
from mldesk.training.values import Array, ColumnData


class Reading:
    """Prepares rows, and reads their texts behind that. Its ``fit_rows`` is what ``again.repeat`` takes."""

    def __init__(self, fit_rows: Callable[..., Any], name: str) -> None:
        """``fit_rows``: what prepares the rows. ``name``: of the encoder, or its folder."""
        self._fit_rows = fit_rows
        try:
            self._encoder = read_text_encoder(name)
        except BadInput as error:
            raise SystemExit(f"{error} Name its folder after the table.") from error

    def fit_rows(self, *given: Any, text: TextWish, **more: Any) -> tuple[Any, Array, Array]:
        """Return what ``prepared.fit_rows`` does, with what texts mean instead of numbers of pieces."""
        print("Reading the texts", flush=True)  # noqa: T201 - a script says what it does
        encoder, x, kept = self._fit_rows(*given, text=replace(text, pieces=self._encoder.pieces), **more)
        over = OverText.fit(self._encoder, encoder, x)
        return (encoder, x, kept) if over is None else (_Read(encoder, over), over.transform(x), kept)


class _Read:
    """An encoder of columns with what reads their texts behind it."""

    def __init__(self, columns: OneEncoder, over: OverText) -> None:
        self._columns, self._over = columns, over
        self.categorical: Sequence[tuple[int, int]] = categories(over, columns.categorical)

    def transform(self, columns: Mapping[str, ColumnData]) -> Array:
        return self._over.transform(self._columns.transform(columns))
