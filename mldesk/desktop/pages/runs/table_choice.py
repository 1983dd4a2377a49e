"""A table that a script reads: which dataset, and which version of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from mldesk.desktop import words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, row
from mldesk.library.records import DatasetVersion
from mldesk.workbench.references import parse_reference

_NEWEST = 0


class TableChoice(QWidget):
    """Chooses ``N``, which means the newest version when the run begins, or ``N@V``.

    Signals: ``wants_versions`` with a dataset's name, to be answered by ``show_versions``.
    """

    wants_versions = Signal(str)

    def __init__(self, datasets: Sequence[str], reference: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name, number = self._parts(datasets, reference)
        self._wanted = number or _NEWEST   # until the versions are known
        self.dataset = ComboBox([(item, item) for item in dict.fromkeys([*datasets, name])], name)
        self.version = ComboBox()
        self.version.setAccessibleName(self.tr("Version of the dataset"))
        line = row(self.dataset, self.version, spacing=Space.S)
        line.setStretch(0, 3)
        line.setStretch(1, 2)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.setFocusProxy(self.dataset)
        self._offer(())
        self.dataset.currentIndexChanged.connect(lambda _: self._on_dataset())

    @staticmethod
    def _parts(datasets: Sequence[str], reference: str) -> tuple[str, int | None]:
        return (reference, None) if reference in datasets else parse_reference(reference)

    def name_lines(self, name: str) -> None:
        """Say to who cannot see the form which input this is."""
        self.dataset.setAccessibleName(name)

    def ask(self) -> None:
        """Ask for the versions of the dataset that is chosen."""
        self.wants_versions.emit(str(self.dataset.value() or ""))

    def _on_dataset(self) -> None:
        self._wanted = _NEWEST
        self._offer(())
        self.ask()

    def show_versions(self, name: str, versions: Sequence[DatasetVersion]) -> None:
        """Offer the versions of ``name`` that still have their rows, the newest first, if it is still that dataset."""
        if name == self.dataset.value():
            self._wanted = self._chosen()
            self._offer([item for item in reversed(versions) if item.purged is None])

    def _offer(self, versions: Sequence[DatasetVersion]) -> None:
        options = [(_NEWEST, self.tr("the newest"))]
        options += [(item.number, self.tr("{number} · {rows}, {source}").format(
            number=item.number, source=item.source,
            rows=words.counted(item.rows, words.tr("row"), words.tr("rows")))) for item in versions]
        if self._wanted not in dict(options):
            options.append((self._wanted, str(self._wanted)))
        self.version.set_options(options, self._wanted)

    def _chosen(self) -> int:
        number = self.version.value()
        return self._wanted if number is None else int(number)

    def reference(self) -> str:
        """Return what was chosen, as ``ScriptOrder.inputs`` takes it."""
        name, number = str(self.dataset.value()), self._chosen()
        return name if number == _NEWEST else f"{name}@{number}"
