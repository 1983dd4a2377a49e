"""The leak guard: what would make a model's scores say more than they should, each with the rows to see.

Knows nothing of how rows were dealt but the outcome: one byte per row, 0 train, 1 validation, 2 test, 255 left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mldesk.data.engine import identifier, literal
from mldesk.data.parts import part_paths
from mldesk.data.records import Cancelled
from mldesk.data.statistics.nearly_numbers import HINT, nearly_numbers
from mldesk.data.statistics.repeats import Hasher, Hashes, mixed, normal, runs
from mldesk.data.statistics.scan import Coder, batches, places_of, rows_of, whole_column
from mldesk.data.statistics.targeting import target_view
from mldesk.data.statistics.telling_rows import telling_rows
from mldesk.data.stopping import check_stopped, stoppable
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 255
NAMED = 1000          # rows of a finding that are named
TINY, SMALL = 30, 200  # test rows
FEW_OF_CLASS = 5      # test rows of a class below which nothing can be said about it
LOPSIDED = 0.95       # share of the most frequent class

Level = Literal["danger", "warning", "info"]
Membership = npt.NDArray[np.uint8]
Group = tuple[tuple[int, str], ...]  # rows from 0 that belong together, and the part of each
_PARTS = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
_IN_GROUP = 20         # rows of a group that are named
ID_WORD = re.compile(r"(^|[^a-z])(id|ids|key|uuid|guid|no|nr|index|idx|number|patient|customer|user|subject|session|"
                      r"person|client|member|household|account|device)($|[^a-z])|[a-z](Id|ID)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that the guard found."""

    kind: str                       # "duplicates", "near_copies", "contradictions", "leak", "identifier", "group",
    #                                 "text", "classes", "tiny_test", "time"
    level: Level                    # danger: the scores will be wrong; warning: they may be; info: worth knowing
    text: str                       # one sentence: what was found
    hint: str                       # one sentence: what to do
    columns: tuple[str, ...] = ()   # it is about these
    rows: tuple[int, ...] = ()      # to be seen, from 0, the first NAMED; rows of one group side by side
    groups: tuple[Group, ...] = ()  # of those rows, which are like which: (row, part) side by side
    count: int = 0                  # rows there are of that kind
    where: str | None = None        # the rows as an SQL condition, where there is one instead of ``rows``

    def to_json(self) -> dict[str, Any]:
        value = asdict(self)
        value["columns"], value["rows"] = list(self.columns), list(self.rows)
        value["groups"] = [[{"row": row, "part": part} for row, part in group] for group in self.groups]
        return value


def guard(store: ObjectStore, manifest: str, columns: Sequence[Column], target: str, features: Collection[str],
          membership: Membership, *, classes: bool, split: str, split_column: str | None = None,
          cancelled: Cancelled | None = None, scratch: Path | None = None) -> list[Concern]:
    """Return what is to be known before a model learns ``target`` from ``features``, the worst first.

    ``split`` is how the rows were dealt ("random", "group", "time", ...), by which column where there is one.
    Raises ImportCancelled soon after ``cancelled`` says so.
    """
    def work() -> list[Concern]:
        parts = part_paths(store, manifest)
        used = [column for column in columns if column.name in features and column.distinct > 0]
        found = [*_across(parts, used, target, membership, scratch),
                 *_leaks(parts, columns, used, target, membership, classes=classes),
                 *_identifiers(parts, columns, used), *_groups(parts, columns, target, membership, split, split_column),
                 *_sizes(membership, classes), *_time(columns, split)]
        looked = [column for column in columns if column.name in features or column.name == target]
        found += [Concern("text", "warning", near.found, HINT, (near.column,), (near.row,), count=1)
                  for near in nearly_numbers(parts, looked, scratch)]
        if classes:
            found += _classes(parts, columns, target, membership)
        order = {"danger": 0, "warning": 1, "info": 2}
        return sorted(found, key=lambda concern: order[concern.level])

    return stoppable(work, cancelled, "The check")


# Rows that are in more than one part

