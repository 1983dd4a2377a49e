"""The contract of a dataset as its tab shows it: the rules, earlier ones, and the files that are checked."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.observable import Observable
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.data.contracts.verdict import Verdict
    from mldesk.library.contracts import KeptContract
    from mldesk.workbench.contracts import Checked
    from mldesk.workbench.standing import Standing


@dataclass(frozen=True)
class Contracts:
    """The contract that holds for the version that is shown, None where none does, and all of the dataset."""

    standing: Standing | None
    all: tuple[KeptContract, ...]      # the newest first


class ContractState:
    """The contract that holds for the version of a dataset that is shown."""

    def __init__(self, desk: Desk, dataset: DatasetState) -> None:
        self.desk, self.dataset = desk, dataset
        self.found: Observable[Contracts | None] = Observable(None)  # None: not read yet

    @property
    def standing(self) -> Standing | None:
        return self.found.value.standing if self.found.value is not None else None

    @property
    def kept(self) -> KeptContract | None:
        """The contract as somebody made it, perhaps for an earlier version."""
        return None if self.standing is None else self.standing.kept

    async def load(self) -> None:
        """Read the contracts. Raises NotFound."""
        self.found.value = await in_thread(self._read)

    def _read(self) -> Contracts:
        service, reference = self.desk.workbench.contracts, self.dataset.reference
        history = tuple(service.history(reference))
        try:
            return Contracts(service.show(reference) if history else None, history)
        except NotFound:
            return Contracts(None, history)

    async def infer(self, *, only_changed: bool = False) -> None:
        """Make a contract of what the version that is shown is like, or of its columns that recipes changed.

        Raises NotFound, Damaged, Conflict.
        """
        service = self.desk.workbench.contracts
        await in_thread(lambda: service.infer(self.dataset.reference, only_changed=only_changed))
        await self.load()

    async def edit(self, document: Mapping[str, Any]) -> None:
        """Keep a contract for the version that is shown. Raises BadInput that names what is wrong."""
        await in_thread(self.desk.workbench.contracts.edit, self.dataset.reference, document)
        await self.load()

    async def read(self, path: Path) -> tuple[str, ...]:
        """Keep the contract in a file: ours in JSON, or a pandera schema in JSON or YAML.

        Return what of it a contract has no place for. Raises BadInput, OSError.
        """
        from mldesk.workbench.contract_from_pandera import from_pandera, is_pandera, read_document

        try:
            text = await in_thread(path.read_text, "utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path.name} is not UTF-8 text.") from error
        document, left_out = read_document(text, yaml=path.suffix.lower() in (".yaml", ".yml")), tuple[str, ...]()
        if is_pandera(document):
            document, left_out = from_pandera(document)
        await self.edit(document)
        return left_out

    async def write(self, path: Path) -> tuple[str, ...]:
        """Write the contract, as JSON or (.py) as a pandera schema; return what that cannot say. Raises OSError."""
        from mldesk.workbench.contract_pandera import as_pandera, not_in_pandera

        if self.standing is not None:
            document = self.standing.document
            text = as_pandera(document) if path.suffix == ".py" else \
                json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            await in_thread(path.write_text, text, "utf-8")
            return not_in_pandera(document) if path.suffix == ".py" else ()
        return ()


@dataclass
class CheckState:
    """Files that are checked, and what a person says of them. Nothing is kept until ``merge``."""

    desk: Desk
    name: str
    paths: list[Path]
    names: dict[Path, Mapping[str, str]] = field(default_factory=dict)  # accepted mappings of columns
    by_hand: dict[Path, str] = field(default_factory=dict)              # files that a person takes, and why
    left_out: set[Path] = field(default_factory=set)
    done: tuple[int, int] = (0, 0)          # files of how many, for whoever looks
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.verdicts: Observable[tuple[Verdict, ...]] = Observable(())
        self.untold: tuple[str, ...] = ()   # sources of the dataset; whether files are of them cannot be told

    async def check(self, only: Sequence[Path] = ()) -> None:
        """Check the files, or some of them again. Raises NotFound, BadInput, ImportCancelled, DiskFull."""
        found = await in_thread(self._check, list(only or self.paths))
        self.untold = found.untold
        fresh = {Path(item.file): item for item in found.verdicts}
        before = {Path(item.file): item for item in self.verdicts.value}
        self.verdicts.value = tuple((before | fresh).values())

    def good(self) -> list[Path]:
        """Return the files that would be merged."""
        return [Path(item.file) for item in self.verdicts.value
                if item.accepted and not item.there and Path(item.file) not in self.left_out]

    async def merge(self) -> Checked:
        """Make the next version of the good ones. Raises as ``check``, and Conflict."""
        made = await in_thread(partial(self._check, self.good(), merge=True))
        self.desk.nudge()
        return made

    async def put_aside(self, place: Path) -> int:
        """Copy the rejected files with a report to a folder or .zip; return how many. Raises DiskFull, OSError."""
        await in_thread(self.desk.workbench.checked.put_aside, self.name, self.verdicts.value, place)
        return sum(verdict.status == "rejected" for verdict in self.verdicts.value)

    async def write_report(self, path: Path) -> None:
        """Write what is wrong: .html, .txt, or .csv with a line per cell, for which files are read again.

        Raises OSError, and as ``check``.
        """
        from mldesk.workbench.contract_report import as_csv, as_html, as_text

        shown, kind = self.verdicts.value, path.suffix.lower()
        if kind == ".csv":
            broken = [Path(item.file) for item in shown if any(finding.cells for finding in item.findings)]
            found = await in_thread(partial(self._check, broken, every_cell=True)) if broken else None
            named = {item.file: item for item in found.verdicts} if found is not None else {}
            shown = tuple(named.get(item.file, item) for item in shown)
        made = partial(as_csv, shown) if kind == ".csv" else partial(as_text if kind == ".txt" else as_html, self.name,
                                                                     shown)
        await in_thread(lambda: path.write_text(made(), "utf-8"))

    def _check(self, paths: list[Path], *, merge: bool = False, every_cell: bool = False) -> Checked:
        from mldesk.workbench.contracts import Choices

        closing = current().closing
        self.done = (0, len(paths))
        return self.desk.workbench.contracts.check(
            self.name, paths, merge=merge, every_cell=every_cell, note=not every_cell,
            choices=Choices(self.names, dict(self.by_hand)),
            progress=self._count, cancelled=lambda: self.stop.is_set() or closing.is_set())

    def _count(self, done: float, total: float) -> None:
        self.done = (int(done), int(total))


def tried(pattern: str, ignore_case: bool, names: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Match names of files with a pattern: what is wrong with the pattern, and per name what its groups hold."""
    from mldesk.data.contracts.name_pattern import compiled, match

    try:
        compiled(pattern)
        found = [(name, match(pattern, name, ignore_case)) for name in names]
    except ValueError as error:
        return f"{error}", []
    return "", [(name, "" if groups is None else ", ".join(f"{key} {value}" for key, value in groups.items())
                 or "matches") for name, groups in found]
