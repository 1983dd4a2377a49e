"""Contracts: what files must be like to join a dataset, and the check of those that come."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import Conflict, NotFound
from mldesk.core.paths import Home
from mldesk.data.sources.locations import readable
from mldesk.library import Library
from mldesk.library.checks import Checked as Noted
from mldesk.library.contracts import KeptContract
from mldesk.library.records import DatasetVersion
from mldesk.workbench.as_imported import of_dataset
from mldesk.workbench.datasets import Cancelled, DatasetService, Progress
from mldesk.workbench.held_files import Held, HeldFiles, held_files
from mldesk.workbench.offered_files import Offered, offered
from mldesk.workbench.quarantine import put_aside, whoever
from mldesk.workbench.standing import Standing, standing

if TYPE_CHECKING:  # duckdb and pyarrow load with them
    from mldesk.data.contracts.check import CheckedFile
    from mldesk.data.contracts.contract import Contract
    from mldesk.data.contracts.infer import FileFacts
    from mldesk.data.contracts.verdict import Verdict
    from mldesk.data.records import ImportOptions

_NOTED = 50   # findings of a file that are written down


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of files that were checked."""

    dataset: str
    contract: int                         # number of the contract they were checked against
    verdicts: tuple[Verdict, ...]
    version: DatasetVersion | None = None  # the one that the accepted files made, if they were merged
    quarantined: tuple[Path, ...] = ()
    standing: Standing | None = None      # that contract as it stands for the version it was asked of
    untold: tuple[str, ...] = ()          # sources of the dataset; whether files are of them cannot be told

    @property
    def rejected(self) -> int:
        return sum(verdict.status == "rejected" for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person said of files that were checked before."""

    names: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)  # columns of a file: the contract's
    accepted: Mapping[Path, str] = field(default_factory=dict)  # taken in spite of what is wrong, and why


class ContractService:
    """A dataset's contract, every edit of it kept."""

    def __init__(self, library: Library, datasets: DatasetService, home: Home) -> None:
        self._library, self._datasets, self._home = library, datasets, home

    def show(self, reference: str) -> Standing:
        """Return the contract that holds for ``N`` or ``N@V``. Raises NotFound where none does."""
        version = self._datasets.show(reference)
        found = standing(self._library, version)
        if found is None:
            others = sorted({kept.version for kept in self._library.contracts.history(version.dataset)})
            hint = f"`mldesk data contract {version.label} --infer` makes one of its rows."
            if others:
                hint = f"There is one for {version.dataset}@{others[-1]} and what is made of it; " + hint
            raise NotFound(f"No contract holds for {version.label}." if others else
                           f"The dataset {version.dataset!r:.80} has no contract.", hint=hint)
        return found

    def holds(self, reference: str) -> bool:
        """Say whether a contract holds for ``N`` or ``N@V``. Raises NotFound for a dataset that is not there."""
        return standing(self._library, self._datasets.show(reference)) is not None

    def history(self, name: str) -> list[KeptContract]:
        """Return every edit of the contract, the newest first; none where none was made. Raises NotFound."""
        return self._library.contracts.history(self._datasets.show(name).dataset)

    def infer(self, reference: str, *, only_changed: bool = False) -> Standing:
        """Make a contract of what a version and its files are like, and keep it for that one and those made of it.

        With ``only_changed`` the rules of columns that recipes left as they were stay. Raises NotFound, Damaged;
        Conflict where no column changed since the contract was made.
        """
        from mldesk.data.contracts.infer import infer_contract, with_files
        from mldesk.data.options import FILE, ROW

        version = self._datasets.show(reference)
        before = self.show(reference) if only_changed else None
        told = (FILE, ROW) if self._options(version, {}).provenance else ()   # of every file something else
        rest = [column for column in version.columns if column.name not in told] or version.columns
        columns = [column for column in rest if before is None or column.name in before.changed]
        if before is not None and not columns:
            raise Conflict(f"No column of {version.label} changed since {before.label} was made.",
                           hint="--infer infers the rules of all columns anew.")
        with self._datasets.intact(version):
            made = infer_contract(self._library.objects, self._home.scratch, version.manifest, columns)
        if before is not None:
            new = {rule.name: rule for rule in made.columns}
            made = replace(before.contract, columns=tuple(new.get(rule.name, rule) for rule in before.contract.columns))
        else:
            made = with_files(made, self._file_facts(version))
        self._library.contracts.add(version.dataset, made.to_json(), version.number)
        return self.show(version.label)

    def _file_facts(self, version: DatasetVersion) -> FileFacts:
        """Return what is known of the files whose rows a version has; of one that a recipe made how many rows it has.
        """
        from mldesk.data.contracts.infer import FileFacts

        line = self._datasets.line_of(version)
        if any(item.recipe for item in line):
            return FileFacts(rows=(version.rows,))
        labels = {item.number for item in line}
        merged = [file for file in self._library.contracts.accepted(version.dataset) if file.version in labels]
        first = line[-1]
        reading = first.reading or {}
        several = reading.get("found", {}).get("several")
        found = FileFacts.of_reading(several) if several else FileFacts(
            tuple(_name_of(str(file["path"])) for file in reading.get("files") or () if "files" not in file),
            (first.rows,))
        return replace(found, names=(*found.names, *(file.name for file in merged)),
                       rows=(*found.rows, *(file.rows for file in merged)))

    def edit(self, reference: str, document: Any) -> Standing:
        """Keep a contract that a person wrote, for a version and those made of it.

        Raises BadInput that names what is wrong with it.
        """
        from mldesk.data.contracts.contract import Contract

        version = self._datasets.show(reference)
        self._library.contracts.add(version.dataset, Contract.from_json(document).to_json(), version.number)
        return self.show(version.label)

    def check(self, name: str, paths: Sequence[Path], *, merge: bool = False, quarantine: Path | None = None,
              choices: Choices | None = None, renames: Mapping[str, str] | None = None,
              reading: Mapping[str, Any] | None = None, every_cell: bool = False, note: bool = True,
              progress: Progress | None = None, cancelled: Cancelled | None = None) -> Checked:
        """Check files against the contract that holds for ``name`` (N or N@V), those in zip archives one by one.

        What is said of each is written down in the library, unless ``note`` is False.

        With ``merge`` those that are accepted make the next version; files whose rows the dataset has are skipped,
        whether they were imported or merged.

        Rejected ones are copied to ``quarantine``, with a report. ``choices``: what a person said of them;
        ``renames``: the contract's names of columns that any of the files calls otherwise;
        ``every_cell`` names each cell that breaks a rule (a million in all) and not a few of each rule only;
        ``reading``: import options that differ from those of the dataset's last import. Raises
        NotFound, BadInput, Conflict where the dataset's columns are not the contract's, ImportCancelled, DiskFull; then
        nothing was changed.
        """
        from mldesk.core.scratch import working_folder

        head = self._datasets.show(name)
        found = self.show(name)
        contract = found.contract
        if merge:
            _fits(contract, head)
        options = self._options(head, reading or {})
        files = offered(paths, options)
        with working_folder(self._home.scratch) as folder:
            held = held_files(self._library, self._datasets.line_of(head), folder)
            checked, verdicts = self._check_all(files, contract, options, held, merge,
                                                folder, choices or Choices(), every_cell, progress, cancelled,
                                                renames or {})
            unique = () if choices is not None else tuple(
                rule.name for rule in contract.columns if rule.unique and rule.severity == "error")
            version = self._merge(head, checked, unique) if merge and checked else None
        moved = put_aside(head.dataset, verdicts, quarantine) if quarantine is not None else {}
        if note:
            self._note(found, verdicts, version, moved, choices or Choices())
        return Checked(head.dataset, found.kept.number, tuple(verdicts), version, tuple(dict.fromkeys(moved.values())),
                       found, tuple(held.untold))

    def _note(self, found: Standing, verdicts: Sequence[Verdict], version: DatasetVersion | None,
              moved: Mapping[str, Path], choices: Choices) -> None:
        """Write down what was said of files, and of which of them somebody took in spite of that."""
        self._library.checks.add(found.kept.dataset, found.kept.number, [
            Noted(readable(str(Path(item.file).absolute())), item.digest, item.status, item.rows, item.bad_rows,
                  [finding.to_json() for finding in item.findings[:_NOTED]],
                  version.number if version is not None and item.accepted and not item.there else None,
                  readable(str(moved[item.file].absolute())) if item.file in moved else "",
                  (whoever(), choices.accepted[Path(item.file)]) if Path(item.file) in choices.accepted else None)
            for item in verdicts])

    def _options(self, head: DatasetVersion, reading: Mapping[str, Any]) -> ImportOptions:
        """Return how files are read: as at the dataset's last import, but for ``reading``, and as its columns are."""
        from mldesk.data.records import ImportOptions

        last: Mapping[str, Any] = next((version.reading["options"] for version in
                                        reversed(self._datasets.versions(head.dataset)) if version.reading), {})
        return replace(ImportOptions.from_json({**last, **reading}),
                       readings=of_dataset(self._library, head.label).options().readings,
                       expected=tuple((column.name, column.type.value) for column in head.columns))

    def _check_all(self, files: Sequence[Offered], contract: Contract, options: ImportOptions, held: HeldFiles,
                   merge: bool, folder: Path, choices: Choices, every_cell: bool, progress: Progress | None,
                   cancelled: Cancelled | None, renames: Mapping[str, str]) -> tuple[list[CheckedFile], list[Verdict]]:
        from mldesk.data.contracts.check import CheckedFile, accepted_by_hand, check_mapped
        from mldesk.data.contracts.verdict import Room, Verdict
        from mldesk.data.records import ImportRefused

        known, room = dict(held.by_digest), Room() if every_cell else None
        good: list[CheckedFile] = []
        verdicts: list[Verdict] = []
        archives: dict[Path, Held | None] = {}   # as whole files, which imports know them as
        for number, file in enumerate(files):
            path, place = file.said, folder / str(number)
            place.mkdir()
            whole = archives[file.path] if file.path in archives else archives.setdefault(
                file.path, known.get(Offered(file.path).digest()) if file.member else None)
            try:
                digest = file.digest()
            except ImportRefused as error:
                verdicts.append(_unread(file, error.message))
                continue
            there = known.get(digest) or whole or (None if file.member else held.of(file.path, digest))
            if there is not None and (merge or there.checked):
                verdicts.append(Verdict(str(path), digest, "unchanged", there.rows or 0, held=there.version))
                continue
            found = check_mapped(file.path, digest, contract, file.options(options), place,
                                 choices.names.get(path, renames), said=path, room=room, cancelled=cancelled)
            if path in choices.accepted and isinstance(found, CheckedFile):
                found = accepted_by_hand(found)
            verdict = found.verdict if isinstance(found, CheckedFile) else found
            earlier = held.earlier(path) if there is None and not file.member else None
            verdicts.append(_not_again(verdict, there) if there is not None else
                            _as_well(verdict, earlier) if earlier is not None else verdict)
            if isinstance(found, CheckedFile) and verdict.accepted:
                good.append(found)
                known.setdefault(digest, Held("", verdict.rows, checked=True))
            else:
                shutil.rmtree(place, ignore_errors=True)
            if progress is not None:
                progress(number + 1, len(files))
        return good, verdicts

    def _merge(self, head: DatasetVersion, checked: Sequence[CheckedFile], unique: Sequence[str]) -> DatasetVersion:
        from mldesk.data.contracts.merge import merge_files

        with self._datasets.intact(head):
            table = merge_files(self._library.objects, self._home.scratch, head.manifest, head.columns, checked,
                                unique)
        version = self._library.datasets.add(
            head.dataset, manifest=table.manifest, rows=table.rows, columns=table.columns, size=table.size,
            parent=head.number, source=f"version {head.number} and {table.source}")
        self._library.contracts.accept(head.dataset, version.number, [
            (readable(Path(file.verdict.file).name), file.verdict.digest, file.verdict.rows - file.verdict.bad_rows)
            for file in checked])
        return version


def _unread(file: Offered, why: str) -> Verdict:
    """Return what is said of a file in an archive whose bytes cannot be read."""
    from mldesk.data.contracts.verdict import Finding, Verdict

    return Verdict(str(file.said), Offered(file.path).digest(), "rejected",
                   findings=(Finding("reading", "error", "", why),))


def _name_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _not_again(verdict: Verdict, held: Held) -> Verdict:
    """Return what is said of a file that was imported, which is checked only because somebody asks."""
    from mldesk.data.contracts.verdict import Finding

    said = Finding("held", "warning", "", f"Its rows came in with {held.version}; a merge leaves it out.")
    return replace(verdict, findings=(*verdict.findings, said), held=held.version)


def _as_well(verdict: Verdict, earlier: Held) -> Verdict:
    """Return what is said of a file that was another one when its rows came in."""
    from mldesk.data.contracts.verdict import Finding

    before = f"A file of this name with other bytes came in with {earlier.version}" if earlier.checked else \
        f"It was changed since its rows came in with {earlier.version} (`data again` would read it anew)"
    said = Finding("held", "warning", "", f"{before}: a merge keeps those rows and adds these to them.")
    return replace(verdict, findings=(*verdict.findings, said))


def _fits(contract: Contract, head: DatasetVersion) -> None:
    """Refuse to merge under a contract that is not about the dataset's columns."""
    have: Mapping[str, Any] = {column.name: column.type for column in head.columns}
    for rule in contract.columns:
        if rule.name not in have:
            raise Conflict(f"{head.label} has no column {rule.name!r:.80}, which its contract asks for.",
                           hint="Derive that column first, or edit the contract.")
        if have[rule.name] is not rule.type:
            raise Conflict(f"{rule.name!r:.80} is {have[rule.name].value} in {head.label}, but {rule.type.value} in "
                           "its contract.", hint="Change the column's type by a recipe, or edit the contract.")
