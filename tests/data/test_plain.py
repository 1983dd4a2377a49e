"""What is read by bytes says the same as what is read value by value."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from mldesk.data.columns.convert import Converter
from mldesk.data.columns.decide import decide
from mldesk.data.columns.guess import ColumnGuess
from mldesk.data.columns.missing import MARKERS
from mldesk.data.columns.plain import Cells
from mldesk.data.records import ImportOptions, Problems

_KINDS = (
    ("0", "7", "-3", "12345", "999999999999999999", "-0"),
    ("1.5", "-0.25", "12.", ".5", "-.5", "1.234", "12.50", "0.1", "1e5", "+4", "1.2.3", "1,5", "1,234"),
    ("007", "00", "9999999999999999999", "5-5", "--5", "-", "1-", "0x10", "inf", "nan", "NaN", "１２"),
    ("2026-11-21", "2024-02-29", "2023-02-29", "0000-01-01", "2026-13-01", "2026/11/21", "21.11.2026"),
    ("2026-11-21 06:52:00", "2026-11-21T23:59:59", "2026-11-21 24:00:00", "2026-11-21 06:52:61", "2026:11-21 06:52:00"),
    ("level 1", "some words", "Ä", "naïve", "x ", " y", "rare", "note", "true", "FALSE", "a\u2003", "~\x7f"),
    ("", "NA", "None", "missing", "-999", "–", " ", "?", "1900-01-01"),
)


def _column(chance: random.Random) -> list[pa.Array]:
    """Return batches of a column that is mostly of one kind, with a few values of others, perhaps later only."""
    kind = chance.choice(_KINDS[:-1])
    pool = chance.sample(kind, chance.randint(1, min(3, len(kind))))
    batches = []
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.3:
            pool = [*pool, chance.choice(chance.choice(_KINDS))]
        if chance.random() < 0.3:
            pool = [*pool, ""]
        values = pa.array([chance.choice(pool) for _ in range(chance.choice((1, 5, 90)))], pa.string())
        batches.append(values.slice(chance.choice((0, 0, 1))))
    return batches


def _read(batches: list[pa.Array], markers: frozenset[str]) -> tuple[object, ...]:
    options = ImportOptions(missing=tuple(markers - MARKERS))
    guess, problems = ColumnGuess(markers), Problems("file")
    for values in batches:
        guess.observe(values)
    (decision,) = decide([guess], ["x"], options, problems, lambda *_: None)
    converter = Converter(decision)
    typed = [converter(values) for values in batches]
    for values in typed:
        values.validate(full=True)
    known = {name: value for name, value in vars(guess).items() if name not in ("_always", "_sometimes")}
    return (decision, problems.all(), {**known, "alive": [form.name for form in guess.alive]},
            [(values.type, values.to_pylist()) for values in typed], converter.infinite, converter.unfit)


@pytest.mark.parametrize("markers", [MARKERS, MARKERS | {"-999", "1900-01-01"}], ids=["usual", "told"])
def test_a_column_read_by_bytes_is_guessed_and_read_as_value_by_value(markers: frozenset[str],
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(11)
    columns = [_column(chance) for _ in range(150)]
    used = 0
    look = ColumnGuess._observe_plain

    def counted(guess: ColumnGuess, cells: Cells) -> bool:
        nonlocal used
        done = look(guess, cells)
        used += done
        return done

    monkeypatch.setattr(ColumnGuess, "_observe_plain", counted)
    by_bytes = [_read(batches, markers) for batches in columns]
    assert used > 15
    monkeypatch.setattr("mldesk.data.columns.guess.cells_of", lambda _: None)
    monkeypatch.setattr("mldesk.data.columns.convert.cells_of", lambda _: None)
    for batches, found in zip(columns, by_bytes, strict=True):
        assert repr(found) == repr(_read(batches, markers)), [values.to_pylist() for values in batches]
