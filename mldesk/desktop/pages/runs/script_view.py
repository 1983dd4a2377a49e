"""What a script left: the files and pictures it kept, and what changed in it since the run before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import QLabel

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, FlowBox, LogView, ScrollPage, clear, hairline, make_button, make_label, row

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_PICTURE = 260          # pixels at 100 %
_LARGEST = 20_000_000   # bytes of a picture that is shown


class ScriptView(ScrollPage, TaskOwner):
    """Draws what ``ScriptService.kept`` and ``diff`` say of one run."""

    def __init__(self, shell: Shell, run_id: str) -> None:
        super().__init__(margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._shell, self._run = shell, run_id
        self._shown: object = None
        self.pictures = Card(self.tr("Pictures"))
        self._gallery = FlowBox(spacing=Space.L, scrolls=True)
        self.pictures.add(self._gallery)
        self.files = Card(self.tr("Files it kept"))
        self.changes = Card(self.tr("What changed in the script"))
        self._before = make_label("", "caption", "muted", wrap=True)
        self.diff = LogView()
        self.diff.setMinimumHeight(theme.px(180))
        self.diff.setAccessibleName(self.tr("What changed in the script"))
        self.changes.add(self._before)
        self.changes.add(self.diff)
        for card in (self.pictures, self.files, self.changes):
            self.body.addWidget(card)
        self.body.addStretch(1)
        self.pictures.hide()
        self._changes_read = False

    @async_slot
    async def refresh(self) -> None:
        """Read what there is by now."""
        service = self._shell.desk.workbench.scripts
        kept = await in_thread(service.kept, self._run)
        if kept != self._shown:
            self._shown = kept
            await self._show(kept)
        if not self._changes_read:
            self._changes_read = True
            try:
                before, text = await in_thread(service.changes, self._run)
                said = self.tr("Since {run}: lines that went begin with -, lines that came with +.") if text else \
                    self.tr("Nothing, since {run}.")
                self._before.setText(said.format(run=before))
                self.diff.append_text(text)
                self.diff.setVisible(bool(text))
            except MldeskError as error:
                self._before.setText(error.message)
                self.diff.hide()

    async def _show(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        clear(self._gallery.flow)
        clear(self.files.body)
        pictures = 0
        for name, item in kept.items():
            if self.files.body.count():
                self.files.add(hairline())
            save = make_button(self.tr("Save…"), "secondary", "export", small=True)
            save.setAccessibleName(self.tr("Save {name}").format(name=name))
            save.clicked.connect(partial(self._save, name))
            self.files.add(row(make_label(name, "strong", selectable=True), None,
                               make_label(words.size(int(item["size"])), tone="muted"), save))
            if Path(name).suffix.lower() in _PICTURES or item.get("kind") == "image":
                pictures += await self._add_picture(name, item)
        if not kept:
            self.files.add(make_label(self.tr("Nothing yet. A script keeps files by mldesk.track.artifact, pictures by "
                                              "mldesk.track.image."), tone="muted", wrap=True))
        self.pictures.setVisible(pictures > 0)

    async def _add_picture(self, name: str, item: Mapping[str, Any]) -> int:
        """Show a picture; one that is too large or none is just a file."""
        if int(item["size"]) > _LARGEST:
            return 0
        path = await in_thread(self._shell.desk.workbench.scripts.artifact_path, self._run, name)
        reader = QImageReader(str(path))
        reader.setDecideFormatFromContent(True)
        image = reader.read()
        if image.isNull():
            return 0
        picture = QLabel()
        side = theme.px(_PICTURE)
        picture.setPixmap(QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio,
                                                          Qt.TransformationMode.SmoothTransformation))
        picture.setAccessibleName(name)
        picture.setToolTip(name)
        self._gallery.add(picture)
        return 1

    def _save(self, name: str) -> None:
        choose_place(self._shell.host, self.tr("Save {name}").format(name=name), [self.tr("Any file") + " (*)"],
                     name.replace("/", "-"), lambda path: self._write(name, path))

    @async_slot
    async def _write(self, name: str, path: Path) -> None:
        service = self._shell.desk.workbench
        try:
            await in_thread(lambda: service.scripts.save_artifact(service.runs.get(self._run), name, path))
        except (MldeskError, OSError) as error:
            self._shell.say(sentence(error), "danger")
            return
        self._shell.say(self.tr("Wrote {name}.").format(name=path.name), "success")
