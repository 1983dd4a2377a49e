"""Dates written as a format says, like %d.%m.%Y: the format becomes one of the patterns that moments are read by."""

from __future__ import annotations

import re
from functools import cache

from mldesk.core.errors import BadInput

_MONTH = (r"(?P<N>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
          r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
_PARTS = {
    "Y": r"(?P<y>\d{4})", "y": r"(?P<y2>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})",
    "e": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})", "I": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})", "f": r"(?P<f>\d{1,9})", "p": r"(?P<p>[AaPp]\.?[Mm]\.?)", "b": _MONTH, "B": _MONTH,
    "z": r"(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)", "A": r"[^\W\d]+\.?", "a": r"[^\W\d]+\.?", "%": "%",
}
_WRITTEN = re.compile(r"(?i)y+|m+|d+|h+|s+|am/pm|a")   # of a pattern as spreadsheets have it
_LETTERS = {"yyyy": "%Y", "yy": "%y", "mmm": "%b", "mmmm": "%B", "m": "%m", "mm": "%m", "d": "%d", "dd": "%d",
            "ddd": "%a", "dddd": "%A", "s": "%S", "ss": "%S", "am/pm": "%p", "a": "%p"}
_LETTER = re.compile(r"%-?([A-Za-z%])|(.)", re.DOTALL)
_CLOCK = "HMSfp"


def check_format(form: str) -> None:
    """Raise BadInput unless the format names a whole date in a way that can be read."""
    pattern = pattern_of(form)
    named = set(re.findall(r"\(\?P<(\w+)>", pattern))
    if not named & {"y", "y2"} or not named & {"m", "N"} or "d" not in named:
        raise BadInput(f"The date format {form!r:.60} does not name a year, a month and a day.",
                       hint="Write it like %d.%m.%Y or %Y-%m-%d %H:%M; or dmy, mdy, ymd for the order only.")


def strptime_of(form: str) -> str:
    """Return a date format with % signs for one as spreadsheets write it, dd.mm.yyyy hh:mm; others as they are."""
    rest = _WRITTEN.sub("", form)
    if "%" in form or any(letter.isalpha() for letter in rest.replace("T", "")) or not re.search(r"(?i)yy", form):
        return form
    half = re.search(r"(?i)am/pm|a", form) is not None
    made, clock, end = "", False, 0
    for match in _WRITTEN.finditer(form):
        word = match[0].lower()
        made += form[end:match.start()]
        after = form[match.end():].lstrip(":. ").lower()
        minutes = word in ("m", "mm") and (clock or after.startswith("s"))
        letter = "%M" if minutes else ("%I" if half else "%H") if word in ("h", "hh") else _LETTERS.get(word)
        if letter is None:
            return form
        clock = word.startswith("h")
        made, end = made + letter, match.end()
    return made + form[end:]


@cache
def pattern_of(form: str) -> str:
    """Return the pattern of a format. Raises BadInput for a letter that means nothing or comes twice."""
    pattern, seen = "", set()
    for match in _LETTER.finditer(form):
        if match[2] is not None:
            pattern += r"\s+" if match[2] == " " else re.escape(match[2])
            continue
        part = _PARTS.get(match[1])
        if part is None:
            raise BadInput(f"%{match[1]} in the date format {form!r:.60} cannot be read.",
                           hint="Use %Y %y %m %b %d %H %I %M %S %f %p %z.")
        name = re.match(r"\(\?P<(\w+)>", part)
        if name is not None and name[1] in seen:
            raise BadInput(f"The date format {form!r:.60} names a part twice.", hint="Write it like %d.%m.%Y.")
        seen.add(name[1] if name is not None else "")
        pattern += part
    rest = "".join(f"(?P<{letter}>)" for letter in _CLOCK if letter not in seen)
    return f"(?i)^{pattern}{rest}$"
