"""Rows to be predicted, held against the contract of the dataset that a model learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.bundles.contract import RowContract
from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion
from mldesk.wire.schema import Column
from mldesk.workbench.references import parse_reference
from mldesk.workbench.standing import standing

if TYPE_CHECKING:
    from mldesk.bundles import Predictor
    from mldesk.data.contracts.rejects import AsRead
    from mldesk.data.records import ImportOptions

_SAID = 3  # findings in a refusal


@dataclass(frozen=True, slots=True)
class Divided:
    """Where rows that break the contract are divided from the others."""

    good: Path        # Parquet: the others
    reasons: Path     # Parquet: row (from 1, as read), column, reason
    lines: Path       # CSV: lines of the file that were no rows, see ``mldesk.data.readers.rejects``


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the contract says of the rows."""

    contract: str                       # "contract 2 of sales", "" for the types of the model's own columns
    messages: tuple[str, ...] = ()      # one sentence per broken rule
    errors: tuple[str, ...] = ()        # those of them that are no mere warning, and not mended by leaving rows out
    left_out: int = 0                   # rows that break it, and lines that were no rows, where they may be left out
    all_left_out: bool = False
    read: AsRead | None = None          # the rows as they were read

    def refuse(self, rejects: str = "") -> None:
        """Raise BadInput that says what breaks the contract, if anything does. ``rejects``: the file of reasons."""
        errors = self.errors or (self.messages if self.all_left_out else ())
        if errors:
            what = f"break {self.contract}" if self.contract else "are not what the model can read"
            raise BadInput(f"The rows {what}: {' '.join(errors[:_SAID])}", hint=(
                f"No row is left to predict; {rejects or 'the reasons'} {'says' if rejects else 'say'} what to mend."
                if self.all_left_out else
                "Mend them, have such rows left out (--rejects FILE), or predict all the same (without --strict)."))

    def said(self) -> tuple[str, ...]:
        """Return the messages with whose they are."""
        return tuple(f"By {self.contract}: {message}" if self.contract else message for message in self.messages)


def held_to(library: Library, version: ModelVersion | None, predictor: Predictor) -> RowContract | None:
    """Return what rows for a model are held to, None where nothing is known.

    For a model that came in a bundle, or a bundle (``version`` None), it is the contract that came with it. Raises
    BadBundle.
    """
    if version is None or version.run is None:
        data = predictor.contract_file()
        return None if data is None else RowContract.from_bytes(data)
    return contract_about(library, version.dataset, predictor.schema)


def contract_about(library: Library, reference: str, columns: Sequence[Column]) -> RowContract | None:
    """Return what the contract that holds for a version of a dataset asks of columns; None where there is none."""
    try:
        name, number = parse_reference(reference)
        found = standing(library, library.datasets.version(name, number))
    except (NotFound, BadInput):
        return None
    return None if found is None else RowContract.about(columns, found.version.label, found.kept.number, found.contract)


def guard(held: RowContract | None, schema: Sequence[Column], source: Path, folder: Path,
          divided: Divided | None = None, options: ImportOptions | None = None) -> Guarded | None:
    """Check ``source``; None where nothing is asked or the file cannot be read, which others say better.

    It is read by ``options``. With ``divided`` rows that break a rule, or hold what the model cannot read, are
    divided from the others.
    """
    from mldesk.data.contracts.check import CheckedFile, check_file
    from mldesk.data.contracts.contract import ColumnRule, Contract
    from mldesk.data.contracts.rejects import count_lines
    from mldesk.data.imports.like import readable
    from mldesk.data.records import ImportOptions

    rules = list(held.contract.columns) if held is not None else []
    if divided is not None:
        rules = [replace(rule, severity="row") if rule.severity == "error" else rule for rule in rules]
        asked = {rule.name for rule in rules if rule.severity == "row"}
        rules += [ColumnRule(column.name, readable(column.type), severity="row") for column in schema
                  if column.name not in asked]
    if not rules:
        return None
    found = check_file(source, "", Contract(tuple(rules), extra="allow"), options or ImportOptions(), folder,
                       lines=None if divided is None else divided.lines)
    if not isinstance(found, CheckedFile):
        return None
    lost = 0 if divided is None else count_lines(divided.lines)
    if divided is not None and (found.left_out or lost):
        found.divide(folder, divided.good, divided.reasons)
    findings = [item for item in found.verdict.findings if item.rule != "reading" or divided is None]
    errors = tuple(item.message for item in findings
                   if item.severity == "error" or (item.severity == "row" and divided is None))
    gone = found.bad_rows if divided is not None else 0
    return Guarded(held.label if held is not None else "", tuple(item.message for item in findings), errors,
                   gone + lost, gone == found.verdict.rows > 0, found.as_read)

