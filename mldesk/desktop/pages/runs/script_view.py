"""What a run left: the files, pictures and histograms it kept; of a script what changed in it since the run before."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_folder, choose_place
from mldesk.desktop.pages.runs.script_changes import ScriptChanges
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    FlowBox,
    ScrollPage,
    clear,
    make_button,
    make_label,
    row,
)
from mldesk.desktop.widgets.ridges import RidgeChart
from mldesk.training.event_pictures import HISTOGRAMS
from mldesk.workbench.references import slug

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_PICTURE = 260          # pixels at 100 %
_LARGEST = 20_000_000   # bytes of a picture that is shown
_MOST_PICTURES, _MOST_LINES = 60, 200
_MOST_BINS = 50_000_000   # bytes of histograms


class ScriptView(ScrollPage, TaskOwner):
    """Draws what ``ScriptService.kept`` and ``diff`` say of one run."""

    def __init__(self, shell: Shell, run_id: str, *, script: bool = True) -> None:
        super().__init__(margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._shell, self._run = shell, run_id
        self._shown: object = None
        self.pictures = Card(self.tr("Pictures"))
        self._gallery = FlowBox(spacing=Space.L, scrolls=True)
        self.pictures.add(self._gallery)
        self.spread = Card(self.tr("Histograms"))
        self._tag, self.ridges = ComboBox(), RidgeChart()
        self._tag.setAccessibleName(self.tr("Which histogram"))
        self._tag.currentIndexChanged.connect(lambda _: self._show_tag())
        self._bins: Mapping[str, Sequence[Mapping[str, Any]]] = {}
        self.spread.add(self._tag)
        self.spread.add(self.ridges)
        self._all = make_button(self.tr("Save all…"), "secondary", "export", small=True)
        self._all.clicked.connect(self._choose_all)
        self.files = Card(self.tr("Files it kept"))
        self.files.add_action(self._all)
        self.changes = ScriptChanges()
        for card in (self.pictures, self.spread, self.files, self.changes):
            self.body.addWidget(card)
        self.body.addStretch(1)
        self.pictures.hide()
        self.spread.hide()
        self.changes.setVisible(script)
        self._changes_read = not script

    @async_slot
    async def refresh(self) -> None:
        """Read what there is by now."""
        service = self._shell.desk.workbench.scripts
        kept = await in_thread(service.kept, self._run)
        if kept != self._shown:
            shown = [name for name in newest_first(kept) if int(kept[name]["size"]) <= _LARGEST and _is_picture(name)]
            pictures = {name: await in_thread(service.artifact_path, self._run, name)
                        for name in shown[:_MOST_PICTURES]}
            self.show_kept(kept, pictures)
            if HISTOGRAMS in kept and int(kept[HISTOGRAMS]["size"]) <= _MOST_BINS:
                path = await in_thread(service.artifact_path, self._run, HISTOGRAMS)
                self.show_histograms(await in_thread(read_histograms, path))
        if not self._changes_read:
            self._changes_read = True
            try:
                before, text = await in_thread(service.changes, self._run)
            except MldeskError as error:
                self.changes.say_none(error.message)
                return
            self.changes.show_changes(before, text)

    def show_histograms(self, bins: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Offer histograms by name, and show the one that was chosen, else the first."""
        before, self._bins = self._tag.value(), bins
        self._tag.set_options([(tag, tag) for tag in bins], before)
        self.spread.setVisible(bool(bins))
        self._show_tag()

    def _show_tag(self) -> None:
        tag = self._tag.value()
        self.ridges.show_histograms(str(tag or ""), self._bins.get(tag, ()))

    def show_kept(self, kept: Mapping[str, Mapping[str, Any]], pictures: Mapping[str, Path]) -> None:
        """List the files, as ``ScriptService.kept`` tells of them, and show those that are pictures."""
        self._shown = kept
        clear(self._gallery.flow)
        clear(self.files.body)
        self._all.setVisible(bool(kept))
        for name, item in list(kept.items())[:_MOST_LINES]:
            save = make_button(self.tr("Save…"), "secondary", "export", small=True)
            save.setAccessibleName(self.tr("Save {name}").format(name=name))
            save.clicked.connect(partial(self._save, name))
            line = QWidget()
            line.setLayout(row(make_label(name, "strong", selectable=True), None,
                               make_label(words.size(int(item["size"])), tone="muted"), save))
            self.files.add(line)
        if len(kept) > _MOST_LINES:
            self.files.add(make_label(self.tr("and {count} more.").format(
                count=words.number(len(kept) - _MOST_LINES)), tone="muted"))
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
        below = make_label(name.removeprefix("pictures/"), "caption", "muted")
        below.setMaximumWidth(side)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addWidget(picture, 1)
        layout.addWidget(below)
        self._gallery.add(box)
        return True

    def _choose_all(self) -> None:
        choose_folder(self._shell.host, self.tr("Save all files"), self.save_all)

    @async_slot
    async def save_all(self, folder: Path) -> None:
        """Write all files into a new folder in ``folder``, named after the run."""
        service = self._shell.desk.workbench
        try:
            run = await in_thread(service.runs.get, self._run)
            target = folder / f"{slug(run.name) or 'run'}-files"
            written = await in_thread(service.scripts.save_all, self._run, target)
        except (MldeskError, OSError) as error:
            self._shell.say(sentence(error), "danger")
            return
        self._shell.say(self.tr("Wrote {count} to {name}.").format(
            count=words.counted(len(written), self.tr("file"), self.tr("files")), name=target.name), "success")

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


def newest_first(names: Iterable[str]) -> list[str]:
    """Return names so that of numbered ones (``pictures/TAG/STEP.png``) the highest number of each folder comes first.

    Then the next lower of each, and so on: whatever the limit, every tag is seen.
    """
    folders: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        folder, _, last = name.rpartition("/")
        digits = last.partition(".")[0].partition("-")[0]
        numbered = bool(folder) and digits.isdecimal() and digits.isascii()
        folders.setdefault(folder if numbered else name, []).append((int(digits[:18]) if numbered else 0, name))
    ranked = [(rank, place, name) for place, kept in enumerate(folders.values())
              for rank, (_, name) in enumerate(sorted(kept, reverse=True))]
    return [name for _, _, name in sorted(ranked)]


def read_histograms(path: Path) -> dict[str, list[Mapping[str, Any]]]:
    """Return the histograms of a file; {} for one that holds something else."""
    try:
        found = json.loads(path.read_bytes())
        return {str(tag): bins for tag, steps in found.items() if (bins := [hill for hill in steps if _is_hill(hill)])}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _is_hill(hill: object) -> bool:
    if not isinstance(hill, Mapping):
        return False
    edges, counts, step = hill.get("edges"), hill.get("counts"), hill.get("step")
    return (isinstance(step, int) and isinstance(edges, list) and isinstance(counts, list) and len(counts) > 0
            and len(edges) == len(counts) + 1
            and all(isinstance(value, (int, float)) and math.isfinite(value) for value in (*edges, *counts)))


def _is_picture(name: str) -> bool:
    return "." not in name or Path(name).suffix.lower() in _PICTURES   # mldesk.track.image asks for no suffix
