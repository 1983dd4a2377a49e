"""What the names of several files have in common, as a rule for those that come. Standard library only.

Names are cut into runs of digits, runs of letters and single signs. Where all are cut alike, what is the same stays,
what changes is digits of a date, other digits, or one word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from mldesk.data.contracts.contract import NameRule

_PIECE = re.compile(r"\d+|[^\W\d_]+|[\W_]")
_SAMPLE = datetime(2023, 12, 25, 11, 22, 33)   # noqa: DTZ001 - to see how long a form's parts are
_SIGNS = ("-", "_", ".")
# In the order of preference; what stands together is one choice, and where two of its forms fit none is taken.
_FORMS: tuple[tuple[str, ...], ...] = (
    ("%Y%m%dT%H%M%S",), ("%Y%m%d_%H%M%S",), ("%Y%m%d-%H%M%S",),
    *((f"%Y{sign}%m{sign}%d",) for sign in _SIGNS),
    *((f"%d{sign}%m{sign}%Y", f"%m{sign}%d{sign}%Y") for sign in _SIGNS),
    ("%Y%m%d%H%M%S",), ("%Y%m%d%H%M",), ("%Y%m%d",), ("%d%m%Y", "%m%d%Y"),
    *((f"%Y{sign}%m",) for sign in _SIGNS), *((f"%m{sign}%Y",) for sign in _SIGNS), ("%Y%m",), ("%Y",))
_YEARS = range(1970, 2100)


def infer_name(names: Sequence[str]) -> NameRule | None:
    """Return the rule that all names of files keep; None where there is one name only, or they show no pattern."""
    cut = [_PIECE.findall(name) for name in sorted(set(names))]
    if len(cut) < 2 or len({tuple(map(_kind, pieces)) for pieces in cut}) > 1:
        return None
    said, dates, words, place, capitals = list[str](), dict[str, str](), 0, 0, False
    while place < len(cut[0]):
        form, many = _date(cut, place)
        there = [pieces[place] for pieces in cut]
        if form:
            group = _free(form, dates)
            said.append(f"(?P<{group}>{_of_form(form)})")
            dates[group] = form
        elif len({piece.casefold() for piece in there}) == 1:
            said.append(re.escape(there[0]))
            capitals |= len(set(there)) > 1
        elif there[0].isdigit():
            said.append(_digits(there))
        else:
            said.append("[^0-9_.-]+")
            words += 1
        place += many
    kept = sum(piece.isalpha() for piece in cut[0][:-1]) - words
    if words > 1 or (words and not kept) or "".join(said) == re.escape("".join(cut[0])):
        return None
    return NameRule("".join(said), ignore_case=capitals, dates=dates)


def _kind(piece: str) -> str:
    return "digits" if piece.isdigit() else "letters" if piece.isalpha() else piece


def _date(cut: Sequence[Sequence[str]], place: int) -> tuple[str, int]:
    """Return how the dates are written that all names have at a place, and of how many pieces; "" and 1 for none."""
    for choice in _FORMS:
        like = _PIECE.findall(_SAMPLE.strftime(choice[0]))
        there = [pieces[place:place + len(like)] for pieces in cut]
        if all(_alike(pieces, like) for pieces in there) and len({tuple(pieces) for pieces in there}) > 1:
            fitting = [form for form in choice if all(_reads("".join(pieces), form) for pieces in there)]
            if len(fitting) == 1:
                return fitting[0], len(like)
    return "", 1


def _alike(pieces: Sequence[str], like: Sequence[str]) -> bool:
    return len(pieces) == len(like) and all(
        len(piece) == len(other) if other.isdigit() and piece.isdigit() else piece == other
        for piece, other in zip(pieces, like, strict=True))


def _reads(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year in _YEARS  # noqa: DTZ007 - a date of its own, in no zone
    except ValueError:
        return False


def _of_form(form: str) -> str:
    """Return the pattern of dates that are written in a form."""
    return "".join(rf"\d{{{len(piece)}}}" if piece.isdigit() else re.escape(piece)
                   for piece in _PIECE.findall(_SAMPLE.strftime(form)))


def _digits(there: Sequence[str]) -> str:
    """Return the pattern of numbers: of one length where they are filled up with noughts."""
    same = len({len(piece) for piece in there}) == 1 and any(piece[0] == "0" and piece != "0" for piece in there)
    return rf"\d{{{len(there[0])}}}" if same else r"\d+"


def _free(form: str, taken: dict[str, str]) -> str:
    kind = "moment" if "%H" in form else "day" if "%d" in form else "month" if "%m" in form else "year"
    return next(name for name in (kind, *(f"{kind}{number}" for number in range(2, 99))) if name not in taken)
