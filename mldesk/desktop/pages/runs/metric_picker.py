"""Which metrics a chart of curves draws: one of the first four by a segment, any and several at once by ticks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.pages.tick_list import Tickable, TickList
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Segmented, Sheet, make_button, row

_FIRST = 4        # metrics that get a segment of their own
_LONGEST = 18     # letters of a name on a segment
_TICKED = ""      # key of the segment of those that were ticked


class MetricPicker(QWidget):
    """Signals: ``changed`` (what ``value`` returns). The choice holds for every run until the window closes."""

    changed = Signal(object)

    def __init__(self, preferences: PreferencesFile, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._families: list[str] = []
        self._ticked: tuple[str, ...] = ()
        self._filling = False
        self.first = Segmented()
        self.first.changed.connect(lambda _: self._on_chosen())
        self.more = make_button("", "ghost", "filter", small=True)
        self.more.clicked.connect(self.open_list)
        line = row(self.first, self.more, None, spacing=Space.XS)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.hide()

    def offer(self, families: Sequence[str]) -> None:
        """Offer what there is now; what was there stays where it is."""
        fresh = [name for name in families if name not in self._families]
        if not fresh:
            return
        self._filling = True
        for name in fresh:
            if len(self._families) < _FIRST:
                self.first.add(name, _short(name)).setToolTip(words.metric_name(name))
            self._families.append(name)
        if wanted := [name for name in self._preferences.metrics if name in self._families]:
            self._choose(wanted)
        self._filling = False
        count = len(self._families)
        self.more.setText(self.tr("All {count}…").format(count=count) if count > _FIRST else self.tr("Several…"))
        self.more.setToolTip(self.tr("Choose among all {count} metrics, one or several at once").format(count=count))
        self.more.setAccessibleName(self.more.toolTip())
        self.setVisible(count > 1)

    def value(self) -> tuple[str, ...]:
        """Return the metrics to draw, without their part; none while there are none."""
        key = self.first.value()
        return self._ticked if key == _TICKED else () if key is None else (key,)

    def choose(self, families: Sequence[str]) -> None:
        """Draw these; none are the first one again."""
        self._filling = True
        self._choose(families)
        self._filling = False
        self._on_chosen()

    def open_list(self) -> None:
        """Open the list of all metrics."""
        dialog = MetricsDialog(self._families, self.value(), self.window())
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lambda: self.choose(dialog.chosen()))
        dialog.open()

    def _choose(self, families: Sequence[str]) -> None:
        if len(families) > 1 or (families and families[0] not in self._families[:_FIRST]):
            self._ticked = tuple(families)
            self._show_ticked(families)
            self.first.set_value(_TICKED)
            return
        self.first.set_value(families[0] if families else self._families[0])
        if self._ticked:
            self._ticked = ()
            self.first.button(_TICKED).hide()
            self.first.button(_TICKED).setEnabled(False)   # the arrow keys pass it over

    def _show_ticked(self, families: Sequence[str]) -> None:
        text = _short(families[0]) if len(families) == 1 else self.tr("{count} metrics").format(
            count=len(families))
        try:
            button = self.first.button(_TICKED)
        except ValueError:
            button = self.first.add(_TICKED, text)
        button.setText(text)
        button.setToolTip(", ".join(map(words.metric_name, families)))
        button.setEnabled(True)
        button.show()

    def _on_chosen(self) -> None:
        if not self._filling:
            self._preferences.metrics = self.value()
            self.changed.emit(self.value())


def _short(metric: str) -> str:
    name = words.metric_name(metric)
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST // 2]}…{name[1 - _LONGEST // 2:]}"


class MetricsDialog(Sheet):
    """Offers metrics to tick; ``chosen`` are those to draw when it is confirmed."""

    def __init__(self, families: Sequence[str], ticked: Sequence[str], host: QWidget) -> None:
        super().__init__(self.tr("Curves to draw"), host, primary=self.tr("Draw these"), width=420, text=self.tr(
            "Several share one chart and its axis; Log helps where they are of different size."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.metrics = TickList(self.tr("Find a metric"), self.tr("Metrics"))
        self.metrics.offer([Tickable(name, words.metric_name(name)) for name in families])
        self.metrics.set_values(ticked)
        self.metrics.changed.connect(self._check)
        self.add(self.metrics)
        self.resize(fitting(self, 440, 400))

    def chosen(self) -> list[str]:
        """Return the metrics that are ticked."""
        return self.metrics.values()

    def _check(self) -> None:
        self.set_primary_enabled("" if self.chosen() else self.tr("Tick at least one metric."))
