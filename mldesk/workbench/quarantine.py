"""Rejected files are put aside, and a person takes one in spite of what is wrong with it, now or later."""

from __future__ import annotations

import getpass
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.durable import disk_errors, replacing
from mldesk.core.errors import NotFound
from mldesk.data.sources.locations import readable
from mldesk.workbench.contract_report import as_html
from mldesk.workbench.offered_files import Offered, at

if TYPE_CHECKING:
    from mldesk.data.contracts.verdict import Verdict


def whoever() -> str:
    """Return who is at work, as the system calls them; "" where it does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def put_aside(dataset: str, verdicts: Sequence[Verdict], folder: Path) -> dict[str, Path]:
    """Copy the rejected files to a folder, with a report; a file of the same name and other bytes gets a number.

    A ``folder`` that ends in .zip is made a zip of these, in place of one that is there. Return by the file that each
    verdict names where it is now. Raises DiskFull, NotFound for a zip in no folder or a file that is gone.
    """
    rejected = {verdict.file: (verdict, _there(verdict)) for verdict in verdicts if verdict.status == "rejected"}
    if not rejected:
        return {}
    report = as_html(dataset, [verdict for verdict, _ in rejected.values()])
    if folder.suffix.lower() == ".zip":
        return _as_zip(report, {name: file for name, (_, file) in rejected.items()}, folder)
    copied: dict[str, Path] = {}
    with disk_errors("the quarantine"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, (verdict, file) in rejected.items():
            copied[name] = _free(folder, file.name, verdict.digest)
            file.copy_to(copied[name])
        (folder / "report.html").write_text(report, "utf-8")
    return copied


def _there(verdict: Verdict) -> Offered:
    found = at(Path(verdict.file))
    if found is None:
        raise NotFound(f"There is no file {verdict.file!r:.300} any more.")
    return found


def _as_zip(report: str, files: dict[str, Offered], target: Path) -> dict[str, Path]:
    """Put the rejected files and the report into one archive, which is there when it is whole."""
    if not target.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {str(target.absolute().parent)!r:.300}.")
    taken, placed = {"report.html"}, dict[str, Path]()
    with disk_errors("the quarantine"), replacing(target) as out, \
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for said, file in files.items():
            stem, suffix = Path(file.name).stem, Path(file.name).suffix
            name, number = readable(file.name), 2
            while name.casefold() in taken:
                name, number = readable(f"{stem}-{number}{suffix}"), number + 1
            taken.add(name.casefold())
            file.into_archive(archive, name)
            placed[said] = target / name
        archive.writestr("report.html", report)
    return placed


def _free(folder: Path, name: str, digest: str) -> Path:
    from mldesk.data.contracts.check import digest_of

    same: Callable[[Path], bool] = lambda path: not path.exists() or digest_of(path) == digest
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 2
    found = folder / name
    while not same(found):
        found, number = folder / f"{stem}-{number}{suffix}", number + 1
    return found
