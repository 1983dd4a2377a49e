"""Blocks of events, and the points that are read out of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldesk.library import Library, event_blocks, event_rows
from mldesk.library.points import Points
from tests.library.conftest import STARTED, add_run, add_table, event, journal, loss, succeeded

NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(1 << 66), 1 << 66), st.booleans(),
                    st.none(), st.text(max_size=3))
PAYLOADS = st.dictionaries(st.sampled_from(["step", "epoch", "seconds", "values", "é\0"]), st.one_of(
    NUMBERS, st.lists(NUMBERS, max_size=2), st.dictionaries(st.sampled_from("ab"), NUMBERS, max_size=2)), max_size=5)


def _typed(value: Any) -> Any:
    """1 and 1.0 and True are equal in Python; here they are not."""
    if isinstance(value, dict):
        return [(key, _typed(item)) for key, item in value.items()]
    return [_typed(item) for item in value] if isinstance(value, (list, tuple)) else (type(value), value)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["metrics", "log"]), PAYLOADS), max_size=6), st.integers(1, 9))
def test_what_goes_into_a_block_comes_out_of_it(kinds: list[tuple[str, Any]], times: int) -> None:
    events = [(seq, seq * 0.1, kind, payload) for seq, (kind, payload) in enumerate(kinds * times, 1)]
    assert _typed(event_blocks.unpack(event_blocks.pack(events))) == _typed(events)
    one_by_one, whole = Points(), Points()
    for item in events:
        one_by_one.event(*item)
    whole.block(*event_blocks.read(event_blocks.pack(events)))
    assert repr(whole.in_order()) == repr(one_by_one.in_order())


@pytest.mark.parametrize("blob", [b"", b"\x02x", b"\x01x"])
def test_what_is_no_block_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        event_blocks.unpack(blob)


def test_a_long_run_moves_into_blocks_and_reads_as_before(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_rows, "BLOCK", 50)
    manifest = add_table(library).manifest
    run = add_run(library).id
    events = journal(STARTED, *[loss(step, math.sin(step), validation_loss="NaN") for step in range(1, 130)],
                     ("started", {"attempt": 2, "resumed_from": 100}), *[loss(step) for step in range(101, 190)],
                     *succeeded(manifest))
    for start in range(0, len(events), 7):
        library.runs.apply(run, events[start:start + 7])
    assert library.runs.events(run) == events
    assert library.runs.events(run, 98, limit=5) == events[98:103]
    assert library.runs.events(run, len(events)) == []
    points = library.runs.metrics(run)
    assert [point.step for point in points if point.metric == "train_loss"] == list(range(1, 190))
    assert [point.seq for point in library.runs.metrics(run, 215)] == list(range(216, len(events) - 1))
    curves = library.runs.curves(run)
    assert list(curves["train_loss"].values) == [point.value for point in points if point.metric == "train_loss"]
    assert all(map(math.isnan, curves["validation_loss"].values))
    with library._database.read() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
        kept = connection.exec_driver_sql("SELECT first, last FROM event_blocks ORDER BY first").fetchall()
    assert kept[-1][1] + left == len(events)
    assert [first for first, _ in kept] == [1, *(last + 1 for _, last in kept[:-1])]


def test_a_run_that_goes_on_after_its_end_keeps_one_sequence(library: Library) -> None:
    run = add_run(library).id
    first = journal(STARTED, *[loss(step) for step in range(1, 90)], ("interrupted", {"cause": "killed_external"}))
    library.runs.apply(run, first)
    rest = [event(len(first) + 1, "started", attempt=2, resumed_from=40),
            *[event(len(first) + 1 + step, *loss(40 + step)[:1], **loss(40 + step)[1]) for step in range(1, 30)]]
    library.runs.apply(run, rest)
    assert library.runs.events(run) == [*first, *rest]
    assert [point.step for point in library.runs.metrics(run)] == list(range(1, 70))


@pytest.mark.parametrize("block", [8, 1024])
def test_the_seconds_of_a_resumed_run_go_on_where_the_attempt_before_ended(
        library: Library, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(event_rows, "BLOCK", block)
    run = add_run(library).id

    def attempt(number: int, resumed_from: int | None, steps: range) -> list[tuple[str, dict[str, Any]]]:
        said = [loss(step, 1 / step) for step in steps]
        for place, (_, payload) in enumerate(said, 1):
            payload["seconds"] = float(place)
        return [("started", {"attempt": number, "resumed_from": resumed_from}), *said]

    library.runs.apply(run, journal(*attempt(1, None, range(1, 5)), *attempt(2, None, range(1, 31)),   # began anew
                                    *attempt(3, 20, range(21, 41)), *attempt(4, 40, range(41, 61))))
    found = library.runs.curves(run)["train_loss"]
    assert list(found.steps) == list(range(1, 61))
    assert list(found.seconds) == [*range(1, 21), *range(31, 51), *range(51, 71)]   # ten steps were done twice
    assert [point.seconds for point in library.runs.metrics(run)] == list(found.seconds)
