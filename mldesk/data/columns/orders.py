"""Whether day or month comes first: told for each spelling of a column's dates by that spelling's own values.

A day above 12 proves an order. What proves none is open: the user's word decides it, or the other columns, or it is a
guess, which is said. Values that prove both orders are never read both ways.
"""

from __future__ import annotations

from mldesk.data.columns.spellings import DatesSeen, Spelling
from mldesk.data.options import MARKS
from mldesk.data.records import Fix, Problems

Orders = tuple[tuple[str, str], ...]   # (mark, "dmy" or "mdy")
IN_WORDS = {"dmy": "day before the month", "mdy": "month before the day"}


def orders_of(dates: DatesSeen, told: bool | None, others: bool | None, known: Orders = ()) -> Orders:
    """Return for each mark the order of its dates. ``told`` is whether the user says that the day comes first, and
    ``others`` what the other columns say; None for nothing. ``known`` is what the column was read by before."""
    if dates.told is not None:
        return ()
    return tuple((mark, _order(dates.marks.get(mark, Spelling()), told, others, dict(known).get(mark)))
                 for mark in MARKS)


def known_first(dates: DatesSeen, known: Orders) -> bool | None:
    """Return whether the day comes first by what is ``known``; None where that is silent about the column's marks."""
    found = {order for mark, order in known if mark in dates.marks}
    return None if len(found) != 1 or not set(dates.marks) <= {mark for mark, _ in known} else found == {"dmy"}


def _order(seen: Spelling, told: bool | None, others: bool | None, known: str | None) -> str:
    if bool(seen.day) != bool(seen.month):
        return "dmy" if seen.day else "mdy"
    if told is not None:
        return "dmy" if told else "mdy"
    if seen.day:
        return "dmy" if seen.day >= seen.month else "mdy"
    if known is not None:
        return known
    return "mdy" if others is False else "dmy"


def say_orders(dates: DatesSeen, orders: Orders, name: str, told: bool | None, others: bool | None,
               problems: Problems, known: Orders = ()) -> None:
    """Say which spellings of a column leave the order open, and which contradict themselves."""
    for mark, order in orders:
        seen = dates.marks.get(mark)
        if seen is None:
            continue
        other = "mdy" if order == "dmy" else "dmy"
        fix = Fix(f"Read dates that leave it open with the {IN_WORDS[other]}", {"dates": other})
        if seen.day and seen.month:
            unread = seen.month if order == "dmy" else seen.day
            problems.add("guesses", f"The dates with {mark!r} in {name!r} contradict each other: the day is first in "
                         f"{seen.day:,}, as in {seen.day_example!r}, the month in {seen.month:,}, as in "
                         f"{seen.month_example!r}; they were read with the {IN_WORDS[order]}, and "
                         f"{unread:,} became missing.",
                         column=name, fix=fix)
        elif seen.open and not seen.day and not seen.month and told is None and mark not in dict(known):
            why = "as in the other columns" if others is not None else "which is a guess"
            problems.add("guesses", f"The dates with {mark!r} in {name!r} ({seen.open:,}) do not tell day from month; "
                         f"they were read with the {IN_WORDS[order]}, {why}.", column=name, fix=fix)


def say_carried(dates: DatesSeen, order: str, name: str, kind: str, told: bool | None, problems: Problems) -> None:
    """Say which spellings of a column that is read in one order leave it open, while another one proves it."""
    if (told is not None and told == (order == "dmy")) or not any(one.day or one.month for one in dates.marks.values()):
        return
    other = "mdy" if order == "dmy" else "dmy"
    for mark, seen in dates.marks.items():
        if seen.open and not seen.day and not seen.month:
            problems.add("guesses", f"The dates with {mark!r} in {name!r} ({seen.open:,}) do not tell day from month; "
                         f"they were read with the {IN_WORDS[order]}, as the others of this column have it.",
                         column=name, fix=Fix(f"Read dates that leave it open with the {IN_WORDS[other]}",
                                              {"types": [[name, kind]], "dates": other}))


def contradiction(dates: DatesSeen) -> str:
    """Return what contradicts itself in a column's dates, in words; "" for nothing."""
    for mark, seen in dates.marks.items():
        if seen.day and seen.month:
            return (f"of those with {mark!r} the day is first in {seen.day:,}, as in {seen.day_example!r}, the month "
                    f"in {seen.month:,}, as in {seen.month_example!r}")
    return ""