def _across(parts: Sequence[Path], used: Sequence[Column], target: str, membership: Membership,
            scratch: Path | None) -> list[Concern]:
    if not used:
        return []
    found = []
    usual = [column for column in used if not _unique_text(column, len(membership))] or list(used)
    with Hasher(parts, scratch) as hasher:
        asked = hasher.rows([identifier(column.name) for column in used])
        y = hasher.cells([identifier(target)])[0]
        with np.errstate(over="ignore"):
            whole = asked ^ (y * np.uint64(0x9E3779B97F4A7C15))
        same, groups = shared(whole, membership)
        if same:
            found.append(_shared("duplicates", same, groups, membership, "are copies of training rows, target and all",
                                 "Drop duplicates in a cleaning step before you train."))
        near, groups = shared(hasher.rows([normal(column) for column in usual]), membership, apart=whole)
        if near:
            found.append(_shared("near_copies", near, groups, membership,
                                 "are nearly copies of training rows: alike but for identifiers, spelling or the last "
                                 "digits", "Split by a group column that such rows share, or drop them.", soft=True))
        there = membership != LEFT_OUT
        other = mixed(np.where(there, asked, np.arange(len(asked), dtype=np.uint64)), np.where(there, y, 0))
        if other["rows"]:
            found.append(Concern(
                "contradictions", "warning" if other["rows"] > 0.05 * int(there.sum()) else "info",
                f"{other['rows']:,} rows are the same in every feature but differ in {_quoted(target)}: no model can "
                "tell them apart.", "Look whether a column is missing that tells them apart, or one label is wrong.",
                (target,), _flat(other["examples"]), _named(other["examples"], membership), other["rows"]))
    return found


def shared(hashes: Hashes, membership: Membership, apart: Hashes | None = None) -> tuple[int, tuple[Group, ...]]:
    """Return how many validation and test rows share their hash with a training row, and such rows with their twins.

    With ``apart`` only groups count in which that differs: what is the same altogether is told elsewhere.
    """
    order, begins, _sizes = runs(hashes)
    if not len(order):
        return 0, ()
    part = membership[order]
    learned = np.maximum.reduceat((part == TRAIN).astype(np.int8), begins)
    judged = (part == TEST) | (part == VALIDATION)
    counts = np.add.reduceat(judged.astype(np.int64), begins)
    hit = (learned > 0) & (counts > 0)
    if apart is not None:
        full = apart[order]
        hit &= np.minimum.reduceat(full, begins) != np.maximum.reduceat(full, begins)
    ends = np.append(begins[1:], len(order))
    groups: list[list[int]] = []
    named = 0
    for group in np.flatnonzero(hit):
        if named >= NAMED:
            break
        rows = order[begins[group]:ends[group]]
        rows = rows[membership[rows] != LEFT_OUT]
        learnt, other = rows[membership[rows] == TRAIN], rows[membership[rows] != TRAIN]
        some = np.sort(np.concatenate([learnt[:max(1, _IN_GROUP - len(other))], other[:_IN_GROUP - 1]]))
        groups.append(some.tolist())
        named += len(some)
    return int(counts[hit].sum()), _named(sorted(groups), membership)


def _named(groups: Sequence[Sequence[int]], membership: Membership) -> tuple[Group, ...]:
    return tuple(tuple((row, _PARTS.get(int(membership[row]), "left out")) for row in group) for group in groups)


def _shared(kind: str, count: int, groups: tuple[Group, ...], membership: Membership, words: str, hint: str, *,
            soft: bool = False) -> Concern:
    judged = int(((membership == TEST) | (membership == VALIDATION)).sum())
    share = count / max(1, judged)
    level: Level = "danger" if share >= 0.1 and not soft else "warning" if share >= 0.005 else "info"
    return Concern(kind, level, f"{count:,} of {judged:,} test and validation rows ({_percent(share)}) {words}.", hint,
                   rows=_rows(groups), groups=groups, count=count)


def _rows(groups: Sequence[Group]) -> tuple[int, ...]:
    return tuple(row for group in groups for row, _ in group)[:NAMED]


# Columns that say too much

def _leaks(parts: Sequence[Path], columns: Sequence[Column], used: Sequence[Column], target: str,
           membership: Membership, *, classes: bool) -> list[Concern]:
    looked = [column for column in columns if column.name == target] + list(used)
    view = target_view_of(parts, columns, looked, target, classes=classes)
    found = []
    for facts in view["columns"]:
        name, gone = facts["name"], facts["missing_power"]
        score = _score(facts["power"], classes)
        if facts["suspicion"] in ("leak", "strong"):
            telling = telling_rows(parts, columns, name, target, classes=classes)
            seen = {"rows": _flat(telling), "groups": _named(telling, membership) if classes else (),
                    "count": view["rows"]}
        if facts["suspicion"] == "leak":
            found.append(Concern(
                "leak", "danger", f"{_quoted(name)} alone as good as says what {_quoted(target)} is ({score}).",
                "Leave it out if it is known only after the fact; keep it if it really is there when you predict.",
                (name, target), **seen))
        elif facts["suspicion"] == "strong":
            found.append(Concern(
                "leak", "warning", f"{_quoted(name)} alone predicts {_quoted(target)} very well ({score}).",
                "Make sure that it is known before the target is.", (name, target), **seen))
        elif gone is not None and gone >= 0.9:
            found.append(Concern(
                "leak", "warning", f"Whether {_quoted(name)} is missing as good as says what {_quoted(target)} is.",
                "Find out why it is missing: it may be filled in only for one outcome.", (name, target),
                where=f"{identifier(name)} IS NULL", count=view["rows"]))
    return found


