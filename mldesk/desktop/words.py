"""Numbers, times and names as people read them, in the user's language. Knows no widgets."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from mldesk.core import sizes
from mldesk.training import metric_words

MISSING = "–"
_HUGE = 1e15   # from here on floats do not hold every whole number
size = sizes.size


@cache
def locale() -> QLocale:
    """Return the user's locale, read once; English where the system names none, so that thousands are parted."""
    system = QLocale()
    return QLocale(QLocale.Language.English) if system.language() == QLocale.Language.C else system


def tr(text: str, count: int = -1) -> str:
    """Translate ``text``; ``%n`` in it becomes ``count`` in the user's digits."""
    return QCoreApplication.translate("Words", text, None, count).replace("%n", number(count))


def number(value: int) -> str:
    """Write a whole number with the user's group separators: 48,842."""
    return locale().toString(value)


def counted(value: int, one: str, many: str) -> str:
    """Write ``1 row`` or ``2,304 rows``."""
    return f"{number(value)} {one if value == 1 else many}"


def shape(rows: int, columns: int) -> str:
    """Write the size of a table in words."""
    return f"{counted(rows, tr('row'), tr('rows'))} · {counted(columns, tr('column'), tr('columns'))}"


def duration(seconds: float | None) -> str:
    """Write a length of time: 0.8 s, 45 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = whole // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def remaining(seconds: float | None) -> str:
    """Write an estimate of the time that is left, no finer than it can be known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 5:
        return tr("a few seconds left")
    if seconds < 55:
        return tr("about %n s left", 5 * max(1, round(seconds / 5)))
    if seconds < 3600:
        return tr("about %n min left", max(1, round(seconds / 60)))
    return tr("about %n h left", max(1, round(seconds / 3600)))


def when(moment: float | None, now: float | None = None) -> str:
    """Write a wall-clock time the way people say it: just now, 5 min ago, 14:03, 12 Nov 2026."""
    if moment is None:
        return MISSING
    past = (time.time() if now is None else now) - moment
    if past < 45:
        return tr("just now")
    if past < 55 * 60:
        return tr("%n min ago", round(past / 60))
    there, here = QDateTime.fromSecsSinceEpoch(int(moment)), QDateTime.fromSecsSinceEpoch(int(moment + past))
    clock = locale().toString(there.time(), QLocale.FormatType.ShortFormat)
    days = there.date().daysTo(here.date())
    if days == 0:
        return clock
    if days == 1:
        return tr("yesterday") + f" {clock}"
    same_year = there.date().year() == here.date().year()
    return locale().toString(there.date(), "d MMM" if same_year else "d MMM yyyy")


def upcoming(moment: float, now: float | None = None) -> str:
    """Write a moment to come the way people say it: today 22:00, tomorrow 06:30, Mon 7 Dec 06:30."""
    there = QDateTime.fromSecsSinceEpoch(int(moment))
    days = QDateTime.fromSecsSinceEpoch(int(time.time() if now is None else now)).date().daysTo(there.date())
    clock = locale().toString(there.time(), QLocale.FormatType.ShortFormat)
    if days in (0, 1):
        return f"{tr('tomorrow') if days else tr('today')} {clock}"
    return f"{locale().toString(there.date(), 'ddd d MMM')} {clock}"


def moment(at: float | None) -> str:
    """Write a wall-clock time in full, for tooltips."""
    if at is None:
        return MISSING
    return locale().toString(QDateTime.fromSecsSinceEpoch(int(at)), f"ddd d MMM yyyy, {clock_format(seconds=True)}")


def clock_format(*, seconds: bool = False) -> str:
    """Return how the system's locale writes a time of day, in Qt's letters: "HH:mm" or "h:mm AP"."""
    short = locale().timeFormat(QLocale.FormatType.ShortFormat)
    return short.replace("mm", "mm:ss", 1) if seconds and "ss" not in short else short


def metric_name(name: str) -> str:
    """Return what people call a metric."""
    return metric_words.title(name, tr)


def metric_help(name: str) -> str:
    """Return one plain line on a metric and which way it counts, "" for one that needs none."""
    return metric_words.explained(name, tr)


def metric_value(value: object) -> str:
    """Write a score with as many digits as can be told apart: 0.8653, 12.4, 47,210."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return MISSING
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else tr("not a number")
    size_ = abs(value)
    digits = 4 if size_ < 10 else 2 if size_ < 1000 else 0
    if size_ and size_ < 1e-3:
        return f"{value:.2e}"
    return locale().toString(float(value), "f", digits)


def interval(low: float, high: float) -> str:
    """Write a 95 % interval with as many digits as its width is worth: 0.79 to 0.83, 46,021 to 50,022."""
    width = abs(high - low)
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    digits = min(6, max(0, 1 - math.floor(math.log10(width)))) if width else 4
    first, last = (locale().toString(float(value), "f", digits) for value in (low, high))
    return tr("{low} to {high}").format(low=first, high=last)


def share(value: float) -> str:
    """Write a part of a whole: 83.1 %."""
    return f"{locale().toString(round(100 * float(value), 1) + 0.0, 'f', 1)} %"   # never "-0.0 %"


_TASKS = {"tabular_classification": "Classification", "tabular_regression": "Regression"}


def task_name(task: str | None) -> str:
    """Return what people call a task."""
    return tr(_TASKS[task]) if task in _TASKS else (task or MISSING).replace("_", " ")


_MADE_OF_OTHERS = {"search": "Search", "blend": "Blend", "auto": "Default", "script": "Script",
                   "explain": "Explanation"}


def estimator_name(name: str) -> str:
    """Return an estimator's title; the name itself for one that is not in the catalogue (a newer library)."""
    from mldesk.training.catalogue import ESTIMATORS

    if name in _MADE_OF_OTHERS:
        return tr(_MADE_OF_OTHERS[name])
    return ESTIMATORS[name].title if name in ESTIMATORS else name.replace("_", " ")


def figure(value: float, digits: int = 6, *, signed: bool = False) -> str:
    """Write a value of a column, as it may be typed: 1490400, not 1.4904e+06; small ones with so many digits."""
    written = f"{value:{'+' if signed else ''}.{digits}g}"
    return f"{value:{'+' if signed else ''}.0f}" if "e+" in written and abs(value) < _HUGE else written


def cell(value: object) -> str:
    """Write a parameter or fact in a table of facts."""
    if value is None:
        return tr("none")
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {cell(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value)
    return str(value)


def machine(facts: Mapping[str, Any]) -> str:
    """Write what a runner says of itself in a few words: 8 cores · 32 GB · NVIDIA RTX 4090."""
    parts = []
    if cores := facts.get("cores"):
        parts.append(counted(int(cores), tr("core"), tr("cores")))
    if memory := facts.get("memory"):
        parts.append(size(float(memory)))
    devices = [_device(item) for item in facts.get("devices") or ()]
    cards = Counter(name for name in devices if name.lower() != "cpu")
    parts += [name if count == 1 else f"{count} × {name}" for name, count in cards.items()] or [tr("no GPU")]
    return " · ".join(parts)


def _device(item: object) -> str:
    return str(item.get("name", item)) if isinstance(item, Mapping) else str(item)
