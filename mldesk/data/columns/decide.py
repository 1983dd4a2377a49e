"""From what was seen of each column to its type, with a word to the user wherever it was not plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mldesk.data.columns.guess import ColumnGuess
from mldesk.data.columns.missing import IN_TYPED, MARKERS
from mldesk.data.columns.orders import Orders, contradiction, known_first, orders_of, say_carried, say_orders
from mldesk.data.options import Reading
from mldesk.data.records import Fix, ImportOptions, Problems
from mldesk.wire.schema import ColumnType

_NEARLY_NUMBERS = 0.8  # share of numbers in a text column from which a remark is due
_NEARLY_DATES = 0.5
# Finds the first value of a column that does not fit a group: (column index, group, markers) -> (line, text).
FORCED = "forced"          # the user chose the type; what does not fit it becomes missing
MONEY = "money"            # every value has one and the same currency sign, which is taken off
PERCENT = "percent"        # the same of a percent sign
_TEXT = (ColumnType.TEXT, "text")
_GUESS = 0.5               # confidence in what was read in one of two possible ways
Locate = Callable[[int, str, frozenset[str]], "tuple[int | None, str] | None"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The type of a column, how its text is read, and which texts are missing values."""

    type: ColumnType
    form: str                   # a name of FORMS; "text" to take it as it is; FORCED to read what can be read
    missing: frozenset[str]
    confidence: float = 1.0     # 0 to 1: how sure the type and its reading are
    reading: Reading = field(default_factory=Reading)   # that a FORCED one goes by
    learnt: Reading = field(default_factory=Reading, compare=False)  # what other files leave open is read by
    beside: bool = False        # the texts are kept as well, since another type was expected than they seem to have
    spelled: Orders = field(default=(), compare=False)  # a forced column's dates: mark or "", and form


def markers(options: ImportOptions) -> frozenset[str]:
    """Return the texts that are missing values in every column."""
    return MARKERS | {text.strip() for text in options.missing}


def decide(guesses: Sequence[ColumnGuess], names: Sequence[str], options: ImportOptions, problems: Problems,
           locate: Locate) -> list[Decision]:
    """Decide every column's type. Columns that are sure of their dates and decimals speak for those that are not."""
    always = markers(options)
    told = options.reads_day_first
    others = _day_first(guesses)
    day_first = told if told is not None else others
    decimal, shares = options.decimal_mark or _decimal(guesses), options.percent == "share"
    forced = {**dict.fromkeys(options.text, ColumnType.TEXT.value), **dict(options.types)}
    known = dict(options.readings)
    expected = {name: kind for name, kind in options.expected if kind != ColumnType.TEXT.value}
    decisions = []
    for index, (guess, name) in enumerate(zip(guesses, names, strict=True)):
        before = problems.count("guesses")
        mine = known.get(name, Reading())
        orders = orders_of(guess.dates, told, others, mine.orders)
        usual = mine.decimal if mine.decimal and guess.numbers.commas else decimal   # 1.234 alone is a plain number
        first = told if told is not None else known_first(guess.dates, mine.orders)
        heard = Problems(problems.file) if name in expected else problems   # of a type that may not stay
        kind, form = _TEXT if name in forced else _type(guess, name, first, day_first, usual, heard, options)
        beside = name not in forced and name in expected and kind is ColumnType.TEXT and \
            bool(guess.real or guess.typed_markers)
        if name in forced or beside:
            decision = _forced(guess, ColumnType(expected[name] if beside else forced[name]), always,
                               options.decimal_mark or guess.numbers.decimal(usual), orders, options)
            if decision.reading.orders:
                say_orders(guess.dates, orders, name, told, others, problems, mine.orders)
            if decision.type.numeric:
                _say_currencies(guess, name, problems)
            if decision.type.numeric and guess.numbers.signs == {"%"}:
                _say_signs(guess, name, PERCENT, problems, options)
            sure = _GUESS if problems.count("guesses") > before else 1.0
            decisions.append(replace(decision, confidence=sure, beside=beside, learnt=_learnt(guess, decision)))
            continue
        if heard is not problems:
            problems.take(heard.all())
        if form in ("dmy", "mdy"):
            say_carried(guess.dates, form, name, kind.value, first, problems)
        mark = options.decimal_mark or guess.numbers.decimal(usual)
        if kind is ColumnType.TEXT and _all_money(guess, mark):
            kind, form = ColumnType.NUMBER, PERCENT if guess.numbers.signs == {"%"} else MONEY
            _say_signs(guess, name, form, problems, options)
        sure = _GUESS if problems.count("guesses") > before else 1.0
        if kind is ColumnType.TEXT and guess.real:
            _say_why_text(index, guess, name, always, orders, mark, problems, locate)
            sure = 1.0 - max(guess.near.values()) / guess.real
        missing = always if kind is ColumnType.TEXT else always | IN_TYPED
        _say_missing(guess, name, kind, problems, options)
        decision = Decision(kind, form, missing, sure if guess.real else 0.0,
                            Reading(mark if form in (MONEY, PERCENT) else None, shares=shares and form == PERCENT,
                                    grouping=options.grouping if kind.numeric else ""))
        decisions.append(replace(decision, learnt=_learnt(guess, decision)))
    return decisions


