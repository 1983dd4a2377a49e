"""What the data of a model came of, as a tree: versions from the import on, with their files and every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.step_words import step_words
from mldesk.desktop.widgets import Card

_MOST = 12    # lines that are seen without scrolling


class OriginsCard(Card):
    """Draws ``lineage``'s line of versions and the steps that live in the model. Without any it hides."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Data, step by step"), self.tr(
            "From the file it came in to what the model learned from. A digest tells whether a file is still the "
            "same."), parent=parent)
        self.tree = QTreeWidget()
        self.tree.setProperty("flush", True)
        self.tree.setAccessibleName(self.tr("Data, step by step"))
        self.tree.setHeaderLabels([self.tr("What"), self.tr("How")])
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.itemExpanded.connect(lambda _: self._fit())
        self.tree.itemCollapsed.connect(lambda _: self._fit())
        self.add(self.tree)
        self._shown: object = None

    def show_line(self, line: Sequence[Mapping[str, Any]], prepare: Sequence[Mapping[str, Any]]) -> None:
        """Show the versions, oldest first, each with its files and steps below it."""
        self.setVisible(bool(line or prepare))
        if self._shown == (line, prepare):
            return
        self._shown = (line, prepare)
        self.tree.clear()
        for item in line:
            self._add(str(item["version"]), self._made(item), item["recipe"] or (), item["files"])
        if prepare:
            self._add(self.tr("In the model"), self.tr("learned from its training rows only"), prepare, ())
        for place in range(self.tree.topLevelItemCount()):
            top = self.tree.topLevelItem(place)
            if top is not None:
                top.setExpanded(top.childCount() <= _MOST)
        self._fit()

    def _made(self, item: Mapping[str, Any]) -> str:
        rows = words.counted(int(item["rows"]), self.tr("row"), self.tr("rows"))
        if item["recipe"]:
            return f"{rows} · {words.counted(len(item['recipe']), self.tr('step'), self.tr('steps'))}"
        return f"{rows} · {item['source']}"

    def _add(self, name: str, how: str, steps: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> None:
        top = QTreeWidgetItem([name, how])
        top.setFont(0, theme.font("strong"))
        for file in files:
            size = "" if file["size"] is None else f" · {words.size(int(file['size']))}"
            many = words.counted(int(file["files"]), self.tr("file"), self.tr("files")) if "files" in file else ""
            self._below(top, self.tr("Folder") if many else self.tr("File"),
                        f"{file['path']}{f' · {many}' if many else ''}{size}")
            self._below(top, self.tr("SHA-256 of their list") if many else self.tr("Its SHA-256"), str(file["sha256"]))
        for number, step in enumerate(steps, start=1):
            said = step_words(step)
            self._below(top, self.tr("Step {number}").format(number=number), self.tr("left out: {step}").format(
                step=said) if step.get("disabled") else said)
        self.tree.addTopLevelItem(top)

    @staticmethod
    def _below(top: QTreeWidgetItem, name: str, how: str) -> None:
        child = QTreeWidgetItem([name, how])
        child.setToolTip(1, how)
        top.addChild(child)

    def _fit(self) -> None:
        """Be as high as what is open, up to a limit."""
        lines = sum(1 + (item.childCount() if item.isExpanded() else 0)
                    for item in map(self.tree.topLevelItem, range(self.tree.topLevelItemCount())) if item is not None)
        line = self.tree.sizeHintForRow(0) if lines else theme.px(22)
        self.tree.setFixedHeight(line * min(_MOST, max(1, lines)) + self.tree.header().sizeHint().height() + 6)
