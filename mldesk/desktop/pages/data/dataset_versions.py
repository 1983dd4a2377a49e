"""The history of a dataset: every version, what made it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.data.lineage_view import LineageView
from mldesk.desktop.step_words import step_words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Badge, Card, ScrollPage, make_button, make_icon_button, make_label, set_tone

if TYPE_CHECKING:
    from mldesk.library.dataset_words import Words
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.history import Ancestry


class VersionsView(ScrollPage):
    """One card per version, newest first.

    Signals: ``shown`` (number) to look at a version, ``rolled_back`` (number) to make it the current one,
    ``diffed`` (first, second) to see what differs, ``annotated`` (number; 0: the dataset) to change note and tags,
    ``purged`` (number) to throw the rows of an old one away.
    """

    shown = Signal(int)
    rolled_back = Signal(int)
    diffed = Signal(int, int)
    annotated = Signal(int)
    purged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.M)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self.setAccessibleName(self.tr("Versions"))
        self.words: dict[int, Words] = {}          # what is said of a version, by its number
        self.models: dict[int, tuple[str, ...]] = {}
        self._shown: tuple[tuple[DatasetVersion, ...], DatasetVersion | None, DatasetVersion | None] | None = None
        self.lineage = LineageView()
        self.lineage.chosen.connect(self.shown)
        self._about = Card(padding=Space.M)
        self._about_words = make_label("", wrap=True, selectable=True)
        self._about_tags = make_label("", "caption", "info", wrap=True, selectable=True)
        self.say = make_button(self.tr("Tags and note…"), "ghost", "edit", small=True)
        self.say.setToolTip(self.tr("Of the dataset as a whole, whatever its version"))
        self.say.clicked.connect(lambda: self.annotated.emit(0))
        top = QHBoxLayout()
        top.setSpacing(Space.S)
        top.addWidget(make_label(self.tr("The dataset"), "subtitle"))
        top.addStretch(1)
        top.addWidget(self.say)
        self._about.add(top)
        self._about.add(self._about_tags)
        self._about.add(self._about_words)
        self._about.body.setSpacing(Space.XS)
        self.show_about(None)
        self._graph = Card(self.tr("Lineage"), padding=Space.M)
        self._graph.add(self.lineage)
        self._graph.hide()
        self.body.addWidget(self._about)
        self.body.addWidget(self._graph)

    def show_about(self, said: Words | None) -> None:
        """Show what is said of the dataset as a whole."""
        self._about_tags.setText(_tags(said))
        self._about_tags.setVisible(bool(said is not None and said.tags))
        note = said.note if said is not None else ""
        self._about_words.setText(note or self.tr("No note yet: what it is for, where it comes from, what to mind."))
        set_tone(self._about_words, "default" if note else "muted")

    def show_lineage(self, versions: Sequence[Ancestry]) -> None:
        """Draw how the versions came of one another, given oldest first; a single one has no history."""
        self.lineage.show_versions(versions)
        self.words = {item.version.number: item.words for item in versions}
        self.models = {item.version.number: item.models for item in versions}
        if self._shown is not None:
            self.show_versions(*self._shown)
        self._graph.setVisible(len(versions) > 1)

    def show_versions(self, versions: tuple[DatasetVersion, ...], head: DatasetVersion | None,
                      seen: DatasetVersion | None) -> None:
        """Show the history. ``head`` is what the bare name means, ``seen`` what the page shows."""
        self._shown = versions, head, seen
        while self.body.count() > 2:  # what is said of the dataset stays, and the graph
            item = self.body.takeAt(2)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for version in reversed(versions):
            self.body.addWidget(self._card(version, head, seen))
        self.body.addStretch(1)

    def _card(self, version: DatasetVersion, head: DatasetVersion | None, seen: DatasetVersion | None) -> Card:
        card = Card(padding=Space.M)
        top = QHBoxLayout()
        top.setSpacing(Space.S)
        top.addWidget(make_label(self.tr("Version {number}").format(number=version.number), "subtitle"))
        if head is not None and version.number == head.number:
            top.addWidget(Badge(self.tr("current"), "success", icon="check"))
        if seen is not None and version.number == seen.number:
            top.addWidget(Badge(self.tr("shown"), "info"))
        if version.purged is not None:
            top.addWidget(Badge(self.tr("rows purged"), "neutral", icon="trash"))
        said = self.words.get(version.number)
        top.addStretch(1)
        for button in self._buttons(version, head, seen):
            top.addWidget(button)
        card.add(top)
        facts = " · ".join((words.shape(version.rows, len(version.columns)), words.size(version.size),
                            words.when(version.created)))
        card.add(make_label(facts, "caption", "muted", wrap=True))
        if said is not None and said.tags:
            card.add(make_label(_tags(said), "caption", "info", wrap=True, selectable=True))
        steps = [step_words(step) for step in version.recipe or ()]
        if steps:
            made = self.tr("Made from version {number} by").format(number=version.parent)
            lines = "\n".join(f"{number}.  {line}" for number, line in enumerate(steps, start=1))
            card.add(make_label(f"{made}\n{lines}", wrap=True, selectable=True))
        else:
            card.add(make_label(version.source, wrap=True))
        for file in (version.reading or {}).get("files") or ():
            card.add(make_label(self._file(file), "caption", "muted", wrap=True, selectable=True))
        if said is not None and said.note:
            card.add(make_label(said.note, wrap=True, selectable=True))
        if self.models.get(version.number):
            card.add(make_label(self.tr("Models that learned from it: {names}").format(
                names=", ".join(self.models[version.number])), "caption", "muted", wrap=True))
        card.body.setSpacing(Space.XS)
        return card

    def _file(self, file: Mapping[str, Any]) -> str:
        if "files" not in file:
            return self.tr("{path} · SHA-256 {digest}").format(path=file["path"], digest=file["sha256"])
        many = words.counted(int(file["files"]), self.tr("file"), self.tr("files"))
        return self.tr("{path} · {files} · SHA-256 of their list {digest}").format(
            path=file["path"], files=many, digest=file["sha256"])

    def _buttons(self, version: DatasetVersion, head: DatasetVersion | None,
                 seen: DatasetVersion | None) -> list[QWidget]:
        say = make_button(self.tr("Tags and note…"), "ghost", "edit", small=True)
        say.clicked.connect(lambda: self.annotated.emit(version.number))
        buttons: list[QWidget] = [say]
        if version.purged is not None:
            return buttons
        if version.parent is not None:
            diff = make_button(self.tr("What changed"), "ghost", "compare", small=True)
            diff.clicked.connect(lambda: self.diffed.emit(version.parent or 0, version.number))
            buttons.append(diff)
        if seen is not None and seen.number not in (version.number, version.parent) and version.parent != seen.number:
            other = make_button(self.tr("Compare"), "ghost", "compare", small=True)
            other.setToolTip(self.tr("With the version that is shown"))
            other.clicked.connect(lambda: self.diffed.emit(*sorted((seen.number, version.number))))
            buttons.append(other)
        if seen is None or version.number != seen.number:
            look = make_button(self.tr("Show"), "ghost", "search", small=True)
            look.clicked.connect(lambda: self.shown.emit(version.number))
            buttons.append(look)
        if head is not None and version.number != head.number:
            away = make_icon_button("trash", self.tr("Throw the rows of version {number} away for good…").format(
                number=version.number))
            away.clicked.connect(lambda: self.purged.emit(version.number))
            buttons.append(away)
            back = make_button(self.tr("Make current"), "secondary", "restore", small=True)
            back.setToolTip(self.tr("The bare name will mean this version. No version is lost."))
            back.clicked.connect(lambda: self.rolled_back.emit(version.number))
            buttons.append(back)
        for button in buttons:
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return buttons


def _tags(said: Words | None) -> str:
    """Return tags as the graph writes them; badges would not break into lines."""
    return "   ".join(f"#{tag}" for tag in said.tags) if said is not None else ""
