"""Which rounds of a boosting fit are drawn: looking at all training rows costs half a round's time."""

from __future__ import annotations

_SHARE = 4    # a fourth more rounds between one look and the next ...
_MOST = 25    # ... and no more than so many


def is_drawn(round_: int) -> bool:
    """Say whether the losses after a round, counted from 1 in this fit, are drawn: each at first, then ever fewer.

    Training and validation loss are drawn for the same rounds, so that their distance can be read off anywhere.
    """
    at = 1
    while at < round_ and at // _SHARE < _MOST:
        at += max(1, at // _SHARE)
    return at == round_ or (at < round_ and (round_ - at) % _MOST == 0)