def target_view_of(parts: Sequence[Path], columns: Sequence[Column], looked: Sequence[Column], target: str, *,
                   classes: bool) -> dict[str, Any]:
    """Return ``targeting.target_view`` of some of the columns only."""
    names = {column.name for column in looked}
    hidden = [column if column.name in names else Column(column.name, column.type, column.missing, 0)
              for column in columns]
    return target_view(parts, hidden, target, classes=classes)


def _score(power: float, classes: bool) -> str:
    return f"ROC AUC {(1 + power) / 2:.3f}" if classes else f"R² {power:.3f}"


def _identifiers(parts: Sequence[Path], columns: Sequence[Column], used: Sequence[Column]) -> list[Concern]:
    rows, places, found = rows_of(parts), places_of(columns), []
    for column in used:
        check_stopped()
        filled = rows - column.missing
        if column.type is not ColumnType.INTEGER or filled < 20 or column.distinct < filled:
            named = column.type is ColumnType.TEXT and _unique_text(column, rows)
            if not named:
                continue
            found.append(Concern(
                "identifier", "info", f"Nearly every row has its own {_quoted(column.name)}; it is not learned from "
                "unless it reads as text.", "Leave it out, or extract what it is made of.", (column.name,),
                count=filled))
        elif ID_WORD.search(column.name) or _runs_on(whole_column(parts, places[column.name], column.type)):
            found.append(Concern("identifier", "warning", f"{_quoted(column.name)} numbers the rows: every row has its "
                                 "own.", "Leave it out; a model would learn the order of the file by heart.",
                                 (column.name,), count=filled))
    return found


def _unique_text(column: Column, rows: int) -> bool:
    return column.type is ColumnType.TEXT and rows >= 20 and column.distinct >= 0.98 * (rows - column.missing) > 0


def _runs_on(values: npt.NDArray[np.float64]) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 1 and float(known.max() - known.min()) < 1.05 * len(known)


# Rows that belong together

def _groups(parts: Sequence[Path], columns: Sequence[Column], target: str, membership: Membership, split: str,
            split_column: str | None) -> list[Concern]:
    if split in ("group", "column", "given"):
        return []
    rows, places, found = len(membership), places_of(columns), []
    for column in columns:
        filled = rows - column.missing
        if column.name in (target, split_column) or not ID_WORD.search(column.name) or filled < 0.9 * rows or \
                column.type not in (ColumnType.TEXT, ColumnType.INTEGER) or not 10 <= column.distinct <= filled / 1.5:
            continue
        check_stopped()
        coder = Coder()
        codes = np.concatenate([coder.codes(batch.column(0)) for batch in batches(parts, [places[column.name]])])
        there = codes >= 0
        hashes = np.where(there, codes.astype(np.uint64) + 1, np.arange(rows, dtype=np.uint64) + np.uint64(1 << 40))
        count, alike = shared(hashes, membership)
        if count and not _running(codes, coder.values, column):
            found.append(Concern(
                "group", "warning", f"{count:,} test and validation rows have a {_quoted(column.name)} that training "
                "rows have, too.", f"If rows of one {_quoted(column.name)} belong together, split by it "
                f"(--split group --split-column {column.name!r}).", (column.name,), _rows(alike), alike, count))
    return found


def _running(codes: npt.NDArray[np.int64], values: Sequence[Any], column: Column) -> bool:
    """Say whether a column counts rows and begins anew (sample 1, 2, 3, 1, 2, ...): rows of one number share nothing.

    It does if most rows have one more than the row before; or, in whatever order, if its values are 1 to n and each is
    there no more often than the one before it, but not all equally often, as every series has a 1 and few are long.
    """
    if column.type is not ColumnType.INTEGER:
        return False
    numbers = np.array([int(value) for value in values], np.int64)
    told = numbers[codes[codes >= 0]]
    if (np.diff(told) == 1).mean() >= 0.8:
        return True
    counts = np.bincount(codes[codes >= 0], minlength=len(numbers))[np.argsort(numbers)]
    dense = int(numbers.min()) in (0, 1) and int(numbers.max() - numbers.min()) == len(numbers) - 1
    return dense and bool((np.diff(counts) <= 0).all()) and int(counts[0]) > int(counts[-1])


