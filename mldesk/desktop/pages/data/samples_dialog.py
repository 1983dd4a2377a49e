"""The data sets that came with MLDesk, to begin with."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from mldesk.desktop import words
from mldesk.desktop.shell import Shell
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, Sheet, make_button, make_label


class SamplesDialog(Sheet):
    """One card per sample: what it is, what may be learnt from it, and Import."""

    def __init__(self, shell: Shell, choose: Callable[[str], None]) -> None:
        super().__init__(self.tr("Sample data"), shell.host, secondary=self.tr("Close"), width=560,
                         text=self.tr("Real data sets that came with MLDesk. Nothing is downloaded."))
        from mldesk.workbench.sources import SAMPLES

        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.primary.hide()
        self._choose = choose
        for sample in SAMPLES:
            button = make_button(self.tr("Import"), "primary" if sample is SAMPLES[0] else "secondary", "import")
            button.setAccessibleName(self.tr("Import {name}").format(name=sample.name))
            button.clicked.connect(lambda _checked=False, name=sample.name: self._on_chosen(name))
            card = Card(sample.name, sample.about, [button], padding=Space.M)
            card.add(make_label(" · ".join((
                words.shape(sample.rows, sample.columns),
                self.tr("to learn: {target}, {task}").format(target=sample.target, task=sample.task),
                sample.licence)), "caption", "muted", wrap=True))
            self.add(card)

    def _on_chosen(self, name: str) -> None:
        self.accept()
        self._choose(name)
