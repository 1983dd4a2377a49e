"""What the About tab shows of a model version, read in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import ModelVersion, PredictionRecord, StageChange
    from mldesk.workbench.layers import Layers


@dataclass(frozen=True, slots=True)
class About:
    """One version, as of the moment it was read."""

    version: ModelVersion
    lineage: Mapping[str, Any]
    card: str
    edited: bool                          # a person rewrote the card
    layers: Layers | None                 # None: no network
    changes: Sequence[StageChange]        # of the whole model, newest first
    made: Sequence[PredictionRecord]      # files of predictions by any version, newest first


class AboutState:
    """Reads a version, and changes its card and its stage."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.shown: Observable[About | None] = Observable(None)
        self._wanted = ""

    async def look(self, label: str) -> None:
        """Read ``M@V``; an older reading that comes late is dropped. Raises MldeskError."""
        self._wanted = label
        found = await in_thread(self._read, label)
        if self._wanted == label:
            self.shown.value = found

    async def keep_card(self, text: str | None) -> None:
        """Keep a card, None: as it was made. Raises BadInput."""
        about = self.shown.value
        if about is not None:
            await in_thread(self._desk.workbench.about.set_card, about.version.label, text)
            await self.look(about.version.label)

    async def set_stage(self, stage: str) -> None:
        """Make the version a "candidate", "archived" or neither. Raises Conflict."""
        about = self.shown.value
        if about is not None:
            await in_thread(self._desk.workbench.models.set_stage, about.version.model, about.version.number, stage)
            self._desk.nudge()
            await self.look(about.version.label)

    def _read(self, label: str) -> About:
        bench = self._desk.workbench
        version = bench.models.show(label)
        try:
            card, edited = bench.about.card(label)
        except NotFound:   # bundles of others may have none
            card, edited = "", False
        try:
            layers = bench.about.layers(label)
        except BadInput:
            layers = None
        return About(version, bench.about.lineage(label), card, edited, layers,
                     bench.models.stage_changes(version.model), bench.predictions.made(version.model))