def _time(columns: Sequence[Column], split: str) -> list[Concern]:
    dated = [column.name for column in columns
             if column.type in (ColumnType.DATE, ColumnType.DATETIME) and column.distinct > 10]
    if not dated or split in ("time", "column", "given"):
        return []
    return [Concern("time", "info", f"The rows are dated ({_quoted(dated[0])}), but the test rows are not the latest.",
                    f"If the model is to predict what comes, split by time (--split time --split-column {dated[0]!r}).",
                    (dated[0],))]


# Sizes

def _sizes(membership: Membership, classes: bool) -> list[Concern]:
    test = int((membership == TEST).sum())
    if test >= SMALL:
        return []
    width = 0.98 / math.sqrt(max(1, test))  # half of a 95 % interval of a share near one half, by the normal curve
    rough = f"an accuracy is good to about ±{_percent(width)}" if classes else "a score of them is rough"
    rows = tuple(int(row) for row in np.flatnonzero(membership == TEST))
    if test < TINY:
        return [Concern("tiny_test", "warning", f"Only {test} rows are in the test part: {rough}.",
                        "Use more rows, or k-fold cross-validation (--folds 5).", rows=rows, count=test)]
    return [Concern("tiny_test", "info", f"{test} rows are in the test part: {rough}.",
                    "K-fold cross-validation (--folds 5) scores on every row.", rows=rows, count=test)]


def _classes(parts: Sequence[Path], columns: Sequence[Column], target: str, membership: Membership) -> list[Concern]:
    coder = Coder()
    codes = np.concatenate([coder.codes(batch.column(0)) for batch in batches(parts, [places_of(columns)[target]])])
    counts = np.array([np.bincount(codes[(codes >= 0) & (membership == part)], minlength=len(coder.values))
                       for part in (TRAIN, VALIDATION, TEST)])
    total, found = counts.sum(0), []
    if not total.sum():
        return []
    most = int(total.argmax())
    share = float(total[most] / total.sum())
    if share >= LOPSIDED:
        rest = int(total.sum() - total[most])
        found.append(Concern("classes", "warning", f"{_percent(share)} of the rows are {_value(coder.values[most])}: a "
                             "model that always says so has that accuracy.",
                             "Judge by balanced accuracy or average precision, and weigh the classes.", (target,),
                             count=rest, where=_other(target, coder.values[most])))
    for part, words in ((0, "training"), (2, "test")):
        absent = [code for code in np.flatnonzero(total).tolist() if counts[part, code] == 0]
        if absent:
            found.append(_class_concern("danger" if part == 0 else "warning", absent, coder, total, target,
                                        f"no {words} row is", "Stratify the split, or leave such rows out."))
    few = [code for code in np.flatnonzero(total).tolist() if 0 < counts[2, code] < FEW_OF_CLASS]
    if few:
        found.append(_class_concern("warning" if len(few) > len(coder.values) / 2 else "info", few, coder, total,
                                    target, f"fewer than {FEW_OF_CLASS} test rows are",
                                    "What is said about such classes is chance; gather more of them, or merge them."))
    return found


def _class_concern(level: Level, codes: Sequence[int], coder: Coder, total: Any, target: str, words: str,
                   hint: str) -> Concern:
    values = [coder.values[code] for code in codes]
    named = ", ".join(_value(value) for value in values[:5]) + (f" and {len(values) - 5} more" if values[5:] else "")
    text = f"{words[0].upper()}{words[1:]} {named}."
    where = " OR ".join(f"{identifier(target)} = {_sql(value)}" for value in values[:50])
    return Concern("classes", level, text, hint, (target,), count=int(sum(total[code] for code in codes)), where=where)


def _other(target: str, value: Any) -> str:
    return f"{identifier(target)} <> {_sql(value)}"


def _sql(value: Any) -> str:
    return literal(value if isinstance(value, (bool, int, float)) else str(value))


def _value(value: Any) -> str:
    return _quoted(str(value))


def _quoted(name: str) -> str:
    return f"“{name[:60]}”"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "under 0.1 %"


def _flat(groups: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(row for group in groups for row in group)[:NAMED]
