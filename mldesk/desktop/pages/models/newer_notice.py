"""Says how the newest version of a model stands beside the one in use, before the newer is taken for the better."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.states.model import ModelState, Standing
from mldesk.desktop.theme import Tone


class NewerNotice(Notice):
    """Seen on the pages of both versions.

    Signals: ``compared`` when both are to be set side by side, ``wanted`` with the version that is to be shown.
    """

    compared = Signal()
    wanted = Signal(int)

    def __init__(self, state: ModelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.acted.connect(self._on_acted)

    def refresh(self) -> None:
        """Say what is to be said on the page of the version that is shown."""
        version, model, standing = self._state.version.value, self._state.model.value, self._state.standing.value
        old = self._state.rival()
        if version is None or model is None:
            self.hide()
        elif standing is not None and version.number in (standing.newer, standing.used) and (
                standing.metric or version.number == standing.newer):
            self._say(standing, here=version.number)
        elif standing is None and old is not None and model.promoted is None and version.number == self._newest():
            self.say("info", self.tr("Version {new} is newer than version {old}. Is it better, too?").format(
                new=version.number, old=old), "", self._both())
        else:
            self.hide()

    def _say(self, found: Standing, *, here: int) -> None:
        if not found.metric:
            self.say("info", self.tr("Version {new} is newer than version {old}. Is it better, too?").format(
                new=found.newer, old=found.used), "", self._both())
            return
        names = {"new": found.newer, "old": found.used}
        score = self.tr("{metric} {new} against {old}, on the same test rows.").format(
            metric=words.metric_name(found.metric), new=words.metric_value(found.scores[0]),
            old=words.metric_value(found.scores[1]))
        tone: Tone = "warning" if found.worse and here == found.newer else "info"
        if found.better:
            title = self.tr("Version {new} scored better than version {old}, which is promoted.")
        elif found.promoted:
            title = self.tr("Version {new} is newer, but scored worse than version {old}, which is promoted.")
        else:
            title = self.tr("Version {new} is in use, as the newest, but scored worse than version {old}.")
        self.say(tone, title.format(**names), score, self._both() if here == found.newer else
                 self.tr("Show version {new}").format(**names))

    def _both(self) -> str:
        return self.tr("Compare both…")

    def _newest(self) -> int:
        return max((item.number for item in self._state.versions.value), default=0)

    def _on_acted(self) -> None:
        version, standing = self._state.version.value, self._state.standing.value
        if standing is not None and version is not None and version.number != standing.newer:
            self.wanted.emit(standing.newer)
        else:
            self.compared.emit()
