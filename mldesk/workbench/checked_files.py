"""The files that were checked: what was said of each, where those that were rejected are, and taking one by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, Conflict, MldeskError, NotFound
from mldesk.library import Library
from mldesk.library.checks import CheckRecord
from mldesk.library.records import DatasetVersion
from mldesk.workbench.contracts import Choices, ContractService
from mldesk.workbench.datasets import Cancelled, DatasetService
from mldesk.workbench.offered_files import at
from mldesk.workbench.quarantine import put_aside, whoever
from mldesk.workbench.references import parse_reference

if TYPE_CHECKING:
    from mldesk.data.contracts.verdict import Verdict

STATUSES = ("accepted", "rejected", "unchanged")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of checked files that a person took."""

    version: DatasetVersion | None                 # that has their rows, None where none could be taken
    taken: tuple[CheckRecord, ...]
    left: tuple[tuple[CheckRecord, str], ...]      # and why


class CheckedFileService:
    """What checks said, kept with the dataset. Files are the user's: they are found again by their bytes."""

    def __init__(self, library: Library, datasets: DatasetService, contracts: ContractService) -> None:
        self._library, self._datasets, self._contracts = library, datasets, contracts

    def get(self, name: str, number: int) -> CheckRecord:
        """Return one file of one check. Raises NotFound."""
        return self._library.checks.get(self._datasets.show(name).dataset, number)

    def where(self, record: CheckRecord) -> Path | None:
        """Return where a checked file is now, with the bytes it had then; None where it is gone or has changed."""
        for place in filter(None, (record.path, record.aside)):
            found = at(Path(place))
            try:
                if found is not None and found.digest() == record.digest:
                    return found.said
            except (MldeskError, OSError):
                continue
        return None

    def put_aside(self, name: str, verdicts: Sequence[Verdict], folder: Path) -> dict[str, Path]:
        """Copy rejected files to a folder or .zip, with a report, and note where they are; see ``quarantine``."""
        dataset = self._datasets.show(name).dataset
        moved = put_aside(dataset, verdicts, folder)
        self._library.checks.put_aside(dataset, {
            verdict.digest: str(moved[verdict.file].absolute()) for verdict in verdicts if verdict.file in moved})
        return moved

    def accept(self, name: str, numbers: Sequence[int], why: str, *, who: str = "",
               cancelled: Cancelled | None = None) -> Taken:
        """Merge all rows of files that were checked, in spite of what is wrong: cells that do not fit are missing.

        Who did so, when and why is written down. Raises NotFound for numbers, Conflict where the dataset's columns are
        not the contract's or where a file is gone, BadInput without a reason; as ``ContractService.check``.
        """
        if not why.strip():
            raise BadInput("Nobody said why these files are to be taken.", hint="A few words do.")
        if parse_reference(name)[1] is not None:
            raise BadInput(f"{name!r:.80} is one version.", hint="Files join the dataset: leave the version out.")
        dataset = self._datasets.show(name).dataset
        asked = [self._library.checks.get(dataset, number) for number in dict.fromkeys(numbers)]
        files = {self._there(record): record for record in asked}
        found = self._contracts.check(dataset, list(files), merge=True, note=False, cancelled=cancelled,
                                      choices=Choices({}, dict.fromkeys(files, why.strip())))
        taken, left = [], []
        for verdict in found.verdicts:
            record = files[Path(verdict.file)]
            if found.version is not None and verdict.accepted and not verdict.there:
                self._library.checks.take(dataset, record.number, found.version.number, who or whoever(), why.strip())
                taken.append(self._library.checks.get(dataset, record.number))
            else:
                left.append((record, f"its rows are in {verdict.held} already" if verdict.there and verdict.held else
                             "its rows are there already" if verdict.there else
                             next((item.message for item in verdict.findings), "it cannot be read")))
        return Taken(found.version, tuple(taken), tuple(left))

    def _there(self, record: CheckRecord) -> Path:
        if record.version is not None:
            raise Conflict(f"The rows of file {record.number} went into version {record.version}.")
        if record.status == "unchanged":
            raise Conflict(f"The rows of file {record.number} were in the dataset already.")
        found = self.where(record)
        if found is None:
            raise NotFound(f"File {record.number} is neither where it was checked ({record.path:.200})"
                           + (f" nor where it was put aside ({record.aside:.200})" if record.aside else "")
                           + ", with the bytes it had.", hint="Put it there again, or check the file where it is now.")
        return found

    # last, because below it ``list`` is this method
    def list(self, name: str, *, status: str = "", limit: int = 1000) -> list[CheckRecord]:
        """Return the files that were checked for a dataset, the newest first. Raises NotFound, BadInput."""
        if status and status not in STATUSES:
            raise BadInput(f"No file is {status!r:.40}.", hint=f"Files are {', '.join(STATUSES)}.")
        return self._library.checks.list(self._datasets.show(name).dataset, status=status, limit=limit)