def _forced(guess: ColumnGuess, kind: ColumnType, always: frozenset[str], decimal: str | None, orders: Orders,
            options: ImportOptions) -> Decision:
    if kind is ColumnType.TEXT:
        return Decision(kind, "text", always)
    told = options.dates if options.dates is not None and "%" in options.dates else ""
    if kind not in (ColumnType.DATE, ColumnType.DATETIME):
        return Decision(kind, FORCED, always | IN_TYPED, reading=Reading(
            decimal, told, shares=options.percent == "share", grouping=options.grouping))
    spelled = (*(("", form) for form in guess.dates.forms), *(one for one in orders if one[0] in guess.dates.marks))
    return Decision(kind, FORCED, always | IN_TYPED, reading=Reading(None, told, orders), spelled=spelled)


def _learnt(guess: ColumnGuess, decision: Decision) -> Reading:
    """Return by what a file with fewer values, which leaves it open, is to be read like this one."""
    form, reading = decision.form, decision.reading
    if decision.type.numeric:
        comma = form == "comma" or (form in (FORCED, MONEY, PERCENT) and reading.decimal == ",")
        return Reading("," if comma else None)
    orders = dict(reading.orders) if form == FORCED else dict.fromkeys(guess.dates.marks, form)
    return Reading(None, "", tuple((mark, orders[mark]) for mark in guess.dates.marks
                                   if orders.get(mark) in ("dmy", "mdy")))


def _all_money(guess: ColumnGuess, decimal: str | None) -> bool:
    """Say whether every value is an amount of the same currency, and its decimals are plain."""
    numbers = guess.numbers
    return bool(guess.real) and numbers.money == guess.real == numbers.readable(decimal) and len(numbers.signs) == 1 \
        and (decimal is not None or not numbers.both_ways)


def _say_signs(guess: ColumnGuess, name: str, form: str, problems: Problems, options: ImportOptions) -> None:
    text = Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]})
    if form == MONEY:
        problems.add("guesses", f"The numbers in {name!r} were read without the currency sign of each, as in "
                     f"{guess.numbers.example!r}.", column=name, fix=text)
    elif options.percent is None:
        problems.add("guesses", f"The numbers in {name!r} were read without their percent sign, 10% as 10, as in "
                     f"{guess.numbers.example!r}.", column=name,
                     fix=Fix("Read 10% as 0.1 instead", {"percent": "share"}))


