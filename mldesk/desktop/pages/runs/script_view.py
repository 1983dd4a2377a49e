"""What a script left: the files and pictures it kept, and what changed in it since the run before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, FlowBox, LogView, ScrollPage, clear, make_button, make_label, row

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
        self.diff = LogView(follows=False)
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
            pictures = {name: await in_thread(service.artifact_path, self._run, name) for name, item in kept.items()
                        if int(item["size"]) <= _LARGEST and _is_picture(name)}
            self.show_kept(kept, pictures)
        if not self._changes_read:
            self._changes_read = True
            try:
                before, text = await in_thread(service.changes, self._run)
            except MldeskError as error:
                self._before.setText(error.message)
                self.diff.hide()
                return
            self.show_changes(before, text)

    def show_changes(self, before: str, text: str) -> None:
        """Show a unified diff against the run ``before``."""
        said = self.tr("Since {run}: lines that went begin with -, lines that came with +.") if text else \
            self.tr("Nothing, since {run}.")
        self._before.setText(said.format(run=before))
        self.diff.append_text(text)
        self.diff.setVisible(bool(text))

    def show_kept(self, kept: Mapping[str, Mapping[str, Any]], pictures: Mapping[str, Path]) -> None:
        """List the files, as ``ScriptService.kept`` tells of them, and show those that are pictures."""
        self._shown = kept
        clear(self._gallery.flow)
        clear(self.files.body)
        for name, item in kept.items():
            save = make_button(self.tr("Save…"), "secondary", "export", small=True)
            save.setAccessibleName(self.tr("Save {name}").format(name=name))
            save.clicked.connect(partial(self._save, name))
            line = QWidget()
            line.setLayout(row(make_label(name, "strong", selectable=True), None,
                               make_label(words.size(int(item["size"])), tone="muted"), save))
            self.files.add(line)
        if not kept:
            self.files.add(make_label(self.tr("Nothing yet. A script keeps files by mldesk.track.artifact, pictures by "
                                              "mldesk.track.image."), tone="muted", wrap=True))
        shown = [self._add_picture(name, path) for name, path in pictures.items()]
        self.pictures.setVisible(any(shown))

    def _add_picture(self, name: str, path: Path) -> bool:
        """Show a picture; False for what is none, whatever its name."""
        reader = QImageReader(str(path))
        reader.setDecideFormatFromContent(True)
        image = reader.read()
        if image.isNull():
            return False
        side = theme.px(_PICTURE)
        picture = QLabel()
        picture.setPixmap(QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio,
                                                          Qt.TransformationMode.SmoothTransformation))
        picture.setAccessibleName(name)
        picture.setToolTip(name)
        self._gallery.add(picture)
        return True

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


def _is_picture(name: str) -> bool:
    return "." not in name or Path(name).suffix.lower() in _PICTURES   # mldesk.track.image asks for no suffix
