"""Dealing rows into training, validation and test parts; the outcome is stored by membership, one byte per row."""

from __future__ import annotations

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.roles import missing
from mldesk.training.target import Target
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.training.windows import windows
from mldesk.wire.jobs import BY_COLUMN, SPLITS, SplitRequest

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 255
PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
MOST_FOLDS = 50
_TENTHS = 10       # parts of a target of numbers that "stratified" deals alike
_DRAWS = 20        # of groups, of which the fairest is taken
_WORDS = {"train": TRAIN, "training": TRAIN, "learn": TRAIN, "validation": VALIDATION, "valid": VALIDATION,
          "val": VALIDATION, "dev": VALIDATION, "eval": VALIDATION, "test": TEST, "testing": TEST, "holdout": TEST,
          "0": TRAIN, "1": VALIDATION, "2": TEST, "false": TRAIN, "true": TEST}


def make_split(target: Target, request: SplitRequest, given: bytes | None = None,
               by: ColumnData | None = None, *, unlearned: bool = False) -> Array:
    """Return each row's part, (rows,) uint8.

    Parts are drawn from ``request.seed`` alone; every class keeps at least one row for training where rows are drawn
    by themselves. ``given`` is the content of ``request.membership``, ``by`` the values of ``request.column``: rows
    without a target, time or part are left out. A validation part is drawn as the test part is, unless the rows have
    one. With folds, the test part is the first fold; with ``request.same_test``, and by time, all is as it would be
    without them.

    Raises BadInput for impossible shares, or a membership or column that does not fit; for a class without a training
    row unless ``unlearned`` says that it is to be seen.
    """
    if request.folds and not _same_test(request):
        return fold_split(target, request, make_folds(target, request, by), 0, by, unlearned=unlearned)
    membership = _begin(target, request, by)
    draw = np.random.default_rng(request.seed)
    if request.method == "given":
        membership = _given(target, given)
    elif request.method == "column":
        membership = _told(target, request, by)
    else:
        _deal(membership, TEST, request.test_size, target, request, draw, by)
    return _finished(membership, target, request, draw, by, unlearned=unlearned)


def own_validation(target: Target, request: SplitRequest, given: bytes | None = None,
                   by: ColumnData | None = None) -> bool:
    """Say whether the split names its validation rows, or has the latest; else they are drawn, and other draws are as
    good. Arguments and errors are those of ``make_split``.
    """
    if request.method in ("given", "column"):
        named = _given(target, given) if request.method == "given" else _told(target, request, by)
        return bool((named == VALIDATION).any())
    return request.method == "time"


def make_folds(target: Target, request: SplitRequest, by: ColumnData | None = None) -> Array:
    """Return each row's fold, (rows,) uint8 from 0, LEFT_OUT where the row has no target or time. Raises BadInput.

    By time the first fold is the latest, each other one lies before the one before it, and the earliest rows, which
    are learnt from and never tested, have the number after the last fold's.
    """
    count = request.folds
    if not 2 <= count <= MOST_FOLDS:
        raise BadInput(f"{count} folds cannot be made; from 2 to {MOST_FOLDS} can.", hint="5 is usual.")
    if request.method in ("column", "given"):
        raise BadInput(f"Rows that are split by {request.method} cannot be dealt into folds.",
                       hint="Use folds with random, stratified, shuffle, group or time.")
    begun = _begin(target, request, by)
    folds = np.full(len(target.y), LEFT_OUT, np.uint8)
    rows = np.flatnonzero(begun == TRAIN)
    if _same_test(request):
        _deal(begun, TEST, request.test_size, target, request, np.random.default_rng(request.seed), by)
        rest = np.flatnonzero(begun == TRAIN)
        folds[begun == TEST] = 0
        folds[rest] = 1 + (_before(rest, count, by, len(rows) - len(rest)) if request.method == "time" else _folded(
            rest, count - 1, target, request, np.random.default_rng([request.seed, count]), by))
    else:
        folds[rows] = _folded(rows, count, target, request, np.random.default_rng(request.seed), by)
    if len(np.unique(folds[rows])) < count:
        raise BadInput(f"There are not enough rows or groups for {count} folds.", hint="Ask for fewer.")
    return folds


def _folded(rows: Array, count: int, target: Target, request: SplitRequest, draw: np.random.Generator,
            by: ColumnData | None) -> Array:
    """Return the fold of each of ``rows``, from 0 to ``count`` - 1, all of them about as large."""
    if request.method == "group":
        groups = group_codes(by, rows)
        sizes = np.bincount(groups)
        filled, place = np.zeros(count), np.zeros(len(sizes), np.int64)
        order = draw.permutation(len(sizes))
        for group in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, to the emptiest fold
            place[group] = int(filled.argmin())
            filled[place[group]] += sizes[group]
        return place[groups]
    found, begin = np.zeros(len(target.y), np.int64), 0
    for stratum in _strata(target, request, rows):
        found[draw.permutation(stratum)] = (begin + np.arange(len(stratum))) % count
        begin += len(stratum)  # so that small classes do not all fill the first fold
    return found[rows]