def _say_currencies(guess: ColumnGuess, name: str, problems: Problems) -> None:
    signs = sorted(guess.numbers.signs)
    if len(signs) > 1:
        what = "signs" if "%" in signs else "currency signs"
        problems.add("guesses", f"The numbers in {name!r} have different {what}, {', '.join(signs[:-1])} and "
                     f"{signs[-1]}; these were taken off and nothing was converted.", column=name,
                     fix=Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]}))


def _day_first(guesses: Sequence[ColumnGuess]) -> bool | None:
    votes = Counter(guess.has("dmy") for guess in guesses
                    if guess.real and guess.has("dmy") != guess.has("mdy") and not guess.has("ymd"))
    return None if not votes or len(votes) == 2 else next(iter(votes))


def _decimal(guesses: Sequence[ColumnGuess]) -> str | None:
    """Return the decimal mark that some column is sure of, None if there is none or they differ."""
    comma = any(guess.real and guess.sure_comma and guess.has("comma") and not guess.has("number") and
                not (guess.has("point") and guess.sure_point) for guess in guesses)
    point = any(guess.real and ((guess.has("number") and guess.fractional and not guess.has("comma")) or
                                (guess.has("point") and guess.sure_point and not guess.has("number")
                                 and not guess.has("comma"))) for guess in guesses)
    return None if comma == point else "," if comma else "."


def _type(guess: ColumnGuess, name: str, first: bool | None, day_first: bool | None, decimal: str | None,
          problems: Problems, options: ImportOptions) -> tuple[ColumnType, str]:
    """Return type and form. Day before month is as ``first`` says; None: a guess, perhaps by ``day_first``."""
    if not guess.real:
        return ColumnType.TEXT, "text"
    if options.dates is not None and guess.has(options.dates) and "%" in options.dates:
        return (ColumnType.DATETIME if guess.timed else ColumnType.DATE), options.dates
    number = _number(guess, name, decimal, problems)
    if number is not None:
        return number
    if guess.has("boolean"):
        return ColumnType.BOOLEAN, "boolean"
    if guess.has("time"):
        return ColumnType.TIME, "time"
    dated = ColumnType.DATETIME if guess.timed else ColumnType.DATE
    for form in ("ymd", "d month y", "month d y"):
        if guess.has(form):
            return dated, form
    if guess.has("dmy") and guess.has("mdy"):
        return dated, _ambiguous_dates(guess, name, day_first if first is None else first, problems,
                                       told=first is not None)
    for form in ("dmy", "mdy"):
        if guess.has(form):
            return dated, form
    return ColumnType.TEXT, "text"


def _ambiguous_dates(guess: ColumnGuess, name: str, day_first: bool | None, problems: Problems, *, told: bool) -> str:
    form = "dmy" if (day_first if day_first is not None else not guess.slashed) else "mdy"
    if told:
        return form
    other = ("mdy", "month before the day") if form == "dmy" else ("dmy", "day before the month")
    why = "as in the other columns" if day_first is not None else "which is a guess"
    order = "day before the month" if form == "dmy" else "month before the day"
    problems.add("guesses", f"The dates in {name!r} do not tell day from month; they were read with the {order}, "
                 f"{why}.", column=name, fix=Fix(f"Read dates with the {other[1]}", {"dates": other[0]}))
    return form


