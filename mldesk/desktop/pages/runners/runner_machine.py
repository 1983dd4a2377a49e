"""What a runner is made of, and how much of it the kept datasets take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ProgressLine, ScrollPage, disable, enable, make_button, row

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.wire.runner_view import CacheView


class MachineView(ScrollPage):
    """Facts and cache. Signals: ``freeing`` when Free space is pressed."""

    freeing = Signal()

    def __init__(self) -> None:
        super().__init__(margin=0)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._facts = FactGrid()
        self._used = ProgressLine(0.0, "", self.tr("Kept datasets"))
        self._cache = FactGrid()
        self.free = make_button(self.tr("Free space"), "secondary", "trash", small=True)
        self.free.clicked.connect(self.freeing)
        facts = Card(self.tr("Machine"))
        facts.add(self._facts)
        facts.body.addStretch(1)
        cache = Card(self.tr("Kept datasets"), self.tr("What was sent once need not be sent again. What no job needs "
                                                       "can go; it is sent anew when it is needed."))
        cache.add(self._used)
        cache.add(self._cache)
        cache.add(row(self.free, None))
        cache.body.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(cache)
        right.addStretch(1)
        left = QVBoxLayout()
        left.addWidget(facts)
        left.addStretch(1)
        line = QHBoxLayout()
        line.setSpacing(Space.L)
        line.addLayout(left, 1)
        line.addLayout(right, 1)
        self.body.addLayout(line)
        self.body.addStretch(1)
        self.set_cannot(self.tr("The runner has not said yet what it keeps."))

    def show_record(self, record: RunnerRecord) -> None:
        """Show what the machine says of itself."""
        facts = record.facts
        lines = [(self.tr("Name"), runner_words.runner_name(record.name))]
        if record.address:
            lines.append((self.tr("Address"), record.address))
        lines.append((self.tr("Hardware"), runner_words.devices(facts)))
        for key, title in (("os", self.tr("System")), ("python", "Python"), ("zone", self.tr("Time zone"))):
            if facts.get(key):
                lines.append((title, str(facts[key])))
        versions = facts.get("versions")
        if isinstance(versions, Mapping):
            used = ", ".join(f"{name} {value}" for name, value in versions.items() if value)
            lines.append((self.tr("Trainers use"), used))
        if facts.get("agent"):
            lines.append((self.tr("Agent"), _short(facts["agent"])))
        if record.options.get("trains"):
            lines.append((self.tr("Training"), self.tr("ready")))
        elif record.options.get("training"):  # what is missing, in words
            lines.append((self.tr("Training"), str(record.options["training"])))
        lines.append((self.tr("After a reboot"), self._at_boot(record.options)))
        if record.added:
            lines.append((self.tr("Added"), words.moment(record.added)))
        lines.append((self.tr("Answered"), words.when(record.seen)))
        self._facts.show_facts(lines)

    def show_cache(self, cache: CacheView) -> None:
        """Show what is kept there."""
        limit = cache.quota or cache.used + cache.free
        self._used.set(min(1.0, cache.used / limit) if limit else 0.0, words.size(cache.used),
                       self.tr("of {size}").format(size=words.size(limit)) if limit else "")
        self._cache.show_facts([
            (self.tr("Files"), words.number(cache.objects)),
            (self.tr("Needed by jobs"), words.size(cache.pinned)),
            (self.tr("Free on the disk"), words.size(cache.free))])
        spare = cache.used - cache.pinned
        self.set_cannot("" if spare > 0 else self.tr("Everything that is kept is needed by jobs.") if cache.used
                        else self.tr("Nothing is kept there."))

    def set_cannot(self, why: str) -> None:
        """Switch Free space off with its reason, or on."""
        if why:
            disable(self.free, why)
        else:
            enable(self.free)

    def _at_boot(self, options: Mapping[str, Any]) -> str:
        said = options.get("at_boot")
        if said in (None, ""):
            return self.tr("starts when it is needed")
        names = {"SYSTEMD": self.tr("starts by systemd"), "CRON": self.tr("starts by the crontab"),
                 "NEXT_CONNECT": self.tr("starts when MLDesk connects next"),
                 "True": self.tr("starts by itself"), "False": self.tr("starts when MLDesk connects next")}
        return names.get(str(said).upper() if str(said).upper() in names else str(said), str(said))


def _short(agent: object) -> str:
    if isinstance(agent, Mapping):
        return ", ".join(f"{key} {value}" for key, value in list(agent.items())[:4])
    return str(agent)[:80]


