"""Folders of TensorBoard's event files (see ``mldesk.training.event_files``) as runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldesk.core.errors import BadInput
from mldesk.training.event_files import Damaged, Picture, Seen, seen_in
from mldesk.training.event_pictures import HISTOGRAMS, MOST_BYTES, MOST_PICTURES, Histograms, picture_files
from mldesk.workbench.foreign.records import ForeignRun, Readings, Unreadable


def is_log(path: Path) -> bool:
    """Say whether a file is called as TensorBoard's are."""
    return "tfevents" in path.name and path.is_file()


def read_logs(path: Path) -> Iterator[ForeignRun | Unreadable]:
    """Give a run for each folder with event files at or below ``path``, or for one file."""
    folders: dict[Path, list[Path]] = {}
    for file in [path] if path.is_file() else sorted(item for item in path.rglob("*tfevents*") if is_log(item)):
        folders.setdefault(file.parent, []).append(file)
    for folder, files in folders.items():
        inside = folder.relative_to(path).as_posix() if path.is_dir() else "."
        name = inside if inside != "." else folder.name
        group = (path if path.is_dir() else folder).name
        try:
            run = _run(files, f"tensorboard:{files[0].name}:{inside}", name, group)
        except BadInput as error:
            yield Unreadable(name, error)
            continue
        if run is not None:
            yield run


def _run(files: list[Path], key: str, name: str, group: str) -> ForeignRun | None:
    """Return what the files of one folder hold; None where that is nothing to see. Raises BadInput."""
    readings, pictures, histograms, left, size = Readings(), list[Picture](), Histograms(), 0, 0
    for file in files:
        for seen in read_log(file):
            readings.add(seen.points)
            for histogram in seen.histograms:
                histograms.add(histogram)
            for picture in seen.pictures:
                size += len(picture.data)
                if size > MOST_BYTES or len(pictures) >= MOST_PICTURES:
                    left += 1
                else:
                    pictures.append(picture)
    points, kept = readings.in_order(), dict[str, Path | bytes](picture_files(pictures))
    if (bins := histograms.file()) is not None:
        kept[HISTOGRAMS] = bins
    if not points and not kept:
        return None
    began, ended = (points[0][0], points[-1][0]) if points else (files[0].stat().st_mtime,) * 2
    return ForeignRun(key, name, group, "tensorboard", "succeeded", began, ended, {}, {}, points, files=kept,
                      left_out=(*((f"It has {left:,} more pictures than a run keeps.",) if left else ()),
                               *readings.left_out))


def read_log(path: Path) -> Iterator[Seen]:
    """Give what each record of one file holds. Raises BadInput for one that is damaged, or is something else."""
    with open(path, "rb") as file:
        try:
            for seen, _ in seen_in(file):
                yield seen
        except Damaged as error:
            where = Path(*path.parts[-3:]).as_posix()   # they are called nearly the same in every folder
            raise BadInput(f"{where!r:.300} is damaged, or no event file of TensorBoard's.",
                           hint="Copy it again from where it was written.") from error