def _number(guess: ColumnGuess, name: str, decimal: str | None, problems: Problems) -> tuple[ColumnType, str] | None:
    """Return type and form of a column of numbers, text for one that had better stay text, None for no numbers."""
    if guess.has("integer"):
        return ColumnType.INTEGER, "integer"
    if guess.has("number"):
        if guess.wide and not guess.fractional:
            problems.add("columns kept as text", f"{name!r} holds whole numbers of more than 18 digits; it is kept as "
                         "text so that no digit is lost.", column=name,
                         fix=Fix(f"Read {name!r} as numbers; the last digits are lost", {"types": [[name, "number"]]}))
            return ColumnType.TEXT, "text"
        if not (guess.dotted and guess.has("comma") and decimal == ","):
            return ColumnType.NUMBER, "number"
    comma, point = guess.has("comma"), guess.has("point") and not guess.has("number")
    if comma and point and guess.sure_comma != guess.sure_point:
        comma, point = guess.sure_comma, guess.sure_point
    if comma and point and decimal is not None:
        comma, point = decimal == ",", decimal == "."
    if comma and point:
        problems.add("columns kept as text", f"The numbers in {name!r} have commas that may mean thousands or "
                     "decimals; it is kept as text. Choose the decimal mark to read them.", column=name,
                     fix=Fix("Read commas as the mark between thousands", {"decimal": "."}))
        return ColumnType.TEXT, "text"
    if not comma and not point:
        return None
    form = "comma" if comma else "point"
    what = ("with commas for decimals" if comma and not guess.grouped_whole else "with marks between the thousands")
    problems.add("guesses", f"The numbers in {name!r} were read {what}.", column=name,
                 fix=Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]}))
    return (ColumnType.INTEGER if guess.grouped_whole else ColumnType.NUMBER), form


def _say_why_text(index: int, guess: ColumnGuess, name: str, missing: frozenset[str], orders: Orders,
                  decimal: str | None, problems: Problems, locate: Locate) -> None:
    for group, share, word in (("number", _NEARLY_NUMBERS, "numbers"), ("date", _NEARLY_DATES, "dates")):
        if not guess.near[group] >= share * guess.real or any(form.group == group for form in guess.alive):
            continue
        readable = guess.dates.readable(orders) if group == "date" else guess.numbers.readable(decimal)
        against = contradiction(guess.dates) if group == "date" else _signs(guess)
        found = locate(index, group, missing | IN_TYPED)
        if found is None and not against:  # each is one, but not all of the same kind
            continue
        signed = locate(index, "money", missing) if group == "number" and found is None else None
        line, text = found or signed or (None, "")
        where = f" in line {line}" if line is not None else ""
        atleast = "" if guess.counted(group) else "at least "
        why = (f"its {word} are written in more than one way, the first unlike most being {text[:60]!r}{where}"
               if readable == guess.real and group == "date" else
               ("all" if readable == guess.real else f"{atleast}{readable:,}") +
               f" of its {guess.real:,} values are {word}" +
               (f", others are not, the first being {text[:60]!r}{where}" if found else ""))
        problems.add("columns kept as text", f"{name!r} is kept as text: {why}{'; ' * bool(against)}{against}.",
                     line=line, column=name, fix=Fix(f"Read {name!r} as {word}; what is none becomes missing",
                                          {"types": [[name, "number" if group == "number" else "date"]]}))
        return


def _signs(guess: ColumnGuess) -> str:
    """Return what is to be said of the signs of units in a column of text; "" for nothing."""
    numbers = guess.numbers
    signs = f" ({', '.join(sorted(numbers.signs))})" if len(numbers.signs) > 1 else ""
    has = "has" if numbers.money == 1 else "have"
    what = "percent" if numbers.signs == {"%"} else "currency" if "%" not in numbers.signs else "currency or percent"
    return f"{numbers.money:,} of these {has} a {what} sign{signs}, like {numbers.example!r}" if numbers.money else ""


def _say_missing(guess: ColumnGuess, name: str, kind: ColumnType, problems: Problems, options: ImportOptions) -> None:
    counts = Counter(guess.odd)
    if kind is not ColumnType.TEXT:
        counts.update(guess.typed_markers)
    for text, count in sorted(counts.items()):
        cells = f"{count:,} cell{' of' if count == 1 else 's of'} {name!r} {'is' if count == 1 else 'are'}"
        shown = repr(text) if text else "blank"
        if text in {item.strip() for item in options.missing}:
            continue
        fix = Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]}) if text in IN_TYPED else \
            "Such cells are missing in columns of every type."
        problems.add("remarks on missing values", f"{cells} {shown}; read as missing.", column=name, fix=fix)
