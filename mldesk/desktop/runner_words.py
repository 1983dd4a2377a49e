"""How lists and pages write runners: names, how they stand, what they have and do. Knows no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldesk.desktop import words
from mldesk.desktop.states.runner_watch import LOCAL, Condition, RunnerWatch
from mldesk.desktop.theme import Tone
from mldesk.desktop.words import locale, tr

if TYPE_CHECKING:
    from mldesk.wire.runner_view import QueueView, Slot

GB = 10**9


def runner_name(name: str) -> str:
    """Return what people call a runner."""
    return tr("This machine") if name == LOCAL else name


def where(name: str) -> str:
    """Return the runner's name as it stands within a sentence or on a badge."""
    return tr("this machine") if name == LOCAL else name


def where_icon(name: str) -> str:
    """Return the icon of a runner: near or far."""
    return "cpu" if name == LOCAL else "runner"


def condition_badge(watch: RunnerWatch) -> tuple[str, Tone, str]:
    """Return words, tone and icon of how a runner stands."""
    since = watch.since.value
    badges: dict[Condition, tuple[str, Tone, str]] = {
        Condition.UNKNOWN: (tr("Not asked yet"), "neutral", "clock"),
        Condition.CONNECTED: (tr("Connected"), "success", "check"),
        Condition.UNREACHABLE: (tr("Unreachable since {time}").format(time=clock(since)), "warning", "warning"),
        Condition.OLD: (tr("Needs an upgrade"), "warning", "import"),
        Condition.DRAINING: (tr("Draining"), "info", "pause"),
        Condition.QUIET: (tr("Quiet hours"), "neutral", "moon"),
    }
    return badges[watch.condition]


def clock(moment: float | None) -> str:
    """Write since when: 14:02 today, with the day before."""
    if moment is None:
        return words.MISSING
    from PySide6.QtCore import QDateTime, QLocale

    there = QDateTime.fromSecsSinceEpoch(int(moment))
    time = locale().toString(there.time(), QLocale.FormatType.ShortFormat)
    if there.date() == QDateTime.currentDateTime().date():
        return time
    return f"{locale().toString(there.date(), 'd MMM')} {time}"


def soon(moment: float) -> str:
    """Write a moment to come in little room: 22:00 today, else the day."""
    from PySide6.QtCore import QDateTime, QLocale

    there = QDateTime.fromSecsSinceEpoch(int(moment))
    today = there.date() == QDateTime.currentDateTime().date()
    return locale().toString(there.time(), QLocale.FormatType.ShortFormat) if today else \
        locale().toString(there.date(), "d MMM")


def devices(facts: Mapping[str, Any]) -> str:
    """Write what a runner has in a few words; that it is not known yet where it never answered."""
    return words.machine(facts) if facts else tr("What it has is not known yet.")


def work(queue: QueueView | None) -> str:
    """Write what runs and what waits: 2 run, 3 wait."""
    if queue is None:
        return ""
    running, waiting = sum(1 for slot in queue.slots if slot.job), len(queue.in_line)
    later = len(queue.waiting) - waiting
    scheduled = tr("{count} scheduled").format(count=later) if later else ""
    if not running and not waiting:
        return scheduled or tr("Nothing runs, nothing waits")
    runs = tr("1 job runs") if running == 1 else tr("%n jobs run", running)
    waits = tr("1 waits") if waiting == 1 else tr("%n wait", waiting)
    return ", ".join(filter(None, (runs, waits if waiting else "", scheduled)))


def slot_name(slot: Slot) -> str:
    """Write what a place is of: the processor, or a card."""
    if slot.kind == "cpu":
        return tr("Processor {number}").format(number=slot.index + 1)
    return tr("GPU {number}").format(number=slot.index)


def share(value: float) -> str:
    """Write a share of 1: 34 %."""
    return f"{100 * value:.0f} %"


def memory(amount: float) -> str:
    """Write bytes of memory as gigabytes."""
    return f"{amount / GB:.0f} GB" if amount >= 10 * GB or amount < 0.05 * GB else f"{amount / GB:.1f} GB"


def minutes(since_midnight: int) -> str:
    """Write a time of day given in minutes since midnight."""
    from PySide6.QtCore import QLocale, QTime

    day = since_midnight % 1440
    return locale().toString(QTime(day // 60, day % 60), QLocale.FormatType.ShortFormat)


def priority(value: int) -> str:
    """Write a priority in words."""
    if value == 0:
        return tr("normal")
    return tr("high (+{value})").format(value=value) if value > 0 else tr("low (−{value})").format(value=-value)
