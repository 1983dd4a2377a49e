"""The leak guard finds what was hidden in a table, and names the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mldesk.data.statistics.guarding import Concern, guard
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

TRAIN, TEST = 0, 2


def concerns(take: Import, store: ObjectStore, scratch: Any, text: str, membership: list[int], *, split: str = "random",
             classes: bool = True) -> dict[str, Concern]:
    table = take(text)
    names = {column.name for column in table.columns} - {"y"}
    found = guard(store, table.manifest, table.columns, "y", names, np.array(membership, np.uint8), classes=classes,
                  split=split, scratch=scratch)
    return {concern.kind: concern for concern in reversed(found)}


def rows(count: int, seed: int = 0) -> tuple[list[str], list[int]]:
    draw = np.random.default_rng(seed)
    lines = [f"{draw.normal():.6f},word {draw.integers(9)},{draw.choice(['yes', 'no'])}" for _ in range(count)]
    return lines, [TEST if row % 4 == 0 else TRAIN for row in range(count)]


def test_copies_across_parts_are_found_with_their_twins(take: Import, store: ObjectStore, scratch: Any) -> None:
    lines, parts = rows(1000)
    lines[8], lines[16] = lines[1], lines[2].replace("word", "WORD ")
    number, word, y = lines[3].split(",")
    lines[33] = f"{number},{word},{'no' if y == 'yes' else 'yes'}"
    found = concerns(take, store, scratch, "a,w,y\n" + "\n".join(lines), parts)
    assert set(found["duplicates"].rows) == {1, 8}
    assert set(found["near_copies"].rows) == {2, 16}
    assert found["contradictions"].rows == (3, 33)
    assert found["duplicates"].count == 1
    assert found["duplicates"].groups == (((1, "train"), (8, "test")),)
    assert found["contradictions"].groups == (((3, "train"), (33, "train")),)
    assert "tiny_test" not in found


def test_a_number_that_begins_anew_is_no_group_in_whatever_order(take: Import, store: ObjectStore,
                                                                 scratch: Any) -> None:
    lines, parts = rows(600)
    numbers = [1 + row % length for length in (250, 200, 150) for row in range(length)]
    for order in (np.arange(600), np.random.default_rng(3).permutation(600)):
        text = "sample number,a,w,y\n" + "\n".join(f"{numbers[place]},{lines[place]}" for place in order)
        assert "group" not in concerns(take, store, scratch, text, parts)
    owners = "\n".join(f"{7 + number % 40 * 3},{line}" for number, line in zip(numbers, lines, strict=True))
    assert "group" in concerns(take, store, scratch, "session number,a,w,y\n" + owners, parts)


def test_a_clean_table_is_left_in_peace(take: Import, store: ObjectStore, scratch: Any) -> None:
    lines, parts = rows(1000)
    assert concerns(take, store, scratch, "a,w,y\n" + "\n".join(lines), parts) == {}


def test_a_leak_an_id_and_groups_are_named(take: Import, store: ObjectStore, scratch: Any) -> None:
    lines, parts = rows(1000)
    lines = [f"{row + 1},{row // 5},{int(line.endswith('yes')) * 3},{line}" for row, line in enumerate(lines)]
    found = concerns(take, store, scratch, "nr,patient_id,after,a,w,y\n" + "\n".join(lines), parts)
    assert (found["leak"].level, found["leak"].columns) == ("danger", ("after", "y"))
    outcomes = [{lines[row].rsplit(",", 1)[1] for row, _ in group} for group in found["leak"].groups]
    assert sorted(map(list, outcomes)) == [["no"], ["yes"]]   # rows of either outcome side by side, not any rows
    assert all(part == {TRAIN: "train", TEST: "test"}.get(parts[row], "validation")
               for group in found["leak"].groups for row, part in group)
    assert found["identifier"].columns == ("nr",)
    assert found["group"].columns == ("patient_id",)
    assert found["group"].count == 250
    assert "group" not in concerns(take, store, scratch, "nr,patient_id,after,a,w,y\n" + "\n".join(lines), parts,
                                   split="group")


def test_numbers_that_a_stray_word_made_text_are_named_with_it(take: Import, store: ObjectStore, scratch: Any) -> None:
    cells = [f"{row * 13 % 97}.5" for row in range(400)]
    cells[16] = "oops"
    text = "a,few,y\n" + "\n".join(f"{cell},{row % 3 or 'x'},{'yes' if row % 7 < 3 else 'no'}"
                                   for row, cell in enumerate(cells))
    found = concerns(take, store, scratch, text, [TEST if row % 4 == 0 else TRAIN for row in range(400)])["text"]
    assert (found.columns, found.rows, found.level) == (("a",), (16,), "warning")
    assert found.text == "'a' is text, but 399 of 400 cells are numbers: 'oops' in row 17."


def test_classes_without_rows_and_small_parts_are_said(take: Import, store: ObjectStore, scratch: Any) -> None:
    lines, parts = rows(80)
    lines = [line.rsplit(",", 1)[0] + (",rare" if row in (1, 2) else ",usual") for row, line in enumerate(lines)]
    found = concerns(take, store, scratch, "a,w,y\n" + "\n".join(lines), parts)
    assert "20 rows are in the test part" in found["tiny_test"].text
    assert found["classes"].where is not None


def test_dated_rows_suggest_a_split_by_time(take: Import, store: ObjectStore, scratch: Any) -> None:
    lines, parts = rows(1000)
    lines = [f"20{10 + row % 10}-01-{1 + row % 28:02},{line}" for row, line in enumerate(lines)]
    assert "time" in concerns(take, store, scratch, "day,a,w,y\n" + "\n".join(lines), parts)
    assert "time" not in concerns(take, store, scratch, "day,a,w,y\n" + "\n".join(lines), parts, split="time")
