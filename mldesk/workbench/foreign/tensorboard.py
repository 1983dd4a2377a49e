"""Folders of TensorBoard's event files (see ``mldesk.training.event_files``) as runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldesk.core.errors import BadInput
from mldesk.training.event_files import Damaged, points_from
from mldesk.workbench.foreign.records import ForeignRun, Point, limited


def is_log(path: Path) -> bool:
    """Say whether a file is called as TensorBoard's are."""
    return "tfevents" in path.name and path.is_file()


def read_logs(path: Path) -> Iterator[ForeignRun]:
    """Give a run for each folder with event files at or below ``path``, or for one file. Raises BadInput."""
    folders: dict[Path, list[Path]] = {}
    for file in [path] if path.is_file() else sorted(item for item in path.rglob("*tfevents*") if is_log(item)):
        folders.setdefault(file.parent, []).append(file)
    for folder, files in folders.items():
        points = limited([point for file in files for point in read_points(file)])
        if not points:
            continue
        inside = folder.relative_to(path).as_posix() if path.is_dir() else "."
        name = inside if inside != "." else folder.name
        yield ForeignRun(f"tensorboard:{files[0].name}:{inside}", name, (path if path.is_dir() else folder).name,
                         "tensorboard", "succeeded", points[0][0], points[-1][0], {}, {}, points)


def read_points(path: Path) -> Iterator[Point]:
    """Give the scalars of one file. Raises BadInput for one that is damaged, or is something else."""
    with open(path, "rb") as file:
        try:
            for points, _ in points_from(file):
                yield from points
        except Damaged as error:
            raise BadInput(f"{path.name!r:.120} is damaged, or no event file of TensorBoard's.",
                           hint="Copy it again from where it was written.") from error
