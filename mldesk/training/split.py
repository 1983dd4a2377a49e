"""Dealing rows into training, validation and test parts; the outcome is stored by membership, one byte per row."""

from __future__ import annotations

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.target import Target
from mldesk.training.values import Array
from mldesk.wire.jobs import SplitRequest

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 255
PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


def make_split(target: Target, request: SplitRequest, given: bytes | None = None) -> Array:
    """Return each row's part, (rows,) uint8.

    Random parts are drawn from ``request.seed`` alone; for classification every class is dealt in the same shares, and
    keeps at least one row for training. ``given`` is the content of ``request.membership``: rows without a target are
    taken out of it, and a validation part is drawn from its training rows if it has none.

    Raises BadInput for impossible shares, or a given membership that does not fit.
    """
    for name, share in (("test_size", request.test_size), ("validation_size", request.validation_size)):
        if not 0 < share < 1:
            raise BadInput(f"{name} cannot be {share:g}: it is a share between 0 and 1.", hint="0.2 is a fifth.")
    draw = np.random.default_rng(request.seed)
    if request.method == "given":
        membership = _given(target, given)
    elif request.method == "random":
        membership = np.full(len(target.y), LEFT_OUT, np.uint8)
        membership[target.usable] = TRAIN
        _deal(membership, TEST, request.test_size, target, draw)
    else:
        raise BadInput(f"There is no way to split called {request.method!r:.40}.", hint="Use random or given.")
    if not (membership == VALIDATION).any():
        _deal(membership, VALIDATION, request.validation_size, target, draw)
    return _checked(membership, target)


def _deal(membership: Array, part: int, share: float, target: Target, draw: np.random.Generator) -> None:
    """Move a share of the training rows, drawn at random, to ``part``; at least one, of each class alike."""
    rows = np.flatnonzero(membership == TRAIN)
    groups = [rows[target.y[rows] == code] for code in range(len(target.classes))] or [rows]
    exact = np.array([len(group) * share for group in groups])
    take = np.floor(exact).astype(np.int64)
    room = np.maximum([len(group) - 1 for group in groups], 0)
    wanted = max(1, round(len(rows) * share))
    for index in np.argsort(-(exact - take), kind="stable"):  # the largest remainders first
        if take.sum() < wanted and take[index] < room[index]:
            take[index] += 1
    for group, count in zip(groups, np.minimum(take, room), strict=True):
        membership[draw.permutation(group)[:count]] = part


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


def _checked(membership: Array, target: Target) -> Array:
    for name, part in PARTS.items():
        if not (membership == part).any():
            raise BadInput(f"The split leaves no row for the {name} part.",
                           hint="Choose another test size, or add rows.")
    if target.classes:
        unlearned = np.flatnonzero(target.counts(membership == TRAIN) == 0)
        if len(unlearned):
            label = target.classes[int(unlearned[0])]
            raise BadInput(f"No training row of the given split is “{str(label)[:40]}”, so it cannot be learned.",
                           hint="Use another split, or leave those rows out of the table.")
    return membership