def _before(rows: Array, count: int, by: ColumnData | None, tested: int) -> Array:
    """Return the window of each of ``rows``, which come before the test part, of ``tested`` rows: as long as that one,
    unless less would be left to learn the first from.
    """
    if by is None or isinstance(by, TextColumn):   # for the type checker: ``_begin`` has refused it
        return np.zeros(len(rows), np.int64)
    found = windows(by[rows], count - 1, min(tested, len(rows) // count))
    if found is None:
        raise BadInput(f"There are not enough different times for {count} folds.", hint="Ask for fewer.")
    return found


def _same_test(request: SplitRequest) -> bool:
    """Say whether the first fold is the test part that there would be without folds: the latest rows always are."""
    return request.same_test or request.method == "time"


def fold_split(target: Target, request: SplitRequest, folds: Array, fold: int, by: ColumnData | None = None, *,
               unlearned: bool = False) -> Array:
    """Return the membership whose test part is one fold; by time nothing is learnt from later rows. Raises BadInput."""
    membership = np.where(folds == LEFT_OUT, LEFT_OUT, np.where(folds == fold, TEST, TRAIN)).astype(np.uint8)
    if request.method == "time":
        membership[folds < fold] = LEFT_OUT
    return _finished(membership, target, request, np.random.default_rng([request.seed, fold]), by, unlearned=unlearned)


def _begin(target: Target, request: SplitRequest, by: ColumnData | None) -> Array:
    """Check the request; return every row that can be used as a training row."""
    for name, share in (("test_size", request.test_size), ("validation_size", request.validation_size)):
        if not 0 < share < 1:
            raise BadInput(f"{name} cannot be {share:g}: it is a share between 0 and 1.", hint="0.2 is a fifth.")
    if request.method not in SPLITS:
        raise BadInput(f"There is no way to split called {request.method!r:.40}.", hint=f"Use {', '.join(SPLITS)}.")
    if request.method in BY_COLUMN and by is None:
        raise BadInput(f"To split by {request.method} a column must be named.", hint="Name it with --split-column.")
    membership = np.full(len(target.y), LEFT_OUT, np.uint8)
    membership[target.usable] = TRAIN
    if request.method == "time" and by is not None:
        if isinstance(by, TextColumn):
            raise BadInput(f"The column {request.column!r:.80} holds text, which has no order in time.",
                           hint="Choose a date, or cast the column to one.")
        membership[missing(by)] = LEFT_OUT
    return membership


def _finished(membership: Array, target: Target, request: SplitRequest, draw: np.random.Generator,
              by: ColumnData | None, *, unlearned: bool) -> Array:
    if not (membership == VALIDATION).any():
        _deal(membership, VALIDATION, request.validation_size, target, request, draw, by)
    return _checked(membership, target, unlearned=unlearned)


def _deal(membership: Array, part: int, share: float, target: Target, request: SplitRequest,
          draw: np.random.Generator, by: ColumnData | None) -> None:
    """Move a share of the training rows to ``part``, as the request's method has it."""
    rows = np.flatnonzero(membership == TRAIN)
    if not len(rows):
        return
    if request.method == "time" and by is not None and not isinstance(by, TextColumn):
        membership[_latest(rows, by, share)] = part
    elif request.method == "group":
        membership[_some_groups(rows, group_codes(by, rows), share, target, draw)] = part
    else:
        _deal_strata(membership, part, share, rows, _strata(target, request, rows), draw)


def _strata(target: Target, request: SplitRequest, rows: Array) -> list[Array]:
    """Return the rows in the groups that get the same shares each."""
    if request.method == "shuffle":
        return [rows]
    if target.classes:
        # As they sort, whatever order was given: a run that knows it is tested on the rows of one that does not.
        codes = sorted(range(len(target.classes)), key=target.classes.__getitem__)
        return [rows[target.y[rows] == code] for code in codes]
    if request.method == "stratified":
        edges = np.unique(np.quantile(target.y[rows], np.linspace(0, 1, _TENTHS + 1)[1:-1]))
        tenth = np.searchsorted(edges, target.y[rows], side="right")
        return [rows[tenth == code] for code in range(len(edges) + 1)]
    return [rows]


def _deal_strata(membership: Array, part: int, share: float, rows: Array, groups: list[Array],
                 draw: np.random.Generator) -> None:
    """Move a share of the rows, drawn at random, to ``part``; at least one, of each group alike."""
    exact = np.array([len(group) * share for group in groups])
    take = np.floor(exact).astype(np.int64)
    room = np.maximum([len(group) - 1 for group in groups], 0)
    wanted = max(1, round(len(rows) * share))
    for index in np.argsort(-(exact - take), kind="stable"):  # the largest remainders first
        if take.sum() < wanted and take[index] < room[index]:
            take[index] += 1
    for group, count in zip(groups, np.minimum(take, room), strict=True):
        membership[draw.permutation(group)[:count]] = part


def _latest(rows: Array, by: Array, share: float) -> Array:
    """Return the latest share of the rows; those of one moment stay together."""
    moments = by[rows].astype(np.int64) if by.dtype.kind == "M" else by[rows]
    ordered = np.sort(moments)
    first = ordered[min(len(rows) - 1, len(rows) - max(1, round(len(rows) * share)))]
    latest: Array = rows[moments >= first]
    if len(latest) == len(rows):  # all of them at the earliest moment or later: keep that one to learn from
        latest = rows[moments > first]
    return latest


def group_codes(by: ColumnData | None, rows: Array) -> Array:
    """Return the group of each of ``rows``, from 0; a row whose group is missing is one of its own."""
    if by is None:  # for the type checker: ``_begin`` has refused it
        return np.arange(len(rows))
    gaps = missing(by)[rows]
    values = by.codes[rows].astype(np.int64) if isinstance(by, TextColumn) else by[rows]
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    codes[gaps] = len(rows) + np.arange(int(gaps.sum()))
    found: Array = np.unique(codes, return_inverse=True)[1]
    return found


def _some_groups(rows: Array, groups: Array, share: float, target: Target, draw: np.random.Generator) -> Array:
    """Return the rows of some whole groups, near a share of all; of several draws the one whose classes fit best."""
    sizes = np.bincount(groups)
    if len(sizes) < 2:
        raise BadInput("All rows are in one group, so no group can be kept aside.",
                       hint="Choose a column with more values, or split at random.")
    wanted = max(1, round(len(rows) * share))
    best, error = np.empty(0, np.int64), np.inf
    classes = max(1, len(target.classes))
    y = target.y[rows] if target.classes else np.zeros(len(rows), np.int64)
    whole = np.bincount(y, minlength=classes)
    for _ in range(_DRAWS):
        chosen: list[int] = []
        filled = 0
        for group in draw.permutation(len(sizes)).tolist():
            if len(chosen) < len(sizes) - 1 and abs(filled + sizes[group] - wanted) < abs(filled - wanted):
                chosen.append(group)
                filled += sizes[group]
        taken = np.isin(groups, chosen or [int(sizes.argmin())])
        counts = np.bincount(y[taken], minlength=classes)
        off = float(np.abs(counts - whole * share).sum()) + len(rows) * int(((whole - counts == 0) & (whole > 0)).sum())
        if off < error:
            best, error = rows[taken], off
    return best


def _told(target: Target, request: SplitRequest, by: ColumnData | None) -> Array:
    """Return the parts that a column names."""
    if by is None or (not isinstance(by, TextColumn) and by.dtype.kind == "M"):
        raise BadInput(f"The column {request.column!r:.80} names no parts.",
                       hint="It must hold train, validation and test.")
    membership = np.full(len(target.y), LEFT_OUT, np.uint8)
    if isinstance(by, TextColumn):
        known = {value: _WORDS[value.strip().casefold()] for value in by.values if value.strip().casefold() in _WORDS}
        used = [by.values[code] for code in np.flatnonzero(by.counts())]
        strange = [value for value in used if value not in known]
        membership[:] = by.map(known, LEFT_OUT, LEFT_OUT)
    else:
        known_numbers = np.isin(by, (0.0, 1.0, 2.0))
        strange = [f"{value:g}" for value in np.unique(by[~known_numbers & ~missing(by)])]
        only = set(np.unique(by[known_numbers]).tolist()) <= {0.0, 1.0}  # 1 is the test part where there is no 2
        membership[known_numbers] = np.where(by[known_numbers] == 0, TRAIN, np.where(
            by[known_numbers] == 2, TEST, TEST if only else VALIDATION))
    if strange:
        named = ", ".join(f"“{str(value)[:30]}”" for value in strange[:3])
        raise BadInput(f"The column {request.column!r:.80} holds {named}, which names no part.",
                       hint="Write train, validation or test; leave it empty for rows that are not to be used.")
    membership[~target.usable] = LEFT_OUT
    return membership


def _given(target: Target, given: bytes | None) -> Array:
    if given is None or len(given) != len(target.y):
        raise BadInput(f"The given split is for {len(given or b'')} rows, but the table has {len(target.y)}.",
                       hint="Use a split that was made for this very dataset version.")
    membership = np.frombuffer(given, np.uint8).copy()
    if not np.isin(membership, (TRAIN, VALIDATION, TEST, LEFT_OUT)).all():
        raise BadInput("The given split holds a byte that is no part.",
                       hint="Bytes are 0 train, 1 validation, 2 test, 255 left out.")
    membership[~target.usable] = LEFT_OUT
    return membership


def _checked(membership: Array, target: Target, *, unlearned: bool) -> Array:
    for name, part in PARTS.items():
        if not (membership == part).any():
            raise BadInput(f"The split leaves no row for the {name} part.",
                           hint="Choose another test size, or add rows.")
    if target.classes and not unlearned:
        absent = np.flatnonzero(target.counts(membership == TRAIN) == 0)
        if len(absent):
            label = target.classes[int(absent[0])]
            raise BadInput(f"No training row is “{str(label)[:80]}”: this split puts all such rows into other parts, "
                           "so it cannot be learned.", hint="Split another way, or with another seed, or leave those "
                           "rows out of the table.")
    return membership
