"""The contract of a dataset as its tab shows it: the rules, earlier ones, and the files that are checked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput
from mldesk.core.observable import Observable
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.data.contracts.verdict import Verdict
    from mldesk.library.contracts import KeptContract
    from mldesk.workbench.contracts import Checked


class ContractState:
    """The newest contract of a dataset; None where none was made."""

    def __init__(self, desk: Desk, dataset: DatasetState) -> None:
        self.desk, self.dataset = desk, dataset
        self.history: Observable[tuple[KeptContract, ...] | None] = Observable(None)  # newest first; None: not read yet

    @property
    def kept(self) -> KeptContract | None:
        history = self.history.value
        return history[0] if history else None

    async def load(self) -> None:
        """Read the contracts. Raises NotFound."""
        self.history.value = tuple(await in_thread(self.desk.workbench.contracts.history, self.dataset.name))

    async def infer(self) -> None:
        """Make a contract of what the version that is shown is like. Raises NotFound, Damaged."""
        await in_thread(self.desk.workbench.contracts.infer, self.dataset.reference)
        await self.load()

    async def edit(self, document: Mapping[str, Any]) -> None:
        """Keep a contract as the newest. Raises BadInput that names what is wrong."""
        await in_thread(self.desk.workbench.contracts.edit, self.dataset.name, document)
        await self.load()

    async def read(self, path: Path) -> None:
        """Keep the contract in a JSON file. Raises BadInput, OSError."""
        try:
            document = json.loads(await in_thread(path.read_text, "utf-8"))
        except ValueError as error:
            raise BadInput(f"{path.name} is not a contract in JSON: {error}.") from error
        await self.edit(document)

    async def write(self, path: Path) -> None:
        """Write the contract, as JSON or (.py) as a pandera schema. Raises OSError."""
        from mldesk.workbench.contract_pandera import as_pandera

        kept = self.kept
        if kept is not None:
            text = as_pandera(kept.document) if path.suffix == ".py" else \
                json.dumps(kept.document, indent=2, ensure_ascii=False) + "\n"
            await in_thread(path.write_text, text, "utf-8")


@dataclass
class CheckState:
    """Files that are checked, and what a person says of them. Nothing is kept until ``merge``."""

    desk: Desk
    name: str
    paths: list[Path]
    names: dict[Path, Mapping[str, str]] = field(default_factory=dict)  # accepted mappings of columns
    by_hand: set[Path] = field(default_factory=set)
    left_out: set[Path] = field(default_factory=set)
    done: tuple[int, int] = (0, 0)          # files of how many, for whoever looks
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.verdicts: Observable[tuple[Verdict, ...]] = Observable(())

    async def check(self, only: Sequence[Path] = ()) -> None:
        """Check the files, or some of them again. Raises NotFound, BadInput, ImportCancelled, DiskFull."""
        found = await in_thread(self._check, list(only or self.paths), False)
        fresh = {Path(item.file): item for item in found.verdicts}
        before = {Path(item.file): item for item in self.verdicts.value}
        self.verdicts.value = tuple((before | fresh).values())

    def good(self) -> list[Path]:
        """Return the files that would be merged."""
        return [Path(item.file) for item in self.verdicts.value
                if item.accepted and Path(item.file) not in self.left_out]

    async def merge(self) -> Checked:
        """Make the next version of the good ones. Raises as ``check``, and Conflict."""
        made = await in_thread(self._check, self.good(), True)
        self.desk.nudge()
        return made

    async def put_aside(self, place: Path) -> int:
        """Copy the rejected files with a report to a folder or .zip; return how many. Raises DiskFull, OSError."""
        from mldesk.workbench.contracts import put_aside

        await in_thread(put_aside, self.name, self.verdicts.value, place)
        return sum(verdict.status == "rejected" for verdict in self.verdicts.value)

    async def write_report(self, path: Path) -> None:
        """Write what is wrong: .html, .txt, or .csv with a line per cell. Raises OSError."""
        from mldesk.workbench.contract_report import as_csv, as_html, as_text

        shown, kind = self.verdicts.value, path.suffix.lower()
        text = as_csv(shown) if kind == ".csv" else as_text(self.name, shown) if kind == ".txt" else \
            as_html(self.name, shown)
        await in_thread(path.write_text, text, "utf-8")

    def _check(self, paths: list[Path], merge: bool) -> Checked:
        from mldesk.workbench.contracts import Choices

        closing = current().closing
        self.done = (0, len(paths))
        return self.desk.workbench.contracts.check(
            self.name, paths, merge=merge, choices=Choices(self.names, frozenset(self.by_hand)),
            progress=self._count, cancelled=lambda: self.stop.is_set() or closing.is_set())

    def _count(self, done: float, total: float) -> None:
        self.done = (int(done), int(total))


def tried(pattern: str, ignore_case: bool, names: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Match names of files with a pattern: what is wrong with the pattern, and per name what its groups hold."""
    try:
        made = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as error:
        return f"{error}", []
    found = ((name, made.fullmatch(name)) for name in names)
    return "", [(name, "" if match is None else ", ".join(f"{key} {value}" for key, value in match.groupdict().items())
                 or "matches") for name, match in found]
